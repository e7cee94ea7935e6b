"""What chat.* methods share: content that Slack would take, and messages as Slack stores them."""

from typing import Any

from bot.sandbox.slack.blockkit import judge_attachments, judge_blocks
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.registry import Call
from bot.sandbox.slack.roster import APP_ID, BOT_ID, BOT_USER, TEAM
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.world import World

TEXT_LIMIT = 40_000
PAGE_ONLY = frozenset({"streaming", "pinned"})
UPDATE_LIMIT = 4_000


def content(call: Call, text_limit: int = TEXT_LIMIT) -> Document:
    """Text, blocks and attachments, judged; refuses what Slack refuses."""
    blocks, attachments, text = call.get("blocks"), call.get("attachments"), call.get("text", "")
    markdown = call.get("markdown_text")
    if markdown is not None:
        if blocks or text:
            raise SlackError("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": markdown}]
    if not isinstance(text, str):
        raise SlackError("invalid_arguments")
    if len(text) > text_limit:
        raise SlackError("msg_too_long")
    if not (text or blocks or attachments):
        raise SlackError("no_text")
    if blocks:
        refuse(judge_blocks(blocks, "message"))
    if attachments:
        refuse(judge_attachments(attachments))
    found: Document = {"text": text}
    if blocks:
        found["blocks"] = with_ids(blocks, call.world)
    if attachments:
        found["attachments"] = attachments
    if (metadata := call.get("metadata")) is not None:
        found["metadata"] = checked_metadata(metadata)
    return found


def refuse(complaints: list[Any]) -> None:
    """Raise what Slack answers when a document has faults."""
    if complaints:
        messages = [str(complaint) for complaint in complaints]
        raise SlackError(complaints[0].code, errors=messages, response_metadata={"messages": messages})


def with_ids(blocks: list[Document], world: World) -> list[Document]:
    """Slack gives a block without an id one of its own, and so do we."""
    return [block if block.get("block_id") else block | {"block_id": world.new_id("b")} for block in blocks]


def checked_metadata(metadata: Any) -> Document:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return metadata


def for_app(message: Document) -> Document:
    """A message as methods answer it: without the marks that are for the page."""
    return {name: value for name, value in message.items() if name not in PAGE_ONLY}


def bot_message(world: World, found: Document, thread_ts: str | None = None) -> Document:
    """A message as the bot posts it."""
    message = {
        "type": "message", "user": BOT_USER, "bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM["id"],
        "ts": world.new_ts(), "bot_profile": bot_profile(world), **found,
    }  # fmt: skip
    return message | ({"thread_ts": thread_ts} if thread_ts else {})


def bot_profile(world: World) -> Document:
    return {
        "id": BOT_ID, "app_id": APP_ID, "name": world.app.name, "deleted": False, "updated": 1_700_000_000,
        "team_id": TEAM["id"], "icons": {},
    }  # fmt: skip


def open_channel(call: Call) -> Document:
    """The channel to post to, which the bot must be in."""
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    if channel.get("is_archived"):
        raise SlackError("is_archived")
    if not call.world.is_member(channel, BOT_USER):
        raise SlackError("not_in_channel")
    return channel
