"""What triage needs of a CI provider. `bot/clients/github/` keeps these promises."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pipelines.triage.values import (
    CiAnnotation,
    CiCommit,
    CiJob,
    CiLog,
    CiPullRequest,
    CiRun,
    CommentPlace,
    Comparison,
    RunReference,
    Written,
)


class CiRuns(Protocol):
    """The CI provider's runs. Raises Refused for what is not there or not for us, Unavailable while it is down."""

    def run(self, reference: RunReference) -> CiRun:
        """One attempt of a run with its jobs and their steps."""
        ...

    def log(self, run: CiRun, job: CiJob, folder: Path) -> CiLog:
        """Bring the log of a job into a file in `folder`, bounded; one that has expired is told, not raised."""
        ...

    def annotations(self, run: CiRun, job: CiJob) -> Sequence[CiAnnotation]: ...

    def last_green(self, run: CiRun, branch: str) -> CiRun | None:
        """The last run of the same workflow on `branch` that went well before this one, with its jobs."""
        ...

    def rerun_failed(self, run: CiRun) -> int:
        """Have the failed jobs done again; answers the attempt. Once it was asked for, asking again does nothing."""
        ...


class CiSources(Protocol):
    """The code behind the runs."""

    def commit(self, repository: str, sha: str) -> CiCommit:
        """With what it changed, bounded."""
        ...

    def compare(self, repository: str, base: str, head: str) -> Comparison: ...

    def file(self, repository: str, path: str, ref: str) -> bytes | None:
        """The content at a commit or branch; None where there is no such file or it is larger than we read."""
        ...

    def pull_request(self, run: CiRun) -> CiPullRequest | None:
        """The open pull request that the run belongs to."""
        ...

    def default_branch(self, repository: str) -> str: ...


class CiVoice(Protocol):
    """Writes where developers read. Everything is found again by its key: saying it twice changes it once."""

    def comment(self, place: CommentPlace, key: str, text: str) -> Written:
        """The one comment under this key at this place, with this text from now on."""
        ...

    def open_issue(self, repository: str, key: str, title: str, text: str, labels: Sequence[str] = ()) -> Written:
        """The one issue under this key, open, with this text; one that was closed is opened again."""
        ...

    def close_issue(self, repository: str, key: str, text: str) -> Written | None:
        """Close the issue under this key with a comment; None where none is open."""
        ...
