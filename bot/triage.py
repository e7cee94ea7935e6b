"""Puts the parts of CI triage together, for bot/app.py."""

from urllib.parse import urlsplit

from bot.cards.triage import pages
from bot.clients.github import Connection, GithubRuns, GithubSources, connect
from bot.knowledge import Ground
from bot.redaction import Redactor
from pipelines.ports import Conversation, LanguageModel
from pipelines.triage.desk import TriageDesk
from pipelines.triage.gathering import Gathering
from pipelines.triage.workflow import TriageRooms, TriageWorkflow


def build_triage(ground: Ground, conversation: Conversation, model: LanguageModel, redactor: Redactor) -> TriageDesk:
    settings = ground.settings
    token = settings.github_token.get_secret_value() if settings.github_token else ""
    connection = Connection(lambda: connect(token, settings.github_api_url))
    runs = GithubRuns(connection)
    workflow = TriageWorkflow(
        TriageRooms(
            durable=ground.durable, runs=runs, gathering=Gathering(runs, GithubSources(connection)),
            conversation=conversation, language_model=model, clock=ground.clock, redact=redactor.redact_lines,
            pages=pages, folder=settings.data_dir / "triage", guard=ground.guard,
        )
    )  # fmt: skip
    return TriageDesk(workflow, conversation, ground.clock, web_address(settings.github_api_url), bool(token))


def web_address(api_url: str) -> str:
    """Where people read what the API at `api_url` tells of: https://github.com, or an own server's address."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
