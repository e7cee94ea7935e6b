"""What is kept of a report: the report itself, where it stands, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipelines.ports import Place
from pipelines.triage.findings import Triaged

Severity = Literal["low", "medium", "high", "critical"]
MarkName = Literal["acknowledged", "wrong", "rerun"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody (`by`, a Slack user id) did something with a report. `words` are theirs: data, never instruction."""

    by: str
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """The run that went well after a failed one. `unchanged`: it was of the same commit, so the failure is flaky."""

    number: int
    attempt: int
    url: str
    at: datetime
    unchanged: bool


@dataclass(frozen=True, slots=True)
class Sightings:
    """How often a failure was seen before, in runs; `first_number` is the number of the first one, 0 for never.

    `flaky` says how often it went away without a change.
    """

    week: int = 0
    first_number: int = 0
    first_workflow: str = ""
    flaky: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """A report in one place, and what became of it. `channel` of its order is empty where only GitHub was told.

    `lead` is the key of the report under which it stands, empty for one with a message of its own; `repeats` counts
    those that stand under this one. `mention` is the id of a Slack user or user group.
    """

    triaged: Triaged
    at: datetime
    severity: Severity = "medium"
    on_default_branch: bool = False
    seen: Sightings = Sightings()
    mention: str = ""
    lead: str = ""
    place: Place | None = None
    passed: Passed | None = None
    acknowledged: Mark | None = None
    rerun: Mark | None = None
    wrong: tuple[Mark, ...] = ()
    repeats: int = 0

    @property
    def key(self) -> str:
        return self.triaged.order.key

    @property
    def flaky(self) -> bool:
        """Whether this failure, or one like it before, went away without a change."""
        return bool(self.seen.flaky) or (self.passed is not None and self.passed.unchanged)
