"""A drift episode: from the first window that shows drift to the windows that show none, as one value.

Everything here is arithmetic over values: what a look, a person or a retrain does to the episode. The store keeps the
newest revision, and the message, its thread and the issue are brought into line with it afterwards.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pipelines.drift.plans import AWAITING, UNKNOWN, NewRows, Proposal, RetrainingTest, RunState, Trial
from pipelines.drift.report import DriftReport, ModelDrift, weights
from pipelines.drift.values import FIX_FIRST, ColumnWeight, Kind, Onset, Remedy, Urgency, WatchSpec

What = Literal[
    "opened", "raised", "changed", "looked", "blind", "snoozed", "woken", "planned", "edited", "settled", "retrained",
    "still there", "gone",
]  # fmt: skip
RANK: dict[Urgency, int] = {"P2": 0, "P1": 1, "P0": 2}
# Looks are few a day; the keys of these many are enough to know one that comes again.
KEYS = 64
MOMENT = "%Y-%m-%d %H:%M UTC"
MOST_HISTORY = 60
# Later looks have seen more of what was before; after so long the beginning slides out of their sight.
ONSET_SETTLES = timedelta(days=7)
SETTLED_OTHERWISE = frozenset({"rejected", "expired", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Found:
    """What the last look that saw drift found, of a `version` of the model; `trial` tells whether retraining helps.

    `onset` is since when it drifts; `new_rows` are the rows to learn it from, None where their number is not known.
    `columns` are those that the model goes by most.
    """

    kind: Kind
    urgency: Urgency
    version: str
    window: timedelta
    at: datetime
    report: DriftReport
    trial: Trial | None = None
    onset: Onset | None = None
    new_rows: NewRows | None = None
    columns: tuple[ColumnWeight, ...] = ()

    @property
    def remedy(self) -> Remedy:
        return self.report.remedy

    @property
    def broken(self) -> bool:
        """Whether rows are broken, so that a model trained now would learn the fault."""
        return self.remedy in FIX_FIRST


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the thread; `silent` ones are kept and not told. `text` is a whole sentence without mark-up."""

    number: int
    at: datetime
    what: What
    text: str
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Snooze:
    """`urgency` and `kind` are those of the moment at which somebody decided to wait: what is worse was not decided."""

    by: str
    until: datetime
    urgency: Urgency
    kind: Kind = "no drift"

    def covers(self, found: Found) -> bool:
        """Whether this is what was put off: nothing more urgent, and no other kind that asks for an act now."""
        return RANK[found.urgency] <= RANK[self.urgency] and (found.urgency != "P0" or found.kind == self.kind)


