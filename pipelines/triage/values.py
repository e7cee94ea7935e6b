"""What travels between the rooms when a failed run is looked at. All values are frozen.

Text in them (titles, messages, logs, comments) was written by others: it is data, never instruction.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the engine is loaded when it is asked for: the bot starts without it
    from pipelines.evidence.analysing import Analysis

Conclusion = Literal[
    "success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale",
    "startup_failure", "",
]  # fmt: skip
FAILED: frozenset[str] = frozenset({"failure", "timed_out", "startup_failure"})


GONE = "gone"  # where the name of a fork stood that was deleted


@dataclass(frozen=True, slots=True)
class RunReference:
    """`repository` is owner/name. Attempt 0 stands for the last one."""

    repository: str
    run_id: int
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class CiStep:
    number: int
    name: str
    conclusion: Conclusion
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CiJob:
    """An empty conclusion: it has not ended."""

    id: int
    name: str
    conclusion: Conclusion
    url: str
    steps: tuple[CiStep, ...] = ()
    started_at: datetime | None = None
    completed_at: datetime | None = None
    runner: str = ""

    @property
    def failed(self) -> bool:
        return self.conclusion in FAILED

    @property
    def failing_step(self) -> CiStep | None:
        return next((step for step in self.steps if step.conclusion in FAILED), None)


@dataclass(frozen=True, slots=True)
class CiRun:
    """One attempt of a workflow run. `workflow_path` is the file, such as .github/workflows/ci.yml.

    `head` is the repository that the code is of, GONE for a fork that is not there any more; `pull_requests` are of
    `repository` itself, and none are told of a fork's run.
    """

    repository: str
    id: int
    attempt: int
    number: int
    workflow_id: int
    workflow_name: str
    workflow_path: str
    title: str
    event: str
    branch: str
    sha: str
    conclusion: Conclusion
    actor: str
    url: str
    started_at: datetime
    jobs: tuple[CiJob, ...] = ()
    pull_requests: tuple[int, ...] = ()
    head: str = ""

    @property
    def fork(self) -> str:
        """The repository that the code is of where it is another one."""
        return "" if self.head.lower() in ("", self.repository.lower()) else self.head

    @property
    def failed_jobs(self) -> tuple[CiJob, ...]:
        return tuple(job for job in self.jobs if job.failed)

    @property
    def reference(self) -> RunReference:
        return RunReference(self.repository, self.id, self.attempt)


@dataclass(frozen=True, slots=True)
class CiLog:
    """The log of a job in a file on this machine; `path` is None when there is none to read, and `reason` says why.

    `left_out_bytes` lie between the first and the last part of a log that was larger than we keep.
    """

    job: str
    path: Path | None
    size_bytes: int = 0
    left_out_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CiAnnotation:
    """Lines are 1-based."""

    path: str
    start_line: int
    end_line: int
    level: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class FileDiff:
    """`patch` starts at the first hunk; empty for binary files and for what was too large to be told."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str = ""
    previous_path: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class CiCommit:
    sha: str
    message: str
    author: str
    url: str
    at: datetime
    parents: tuple[str, ...] = ()
    files: tuple[FileDiff, ...] = ()
    # Files that are not among `files`, because there were too many.
    more_files: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What lies between two commits; commits are oldest first."""

    base: str
    head: str
    url: str
    commits: tuple[CiCommit, ...] = ()
    files: tuple[FileDiff, ...] = ()
    more_commits: int = 0


@dataclass(frozen=True, slots=True)
class CiPullRequest:
    number: int
    title: str
    body: str
    author: str
    url: str
    head: str
    base: str
    from_fork: bool = False


@dataclass(frozen=True, slots=True)
class Toolset:
    """What a run worked with, as far as its log and lock files tell: names to versions."""

    image: str = ""
    runner: str = ""
    actions: tuple[tuple[str, str], ...] = ()
    packages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class VersionChange:
    """An empty version: it was not there."""

    kind: Literal["image", "runner", "action", "package"]
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line of the failing step that the green run did not print. `number` is 1-based, in the whole log of `job`."""

    number: int
    text: str
    times: int = 1
    job: str = ""


@dataclass(frozen=True, slots=True)
class WhatChanged:
    """Between the last green run and the failed one. `green` is None when no green run was found."""

    green: CiRun | None
    commits: tuple[CiCommit, ...] = ()
    files: tuple[FileDiff, ...] = ()
    workflow_diff: str = ""
    versions: tuple[VersionChange, ...] = ()
    new_lines: tuple[NewLine, ...] = ()
    url: str = ""
    same_commit: bool = False

    @property
    def nothing(self) -> bool:
        """The same commit with the same tools: what failed once may pass the next time."""
        return self.same_commit and not self.versions


@dataclass(frozen=True, slots=True)
class CiFile:
    """A file at the commit that failed; `named` are the 1-based lines that the log names."""

    path: str
    text: str
    named: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that is known of a failed run before anybody judges it; `unseen` says what could not be looked at.

    `analysis` is what the logs say by themselves, `files` what they name. `default_branch` is empty where the
    repository could not be asked.
    """

    run: CiRun
    logs: tuple[CiLog, ...]
    annotations: tuple[CiAnnotation, ...]
    commit: CiCommit | None
    pull_request: CiPullRequest | None
    workflow_file: str
    changed: WhatChanged
    unseen: tuple[str, ...] = ()
    files: tuple[CiFile, ...] = ()
    analysis: "Analysis | None" = None
    default_branch: str = ""

    @property
    def on_default_branch(self) -> bool:
        """Whether the code is of the default branch itself, not of a fork's or a pull request to be."""
        run = self.run
        own = not run.fork and not run.event.startswith("pull_request")
        return own and run.branch != "" and run.branch == self.default_branch


@dataclass(frozen=True, slots=True)
class CommentPlace:
    """A pull request where there is one, else a commit."""

    repository: str
    pull_request: int | None = None
    sha: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """Where something of ours stands; `changed` is False when it stood there word for word already."""

    url: str
    changed: bool
    number: int = 0
