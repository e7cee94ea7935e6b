"""Puts together what people do about failures in Slack, for bot/app.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cards.triage_logs import log_pages
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.github import Connection, GithubRuns, connect
from bot.clients.slack import SlackConversation
from bot.clients.slack_files import SlackFiles
from bot.config import Settings
from bot.knowledge import Ground
from bot.redaction import Redactor
from bot.registrations import ClickHandler, FormHandler, MentionHandler, ShortcutHandler
from bot.routes import Routes
from bot.routes.analyze import analyze_routes
from handlers.triage import (
    AcknowledgeReport,
    AnalyseLog,
    AnalyseOfferedLogs,
    ApproveRerun,
    DoubtedReport,
    DoubtReport,
    MentionWithLogs,
    OfferSharedLogs,
    RejectRerun,
    RerunFailedJobs,
)
from pipelines.approval import ApprovalDesk
from pipelines.ports import Directory, LanguageModel
from pipelines.triage.acting import ActDesk, ActRooms
from pipelines.triage.log_desk import LogDesk
from pipelines.triage.log_workflow import LogRooms, LogWorkflow
from pipelines.triage.rerun_workflow import RerunRooms, RerunWorkflow

MEGABYTE = 1_000_000
TRIAGE_SHORTCUTS = (AnalyseLog,)


@dataclass(frozen=True, slots=True)
class TriageInSlack:
    """The desks, and what is hung into Slack for them."""

    logs: LogDesk
    acts: ActDesk

    def clicks(self) -> Sequence[ClickHandler]:
        acts = (AcknowledgeReport, RerunFailedJobs, ApproveRerun, RejectRerun, DoubtReport)
        return (AnalyseOfferedLogs(self.logs), *(kind(self.acts) for kind in acts))

    def forms(self) -> Sequence[FormHandler]:
        return (DoubtedReport(self.acts),)

    def shortcuts(self) -> Sequence[ShortcutHandler]:
        return tuple(kind(self.logs) for kind in TRIAGE_SHORTCUTS)

    def shared(self) -> OfferSharedLogs:
        return OfferSharedLogs(self.logs)

    def mention(self, otherwise: MentionHandler) -> MentionWithLogs:
        return MentionWithLogs(self.logs, otherwise)


def build_triage_in_slack(
    ground: Ground, catalogue: Catalogue, conversation: SlackConversation, directory: Directory,
    model: LanguageModel, redactor: Redactor,
) -> TriageInSlack:  # fmt: skip
    acts = _acts(ground, conversation, directory, redactor)
    channels = frozenset(channel.name for channel in catalogue.channels)
    return TriageInSlack(_logs(ground, conversation, model, redactor, channels), acts)


def _acts(ground: Ground, conversation: SlackConversation, directory: Directory, redactor: Redactor) -> ActDesk:
    settings, ledger, clock = ground.settings, ground.ledger, ground.clock
    token = settings.github_token.get_secret_value() if settings.github_token else ""
    runs = GithubRuns(Connection(lambda: connect(token, settings.github_api_url)))
    approvals = ApprovalDesk(ledger.approvals, directory, clock)
    workflow = RerunWorkflow(
        RerunRooms(ground.durable, ledger.reruns, approvals, runs, ledger.triages, conversation, clock, ground.guard)
    )
    return ActDesk(
        ActRooms(
            history=ledger.triages, reruns=ledger.reruns, runs=runs, approvals=approvals,
            conversation=conversation, directory=directory, clock=clock, redact=redactor.redact_lines,
            workflow=workflow,
        )
    )  # fmt: skip


def _logs(
    ground: Ground, conversation: SlackConversation, model: LanguageModel, redactor: Redactor,
    channels: frozenset[str],
) -> LogDesk:  # fmt: skip
    settings = ground.settings
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    most_bytes = settings.log_limit_mb * MEGABYTE
    workflow = LogWorkflow(
        LogRooms(
            durable=ground.durable, files=SlackFiles(conversation, token, settings.slack_api_url, most_bytes),
            conversation=conversation, language_model=model, redact=redactor.redact_lines, pages=log_pages,
            folder=settings.data_dir / "triage", most_bytes=most_bytes, guard=ground.guard,
        )
    )  # fmt: skip
    return LogDesk(workflow, conversation, ground.clock, redactor.redact_lines, SlackChannels(conversation), channels)


def log_routes(settings: Settings, model: LanguageModel, redactor: Redactor) -> Routes:
    return analyze_routes(model, redactor, settings.log_limit_mb * MEGABYTE, settings.data_dir / "triage")
