"""Slack's payloads, read into values of pipelines/requests.py. Field names are those of docs.slack.dev."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.people import Person
from pipelines.ports import Place
from pipelines.requests import Click, Form, Mention, SharedFile, Shortcut

Payload = Mapping[str, Any]

_MARK = re.compile(r"<([@#!][^<>|]*|[a-z][a-z0-9+.-]*:[^<>|]*)(?:\|([^<>]*))?>", re.IGNORECASE)
# Fields of an element's state that hold what was chosen, by Slack's names.
_CHOSEN = (
    "value", "selected_date", "selected_time", "selected_date_time", "selected_user", "selected_channel",
    "selected_conversation", "rich_text_value",
)  # fmt: skip
_SEVERAL = ("selected_users", "selected_channels", "selected_conversations")


def click_of(action: str, body: Payload, person: Person) -> Click:
    """A pressed button, or what was chosen from a list."""
    container = body.get("container") or {}
    place = None
    if container.get("type") == "message":
        place = Place(channel_of(body), container["message_ts"])
    return Click(action, entered(body["actions"][0]), person, place, channel_of(body))


def channel_of(body: Payload) -> str:
    """Where an interaction happened; empty for App Home and modals."""
    container = body.get("container") or {}
    return str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")


def form_of(body: Payload, person: Person) -> Form:
    view = body["view"]
    channel, private = unpacked(view.get("private_metadata") or "")
    values: Mapping[str, Mapping[str, Payload]] = (view.get("state") or {}).get("values") or {}
    fields = {block: entered(next(iter(elements.values()), {})) for block, elements in values.items()}
    return Form(view["callback_id"], fields, private, person, channel, view["id"])


def packed(channel: str, private: str) -> str:
    """What a view carries for us and never shows: where it was opened, and the handler's own text."""
    return json.dumps([channel, private])


def unpacked(metadata: str) -> tuple[str, str]:
    channel, private = json.loads(metadata) if metadata else ("", "")
    return str(channel), str(private)


def entered(state: Payload) -> str:
    """What a person entered into an element or chose in it; several choices stand on lines of their own."""
    if chosen := state.get("selected_option"):
        return str(chosen["value"])
    if "selected_options" in state:
        return "\n".join(str(option["value"]) for option in state["selected_options"] or [])
    for name in _SEVERAL:
        if name in state:
            return "\n".join(map(str, state[name] or []))
    return next((str(state[name]) for name in _CHOSEN if state.get(name) is not None), "")


def shortcut_of(name: str, body: Payload, person: Person) -> Shortcut:
    message = body.get("message")
    if not message:
        return Shortcut(name, person)
    channel = channel_of(body)
    return Shortcut(
        name, person, channel, Place(channel, message["ts"]), spoken(message.get("text") or ""),
        files_of(message), str(message.get("user") or ""), str(message.get("thread_ts") or message["ts"]),
    )  # fmt: skip


def mention_of(body: Payload, person: Person) -> Mention:
    event = body["event"]
    place = Place(event["channel"], event["ts"])
    bots = [entry.get("user_id") or "" for entry in body.get("authorizations") or []]
    text = spoken(event.get("text") or "", bots)
    thread = str(event.get("thread_ts") or event["ts"])
    return Mention(text, person, place, thread, event.get("channel_type") == "im", files_of(event))


def mentions_us(body: Payload) -> bool:
    """Whether a message names the bot, in which case it comes as a mention too."""
    bots = [entry.get("user_id") for entry in body.get("authorizations") or []]
    return any(bot and f"<@{bot}" in (body["event"].get("text") or "") for bot in bots)


def files_of(message: Payload) -> tuple[SharedFile, ...]:
    """Files whose bytes lie with Slack; what lies elsewhere, or was deleted, has none that we could read."""
    return tuple(
        SharedFile(
            file["id"], str(file.get("name") or file["id"]), int(file.get("size") or 0),
            str(file.get("url_private_download") or file["url_private"]), str(file.get("permalink") or ""),
        )
        for file in message.get("files") or []
        if file.get("url_private") and not file.get("is_external")
    )  # fmt: skip


def spoken(text: str, bots: Sequence[str] = ()) -> str:
    """Slack's text as a person reads it: links and names without their marks, and without naming us."""

    def unmarked(mark: re.Match[str]) -> str:
        target, label = mark[1], mark[2]
        if target.startswith("@"):
            return "" if target[1:] in bots else f"@{label or target[1:]}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        return label or target.removeprefix("!") if target.startswith("!") else target

    return html.unescape(_MARK.sub(unmarked, text)).strip()
