"""The buttons of a promotion, and those that lead back to an earlier version."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.errors import Refused
from pipelines.people import Permission
from pipelines.requests import Click
from pipelines.retrain.overview import PromotionSettled, Settled
from pipelines.retrain.promotion import WayBackAsked
from pipelines.retrain.promotion_desk import PromotionDesk


@dataclass(frozen=True, slots=True)
class ApprovePromotion:
    desk: PromotionDesk
    action: ClassVar[str] = "promotion.approve"
    permission: ClassVar[Permission] = Permission.LOOK  # who may approve is judged by the gate, which can say who
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Settled | PromotionSettled:
        promotion_id, _, digest = click.value.partition(" ")
        return self.desk.approve(promotion_id, digest, click.person)


@dataclass(frozen=True, slots=True)
class KeepChampion:
    desk: PromotionDesk
    action: ClassVar[str] = "promotion.keep"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Settled | PromotionSettled:
        promotion_id, _, _ = click.value.partition(" ")
        return self.desk.reject(promotion_id, click.person)


@dataclass(frozen=True, slots=True)
class WithdrawPromotion:
    desk: PromotionDesk
    action: ClassVar[str] = "promotion.withdraw"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Settled | PromotionSettled:
        promotion_id, _, _ = click.value.partition(" ")
        return self.desk.withdraw(promotion_id, click.person)


@dataclass(frozen=True, slots=True)
class AskWayBack:
    """Asks for an earlier version as champion; its plan needs an approval like any other."""

    desk: PromotionDesk
    action: ClassVar[str] = "promotion.back"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = False

    def __call__(self, click: Click) -> WayBackAsked:
        model, champion, version = _parts(click.value)
        return self.desk.back(click.person, model, champion, version, click.channel)


def _parts(value: str) -> tuple[str, int, int]:
    match value.split():
        case [model, champion, version] if champion.isdigit() and version.isdigit():
            return model, int(champion), int(version)
    raise Refused("This button does not say where to go back to. `/models MODEL` has a newer one.")
