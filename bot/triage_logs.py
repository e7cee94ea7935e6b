"""Puts the parts together that read logs in Slack, for bot/app.py."""

from bot.cards.triage_logs import log_pages
from bot.clients.slack import SlackConversation
from bot.clients.slack_files import SlackFiles
from bot.config import Settings
from bot.knowledge import Ground
from bot.redaction import Redactor
from bot.routes import Routes
from bot.routes.analyze import analyze_routes
from pipelines.ports import LanguageModel
from pipelines.triage.log_desk import LogDesk
from pipelines.triage.log_workflow import LogRooms, LogWorkflow

MEGABYTE = 1_000_000


def build_logs(ground: Ground, conversation: SlackConversation, model: LanguageModel, redactor: Redactor) -> LogDesk:
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
