"""What drift needs from the world besides pipelines/ports.py."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipelines.audit import AuditEntry
from pipelines.drift.background import VersionRecord
from pipelines.drift.episodes import Episode, Happened
from pipelines.drift.events import Half
from pipelines.drift.joining import Pair
from pipelines.drift.plans import Proposal, RetrainPlan, RunState
from pipelines.drift.sampling import Fold, KeptRow, LabelledRow, RowLimit
from pipelines.drift.values import IssuePlace, LabelsMet, PredictionMade
from pipelines.drift.windows import WindowProfile
from pipelines.people import Person
from pipelines.ports import Place
from pipelines.profiles import Reference


class Profiles(Protocol):
    """Hourly profiles of what a model was asked and said, and the predictions that wait for their labels."""

    def add(self, window: WindowProfile) -> int:
        """Store its tallies; answers how many were new. A batch that is there already changes nothing."""
        ...

    def windows(
        self, model: str, since: datetime, until: datetime, version: str | None = None
    ) -> Sequence[WindowProfile]:
        """Of the hours from `since` to before `until`, oldest first; one a version and hour."""
        ...

    def take(
        self, model: str, made: Sequence[PredictionMade], count: Callable[[Collection[str]], Sequence[WindowProfile]]
    ) -> Sequence[WindowProfile]:
        """Keep those records that are new, and add what `count` makes of their ids to what their hours hold, in one
        step; answers what was added. Records that are there already change nothing."""
        ...

    def remember(self, model: str, made: Sequence[PredictionMade]) -> None:
        """Keep predictions for their labels, which may have come first; the same record again changes nothing."""
        ...

    def label(self, model: str, labels: Mapping[str, str], at: datetime) -> LabelsMet:
        """Labels by record id; those without a prediction wait for theirs. The first one counts."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop all hours before; answers how many tallies went."""
        ...


class Rows(Protocol):
    """A bounded sample of what models were asked; it never leaves the bot's memory but for a trial on this machine."""

    def keep(self, model: str, rows: Sequence[KeptRow], limit: RowLimit) -> float:
        """Keep those of the highest ranks; a row that is there already changes nothing. Answers the highest rank that
        had to go, minus infinity where none had."""
        ...

    def labelled(self, model: str, version: str) -> Sequence[LabelledRow]:
        """Those whose predictions and labels are known, oldest first."""
        ...

    def forget(self, before: Mapping[str, datetime]) -> int:
        """Drop each model's rows from before, and all of models that are not named; answers how many went."""
        ...


class Challengers(Protocol):
    """Trains a challenger the way a retrain would, only cheaper; apart from the bot, in bounded time and memory."""

    def errors(self, model: str, rows: Sequence[LabelledRow], folds: Sequence[Fold]) -> Sequence[float]:
        """The error of each row that a fold tests, in the order of `folds`: 0 or 1 for classes, the absolute one for
        numbers. Raises Refused where these rows cannot be trained on, and Unavailable."""
        ...


class Halves(Protocol):
    """Requests and responses that wait for their other half, of all processes. One half an id."""

    def meet(self, halves: Sequence[Half], received: datetime) -> tuple[Sequence[Pair], int]:
        """Pairs of those that wait with these, which wait no longer; and how many of these wait now. What waits
        already changes nothing. The halves are of different ids."""
        ...

    def let_go(self, most: int, before: datetime | None = None) -> Sequence[Half]:
        """Drop and answer those received first, and before that moment."""
        ...

    def waiting(self) -> int: ...


class Outcomes(Protocol):
    """The records that are known one by one, until their labels have come."""

    def trim(self, model: str, most: int) -> int:
        """Drop the oldest beyond so many; answers how many went."""
        ...


class References(Protocol):
    def reference(self, model: str) -> Reference | None:
        """The reference profile of the model's champion; None where there is no champion or it has no profile."""
        ...


class Episodes(Protocol):
    """The memory of drift episodes: one open episode a model, and each revision stored once."""

    def begin(self, episode: Episode) -> Episode:
        """Store a new one, unless the model has an open one: then that one is the answer."""
        ...

    def get(self, episode_id: str) -> Episode | None: ...

    def of(self, model: str) -> Episode | None:
        """The open one."""
        ...

    def replace(self, episode: Episode, entry: AuditEntry | None = None) -> bool:
        """Store `episode` if the stored revision is the one before it, with its audit row, in one transaction."""
        ...

    def open(self) -> Sequence[Episode]: ...

    def unshown(self) -> Sequence[Episode]:
        """Those whose newest revision is not to be seen in Slack yet, also ended ones."""
        ...

    def shown(self, episode_id: str, revision: int, told: int) -> None:
        """Note that `revision` is to be seen, and its history up to the line of number `told`."""
        ...

    def told(self, episode_id: str) -> int:
        """The number of the last line of the history that the thread was told; 0 before the first."""
        ...

    def recent(self, limit: int = 10, model: str | None = None) -> Sequence[Episode]:
        """Newest first, open or ended."""
        ...


class Retraining(Protocol):
    """Proposes retrains, and lets people decide. All but `approve` and `reject` may be done twice.

    Raises Refused, whose text is for whoever asked, and Unavailable.
    """

    def propose(self, run_id: str, model: str, thread: Place, proposal: Proposal) -> RetrainPlan:
        """Draw the plan and open its gate; the run's own card will stand in `thread` once it is approved."""
        ...

    def state(self, run_id: str) -> RunState: ...

    def approve(self, run_id: str, digest: str, person: Person) -> None: ...

    def approve_by_policy(self, run_id: str, author: str) -> None:
        """`author` is the approver who wrote the policy into the catalogue."""
        ...

    def reject(self, run_id: str, person: Person, reason: str) -> None: ...

    def withdraw(self, run_id: str, reason: str) -> None:
        """Take the plan back, unless it is settled already."""
        ...

    def check(self, model: str, data: str, since: str) -> None:
        """Raises Refused where this model may not be trained on `data`, or `since` is no day."""
        ...


class Issues(Protocol):
    """Where developers read. Everything is found again by its episode: saying it twice changes it once.

    Raises Refused with the reason, and Unavailable.
    """

    def open(self, place: IssuePlace, episode: Episode, versions: Sequence[VersionRecord]) -> "Opened":
        """The one issue of this episode, open, with the analysis as it is now. `versions`: newest first."""
        ...

    def comment(self, place: IssuePlace, number: int, episode: Episode, line: Happened) -> None: ...

    def close(self, place: IssuePlace, episode: Episode) -> None:
        """With a last comment; fine where none is open."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An issue that exists; `note` says what of it could not be had, such as an assignee."""

    number: int
    url: str
    note: str = ""
