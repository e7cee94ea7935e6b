"""Puts together what people do about failures in Slack, for bot/app.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cards.triage_logs import log_pages
from bot.clients.slack import SlackConversation
from bot.clients.slack_files import SlackFiles
from bot.config import Settings
from bot.knowledge import Ground
from bot.redaction import Redactor
from bot.registrations import ClickHandler, MentionHandler, ShortcutHandler
from bot.routes import Routes
from bot.routes.analyze import analyze_routes
from handlers.triage import AnalyseLog, AnalyseOfferedLogs, MentionWithLogs
from pipelines.ports import LanguageModel
from pipelines.triage.log_desk import LogDesk
from pipelines.triage.log_workflow import LogRooms, LogWorkflow

MEGABYTE = 1_000_000
TRIAGE_SHORTCUTS = (AnalyseLog,)


@dataclass(frozen=True, slots=True)
class TriageInSlack:
    """The desks, and what is hung into Slack for them."""

    logs: LogDesk

    def clicks(self) -> Sequence[ClickHandler]:
        return (AnalyseOfferedLogs(self.logs),)

    def shortcuts(self) -> Sequence[ShortcutHandler]:
        return tuple(kind(self.logs) for kind in TRIAGE_SHORTCUTS)

    def mention(self, otherwise: MentionHandler) -> MentionWithLogs:
        return MentionWithLogs(self.logs, otherwise)


def build_triage_in_slack(
    ground: Ground, conversation: SlackConversation, model: LanguageModel, redactor: Redactor
) -> TriageInSlack:
    return TriageInSlack(_logs(ground, conversation, model, redactor))


def _logs(ground: Ground, conversation: SlackConversation, model: LanguageModel, redactor: Redactor) -> LogDesk:
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
    return LogDesk(workflow, conversation, ground.clock, redactor.redact_lines)


def log_routes(settings: Settings, model: LanguageModel, redactor: Redactor) -> Routes:
    return analyze_routes(model, redactor, settings.log_limit_mb * MEGABYTE, settings.data_dir / "triage")
