"""What travels when somebody has a log of a message looked at: the order, and what people see of it."""

from dataclasses import dataclass
from datetime import datetime

from pipelines.evidence.values import Extract
from pipelines.reports import Report


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file in Slack."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class LogOrder:
    """Somebody's wish to know what a message's logs say. `thread` is the ts of the thread that is answered in.

    `text` is what was pasted, without secrets; empty where the files count.
    """

    channel: str
    message: str
    thread: str
    text: str
    files: tuple[LogFile, ...]
    asked_by: str
    asked_at: datetime

    @property
    def key(self) -> str:
        """One report a message."""
        return f"{self.channel}:{self.message}"


@dataclass(frozen=True, slots=True)
class LogsBegun:
    """Somebody's answer at once; the report appears in the thread."""

    order: LogOrder


@dataclass(frozen=True, slots=True)
class ReadingLogs:
    """The reply in the thread until the report is there in its place."""

    order: LogOrder


@dataclass(frozen=True, slots=True)
class LogsReported:
    """What the logs of a message say. `unseen` is what could not be read at all."""

    order: LogOrder
    report: Report
    extract: Extract
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogsNotRead:
    order: LogOrder
    reason: str


@dataclass(frozen=True, slots=True)
class LogsOffered:
    """Shall these files be looked at? `value` names them for the button, `knowledge` for that of the documents.

    An empty `knowledge`: they are not offered to be added to the documents.
    """

    names: tuple[str, ...]
    value: str
    knowledge: str = ""
