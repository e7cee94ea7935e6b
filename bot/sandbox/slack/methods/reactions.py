"""reactions.*, pins.add, bookmarks.add: what the app hangs onto messages and channels."""

import re
import time

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.conversations import paged
from bot.sandbox.slack.methods.posting import for_app
from bot.sandbox.slack.reactions import set_reaction
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import APP_ID, BOT_USER, TEAM
from bot.sandbox.slack.store import Document

EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")
TIMESTAMP = re.compile(r"\d{1,12}\.\d{1,9}")
MOST_BOOKMARKS = 100


@method("reactions.add", "reactions:write")
def add(call: Call) -> Answer:
    _react(call, remove=False)
    return {}


@method("reactions.remove", "reactions:write", per_minute=20)
def remove(call: Call) -> Answer:
    _react(call, remove=True)
    return {}


@method("reactions.get", "reactions:read")
def get(call: Call) -> Answer:
    channel, message = _item(call)
    return {"type": "message", "channel": channel["id"], "message": for_app(message)}


@method("reactions.list", "reactions:read", per_minute=20)
def list_reactions(call: Call) -> Answer:
    """Newest first."""
    person = call.get("user", BOT_USER)
    call.world.user(person)
    items: list[Document] = [
        {"type": "message", "channel": channel_id, "message": for_app(message)}
        for channel_id, messages in call.world.messages.items() for message in messages.values()
        if any(person in reaction["users"] for reaction in message.get("reactions", []))
    ]  # fmt: skip
    newest_first = sorted(items, key=lambda item: float(item["message"]["ts"]), reverse=True)
    page, cursor = paged(call, newest_first, most=1000, default=100)
    return {"items": page, "response_metadata": {"next_cursor": cursor}}


@method("pins.add", "pins:write", per_minute=20)
def pin(call: Call) -> Answer:
    channel, message = _item(call)
    if message.get("pinned"):
        raise SlackError("already_pinned")
    pinned = message | {"pinned": True, "pinned_to": [channel["id"]]}
    call.world.save_message(channel["id"], pinned)
    return {}


@method("bookmarks.add", "bookmarks:write", per_minute=20)
def bookmark(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel_id", "channel_not_found"))
    title, kind = str(call.need("title")), call.need("type")
    if kind != "link":
        raise SlackError("invalid_bookmark_type")
    link = call.need("link", "invalid_link")
    if not str(link).startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    if sum(known["channel_id"] == channel["id"] for known in call.world.bookmarks.values()) >= MOST_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    now = int(time.time())
    entry: Document = {
        "id": call.world.new_id("Bk"), "channel_id": channel["id"], "title": title, "link": str(link),
        "emoji": str(call.get("emoji", "")), "icon_url": "", "type": kind, "date_created": now, "date_updated": 0,
        "rank": "U", "last_updated_by_user_id": BOT_USER, "last_updated_by_team_id": TEAM["id"], "app_id": APP_ID,
    }  # fmt: skip
    call.world.bookmarks[entry["id"]] = entry
    call.world.store.put("bookmark", entry["id"], entry)
    return {"bookmark": entry}


def _react(call: Call, *, remove: bool) -> None:
    name = str(call.need("name", "invalid_name")).strip(":")
    if not EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    channel, message = _item(call)
    if channel.get("is_archived") and not remove:
        raise SlackError("is_archived")
    set_reaction(message, BOT_USER, name, remove)
    call.world.save_message(channel["id"], message, "reaction")


def _item(call: Call) -> tuple[Document, Document]:
    """The channel and message that are meant; what else can be reacted to in Slack has gone from its API."""
    if call.get("timestamp") is None or call.get("channel") is None:
        raise SlackError("no_item_specified")
    timestamp = str(call.get("timestamp"))
    channel = call.world.channel(call.get("channel"))
    if not TIMESTAMP.fullmatch(timestamp):
        raise SlackError("bad_timestamp")
    return channel, call.world.message(channel["id"], timestamp)
