"""Puts the parts of /ask together, for bot/app.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.clients.channels import SlackChannels
from bot.clients.documents import build_documents
from bot.clients.embeddings import build_embedding
from bot.clients.fetching import Fetchers
from bot.clients.ledger import Ledger
from bot.clients.slack import SlackConversation
from bot.clients.slack_files import SlackFiles
from bot.clients.slack_surfaces import SlackSurfaces
from bot.clients.storage import FsspecStorage
from bot.config import Settings
from bot.redaction import Redactor
from bot.telemetry import Telemetry
from pipelines.ask.answer import Answerer
from pipelines.ask.chunks import Window, split
from pipelines.ask.desk import AskDesk
from pipelines.ask.taking import LARGEST_BYTES, Taking
from pipelines.ask.values import Chunk
from pipelines.ask.workflow import AskRooms, AskWorkflow, Guard
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused
from pipelines.ports import Clock, Converted, Converter, Documents, Fetched, LanguageModel


@dataclass(frozen=True, slots=True)
class KnowledgeParts:
    """What /ask stands on: the index, what turns files into text and text into chunks, and what reads addresses."""

    documents: Documents
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
    answerer = Answerer(parts.documents, model, channels)
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


def _fetchers(settings: Settings, conversation: SlackConversation, parts: KnowledgeParts) -> Fetchers:
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    files = SlackFiles(conversation, token, settings.slack_api_url, LARGEST_BYTES)
    return Fetchers({"slack": files.fetch, "url": parts.fetch_url, "folder": parts.fetch_path})


def build_parts(settings: Settings, redactor: Redactor) -> KnowledgeParts:
    """The real ones. Nothing is opened or loaded before the first call."""
    embedding = build_embedding(settings, lambda text: redactor.redact(text).text)
    window = Window(settings.knowledge_chunk_words, settings.knowledge_chunk_overlap)
    return KnowledgeParts(
        documents=build_documents(settings, embedding),
        converter=TextConverter(),
        split=lambda text, title: split(text, title, window),
        fetch_url=_not_read,
        fetch_path=_not_read,
    )


class TextConverter:
    """Keeps Converter for Markdown and plain text."""

    def convert(self, name: str, content: bytes) -> Converted:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refused(f"{name} is no text in UTF-8.") from None
        if "\0" in text:
            raise Refused(f"{name} is no text.")
        heading = next((line for line in text.splitlines() if line.startswith("# ")), "")
        return Converted(heading.removeprefix("# ").strip() or name, text)


def _not_read(origin: str) -> Fetched:
    raise Refused(f"I cannot read {origin[:200]}: share it as a file.")
