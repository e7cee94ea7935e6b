"""What people do about a retrain: order it, settle its approval, cancel it, look at it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from pipelines.approval import Approval, ApprovalDesk
from pipelines.errors import Refused, Unavailable
from pipelines.names import find_model
from pipelines.people import THE_CLOCK, THE_DRIFT_WATCH, Permission, Person
from pipelines.ports import Clock, Conversation, Place, Registry, Retrains
from pipelines.retrain import plan as planning
from pipelines.retrain.overview import Home, LastRun, ModelsOverview, Settled
from pipelines.retrain.promotion_desk import PromotionDesk
from pipelines.retrain.values import Joined, ModelSpec, ModelStatus, Ordered, Retrain, TrainingOrder
from pipelines.retrain.workflow import RetrainWorkflow
from pipelines.waiting import OpenApproval


@dataclass(frozen=True, slots=True)
class RetrainDesk:
    workflow: RetrainWorkflow
    approvals: ApprovalDesk
    retrains: Retrains
    conversation: Conversation
    registry: Registry
    clock: Clock
    models: Mapping[str, ModelSpec]
    promotions: PromotionDesk

    def order(self, person: Person, model: str, channel: str, data: str | None, note: str) -> Ordered | Joined:
        """Begin drawing up a plan; an unfinished run of the same model is joined instead."""
        spec = find_model(self.models, model)
        if running := self._unfinished(spec.name):
            return self._joined(running)
        order = TrainingOrder(
            model=spec.name, requester_id=person.id, requester_name=person.name, channel=channel,
            data=planning.choose_data(spec, data) if data else None, note=note,
        )  # fmt: skip
        return self._begin(order)

    def order_nightly(self, model: str) -> Ordered | Joined:
        """What the clock orders; asked twice on one day, by one replica or two, it is one run."""
        spec = find_model(self.models, model)
        if running := self._unfinished(spec.name):
            return self._joined(running)
        order = TrainingOrder(
            model=spec.name, requester_id=THE_CLOCK.id, requester_name=THE_CLOCK.name, channel=spec.channel,
            trigger="schedule",
        )  # fmt: skip
        return self._begin(order)

    def propose(
        self, run_id: str, model: str, thread: Place, data: str | None, note: str, since: str = ""
    ) -> Retrain:  # fmt: skip
        """What the drift watch asks for: the plan and its open gate, without a card. The run of `run_id`, or another
        unfinished one of the model. Raises Refused and Unavailable."""
        spec = find_model(self.models, model)
        order = TrainingOrder(
            model=spec.name, requester_id=THE_DRIFT_WATCH.id, requester_name=THE_DRIFT_WATCH.name,
            channel=thread.channel, trigger="drift", data=planning.choose_data(spec, data) if data else None, note=note,
            since=planning.parse_day(since) if since else "",
        )  # fmt: skip
        return self.workflow.propose(run_id, order, thread)

    def approve_by_policy(self, run_id: str, author: str) -> Settled:
        return self._settled(self.approvals.approve_by_policy(run_id, author))

    def withdraw(self, run_id: str, by: str) -> None:
        """Take back what the drift watch asked for; what is settled already stays as it is."""
        with suppress(Refused):  # somebody settles it at this moment
            if (approval := self.approvals.get(run_id)) is not None and approval.state == "open":
                self.approvals.withdraw(run_id, replace(THE_DRIFT_WATCH, name=by))
                self.workflow.begin(run_id)

    def approve(self, run_id: str, digest: str, person: Person) -> Settled:
        return self._settled(self.approvals.approve(run_id, person, digest))

    def reject(self, run_id: str, person: Person, reason: str = "") -> Settled:
        return self._settled(self.approvals.reject(run_id, person, reason))

    def cancel(self, run_id: str, person: Person) -> Settled | Retrain:
        """Withdraw what waits, end what runs. The requester may, and whoever may approve."""
        retrain = self.get(run_id)
        if retrain.finished:
            raise Refused(f"This run has ended already: {retrain.stage}.")
        if retrain.promotion is not None:
            raise Refused("Its version is registered, nothing runs any more. Press Keep the champion on its card.")
        if person.id != retrain.plan.requester_id and not person.may(Permission.APPROVE):
            raise Refused(f"Only {retrain.plan.requester_name} or an approver can cancel this run.")
        approval = self.approvals.get(run_id)
        if approval and approval.state == "open":
            return self._settled(self.approvals.withdraw(run_id, person))
        self.retrains.ask_to_cancel(run_id, person.name)
        return self.get(run_id)

    def _settled(self, approval: Approval) -> Settled:
        if approval.state != "open":
            self.workflow.begin(approval.id)
        place = self.retrains.place(approval.id)
        if place:
            # It is settled and begun: where Slack is away, the work redraws the card as soon as it is back.
            with suppress(Unavailable):
                self.conversation.update(place, lambda: Settled(self.get(approval.id), approval))
        return Settled(self.get(approval.id), approval)

    def get(self, run_id: str) -> Retrain:
        retrain = self.retrains.get(run_id)
        if retrain is None:
            raise Refused("There is no such run any more. `/models` shows what there is.")
        return retrain

    def waiting(self, approval: Approval) -> OpenApproval | None:
        """The run that this gate stands before, or what `promotions` knows of it."""
        if run := self.retrains.get(approval.id):
            return OpenApproval(approval, run, self.link(run.run_id))
        return self.promotions.waiting(approval)

    def overview(self, name: str = "") -> ModelsOverview:
        """All models, or the one of this name."""
        specs = [find_model(self.models, name)] if name else list(self.models.values())
        running = {retrain.plan.model: retrain for retrain in self.retrains.unfinished()}
        models = [self._status(spec, running.get(spec.name)) for spec in specs]
        return ModelsOverview(tuple(models), self.clock.now())

    def home(self, runs: int = 8) -> Home:
        last = [LastRun(retrain, self.link(retrain.run_id)) for retrain in self.retrains.recent(runs)]
        return Home(self.overview(), tuple(last))

    def link(self, run_id: str) -> str:
        place = self.retrains.place(run_id) or self._thread(run_id)
        return self.conversation.link(place) if place else ""

    def _thread(self, run_id: str) -> Place | None:
        retrain = self.retrains.get(run_id)
        return Place(retrain.channel, retrain.thread) if retrain and retrain.thread else None

    def _status(self, spec: ModelSpec, running: Retrain | None) -> ModelStatus:
        try:
            versions = self.registry.versions(spec.name)
        except Unavailable as outage:
            return ModelStatus(spec, None, None, running, unavailable=str(outage))
        holder = {alias: version for version in versions for alias in version.aliases}
        previous = holder.get("previous")
        return ModelStatus(spec, holder.get("champion"), holder.get("challenger"), running, previous=previous)

    def _begin(self, order: TrainingOrder) -> Ordered:
        run_id = planning.new_run_id(order, self.clock.now())
        self.workflow.order(run_id, order)
        return Ordered(order.model, run_id)

    def _unfinished(self, model: str) -> Retrain | None:
        return next((run for run in self.retrains.unfinished() if run.plan.model == model), None)

    def _joined(self, running: Retrain) -> Joined:
        return Joined(running, self.link(running.run_id))


def with_stage_of(retrain: Retrain, approval: Approval) -> Retrain:
    """The run as a card shows it between the click and the first step of the work that the click began."""
    if approval.state == "open" or retrain.stage != "awaiting approval":
        return retrain
    if approval.state == "approved":
        return replace(retrain, stage="training", settled_by=approval.settled_by, settled_at=approval.settled_at)
    return replace(retrain, stage=approval.state, settled_by=approval.settled_by, settled_at=approval.settled_at)
