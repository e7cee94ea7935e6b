"""What travels when a failed run is reported: the order, what was found, and what people are told meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipelines.evidence.values import Extract
from pipelines.reports import Report
from pipelines.triage.values import NewLine, RunReference, VersionChange

Verdict = Literal["failed", "running", "fine"]


@dataclass(frozen=True, slots=True)
class TriageOrder:
    """Somebody's wish to know why a run failed. Attempt 0 stands for the last one, until it was looked up.

    `asked_by` is empty where GitHub told of the run; then `channel` is a name until it was looked up.
    """

    reference: RunReference
    channel: str
    asked_by: str
    asked_at: datetime

    @property
    def key(self) -> str:
        """One report a run, attempt and channel: elsewhere, others may not read what was posted here."""
        run = self.reference
        return f"{run.repository.lower()}:{run.run_id}:{run.attempt}:{self.channel}"

    @property
    def name(self) -> str:
        return f"run {self.reference.run_id} of {self.reference.repository}"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a first look at the run says; `order` names the attempt from here on."""

    order: TriageOrder
    verdict: Verdict
    conclusion: str
    url: str


@dataclass(frozen=True, slots=True)
class FailedJob:
    """`step` is empty where no step of it failed."""

    name: str
    step: str


@dataclass(frozen=True, slots=True)
class ChangedCommit:
    sha: str
    title: str
    author: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different from the last green run, number `green_number`; 0 where none was found."""

    green_number: int = 0
    commits: tuple[ChangedCommit, ...] = ()
    more_commits: int = 0
    files: tuple[str, ...] = ()
    more_files: int = 0
    workflow_changed: bool = False
    versions: tuple[VersionChange, ...] = ()
    new_lines: tuple[NewLine, ...] = ()
    same_commit: bool = False


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A failed run in the few words that a report needs; `logs_read` counts the job logs that there were."""

    repository: str
    number: int
    attempt: int
    workflow: str
    title: str
    branch: str
    sha: str
    actor: str
    conclusion: str
    url: str
    jobs: tuple[FailedJob, ...]
    logs_read: int
    pull_request: int
    difference: Difference
    unseen: tuple[str, ...]
    workflow_path: str = ""
    fork: str = ""
    on_default_branch: bool = False


@dataclass(frozen=True, slots=True)
class Triaged:
    """The whole report of a failed run."""

    order: TriageOrder
    facts: RunFacts
    report: Report
    extract: Extract

    @property
    def unseen(self) -> tuple[str, ...]:
        return (*self.facts.unseen, *self.report.unseen)


@dataclass(frozen=True, slots=True)
class TriageDetails:
    """A message of the thread: preformatted texts, as they stand in the log."""

    title: str
    parts: tuple[str, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class TriageStarted:
    name: str


@dataclass(frozen=True, slots=True)
class StillTrying:
    """Something is away; the work goes on until it is back, or `minutes` have passed."""

    name: str
    reason: str
    minutes: int


@dataclass(frozen=True, slots=True)
class NothingFailed:
    name: str
    conclusion: str
    url: str


@dataclass(frozen=True, slots=True)
class AlreadyReported:
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class NotTriaged:
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class GithubAway:
    """A run ended badly, and GitHub cannot be asked why. Its report comes when it can, unless this is `final`."""

    repository: str
    workflow: str
    branch: str
    conclusion: str
    url: str
    reason: str
    final: bool = False
