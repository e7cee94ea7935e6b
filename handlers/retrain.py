"""The buttons under a retrain's card."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.people import Permission
from pipelines.requests import Click
from pipelines.retrain.desk import RetrainDesk
from pipelines.retrain.overview import Settled
from pipelines.retrain.values import Retrain


@dataclass(frozen=True, slots=True)
class ApproveRetrain:
    desk: RetrainDesk
    action: ClassVar[str] = "retrain.approve"
    permission: ClassVar[Permission] = Permission.LOOK  # who may approve is judged by the gate, which can say who
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Settled:
        run_id, _, digest = click.value.partition(" ")
        return self.desk.approve(run_id, digest, click.person)


@dataclass(frozen=True, slots=True)
class RejectRetrain:
    desk: RetrainDesk
    action: ClassVar[str] = "retrain.reject"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Settled:
        run_id, _, _ = click.value.partition(" ")
        return self.desk.reject(run_id, click.person)


@dataclass(frozen=True, slots=True)
class CancelRetrain:
    """Withdraws a request that waits, ends a run that goes on."""

    desk: RetrainDesk
    action: ClassVar[str] = "retrain.cancel"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Settled | Retrain:
        run_id, _, _ = click.value.partition(" ")
        return self.desk.cancel(run_id, click.person)


@dataclass(frozen=True, slots=True)
class OrderAgain:
    """Orders the same model anew, under the name of whoever pressed."""

    desk: RetrainDesk
    action: ClassVar[str] = "retrain.again"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = False

    def __call__(self, click: Click) -> object:
        return self.desk.order(click.person, click.value, click.channel, data=None, note="")
