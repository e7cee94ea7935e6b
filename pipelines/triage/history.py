"""What is kept of a report: the report itself, where it stands, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from pipelines.ports import Place
from pipelines.triage.findings import Triaged

Severity = Literal["low", "medium", "high", "critical"]
MarkName = Literal["acknowledged", "wrong", "rerun"]
PlaceKind = Literal["pull request", "commit", "issue"]
FORK = ":"  # stands in no name of a branch: git-scm.com/docs/git-check-ref-format


def line_of(branch: str, fork: str = "") -> str:
    """The branch whose runs follow each other: `fork` is the repository that the code is of, empty for ours."""
    return f"{fork}{FORK}{branch}" if fork else branch


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

    `flaky` says how often it went away without a change, `doubts` what people said of the reports, newest first.
    """

    week: int = 0
    first_number: int = 0
    first_workflow: str = ""
    flaky: int = 0
    doubts: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """A report in one place, and what became of it. `channel` of its order is empty where only GitHub was told.

    `lead` is the key of the report under which it stands, empty for one with a message of its own; `repeats` counts
    those that stand under this one. `mention` is the id of a Slack user or user group. `speaks` says where on GitHub
    something is said of it. `line` is its branch, or that of a fork; see `line_of`. `storm` is the message in whose
    thread its own stands, where too many failures came at once.
    """

    triaged: Triaged
    at: datetime
    severity: Severity = "medium"
    on_default_branch: bool = False
    seen: Sightings = Sightings()
    mention: str = ""
    speaks: tuple[PlaceKind, ...] = ()
    lead: str = ""
    place: Place | None = None
    passed: Passed | None = None
    acknowledged: Mark | None = None
    rerun: Mark | None = None
    wrong: tuple[Mark, ...] = ()
    repeats: int = 0
    line: str = ""
    storm: Place | None = None

    @property
    def key(self) -> str:
        return self.triaged.order.key

    @property
    def thread(self) -> Place | None:
        """Under which message replies go: a message in a thread cannot have one of its own."""
        return self.storm or self.place

    @property
    def flaky(self) -> bool:
        """Whether this failure, or one like it, went away without a change, or came without one."""
        came = self.triaged.facts.difference
        gone = self.passed is not None and self.passed.unchanged
        return bool(self.seen.flaky) or gone or (came.same_commit and not came.versions)

    @property
    def branch(self) -> str:
        """As far as runs follow each other on it."""
        return self.line or self.triaged.facts.branch

    @property
    def series(self) -> str:
        """What the runs of one workflow, and the checks of one name, have in common."""
        return self.triaged.facts.workflow_path or self.triaged.facts.workflow

    @property
    def sameness(self) -> str:
        """The fingerprint; where nothing wrong was found, the names of the jobs that failed."""
        jobs = "\n".join(sorted(job.name for job in self.triaged.facts.jobs))
        return self.triaged.report.fingerprint or f"jobs {sha256(jobs.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Green:
    """A run (or check, of number 0) that went well. `series` is its workflow's file, or the check's name."""

    repository: str
    run_id: int
    attempt: int
    number: int
    series: str
    line: str
    sha: str
    url: str
    at: datetime

    @property
    def of_fork(self) -> bool:
        """What a fork makes of its branches says nothing of ours."""
        return FORK in self.line

    def after(self, reported: Reported) -> Passed | None:
        """What it means for a report: that the same commit, or a later run of the same branch, went well."""
        facts, order = reported.triaged.facts, reported.triaged.order
        same = self.repository.lower() == facts.repository.lower() and self.series == reported.series
        unchanged = self.sha == facts.sha and not (self.of_fork and self.line != reported.branch)
        if not same or not (unchanged or self.line == reported.branch):
            return None
        if not self._later(order.reference.run_id, facts.attempt, facts.number, order.asked_at, unchanged):
            return None
        return Passed(self.number, self.attempt, self.url, self.at, unchanged)

    def _later(self, run_id: int, attempt: int, number: int, asked_at: datetime, unchanged: bool) -> bool:
        """Whether it came after that run or check."""
        if self.run_id == run_id:
            # A check that its app ended again counts its ends downwards.
            return self.attempt > attempt if self.number else self.attempt < attempt
        if not self.number:
            return self.at >= asked_at  # checks are not counted
        # An earlier run of the same commit may have been done again since.
        return self.number > number or (unchanged and self.at > asked_at)
