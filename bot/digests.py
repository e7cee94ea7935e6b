"""Puts the parts of digests together, for bot/app.py."""

from contextlib import suppress
from datetime import timedelta

from bot.cards.digest import pages
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.directory import SlackDirectory
from bot.knowledge import Ground
from pipelines.ask.questions import Question
from pipelines.digest.audience import Audience
from pipelines.digest.desk import DeskRooms, DigestDesk
from pipelines.digest.drift import DriftPart
from pipelines.digest.parts import ApprovalsPart, LanguageModelsPart, ModelsPart, QuestionsPart, RetrainsPart
from pipelines.digest.workflow import DigestRooms, DigestWorkflow
from pipelines.drift.episodes import Episode
from pipelines.errors import Refused
from pipelines.ports import Clock, Conversation, LanguageModel, Place
from pipelines.retrain.desk import RetrainDesk
from pipelines.waiting import WaitingList


def build_digests(
    catalogue: Catalogue, desk: RetrainDesk, waiting: WaitingList, ground: Ground, channels: SlackChannels,
    directory: SlackDirectory, model: LanguageModel, drift_clock: Clock,
) -> DigestDesk:  # fmt: skip
    """Another feature adds its section to `parts`. `drift_clock` is that of the records."""
    ledger = ground.ledger
    audience = Audience(channels, catalogue.posting)
    parts = (
        RetrainsPart(ledger.finished_retrains, desk.link),
        ApprovalsPart(desk.approvals, waiting.link),
        DriftPart(
            ledger.looks,
            ledger.episodes,
            lambda episode: _episode_link(desk.conversation, channels, episode),
            ahead=lambda: _ahead(drift_clock, ground.clock),
        ),
        ModelsPart(desk.registry, desk.models, desk.clock),
        QuestionsPart(ledger.questions, lambda asked: _link(desk.conversation, asked)),
        LanguageModelsPart(ledger.usage),
    )
    workflow = DigestWorkflow(
        DigestRooms(
            durable=ground.durable, parts=parts, audience=audience, marks=ledger.digest_marks,
            conversation=desk.conversation, clock=desk.clock, pages=pages, guard=ground.guard, language_model=model,
        )
    )  # fmt: skip
    return DigestDesk(
        DeskRooms(
            workflow=workflow, subscriptions=ledger.digest_subscriptions, marks=ledger.digest_marks,
            audience=audience, channels=channels, conversation=desk.conversation, zones=directory, clock=desk.clock,
            fixed=catalogue.digests, zone=catalogue.time_zone,
        )
    )  # fmt: skip


def _ahead(drift_clock: Clock, clock: Clock) -> timedelta:
    return timedelta() if drift_clock is clock else drift_clock.now() - clock.now()


def _episode_link(conversation: Conversation, channels: SlackChannels, episode: Episode) -> str:
    with suppress(Refused):  # a channel that was renamed, or that the bot has left
        place = conversation.posted(f"drift:{episode.id}", channels.find(episode.channel))
        return conversation.link(place) if place else ""
    return ""


def _link(conversation: Conversation, asked: Question) -> str:
    return conversation.link(Place(asked.channel, asked.thread)) if asked.thread else ""
