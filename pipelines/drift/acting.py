"""What people do about a drift episode: approve, edit or reject the retrain, snooze, have it looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pipelines.audit import AuditEntry
from pipelines.drift import episodes
from pipelines.drift.desk import DriftDesk
from pipelines.drift.episodes import Episode
from pipelines.drift.plans import Proposal
from pipelines.drift.ports import Episodes, Retraining
from pipelines.drift.values import WatchSpec
from pipelines.drift.workflow import DriftWorkflow
from pipelines.errors import Refused
from pipelines.people import Person
from pipelines.ports import Clock

SNOOZES: Mapping[str, timedelta] = {
    "4 hours": timedelta(hours=4), "1 day": timedelta(days=1), "1 week": timedelta(days=7),
}  # fmt: skip
LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class EditForm:
    """The plan as it stands, to be changed. `key` finds it again: the episode and the number of the proposal.

    Without a `time_column` there is no `since` to choose.
    """

    model: str
    key: str
    data: str
    since: str
    time_column: str
    note: str


@dataclass(frozen=True, slots=True)
class RejectForm:
    model: str
    key: str


@dataclass(frozen=True, slots=True)
class SnoozeForm:
    model: str
    key: str
    choices: tuple[str, ...] = tuple(SNOOZES)


@dataclass(frozen=True, slots=True)
class Noted:
    """What whoever pressed is told alone."""

    text: str


@dataclass(frozen=True, slots=True)
class EpisodeDesk:
    """`clock` is that of the records; `people_clock` says when somebody did what, for the audit trail."""

    workflow: DriftWorkflow
    episodes: Episodes
    retraining: Retraining
    watches: Mapping[str, WatchSpec]
    clock: Clock
    desk: DriftDesk
    people_clock: Clock

    def approve(self, key: str, digest: str, person: Person) -> None:
        """Count this person's yes to exactly the plan that they saw. Raises Refused where it does not count."""
        episode, proposal = self._proposal(key)
        try:
            self.retraining.approve(proposal.run_id, digest, person)
        finally:
            self.workflow.refresh(episode.id)

    def reject(self, key: str, person: Person, reason: str) -> None:
        episode, proposal = self._proposal(key)
        try:
            self.retraining.reject(proposal.run_id, person, reason)
        finally:
            self.workflow.refresh(episode.id)

    def edit(self, key: str, person: Person, data: str, since: str, note: str) -> None:
        """Withdraw the plan and have another one drawn in the same message."""
        episode, proposal = self._proposal(key)
        self.retraining.check(episode.model, data, since)
        self._check_awaiting(proposal)
        self.retraining.withdraw(proposal.run_id, person.name)
        if self.retraining.state(proposal.run_id).stage != "withdrawn":
            self.workflow.refresh(episode.id)
            raise Refused("Somebody settled this plan at the same moment; nothing was changed.")
        asked = Proposal(0, data=data, since=since, note=note[:LONGEST_NOTE], asked_by=person.name)
        about = {"withdrawn": proposal.run_id, "data": data, "since": since, "note": asked.note}
        self._plan(episode, proposal.number, asked, self._entry(person, "drift plan edited", episode, about))

    def plan(self, key: str, person: Person) -> None:
        """Have a retrain planned that the urgency did not ask for, or anew after the last one ended."""
        episode, number = self._episode(key)
        if not episode.open:
            raise Refused(f"This drift is gone. `/retrain {episode.model}` trains the model all the same.")
        if episode.found.broken:
            raise Refused(f"Nothing to retrain on: {episode.found.report.recommendation}")
        entry = self._entry(person, "drift plan requested", episode, {})
        self._plan(episode, number, Proposal(0, asked_by=person.name), entry)

    def snooze(self, key: str, person: Person, span: str) -> None:
        episode, _ = self._episode(key)
        now = self.clock.now()
        until = now + SNOOZES[span]
        about = {"span": span, "until": until.isoformat(), "urgency": episode.urgency}
        self.workflow.change(
            episode.id, lambda newest: episodes.snoozed(newest, person.name, until, now),
            self._entry(person, "drift snoozed", episode, about),
        )  # fmt: skip

    def investigate(self, key: str, person: Person) -> Noted:
        episode, _ = self._episode(key)
        self.workflow.detail(episode.id, f"{self.clock.now():%Y%m%d%H%M}", person.name)
        return Noted(f"I look at {episode.model} now; what I find appears in the thread.")

    def edit_form(self, key: str) -> EditForm:
        episode, proposal = self._proposal(key)
        self._check_awaiting(proposal)
        column = self.watches[episode.model].time_column
        return EditForm(episode.model, key, proposal.data, proposal.since, column, proposal.note)

    def reject_form(self, key: str) -> RejectForm:
        episode, proposal = self._proposal(key)
        self._check_awaiting(proposal)
        return RejectForm(episode.model, key)

    def snooze_form(self, key: str) -> SnoozeForm:
        episode, _ = self._episode(key)
        if not episode.open:
            raise Refused("This drift is gone; there is nothing to be silent about.")
        return SnoozeForm(episode.model, key)

    def _plan(self, episode: Episode, number: int, asked: Proposal, entry: AuditEntry) -> None:
        def with_plan(newest: Episode) -> Episode:
            if newest.proposals != number:
                raise Refused("A newer plan stands in the message already.")
            changed = replace(asked, note=asked.note or episodes.noted(newest.found))
            return episodes.with_plan(
                episodes.told(newest, self.clock.now(), "edited", f"{asked.asked_by} asked for a new plan."), changed
            )

        self.workflow.change(episode.id, with_plan, entry)

    def _entry(self, person: Person, action: str, episode: Episode, about: Mapping[str, object]) -> AuditEntry:
        detail: dict[str, object] = {"episode": episode.id, "person": person.id, **about}
        return AuditEntry(self.people_clock.now(), person.name, action, episode.model, detail)

    def _episode(self, key: str) -> tuple[Episode, int]:
        episode_id, _, number = key.partition(" ")
        episode = self.episodes.get(episode_id)
        if episode is None or not number.isdecimal():
            raise Refused("There is no such episode any more. `/drift MODEL` looks anew.")
        return episode, int(number)

    def _proposal(self, key: str) -> tuple[Episode, Proposal]:
        episode, number = self._episode(key)
        proposal = episode.proposal
        if proposal is None or proposal.number != number or proposal.plan is None:
            raise Refused("This plan is not the newest one. Look at the message again.")
        return episode, proposal

    def _check_awaiting(self, proposal: Proposal) -> None:
        if not proposal.awaiting:
            stage = proposal.state.stage if proposal.state else "settled"
            raise Refused(f"This plan is {stage} already; nothing was changed.")
