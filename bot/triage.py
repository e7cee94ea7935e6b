"""Puts the parts of CI triage together, for bot/app.py."""

from urllib.parse import urlsplit

from bot.cards.triage import pages
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.github import Connection, GithubRuns, GithubSources, connect
from bot.clients.slack import SlackConversation
from bot.knowledge import Ground
from bot.redaction import Redactor
from pipelines.ports import LanguageModel
from pipelines.triage.desk import TriageDesk
from pipelines.triage.gathering import Gathering
from pipelines.triage.workflow import TriageRooms, TriageWorkflow

# Where runs are reported that nobody asked for: the channel of this name in the catalogue, if it has one.
CI_CHANNEL = "#ci"


def build_triage(
    ground: Ground, catalogue: Catalogue, conversation: SlackConversation, model: LanguageModel, redactor: Redactor
) -> TriageDesk:
    settings = ground.settings
    token = settings.github_token.get_secret_value() if settings.github_token else ""
    connection = Connection(lambda: connect(token, settings.github_api_url))
    runs = GithubRuns(connection)
    workflow = TriageWorkflow(
        TriageRooms(
            durable=ground.durable, runs=runs, gathering=Gathering(runs, GithubSources(connection)),
            conversation=conversation, language_model=model, clock=ground.clock, redact=redactor.redact_lines,
            pages=pages, find_channel=SlackChannels(conversation).find, folder=settings.data_dir / "triage",
            guard=ground.guard, history=ground.ledger.triages, sightings=ground.ledger.triages,
        )
    )  # fmt: skip
    ci_channel = next((one.name for one in catalogue.channels if one.name == CI_CHANNEL), "")
    web = web_address(settings.github_api_url)
    return TriageDesk(workflow, conversation, ground.clock, web, bool(token), ci_channel)


def web_address(api_url: str) -> str:
    """Where people read what the API at `api_url` tells of: https://github.com, or an own server's address."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"
