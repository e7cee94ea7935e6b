"""Puts the parts of /ask together, for bot/app.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.catalogue.knowledge import Knowledge
from bot.clients.channels import SlackChannels
from bot.clients.conversion import convert
from bot.clients.documents import KnowledgeIndex, build_documents
from bot.clients.embeddings import build_embedding
from bot.clients.fetching import PageFetcher
from bot.clients.ledger import Ledger
from bot.clients.origins import FolderReader, Origins, page_reader
from bot.clients.slack import SlackConversation
from bot.clients.slack_files import SlackFiles
from bot.clients.slack_surfaces import SlackSurfaces
from bot.clients.sources import SourceSync
from bot.clients.storage import FsspecStorage
from bot.config import Settings
from bot.redaction import Redactor
from bot.telemetry import Telemetry
from bot.watching import Watcher, watched
from pipelines.ask.answer import Answerer
from pipelines.ask.chunks import Window, split
from pipelines.ask.desk import AskDesk
from pipelines.ask.evidence import Floor
from pipelines.ask.taking import LARGEST_BYTES, Taking
from pipelines.ask.values import Chunk
from pipelines.ask.workflow import AskRooms, AskWorkflow, Guard
from pipelines.durable.workflow import DurableWork
from pipelines.ports import Clock, Converted, Converter, Fetched, LanguageModel


@dataclass(frozen=True, slots=True)
class KnowledgeParts:
    """What /ask stands on: the index, what turns files into text and text into chunks, and what reads addresses."""

    documents: KnowledgeIndex
    converter: Converter
    split: Callable[[str, str], Sequence[Chunk]]
    fetch_url: Callable[[str], Fetched]
    fetch_path: Callable[[str], Fetched]


@dataclass(frozen=True, slots=True)
class SlackSide:
    """The Slack clients that /ask speaks through."""

    conversation: SlackConversation
    surfaces: SlackSurfaces


@dataclass(frozen=True, slots=True)
class Ground:
    """What every feature stands on."""

    settings: Settings
    ledger: Ledger
    durable: DurableWork
    storage: FsspecStorage
    clock: Clock
    telemetry: Telemetry
    guard: Guard


def build_ask_desk(ground: Ground, slack: SlackSide, parts: KnowledgeParts, model: LanguageModel) -> AskDesk:
    ledger, conversation = ground.ledger, slack.conversation
    channels = SlackChannels(conversation)
    answerer = Answerer(parts.documents, model, channels, Floor(parts.documents))
    workflow = AskWorkflow(
        AskRooms(
            durable=ground.durable, conversation=conversation, replies=slack.surfaces, questions=ledger.questions,
            ingests=ledger.ingests, storage=ground.storage, fetching=_fetchers(ground.settings, conversation, parts),
            answerer=answerer, taking=Taking(parts.documents, parts.converter, parts.split, ground.clock),
            count=ground.telemetry.ended, guard=ground.guard,
        )
    )  # fmt: skip
    return AskDesk(
        workflow, answerer, parts.documents, ledger.questions, ledger.questions, ledger.ingests, conversation,
        channels, ground.storage, ground.clock,
    )  # fmt: skip


def _fetchers(settings: Settings, conversation: SlackConversation, parts: KnowledgeParts) -> Origins:
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    files = SlackFiles(conversation, token, settings.slack_api_url, LARGEST_BYTES)
    return Origins({"slack": files.fetch, "url": parts.fetch_url, "folder": parts.fetch_path})


def build_parts(settings: Settings, watched: Knowledge, redactor: Redactor) -> KnowledgeParts:
    """The real ones. Nothing is opened or loaded before the first call."""
    embedding = build_embedding(settings, lambda text: redactor.redact(text).text)
    window = Window(settings.knowledge_chunk_words, settings.knowledge_chunk_overlap)
    return KnowledgeParts(
        documents=build_documents(settings, embedding),
        converter=FileConverter(),
        split=lambda text, title: split(text, title, window),
        fetch_url=page_reader(PageFetcher(settings.knowledge_private_addresses)),
        fetch_path=FolderReader(watched.folders, LARGEST_BYTES).fetch,
    )


def build_watcher(ground: Ground, parts: KnowledgeParts, desk: AskDesk, knowledge: Knowledge) -> Watcher:
    settings = ground.settings
    window = Window(settings.knowledge_chunk_words, settings.knowledge_chunk_overlap)
    sync = SourceSync(parts.documents, settings.data_dir / "repositories", ground.clock.now, window)
    url = settings.knowledge_url
    return Watcher(
        watched(knowledge), sync, parts.documents, desk.channels, desk.answerer.floor,
        lambda: "://" in url or Path(url).is_dir(),
    )  # fmt: skip


class FileConverter:
    """Keeps Converter."""

    def convert(self, name: str, content: bytes) -> Converted:
        found = convert(content, name)
        return Converted(found.title, found.text)
