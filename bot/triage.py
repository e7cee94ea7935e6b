"""Puts the parts of CI triage together, for bot/app.py."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from bot.cards.triage import pages
from bot.cards.triage_github import GithubMarkdown
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.directory import SlackDirectory
from bot.clients.github import Connection, GithubRuns, GithubSources, GithubVoice, connect
from bot.clients.slack import SlackConversation
from bot.knowledge import Ground
from bot.redaction import Redactor
from pipelines.ports import LanguageModel
from pipelines.triage.checks import CheckGathering
from pipelines.triage.desk import TriageDesk
from pipelines.triage.gathering import Gathering
from pipelines.triage.hearing import HearingRooms, HearingWorkflow
from pipelines.triage.speaking import Speaking
from pipelines.triage.telling import Telling
from pipelines.triage.turns import Turns
from pipelines.triage.workflow import TriageRooms, TriageWorkflow

REMEMBERED = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class TriageSides:
    """What triage speaks through, and with."""

    conversation: SlackConversation
    directory: SlackDirectory
    model: LanguageModel
    redactor: Redactor


def build_triage(ground: Ground, catalogue: Catalogue, sides: TriageSides) -> TriageDesk:
    settings, history, conversation = ground.settings, ground.ledger.triages, sides.conversation
    token = settings.github_token.get_secret_value() if settings.github_token else ""
    connection = Connection(lambda: connect(token, settings.github_api_url))
    runs, sources = GithubRuns(connection), GithubSources(connection)
    gathering, find_channel = Gathering(runs, sources), SlackChannels(conversation).find
    redact, folder = sides.redactor.redact_lines, settings.data_dir / "triage"
    workflow = TriageWorkflow(
        TriageRooms(
            durable=ground.durable, runs=runs, gathering=gathering, conversation=conversation,
            language_model=sides.model, clock=ground.clock, redact=redact, pages=pages, find_channel=find_channel,
            folder=folder, guard=ground.guard, history=history, sightings=history,
            greens=ground.ledger.greens,
        )
    )  # fmt: skip
    turns = Turns(ground.ledger.spoken, ground.clock, ground.durable.pause)
    voice = GithubVoice(connection, lambda text: sides.redactor.redact(text).text)
    hearing = HearingWorkflow(
        HearingRooms(
            durable=ground.durable, gathering=gathering, checks=CheckGathering(runs, sources),
            language_model=sides.model, clock=ground.clock, redact=redact, folder=folder, rules=catalogue.ci,
            history=history, sightings=history, greens=ground.ledger.greens,
            telling=Telling(history, history, ground.ledger.spoken, conversation, ground.clock, turns, pages),
            speaking=Speaking(history, ground.ledger.spoken, voice, GithubMarkdown(), turns),
            find_channel=find_channel, mention=sides.directory.mention_id, guard=ground.guard,
        )
    )  # fmt: skip
    web = web_address(settings.github_api_url)
    return TriageDesk(workflow, hearing, conversation, ground.clock, web, bool(token))


def web_address(api_url: str) -> str:
    """Where people read what the API at `api_url` tells of: https://github.com, or an own server's address."""
    parts = urlsplit(api_url)
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def forget_old_reports(ground: Ground) -> None:
    """For the clock. What is older is no pattern any more."""
    ground.ledger.triages.forget(ground.clock.now() - REMEMBERED)
