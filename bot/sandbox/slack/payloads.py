"""The payloads that acts of people become, shaped as Slack sends them."""

import time
from typing import Any

from bot.sandbox.slack.delivery import VERIFICATION_TOKEN, Delivery
from bot.sandbox.slack.roster import APP_ID, TEAM
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.world import World

SHORT_TEAM = {"id": TEAM["id"], "domain": TEAM["domain"]}


def slash_command(world: World, delivery: Delivery, person: str, channel: Document, name: str, text: str) -> Document:
    return {
        "token": VERIFICATION_TOKEN, "team_id": TEAM["id"], "team_domain": TEAM["domain"], "channel_id": channel["id"],
        "channel_name": "directmessage" if channel.get("is_im") else channel["name"], "user_id": person,
        "user_name": world.user(person)["name"], "command": name, "text": text, "api_app_id": APP_ID,
        "is_enterprise_install": "false", "response_url": delivery.response_url(person, channel["id"]),
        "trigger_id": delivery.triggers.new(person),
    }  # fmt: skip


def block_actions(
    world: World, delivery: Delivery, person: str, container: Document, action: Document, state: Document
) -> Document:
    """`container` is the page's; the message or view is looked up here and sent along whole."""
    payload = _interaction(world, delivery, person, "block_actions")
    payload |= {"actions": [action | {"action_ts": f"{time.time():.6f}"}], "state": {"values": state}}
    if container["type"] == "view":
        view = world.views.get(container["view_id"]) or world.homes[person]
        payload["view"] = shown_view(view) | {"state": {"values": state}}
        payload["container"] = {"type": "view", "view_id": view["id"]}
        return payload
    channel = world.channel(container["channel"])
    hidden = bool(container.get("ephemeral"))
    if hidden:
        message: Document = world.ephemerals[person][container["ts"]]
    else:
        message = world.message(channel["id"], container["ts"])
    payload["container"] = {
        "type": "message", "message_ts": message["ts"], "channel_id": channel["id"], "is_ephemeral": hidden,
    }  # fmt: skip
    if message.get("thread_ts"):
        payload["container"]["thread_ts"] = message["thread_ts"]
    payload["channel"] = {"id": channel["id"], "name": "directmessage" if channel.get("is_im") else channel["name"]}
    if not hidden:
        payload["message"] = _shown_message(message)
    place = {"channel": channel["id"], "ts": message["ts"], "ephemeral": hidden}
    payload["response_url"] = delivery.response_url(person, channel["id"], place)
    return payload


def block_suggestion(
    world: World, delivery: Delivery, person: str, container: Document, action: Document, typed: str
) -> Document:
    payload = block_actions(world, delivery, person, container, action, {})
    for name in ("actions", "state", "trigger_id", "response_url"):
        payload.pop(name, None)
    return payload | {
        "type": "block_suggestion", "action_id": action["action_id"], "block_id": action["block_id"], "value": typed,
    }  # fmt: skip


def view_submission(world: World, delivery: Delivery, person: str, view: Document, state: Document) -> Document:
    payload = _interaction(world, delivery, person, "view_submission")
    return payload | {"view": shown_view(view) | {"state": {"values": state}}, "response_urls": []}


def view_closed(world: World, delivery: Delivery, person: str, view: Document, cleared: bool) -> Document:
    payload = _interaction(world, delivery, person, "view_closed")
    del payload["trigger_id"]
    return payload | {"view": shown_view(view), "is_cleared": cleared}


def global_shortcut(world: World, delivery: Delivery, person: str, callback_id: str) -> Document:
    payload = _interaction(world, delivery, person, "shortcut")
    for name in ("api_app_id", "enterprise"):
        payload.pop(name, None)
    del payload["user"]["name"]
    return payload | {"callback_id": callback_id, "action_ts": f"{time.time():.6f}"}


def message_shortcut(
    world: World, delivery: Delivery, person: str, callback_id: str, channel: Document, message: Document
) -> Document:
    payload = _interaction(world, delivery, person, "message_action")
    del payload["user"]["username"]
    place = {"channel": channel["id"], "ts": message["ts"], "ephemeral": False}
    name = "directmessage" if channel.get("is_im") else channel["name"]
    return payload | {
        "callback_id": callback_id, "action_ts": f"{time.time():.6f}", "message_ts": message["ts"],
        "message": _shown_message(message), "channel": {"id": channel["id"], "name": name},
        "response_url": delivery.response_url(person, channel["id"], place),
    }  # fmt: skip


def joined(channel: Document, person: str) -> Document:
    """The event member_joined_channel."""
    return {
        "type": "member_joined_channel", "user": person, "channel": channel["id"], "channel_type": "C",
        "team": TEAM["id"], "event_ts": f"{time.time():.6f}",
    }  # fmt: skip


def _shown_message(message: Document) -> Document:
    """Without what only the page knows of it."""
    return {name: value for name, value in message.items() if name not in ("streaming", "pinned")}


def shown_view(view: Document) -> Document:
    return {name: value for name, value in view.items() if name != "person"}


def _interaction(world: World, delivery: Delivery, person: str, kind: str) -> Document:
    user = world.user(person)
    named: dict[str, Any] = {
        "id": person, "username": user["name"], "name": user["name"], "team_id": TEAM["id"],
    }  # fmt: skip
    return {
        "type": kind, "team": dict(SHORT_TEAM), "user": named, "api_app_id": APP_ID, "token": VERIFICATION_TOKEN,
        "trigger_id": delivery.triggers.new(person), "enterprise": None, "is_enterprise_install": False,
    }  # fmt: skip
