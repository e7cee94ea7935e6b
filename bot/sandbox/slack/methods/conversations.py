"""conversations.*: looking at channels and their messages."""

import base64
import binascii
from typing import Any

from bot.sandbox.slack import payloads
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.posting import for_app
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import BOT_USER
from bot.sandbox.slack.store import Document


@method("conversations.list", "channels:read", "groups:read", "im:read", per_minute=20)
def list_conversations(call: Call) -> Answer:
    kinds = str(call.get("types", "public_channel")).split(",")
    unknown = set(kinds) - {"public_channel", "private_channel", "mpim", "im"}
    if unknown:
        raise SlackError("invalid_types")
    found = [
        _shown(call, channel) for channel in call.world.channels.values()
        if ("im" if channel.get("is_im") else "public_channel") in kinds
        and not (call.flag("exclude_archived") and channel["is_archived"])
    ]  # fmt: skip
    page, cursor = paged(call, found, most=1000)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


@method("conversations.info", "channels:read", "groups:read", "im:read")
def info(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    shown = _shown(call, channel)
    return {"channel": shown | ({"num_members": len(channel["members"])} if call.flag("include_num_members") else {})}


@method("conversations.history", "channels:history", "groups:history", "im:history")
def history(call: Call) -> Answer:
    channel = _readable(call)
    newest_first = list(reversed(_window(call, call.world.parents(channel["id"]))))
    page, cursor = paged(call, newest_first, most=999, default=100)
    answer: Answer = {"messages": [_bare(call, message) for message in page], "has_more": bool(cursor), "pin_count": 0}
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


@method("conversations.replies", "channels:history", "groups:history", "im:history")
def replies(call: Call) -> Answer:
    channel = _readable(call)
    parent = call.world.message(channel["id"], call.need("ts", "thread_not_found"), "thread_not_found")
    thread = [parent, *_window(call, call.world.replies(channel["id"], parent["ts"]))]
    page, cursor = paged(call, thread, most=1000)
    answer: Answer = {"messages": [_bare(call, message) for message in page], "has_more": bool(cursor)}
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


@method("conversations.open", "im:write", "channels:manage")
def open_conversation(call: Call) -> Answer:
    if channel_id := call.get("channel"):
        return {"channel": {"id": call.world.channel(channel_id)["id"]}}
    users = call.need("users", "users_list_not_supplied")
    names = users if isinstance(users, list) else [name for name in str(users).split(",") if name]
    if len(names) != 1:
        raise SlackError("method_not_supported_for_channel_type")
    call.world.user(names[0])
    return {"channel": {"id": call.world.direct(names[0])["id"]}, "no_op": True, "already_open": True}


@method("conversations.join", "channels:join")
def join(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    if channel.get("is_im"):
        raise SlackError("method_not_supported_for_channel_type")
    if BOT_USER in channel["members"]:
        return {"channel": _shown(call, channel), "warning": "already_in_channel"}
    joined = channel | {"members": [*channel["members"], BOT_USER]}
    call.world.put_channel(joined)
    call.delivery.event(payloads.joined(joined, BOT_USER))
    return {"channel": _shown(call, joined)}


@method("conversations.members", "channels:read", "groups:read", "im:read", per_minute=100)
def members(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    page, cursor = paged(call, channel["members"], most=1000, default=100)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def paged(call: Call, entries: list[Any], most: int, default: int = 1000) -> tuple[list[Any], str]:
    """One page and the cursor of the next, empty at the end. Cursors are opaque, as Slack's are."""
    limit = call.count("limit", default, most)
    start = _offset(str(call.get("cursor", "")))
    page = entries[start : start + limit]
    more = start + limit < len(entries)
    return page, base64.b64encode(f"at:{start + limit}".encode()).decode() if more else ""


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("at:"))
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None


def _readable(call: Call) -> Document:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    if not call.world.is_member(channel, BOT_USER):
        raise SlackError("not_in_channel")
    return channel


def _window(call: Call, messages: list[Document]) -> list[Document]:
    oldest, latest = _time(call, "oldest", "0"), _time(call, "latest", "9" * 12)
    if call.flag("inclusive"):
        return [message for message in messages if oldest <= float(message["ts"]) <= latest]
    return [message for message in messages if oldest < float(message["ts"]) < latest]


def _time(call: Call, name: str, default: str) -> float:
    try:
        return float(call.get(name, default))
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _bare(call: Call, message: Document) -> Document:
    """Metadata is shown only when it is asked for."""
    shown = for_app(message)
    if not call.flag("include_all_metadata"):
        shown.pop("metadata", None)
    return shown


def _shown(call: Call, channel: Document) -> Document:
    if channel.get("is_im"):
        names = ("id", "created", "is_archived", "is_im", "is_org_shared", "user", "updated", "context_team_id")
        return {name: channel[name] for name in names if name in channel}
    shown = {name: value for name, value in channel.items() if name != "members"}
    return shown | {"is_member": call.world.is_member(channel, BOT_USER)}
