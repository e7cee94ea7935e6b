"""Logs that people show us in Slack."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from pipelines.people import Permission
from pipelines.requests import Click, Mention, Shortcut
from pipelines.triage.log_desk import LogDesk, wanted_logs


class MentionHandler(Protocol):
    def __call__(self, mention: Mention) -> object: ...


@dataclass(frozen=True, slots=True)
class AnalyseLog:
    """Find out what went wrong in the log that this message holds."""

    desk: LogDesk
    name: ClassVar[str] = "triage.analyse"
    label: ClassVar[str] = "Analyse this log"
    kind: ClassVar[Literal["message", "global"]] = "message"
    # The report shows lines of a message that this person reads anyway.
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, shortcut: Shortcut) -> object:
        return self.desk.analyse(shortcut)


@dataclass(frozen=True, slots=True)
class AnalyseOfferedLogs:
    """The button under files that came without a word."""

    desk: LogDesk
    action: ClassVar[str] = "triage.analyse_files"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = False

    def __call__(self, click: Click) -> object:
        return self.desk.analyse_offered(click.person, click.value)


@dataclass(frozen=True, slots=True)
class MentionWithLogs:
    """Words to us with a log beside them are about the log; all others are for `otherwise`."""

    desk: LogDesk
    otherwise: MentionHandler
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, mention: Mention) -> object:
        wanted = wanted_logs(mention)
        if wanted == "analyse":
            self.desk.analyse_mentioned(mention)
            return None
        return self.desk.offer(mention) if wanted == "offer" else self.otherwise(mention)
