"""chat.startStream, appendStream, stopStream: a message that is written while people read it."""

import asyncio
import time
from typing import Any

from bot.sandbox.slack.blockkit import judge_blocks
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.posting import bot_message, checked_metadata, for_app, open_channel, refuse, with_ids
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import BOT_ID
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.streaming import InvalidChunks, appended
from bot.sandbox.slack.world import World

STREAM_SECONDS = 300.0  # measured: Slack closes a stream after about five minutes
MARKDOWN_CHARACTERS = 12_000
OPEN = {"streaming": True, "streaming_state": "in_progress"}  # the first for the page, the second as apps know it
CLOSED = {"streaming_state": "completed"}


@method("chat.startStream", "chat:write", per_minute=20)
def start(call: Call) -> Answer:
    channel = open_channel(call)
    thread_ts = call.get("thread_ts")
    if thread_ts:
        call.world.message(channel["id"], str(thread_ts), "invalid_arguments")
    if not channel.get("is_im"):
        call.need("recipient_team_id", "missing_recipient_team_id")
        call.world.user(call.need("recipient_user_id", "missing_recipient_user_id"))
    if call.get("task_display_mode", "timeline") not in ("timeline", "plan", "dense"):
        raise SlackError("invalid_arguments")
    call.delivery.limits.message(channel["id"])
    begun = bot_message(call.world, {"text": "", "blocks": []}, thread_ts) | OPEN
    message = _written(call, begun)
    call.world.add_message(channel["id"], message)
    asyncio.get_running_loop().call_later(STREAM_SECONDS, _expire, call.world, channel["id"], message["ts"])
    return {"channel": channel["id"], "ts": message["ts"]}


@method("chat.appendStream", "chat:write", per_minute=100)
def append(call: Call) -> Answer:
    channel, message = _open_stream(call)
    if call.get("markdown_text") is None and not call.get("chunks"):
        raise SlackError("no_text")
    call.world.save_message(channel["id"], _written(call, message), "stream")
    return {"channel": channel["id"], "ts": message["ts"]}


@method("chat.stopStream", "chat:write", per_minute=20)
def stop(call: Call) -> Answer:
    channel, message = _open_stream(call)
    done = _written(call, message)
    if blocks := call.get("blocks"):
        refuse(judge_blocks(blocks, "message"))
        done["blocks"] = [*done["blocks"], *with_ids(blocks, call.world)]
        refuse(judge_blocks(done["blocks"], "message"))
    if metadata := call.get("metadata"):
        done["metadata"] = checked_metadata(metadata)
    done = _closed(done)
    call.world.save_message(channel["id"], done)
    return {"channel": channel["id"], "ts": done["ts"], "message": for_app(done)}


def _written(call: Call, message: Document) -> Document:
    """The message with what this call adds."""
    chunks: Any = call.get("chunks", [])
    markdown = call.get("markdown_text")
    if markdown is not None:
        if not isinstance(markdown, str) or chunks:
            raise SlackError("invalid_arguments")
        if len(markdown) > MARKDOWN_CHARACTERS:
            raise SlackError("msg_blocks_too_long")
        chunks = [{"type": "markdown_text", "text": markdown}]
    try:
        written = appended(message, chunks)
    except InvalidChunks as error:
        messages = [f"[ERROR] {error} [json-pointer:/chunks]"]
        raise SlackError("invalid_chunks", response_metadata={"messages": messages}) from None
    refuse(judge_blocks(written["blocks"], "message"))
    return written | {"blocks": with_ids(written["blocks"], call.world)}


def _open_stream(call: Call) -> tuple[Document, Document]:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    message = call.world.message(channel["id"], str(call.need("ts", "message_not_found")))
    if message.get("bot_id") != BOT_ID:
        raise SlackError("message_not_owned_by_app")
    if message.get("streaming") and time.time() - float(message["ts"]) > STREAM_SECONDS:
        _expire(call.world, channel["id"], message["ts"])  # it outlived a restart of the workspace
        message = call.world.message(channel["id"], message["ts"])
    if not message.get("streaming"):
        raise SlackError("message_not_in_streaming_state")
    return channel, message


def _expire(world: World, channel_id: str, ts: str) -> None:
    message = world.messages[channel_id].get(ts)
    if message and message.get("streaming"):
        world.save_message(channel_id, _closed(message))


def _closed(message: Document) -> Document:
    return {name: value for name, value in message.items() if name != "streaming"} | CLOSED
