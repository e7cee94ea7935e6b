"""Logs that people show us in Slack, and the buttons below reports of failed runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from pipelines.people import Permission
from pipelines.requests import Click, Form, Mention, Shortcut
from pipelines.triage.acting import ActDesk
from pipelines.triage.acts import LONGEST_WORDS, Doubt, DoubtForm, Rerun
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


@dataclass(frozen=True, slots=True)
class OfferSharedLogs:
    """Log files that were shared with a channel, not with us."""

    desk: LogDesk

    def __call__(self, message: Mention) -> object:
        return self.desk.offer_shared(message)


@dataclass(frozen=True, slots=True)
class AcknowledgeReport:
    desk: ActDesk
    action: ClassVar[str] = "triage.acknowledge"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> None:
        self.desk.acknowledge(click.person, click.value, click.place)


@dataclass(frozen=True, slots=True)
class RerunFailedJobs:
    """Begins at once for whoever may approve, and asks for a yes for everybody else."""

    desk: ActDesk
    action: ClassVar[str] = "triage.rerun"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> None:
        self.desk.ask_rerun(click.person, click.value, click.place)


@dataclass(frozen=True, slots=True)
class ApproveRerun:
    desk: ActDesk
    action: ClassVar[str] = "triage.rerun_approve"
    permission: ClassVar[Permission] = Permission.LOOK  # who may approve is judged by the gate, which can say who
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Rerun:
        rerun_id, _, digest = click.value.rpartition(" ")
        return self.desk.approve_rerun(click.person, rerun_id, digest)


@dataclass(frozen=True, slots=True)
class RejectRerun:
    desk: ActDesk
    action: ClassVar[str] = "triage.rerun_reject"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> Rerun:
        rerun_id, _, _ = click.value.rpartition(" ")
        return self.desk.reject_rerun(click.person, rerun_id)


@dataclass(frozen=True, slots=True)
class DoubtReport:
    """Opens the form that asks what is wrong."""

    desk: ActDesk
    action: ClassVar[str] = "triage.wrong"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> DoubtForm:
        return self.desk.doubt_form(click.value)


@dataclass(frozen=True, slots=True)
class DoubtedReport:
    """The submitted form."""

    desk: ActDesk
    name: ClassVar[str] = "triage.wrong"
    permission: ClassVar[Permission] = Permission.LOOK

    def mistakes(self, form: Form) -> Mapping[str, str]:
        said = form.fields.get("said", "")
        if len(said) > LONGEST_WORDS:
            return {"said": f"At most {LONGEST_WORDS} characters; these are {len(said)}."}
        return {} if form.fields.get("cause", "").isdecimal() else {"cause": "Choose one."}

    def __call__(self, form: Form) -> object:
        doubt = Doubt(int(form.fields["cause"]), form.fields.get("said", "").strip())
        return self.desk.doubt(form.person, form.private, doubt)
