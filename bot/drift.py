"""Puts the parts of drift together, for bot/app.py: the one place where drift and retrain meet."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from bot.cards.blocks import plain
from bot.cards.retrain import cost_in_words, gate_in_words, place_in_words, since_in_words
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.mlflow import MlflowRegistry
from bot.clients.slack import SlackConversation
from bot.drift_issues import build_issues
from bot.drift_report import build_explainer, build_trials
from bot.knowledge import Ground
from bot.redaction import Redactor
from pipelines.approval import plan_digest
from pipelines.drift.acting import EpisodeDesk
from pipelines.drift.desk import DriftDesk
from pipelines.drift.explainer import DriftExplainer
from pipelines.drift.plans import Proposal, RetrainPlan, RunState
from pipelines.drift.report import ModelDrift
from pipelines.drift.showing import Showing
from pipelines.drift.trend import DriftTrend, look_of, trends
from pipelines.drift.workflow import DriftRooms, DriftWorkflow
from pipelines.errors import Refused, Unavailable
from pipelines.people import Person
from pipelines.ports import Clock, LanguageModel, Place
from pipelines.retrain import plan as planning
from pipelines.retrain.desk import RetrainDesk, with_stage_of
from pipelines.retrain.values import Retrain, TrainingPlan

# More than these do not fit into the eight weeks that say what is usual.
EPISODES_KNOWN = 20
# What App Home shows of a model's past.
TREND = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Drift:
    """What looks, and what people do about an episode."""

    desk: DriftDesk
    workflow: DriftWorkflow
    episodes: EpisodeDesk
    explainer: DriftExplainer
    trends: Callable[[], Sequence[DriftTrend]]


def build_drift(
    ground: Ground, catalogue: Catalogue, slack: SlackConversation, retrain: RetrainDesk, registry: MlflowRegistry,
    clock: Clock, model: LanguageModel, redactor: Redactor,
    observed: Callable[[ModelDrift], None] | None = None,
) -> Drift:  # fmt: skip
    """`clock` is that of the records, which a demo may let run faster; `observed` hears of every look."""
    ledger = ground.ledger
    desk = DriftDesk(
        ledger.profiles, registry, clock, retrain.models, names=ledger.served,
        drifting=lambda model: [episode.span for episode in ledger.episodes.recent(EPISODES_KNOWN, model)],
        labelled=ledger.rows.labelled,
    )  # fmt: skip
    retraining = ProposedRetrains(retrain)
    watches = catalogue.watches_by_model
    trials = build_trials(ground, catalogue)
    explainer = build_explainer(ground, registry, retrain.models, model, clock, trials)
    showing = Showing(
        slack, retraining, watches, clock, SlackChannels(slack).find, build_issues(ground.settings, redactor),
        explainer.versions.records,
    )  # fmt: skip
    workflow = DriftWorkflow(
        DriftRooms(
            durable=ground.durable, desk=desk, episodes=ledger.episodes, retraining=retraining, showing=showing,
            conversation=slack, clock=clock, watches=watches, guard=ground.guard,
            observed=observed or observing(ground),
            explain=explainer.explain, would_help=trials.run,
        )
    )  # fmt: skip
    link_retrains(retrain, workflow, desk)
    return Drift(
        desk, workflow,
        EpisodeDesk(workflow, ledger.episodes, retraining, watches, clock, desk, ground.clock), explainer,
        lambda: trends(ledger.looks.between(clock.now() - TREND, clock.now())),
    )  # fmt: skip


def observing(ground: Ground) -> Callable[[ModelDrift], None]:
    """Every look is measured for Prometheus, and remembered for the digest and App Home."""

    def observed(drift: ModelDrift) -> None:
        ground.telemetry.drift.observed(drift)
        ground.ledger.looks.add(look_of(drift))

    return observed


def link_retrains(retrain: RetrainDesk, workflow: DriftWorkflow, desk: DriftDesk) -> None:
    """Episodes hear of the retrains they proposed, and rows that broke meanwhile are not trained on."""

    def hear(run_id: str) -> None:
        with suppress(Refused, Unavailable):  # the next tick sees it as well
            workflow.hear(run_id)

    def check(plan: TrainingPlan) -> None:
        if plan.trigger == "drift":
            desk.refuse_broken_rows(plan.model, workflow.window_of(plan.model))

    retrain.workflow.listen(hear)
    retrain.workflow.check_by(check)


@dataclass(frozen=True, slots=True)
class ProposedRetrains:
    """Keeps Retraining with the desk of retrains."""

    desk: RetrainDesk

    def propose(self, run_id: str, model: str, thread: Place, proposal: Proposal) -> RetrainPlan:
        retrain = self.desk.propose(run_id, model, thread, proposal.data or None, proposal.note, proposal.since)
        if retrain.run_id == run_id:
            return self._plan(retrain)
        if self._state(retrain).finished:
            raise Unavailable("the retrain before this one", "it is being put away")
        raise Refused(
            f"{model} has an unfinished run already ({retrain.stage}), ordered by {retrain.plan.requester_name}; "
            f"`/models {model}` shows it."
        )

    def state(self, run_id: str) -> RunState:
        return self._state(self.desk.get(run_id))

    def approve(self, run_id: str, digest: str, person: Person) -> None:
        self.desk.approve(run_id, digest, person)

    def approve_by_policy(self, run_id: str, author: str) -> None:
        self.desk.approve_by_policy(run_id, author)

    def reject(self, run_id: str, person: Person, reason: str) -> None:
        self.desk.reject(run_id, person, reason)

    def withdraw(self, run_id: str, by: str) -> None:
        self.desk.withdraw(run_id, by)

    def check(self, model: str, data: str, since: str) -> None:
        planning.choose_data(self.desk.models[model], data or None)
        if since:
            planning.parse_day(since)

    def _state(self, retrain: Retrain) -> RunState:
        approval = self.desk.approvals.get(retrain.run_id)
        current = with_stage_of(retrain, approval) if approval else retrain
        promoted = str(current.version.version) if current.stage == "registered" and current.version else ""
        sentence = current.failure or (current.verdict.reason if current.verdict else "")
        return RunState(
            stage=current.stage, finished=current.finished, by=current.settled_by, at=current.settled_at,
            votes=tuple(vote.person_name for vote in approval.votes) if approval else (),
            needed=approval.policy.needed if approval else 1, promoted=promoted,
            sentence=(approval.reason if approval and approval.reason and current.stage == "rejected" else sentence),
        )  # fmt: skip

    def _plan(self, retrain: Retrain) -> RetrainPlan:
        plan = retrain.plan
        approval = self.desk.approvals.get(retrain.run_id)
        if approval is None:
            raise Refused(f"The gate of {retrain.run_id} is gone. Ask for a new plan.")
        rows = "rows counted while training" if plan.rows is None else f"{plan.rows:,} rows"
        rows += plain(since_in_words(plan))
        return RetrainPlan(
            digest=plan_digest(plan)[:16], data=plan.data, rows=f"{rows} · {plan.columns} columns",
            target=f"{plan.target} ({plan.problem})",
            champion=f"version {plan.champion_version}" if plan.champion_version else "none yet",
            gate=tuple(gate_in_words(plan.gate).split("\n")), runner=place_in_words(plan),
            cost=plain(cost_in_words(plan)), expires_at=approval.expires_at, note=plan.note, row_count=plan.rows,
        )  # fmt: skip
