"""What people do with a report of a failed run: acknowledge it, have its failed jobs re-run, say that it is wrong."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pipelines.audit import AuditEntry

RerunStage = Literal["awaiting approval", "approved", "started", "rejected", "withdrawn", "expired", "failed"]
FINISHED: frozenset[RerunStage] = frozenset({"started", "rejected", "withdrawn", "expired", "failed"})
LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class RerunPlan:
    """Exactly what a yes allows: these failed jobs of this attempt of this run, done once more."""

    repository: str
    run_id: int
    number: int
    attempt: int
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rerun:
    """A re-run from the question to its outcome. `report` is the key of the report that it was asked for under.

    `direct`: whoever asked may approve, so no question was put. `begun` is the attempt that was started.
    """

    id: str
    plan: RerunPlan
    workflow: str
    report: str
    requester_id: str
    requester_name: str
    expires_at: datetime
    direct: bool = False
    stage: RerunStage = "awaiting approval"
    settled_by: str = ""
    settled_at: datetime | None = None
    begun: int = 0
    reason: str = ""

    @property
    def finished(self) -> bool:
        return self.stage in FINISHED


class Reruns(Protocol):
    """The memory of re-runs."""

    def begin(self, rerun: Rerun) -> Rerun:
        """Store a new one; the stored one where there is one of its id."""
        ...

    def get(self, rerun_id: str) -> Rerun | None: ...

    def save(self, rerun: Rerun, entry: AuditEntry | None = None) -> Rerun:
        """Store the new state with its audit row, in one transaction; a finished one is never changed again."""
        ...

    def unfinished(self) -> list[Rerun]: ...


@dataclass(frozen=True, slots=True)
class Doubt:
    """What somebody thinks of a report. `cause` is the number of the wrong one as the card shows it; 0: another."""

    cause: int
    said: str

    def written(self) -> str:
        """As the words of a mark."""
        return f"{self.cause} {self.said}".strip()


def read_doubt(words: str) -> Doubt:
    """What `written` wrote; any other words are what was said."""
    found = re.match(r"([0-9]) ?", words)
    return Doubt(int(found[1]), words[found.end() :]) if found else Doubt(0, words)


@dataclass(frozen=True, slots=True)
class DoubtForm:
    """Which cause is wrong, and what was it really? `causes` are those of the report, in its order."""

    key: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoubtTaken:
    """Thanks for whoever said it."""


@dataclass(frozen=True, slots=True)
class RerunEnded:
    """The outcome, for the thread."""

    rerun: Rerun
