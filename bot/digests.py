"""Puts the parts of the digest together, for bot/app.py."""

from bot.cards.digest import pages
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.directory import SlackDirectory
from bot.clients.slack import SlackConversation
from bot.knowledge import Ground
from pipelines.digest.audience import Audience
from pipelines.digest.desk import DeskRooms, DigestDesk
from pipelines.digest.parts import ApprovalsPart, LanguageModelsPart, ModelsPart, QuestionsPart, RetrainsPart
from pipelines.digest.workflow import DigestRooms, DigestWorkflow
from pipelines.ports import LanguageModel
from pipelines.retrain.desk import RetrainDesk


def build_digest_desk(
    ground: Ground, catalogue: Catalogue, desk: RetrainDesk, conversation: SlackConversation,
    directory: SlackDirectory, model: LanguageModel,
) -> DigestDesk:  # fmt: skip
    """Another feature adds its section to `parts`, in the order in which people read them."""
    ledger, channels = ground.ledger, SlackChannels(conversation)
    audience = Audience(channels, catalogue.posting)
    parts = (
        RetrainsPart(ledger.finished_retrains, desk.link),
        ApprovalsPart(desk.approvals, desk.link),
        QuestionsPart(ledger.questions),
        ModelsPart(desk.registry, desk.models, ground.clock),
        LanguageModelsPart(ledger.usage),
    )
    workflow = DigestWorkflow(
        DigestRooms(
            durable=ground.durable, parts=parts, audience=audience, marks=ledger.digest_marks,
            conversation=conversation, clock=ground.clock, pages=pages, guard=ground.guard, language_model=model,
        )
    )  # fmt: skip
    return DigestDesk(
        DeskRooms(
            workflow=workflow, subscriptions=ledger.digest_subscriptions, marks=ledger.digest_marks,
            audience=audience, channels=channels, conversation=conversation, zones=directory, clock=ground.clock,
            fixed=catalogue.digests, zone=catalogue.time_zone,
        )
    )  # fmt: skip
