"""Puts the parts of promotions together, for bot/app.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.knowledge import Ground
from pipelines.approval import ApprovalDesk
from pipelines.drift.outcomes import LabelledMetrics, recent_metrics
from pipelines.drift.ports import Profiles
from pipelines.ports import Clock, Conversation, Registry
from pipelines.retrain.promotion import Compared
from pipelines.retrain.promotion_desk import PromotionDesk
from pipelines.retrain.promotion_workflow import PromotionRooms, PromotionWorkflow
from pipelines.retrain.values import ModelSpec

RECENTLY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ServedOutcomes:
    """Keeps RecentOutcomes by what the inference records and their labels say of each version."""

    profiles: Profiles
    clock: Clock
    models: Mapping[str, ModelSpec]

    def compare(self, model: str, version: int, champion: int | None) -> Sequence[Compared]:
        ours = self._of(model, version)
        theirs = self._of(model, champion) if champion is not None else None
        if ours is None and theirs is None:
            return ()
        counted = [f"{found.rows:,}" for found in (ours, theirs) if found is not None]
        rows = f"{' and '.join(counted)} served rows with labels, last {RECENTLY.days} days"
        return (Compared(rows, ours.metrics if ours else {}, theirs.metrics if theirs else {}),)

    def _of(self, model: str, version: int) -> LabelledMetrics | None:
        positive = self.models[model].positive_label
        return recent_metrics(self.profiles, model, str(version), self.clock.now(), RECENTLY, positive)


@dataclass(frozen=True, slots=True)
class AliasServing:
    """Keeps Deployments where what serves a model follows its champion alias by itself."""

    def serving(self, model: str, version: int) -> str:
        return f"whatever serves {model} by its champion alias loads version {version} at its next look."


def promotion_rooms(
    ground: Ground, approvals: ApprovalDesk, conversation: Conversation, registry: Registry,
    models: Mapping[str, ModelSpec],
) -> PromotionRooms:  # fmt: skip
    ledger = ground.ledger
    return PromotionRooms(
        durable=ground.durable, approvals=approvals, retrains=ledger.retrains, promotions=ledger.promotions,
        conversation=conversation, registry=registry, storage=ground.storage,
        outcomes=ServedOutcomes(ledger.profiles, ground.clock, models), deployments=AliasServing(),
        folder=ground.settings.data_dir / "promotions", clock=ground.clock, models=models,
        count=ground.telemetry.ended, guard=ground.guard,
    )  # fmt: skip


def build_promotion_desk(rooms: PromotionRooms, workflow: PromotionWorkflow) -> PromotionDesk:
    return PromotionDesk(
        workflow, rooms.approvals, rooms.retrains, rooms.promotions, rooms.conversation, rooms.clock, rooms.models
    )
