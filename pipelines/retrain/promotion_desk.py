"""What people do about promotions: say yes to a new champion, keep the old one, ask to go back to an earlier one."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from secrets import token_hex

from pipelines.approval import Approval, ApprovalDesk
from pipelines.errors import Refused, Unavailable
from pipelines.names import find_model
from pipelines.people import Person
from pipelines.ports import Clock, Conversation, Place, Retrains
from pipelines.retrain.overview import PromotionSettled, Settled
from pipelines.retrain.ports import Promotions
from pipelines.retrain.promotion import Promotion, WayBackAsked
from pipelines.retrain.promotion_workflow import PromotionWorkflow, WayBack
from pipelines.retrain.values import ModelSpec, Retrain
from pipelines.waiting import OpenApproval


@dataclass(frozen=True, slots=True)
class PromotionDesk:
    workflow: PromotionWorkflow
    approvals: ApprovalDesk
    retrains: Retrains
    promotions: Promotions
    conversation: Conversation
    clock: Clock
    models: Mapping[str, ModelSpec]

    def waiting(self, approval: Approval) -> OpenApproval | None:
        promotion = self.promotions.get(approval.id)
        return OpenApproval(approval, promotion, self.link(approval.id)) if promotion else None

    def approve(self, promotion_id: str, digest: str, person: Person) -> Settled | PromotionSettled:
        return self._settled(self.approvals.approve(self._existing(promotion_id).plan.id, person, digest))

    def reject(self, promotion_id: str, person: Person) -> Settled | PromotionSettled:
        """The champion stays what it is."""
        return self._settled(self.approvals.reject(promotion_id, person))

    def withdraw(self, promotion_id: str, person: Person) -> Settled | PromotionSettled:
        return self._settled(self.approvals.withdraw(promotion_id, person))

    def back(self, person: Person, model: str, champion: int, version: int, channel: str) -> WayBackAsked:
        """Ask that `version` becomes the champion again in place of `champion`; its plan appears as a card."""
        spec = find_model(self.models, model)
        if waiting := self.promotions.waiting(spec.name, "rollback"):
            link = self.link(waiting.plan.id)
            where = f"<{link}|its card>" if link else "`/approvals`"
            raise Refused(f"Going back to version {waiting.plan.version} of {spec.name} waits for a yes: {where}.")
        asked = WayBack(
            id=f"{spec.name}-back-to-{version}-{self.clock.now():%Y%m%d-%H%M%S}-{token_hex(2)}", model=spec.name,
            version=version, champion=champion, requester_id=person.id, requester_name=person.name, channel=channel,
        )  # fmt: skip
        self.workflow.ask_back(asked)
        return WayBackAsked(spec.name, version)

    def link(self, promotion_id: str) -> str:
        promotion = self.promotions.get(promotion_id)
        place = self._place(promotion) if promotion else None
        return self.conversation.link(place) if place else ""

    def _settled(self, approval: Approval) -> Settled | PromotionSettled:
        if approval.state != "open":
            self.workflow.begin(approval.id)
        promotion = self._existing(approval.id)
        if place := self._place(promotion):
            # It is settled and begun: where Slack is away, the work redraws the card as soon as it is back.
            with suppress(Unavailable):
                self.conversation.update(place, lambda: self._shown(approval))
        return self._shown(approval)

    def _shown(self, approval: Approval) -> Settled | PromotionSettled:
        promotion = self._existing(approval.id)
        run = self.retrains.get(promotion.plan.run_id) if promotion.plan.run_id else None
        return Settled(run, approval) if run else PromotionSettled(promotion, approval)

    def _existing(self, promotion_id: str) -> Promotion:
        promotion = self.promotions.get(promotion_id)
        if promotion is None:
            raise Refused("There is no such promotion any more. `/models` shows what there is.")
        return promotion

    def _place(self, promotion: Promotion) -> Place | None:
        plan = promotion.plan
        return self.retrains.place(plan.run_id) if plan.run_id else self.promotions.place(plan.id)


def with_promotion_of(retrain: Retrain, approval: Approval) -> Retrain:
    """A run as its card shows it between the click on its promotion and the first step of what that began."""
    promotion = retrain.promotion
    if promotion is None or approval.state == "open" or retrain.stage != "awaiting promotion":
        return retrain
    if approval.id != promotion.plan.id:
        return retrain
    settled = promotion_with(promotion, approval)
    return replace(retrain, stage="promoting" if settled.stage == "moving" else "champion kept", promotion=settled)


def promotion_with(promotion: Promotion, approval: Approval) -> Promotion:
    if approval.state == "open" or promotion.stage != "awaiting approval":
        return promotion
    stage = "moving" if approval.state == "approved" else approval.state
    return replace(promotion, stage=stage, settled_by=approval.settled_by, settled_at=approval.settled_at)