@dataclass(frozen=True, slots=True)
class IssueLink:
    """`told` is the number of the last line of the history that stands there; `note` what could not be had of it.

    Number 0 is an issue that was refused, and `note` says why.
    """

    number: int
    url: str
    told: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """`seen`: looks that saw drift; `quiet`: looks in a row that did not; `blind`: why the last look saw nothing.

    `worst` is the highest urgency so far, `retrained` the version that a retrain of this episode made champion, at
    `retrained_at`; `awaits` says that records of it are waited for, which is no trouble yet.
    """

    id: str
    model: str
    channel: str
    opened_at: datetime
    found: Found
    worst: Urgency
    seen: int
    looked_at: datetime
    slot: str
    quiet: int = 0
    quiet_since: datetime | None = None
    ended_at: datetime | None = None
    proposal: Proposal | None = None
    proposals: int = 0
    snooze: Snooze | None = None
    issue: IssueLink | None = None
    blind: str = ""
    retrained: str = ""
    retrained_at: datetime | None = None
    awaits: bool = False
    judged_again: bool = False
    history: tuple[Happened, ...] = ()
    keys: tuple[str, ...] = ()
    revision: int = 1

    @property
    def open(self) -> bool:
        return self.ended_at is None

    @property
    def urgency(self) -> Urgency:
        return self.found.urgency

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the first row of the window that showed it to the first window without; open ones have no end yet."""
        end = self.quiet_since if self.ended_at is not None and self.quiet_since else self.ended_at
        return self.opened_at - self.found.window, end or datetime.max.replace(tzinfo=self.opened_at.tzinfo)

    @property
    def too_new(self) -> NewRows | None:
        """The few rows of the new kind that a retrain waits for: on rows of before, a gate would keep the champion."""
        few = self.found.new_rows
        waits = self.open and self.urgency == "P0" and not self.found.broken and not self.proposals
        return few if waits and few is not None and not few.enough else None

    def snoozed(self, now: datetime) -> bool:
        return self.snooze is not None and now < self.snooze.until


def observed(episode: Episode | None, drift: ModelDrift, watch: WatchSpec, key: str, reason: str) -> Episode | None:
    """The episode after a look; None while there is none. The look of a key that is known changes nothing."""
    if episode is not None and key in episode.keys:
        return episode
    if not drift.verdict.alarming:
        if episode is None:
            return None
        if not drift.verdict.judged:
            looked = _looked(episode, drift, watch, key)
            if not_yet(episode, drift.version, drift.until):
                return awaiting(looked)
            return blinded(looked, drift.report.why[0], drift.until)
        return _not_seen(_looked(episode, drift, watch, key), drift, watch, _slot(drift, watch) != episode.slot)
    found = _found(drift)
    if episode is None:
        return _opened(drift, watch, key, found, reason)
    return _seen(episode, drift, watch, key, found, reason)


def not_yet(episode: Episode, version: str, at: datetime) -> bool:
    """Whether this version became champion less than a window ago, so that nobody wonders at few records of it."""
    since, proposal = episode.retrained_at, episode.proposal
    if proposal is not None and proposal.running and version != episode.found.version:
        return True  # its retrain moves the champion at this moment
    return version == episode.retrained and since is not None and at - since < episode.found.window


def awaiting(episode: Episode) -> Episode:
    """The first records of a new champion are waited for; that is neither trouble nor a look that saw nothing."""
    return replace(episode, awaits=True, blind="")


def blinded(episode: Episode, why: str, at: datetime) -> Episode:
    """Nothing could be judged: that is not the end of an episode, and it is said once."""
    episode = replace(episode, awaits=False)
    if episode.blind:
        return replace(episode, blind=why)
    return told(replace(episode, blind=why), at, "blind", f"Could not look: {why} This is not counted as gone.")


def told(episode: Episode, at: datetime, what: What, text: str) -> Episode:
    """With one more line in its history, which nobody is told of while it is snoozed."""
    number = episode.history[-1].number + 1 if episode.history else 1
    silent = episode.snoozed(at) and what not in ("raised", "snoozed", "planned", "edited", "settled", "retrained")
    line = Happened(number, at, what, text, silent)
    return replace(episode, history=(*episode.history, line)[-MOST_HISTORY:])


def snoozed(episode: Episode, by: str, until: datetime, now: datetime) -> Episode:
    """Silent until then, unless it becomes more urgent than it is now, or a P0 of another kind."""
    quiet = replace(episode, snooze=Snooze(by, until, episode.urgency, episode.found.kind))
    return told(quiet, now, "snoozed", f"Snoozed by {by}.")


def _opened(drift: ModelDrift, watch: WatchSpec, key: str, found: Found, reason: str) -> Episode:
    mark = hashlib.sha256(f"{drift.model}\0{key}".encode()).hexdigest()[:6]
    made = Episode(
        id=f"{drift.model}-{drift.until:%Y%m%d-%H%M}-{mark}", model=drift.model, channel=watch.channel,
        opened_at=drift.until, found=found, worst=found.urgency, seen=1, looked_at=drift.until,
        slot=_slot(drift, watch), keys=(key,),
    )  # fmt: skip
    return _planned(told(made, drift.until, "opened", f"Noticed by {reason}."))


def _looked(episode: Episode, drift: ModelDrift, watch: WatchSpec, key: str) -> Episode:
    return replace(
        episode, looked_at=drift.until, slot=_slot(drift, watch), keys=(*episode.keys, key)[-KEYS:]
    )  # fmt: skip


def _seen(episode: Episode, drift: ModelDrift, watch: WatchSpec, key: str, found: Found, reason: str) -> Episode:
    again = _slot(drift, watch) != episode.slot or episode.quiet > 0
    after = replace(
        _looked(episode, drift, watch, key), found=found, seen=episode.seen + again, quiet=0, quiet_since=None,
        blind="", awaits=False,
    )  # fmt: skip
    at = drift.until
    if at - episode.opened_at > ONSET_SETTLES and found.kind == episode.found.kind:
        after = replace(after, found=replace(found, onset=episode.found.onset or found.onset))
    if after.retrained and found.version == after.retrained and not after.judged_again:
        after = told(
            replace(after, judged_again=True), at, "still there",
            f"Still there after retraining, judged by the reference of version {found.version}: {found.report.title}.",
        )  # fmt: skip
    # Once told it stays told; a snooze is another thing: only what it was given for may pass in silence.
    known = episode.snooze.urgency if episode.snooze is not None and episode.snoozed(at) else episode.worst
    if RANK[found.urgency] > RANK[known]:
        after = replace(after, worst=max(episode.worst, found.urgency, key=RANK.__getitem__), snooze=None)
        after = told(after, at, "raised", f"More urgent: {known} became {found.urgency}. {_reason(found)}")
    elif after.snooze is not None and after.snoozed(at) and not after.snooze.covers(found):
        after = told(
            replace(after, snooze=None), at, "changed",
            f"It looks different now, so it is not snoozed any more: {found.report.title}. {found.report.hypothesis}",
        )  # fmt: skip
    elif after.snooze is not None and not after.snoozed(at):
        after = told(
            replace(after, snooze=None), at, "woken", f"The snooze is over and it is still there: {_reason(found)}"
        )
    elif found.kind != episode.found.kind:
        after = told(after, at, "changed", f"It looks different now: {found.report.title}. {found.report.hypothesis}")
    if reason != watch.by_schedule:
        after = told(after, at, "looked", f"Looked again because of {reason}: {found.report.title}.")
    planned = _planned(after)
    if episode.too_new is not None and planned.proposals > after.proposals and found.new_rows is not None:
        rows = f"{found.new_rows.labelled:,} labelled rows of the new kind"
        return told(planned, at, "changed", f"There are {rows} now: a retrain is planned in the message above.")
    return planned


def _not_seen(episode: Episode, drift: ModelDrift, watch: WatchSpec, counts: bool) -> Episode:
    after = replace(
        episode, quiet=episode.quiet + counts, quiet_since=episode.quiet_since or drift.until, blind="",
        awaits=False, judged_again=episode.judged_again or drift.version == episode.retrained,
    )  # fmt: skip
    if after.quiet < watch.gone_after or (after.proposal is not None and after.proposal.running):
        return after
    return told(replace(after, ended_at=drift.until), drift.until, "gone", "Gone.")


def _planned(episode: Episode) -> Episode:
    """A P0 asks for a retrain once, when there is something to learn from; on broken rows nobody is asked."""
    if episode.urgency != "P0" or episode.found.broken or episode.proposals or episode.too_new is not None:
        return episode
    return with_plan(episode, Proposal(1, note=noted(episode.found)))


def noted(found: Found) -> str:
    """What a plan says of the drift that it answers: it is bound to these words as to everything else."""
    parts = [f"Drift: {found.report.title}"]
    if found.onset is not None:
        parts.append(f"since about {found.onset.at:{MOMENT}}")
    if found.new_rows is not None:
        parts.append(f"{found.new_rows.labelled:,} labelled rows of the new kind are known")
    return f"{'; '.join(parts)}."


def with_plan(episode: Episode, proposal: Proposal) -> Episode:
    """Have a plan drawn; its number is the next one."""
    number = episode.proposals + 1
    return replace(episode, proposal=replace(proposal, number=number), proposals=number)


def run_id_of(episode: Episode) -> str:
    """Of the run that the present proposal would begin: the same in every process."""
    mark = hashlib.sha256(episode.id.encode()).hexdigest()[:8]
    return f"{episode.model}-drift-{mark}-{episode.proposals}"


def _found(drift: ModelDrift) -> Found:
    urgency = drift.verdict.urgency or "P2"
    return Found(
        drift.verdict.kind, urgency, drift.version, drift.window, drift.until, drift.report, drift.trial,
        drift.onset, drift.new_rows, weights(drift.verdict.features),
    )  # fmt: skip


def _reason(found: Found) -> str:
    return found.report.why[-1] if found.report.why else found.report.hypothesis


def _slot(drift: ModelDrift, watch: WatchSpec) -> str:
    return slot_of(drift.until, watch.every)


def slot_of(moment: datetime, every: timedelta) -> str:
    """The name of the span of `every` that this moment lies in: the same in every process."""
    seconds = int(every.total_seconds()) or 3600
    begin = datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, moment.tzinfo)
    return f"{begin:%Y-%m-%dT%H:%M}"


def drawn(episode: Episode, proposal: Proposal, now: datetime) -> Episode:
    """With the plan that was drawn, unless somebody asked for another one meanwhile."""
    if episode.proposal is None or episode.proposal.number != proposal.number or not episode.proposal.drawing:
        return episode
    after = replace(episode, proposal=replace(proposal, test=episode.proposal.test))
    if proposal.refusal:
        return told(after, now, "planned", f"No retrain could be planned: {proposal.refusal}")
    return after if proposal.number == 1 else told(after, now, "planned", "A new plan stands in the message above.")


def untried(episode: Episode) -> bool:
    """Whether to try if retraining helps: for a plan that waits, and anew after each look while there is no answer."""
    proposal = episode.proposal
    if not episode.open or episode.found.broken or episode.found.trial is None or proposal is None:
        return False
    test = proposal.test
    waits = proposal.drawing or proposal.awaiting
    return waits and (test is None or (test.answer == UNKNOWN and test.slot != episode.slot))


def tried(episode: Episode, number: int, slot: str, test: RetrainingTest) -> Episode:
    """With the answer at the plan of this number; an earlier plan's changes nothing, and a known one stays."""
    proposal = episode.proposal
    if proposal is None or proposal.number != number:
        return episode
    if proposal.test is not None and proposal.test.answer != UNKNOWN:
        return episode
    return replace(episode, proposal=replace(proposal, test=replace(test, slot=slot)))


