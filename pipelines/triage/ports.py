"""What triage needs of a CI provider, and of a memory. `bot/clients/github/` and the ledger keep these promises."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pipelines.audit import AuditEntry
from pipelines.ports import Place
from pipelines.triage.history import Green, Mark, MarkName, Passed, Reported, Sightings
from pipelines.triage.places import GithubPlace, Said
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

    def last_green(self, run: CiRun, branch: str, head: str) -> CiRun | None:
        """The last run of the same workflow on `branch` of the repository `head` that went well before this one.

        With its jobs. A branch of a fork is another one than ours of the same name.
        """
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


class TriageHistory(Protocol):
    """The memory of reports: one a run, attempt and channel, under the key of its order."""

    def remember(self, reported: Reported) -> Reported:
        """Store a new report; the stored one where there is one under its key."""
        ...

    def get(self, key: str) -> Reported | None: ...

    def mark(self, key: str, name: MarkName, mark: Mark, entry: AuditEntry | None = None) -> Reported | None:
        """Note what somebody did, with its audit row in the same transaction; None where there is no such report.

        The first who acknowledges or orders a re-run is the one; of "wrong", each person's last word counts.
        """
        ...

    def place(self, key: str, place: Place, storm: Place | None = None) -> None:
        """The message in which the report stands, and the one in whose thread that is, if it is in one."""
        ...

    def passed(self, key: str, passed: Passed) -> Reported | None:
        """It went well afterwards: the first such run counts, but one of the same commit outdoes one of another."""
        ...


class TriageSightings(Protocol):
    """What the same memory says of failures like one."""

    def sightings(self, repository: str, fingerprint: str, before: datetime, but: int) -> Sightings:
        """In the runs of a repository up to `before`, apart from the run `but`."""
        ...

    def leads(self, channel: str, since: datetime) -> Sequence[Reported]:
        """The reports since then that have a message of their own in `channel` and did not pass yet, oldest first."""
        ...

    def unresolved(self, green: Green) -> Sequence[Reported]:
        """Reports that this run says something about, oldest first: of its workflow, and its commit or branch."""
        ...

    def at_place(self, place: GithubPlace) -> Sequence[Reported]:
        """What GitHub was told of, or will be, oldest run first: reports whose order names no channel."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop what is older; answers how many reports went."""
        ...


class Greens(Protocol):
    """The memory of runs that went well: a failed one may be looked at only after it."""

    def note(self, green: Green) -> None: ...

    def after(self, reported: Reported) -> Passed | None:
        """The best that is known to have come after, as `TriageHistory.passed` counts."""
        ...


class Spoken(Protocol):
    """What was said where; and turns, so that of several processes one at a time speaks at a place."""

    def take(self, place: str, holder: str, now: datetime, until: datetime) -> bool:
        """Whether it is the holder's turn now, until it gives it back or the time is up."""
        ...

    def give(self, place: str, holder: str) -> None: ...

    def said(self, place: str) -> Said | None: ...

    def say(self, place: str, said: Said) -> None: ...
