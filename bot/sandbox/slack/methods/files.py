"""files.*: the upload in two steps, and looking at what was uploaded."""

from dataclasses import replace

from bot.sandbox.slack.blockkit import judge_blocks
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.files import UPLOAD_LIMIT, new_file
from bot.sandbox.slack.methods.posting import bot_message, refuse, with_ids
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import BOT_USER
from bot.sandbox.slack.store import Document

MOST_CHANNELS = 100
ALT_TEXT_CHARACTERS = 1_000


@method("files.getUploadURLExternal", "files:write", per_minute=100)
def get_upload_url(call: Call) -> Answer:
    name = str(call.need("filename"))
    try:
        length = int(call.need("length", "missing_argument"))
    except (TypeError, ValueError, OverflowError):
        raise SlackError("invalid_arguments") from None
    if length <= 0:
        raise SlackError("missing_argument")
    if length > UPLOAD_LIMIT:
        raise SlackError("file_upload_size_restricted")
    alt_text = str(call.get("alt_txt", ""))
    if len(alt_text) > ALT_TEXT_CHARACTERS:
        raise SlackError("alt_txt_too_large")
    file = new_file(call.world, name, length, BOT_USER, call.base_url) | ({"alt_txt": alt_text} if alt_text else {})
    ticket = call.world.uploads.announce(file, length)
    return {"upload_url": f"{call.base_url}/upload/{ticket}", "file_id": file["id"]}


@method("files.completeUploadExternal", "files:write", per_minute=100)
def complete_upload(call: Call) -> Answer:
    """Nothing is shared unless every file and every channel is right."""
    asked = call.need("files")
    if not isinstance(asked, list) or not asked or not all(isinstance(one, dict) for one in asked):
        raise SlackError("invalid_arguments")
    channels = _channels(call)
    thread_ts = call.get("thread_ts")
    if thread_ts:
        for channel in channels:
            call.world.message(channel["id"], str(thread_ts), "invalid_arguments")
    if (blocks := call.get("blocks")) and not call.get("initial_comment"):
        refuse([replace(found, code="invalid_blocks") for found in judge_blocks(blocks, "message")])
    files = [_uploaded(call, one) for one in asked]
    for file in files:
        call.world.uploads.completed(file["id"])
        call.world.put_file(file | {"channels": [channel["id"] for channel in channels]})
    for channel in channels:
        _share(call, channel, [call.world.files[file["id"]] for file in files])
    return {"files": [call.world.files[file["id"]] for file in files]}


@method("files.info", "files:read", per_minute=100)
def info(call: Call) -> Answer:
    file = call.world.files.get(str(call.need("file", "file_not_found")))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": file, "comments": []}


def _channels(call: Call) -> list[Document]:
    given = call.get("channels") or call.get("channel_id") or ""
    names = [str(name) for name in given] if isinstance(given, list) else list(filter(None, str(given).split(",")))
    if len(names) > MOST_CHANNELS:
        raise SlackError("channels_limit_exceeded")
    return [_open(call, name) for name in dict.fromkeys(names)]


def _open(call: Call, name: str) -> Document:
    channel = call.world.channel(name)
    if channel.get("is_archived"):
        raise SlackError("posting_to_channel_denied")
    if not call.world.is_member(channel, BOT_USER):
        raise SlackError("not_in_channel")
    return channel


def _uploaded(call: Call, asked: Document) -> Document:
    """The file whose bytes have come; known files are not completed twice."""
    file = call.world.uploads.waiting(str(asked.get("id", "")))
    if file is None:
        raise SlackError("file_not_found")
    title = asked.get("title")
    return file | ({"title": title} if isinstance(title, str) and title else {})


def _share(call: Call, channel: Document, files: list[Document]) -> None:
    found: Document = {"text": str(call.get("initial_comment", "")), "files": files, "upload": True}
    if (blocks := call.get("blocks")) and not found["text"]:
        found["blocks"] = with_ids(blocks, call.world)
    message = bot_message(call.world, found, call.get("thread_ts")) | {"subtype": "file_share"}
    call.world.add_message(channel["id"], message)