def settled(episode: Episode, run_id: str, state: RunState, now: datetime) -> Episode:
    """How its retrain stands now; a run of an earlier proposal changes nothing."""
    proposal = episode.proposal
    if proposal is None or proposal.run_id != run_id or proposal.state == state:
        return episode
    before = proposal.state.stage if proposal.state else AWAITING
    after = replace(episode, proposal=replace(proposal, state=state))
    if state.promoted:
        since = now if state.promoted != episode.retrained else episode.retrained_at
        after = replace(after, retrained=state.promoted, retrained_at=since, quiet=0, quiet_since=None)
    for what, text in _turns(before, state):
        after = told(after, now, what, text)
    return after


def _turns(before: str, state: RunState) -> list[tuple[What, str]]:
    """What there is to tell of a run that went on from the stage `before`."""
    if state.stage == before:
        return []
    lines: list[tuple[What, str]] = []
    by = f" by {state.by}" if state.by else ""
    why = f" {state.sentence}" if state.sentence else ""
    if before == AWAITING and state.stage not in SETTLED_OTHERWISE:
        lines.append(("settled", f"Retrain approved{by}."))
    if state.stage in SETTLED_OTHERWISE:
        lines.append(("settled", f"The retrain was {state.stage}{by}.{why}"))
    elif state.promoted:
        text = f"Version {state.promoted} is the new champion. The next windows are judged by its own reference."
        lines.append(("retrained", text))
    elif state.finished:
        lines.append(("retrained", f"The retrain ended without a new champion: {state.stage}.{why}"))
    elif state.stage == "awaiting promotion":
        lines.append(("retrained", f"The challenger passed its gate and waits for its promotion to be approved.{why}"))
    return lines


def with_issue(episode: Episode, issue: IssueLink) -> Episode:
    """With what stands in its issue now."""
    known = episode.issue
    return episode if known is not None and known.told > issue.told else replace(episode, issue=issue)
