"""The Slack app manifest, made from what the bot listens to: names, texts, events, and the scopes they need."""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.registrations import ShortcutHandler

SlackMode = Literal["socket", "http"]

# Slack's limits of a manifest: https://docs.slack.dev/reference/app-manifest
LONGEST_DESCRIPTION = 2000
LONGEST_HINT = 1000
LONGEST_PROMPT_LINE = 140
LONGEST_SHORTCUT = 150

# What each method that the bot calls needs; None where a bot token alone will do.
METHOD_SCOPES: dict[str, str | None] = {
    "api.test": None,
    "auth.test": None,
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.getPermalink": None,
    "conversations.info": "channels:read",
    "conversations.list": "channels:read",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "conversations.open": "im:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "users.lookupByEmail": "users:read.email",
    "views.publish": None,
    "views.open": None,
    "chat.startStream": "chat:write",
    "chat.appendStream": "chat:write",
    "chat.stopStream": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "conversations.members": "channels:read",
    "files.info": "files:read",
}
# The same methods in private channels and direct messages, and what answers carry only with a scope of their own.
WIDER_SCOPES = ("groups:read", "groups:history", "im:read", "im:history", "users:read.email")
ALWAYS = ("commands", "assistant:write")

EVENT_SCOPES: dict[str, str | None] = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "reaction_added": "reactions:read",
    "member_joined_channel": "channels:read",
    "file_shared": "files:read",
}
# Messages in channels are heard for the log files in them; everything else in them is passed over.
DEFAULT_EVENTS = ("app_home_opened", "app_mention", "message.im", "message.channels", "message.groups")
APP_TOKEN_SCOPE = "connections:write"  # noqa: S105 - the name of a scope

USAGE = re.compile(r"^\s*Usage:\s*(?P<usage>\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A slash command as Slack lists it; `usage_hint` is what follows the name."""

    name: str
    description: str
    usage_hint: str = ""


@dataclass(frozen=True, slots=True)
class ShortcutSpec:
    name: str
    callback_id: str
    description: str
    kind: Literal["message", "global"] = "message"


def command_spec(name: str, function: object) -> CommandSpec:
    """Read a command's texts from its docstring: a first sentence, and a line `Usage: /name …`.

    Raises ValueError where one is missing, so that no command is without help.
    """
    text = inspect.getdoc(function) or ""
    usage = USAGE.search(text)
    description = " ".join(text.partition("\n\n")[0].split())
    if not description or description.startswith("Usage:"):
        raise ValueError(f"{name} needs a docstring that begins with a sentence about what it does")
    if usage is None:
        raise ValueError(f"{name} needs a line in its docstring such as: Usage: {name} WORD")
    typed, _, hint = usage["usage"].partition(" ")
    if typed != name:
        raise ValueError(f"the docstring of {name} says how to use {typed}")
    return CommandSpec(name, description.rstrip("."), hint.strip())


def shortcut_spec(kind: type[ShortcutHandler]) -> ShortcutSpec:
    """A shortcut's texts, its description from the docstring. Raises ValueError where that is missing."""
    description = " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
    if not description or description.startswith(kind.__name__):
        raise ValueError(f"{kind.__name__} needs a docstring that begins with a sentence about what it does")
    return ShortcutSpec(kind.label, kind.name, description.rstrip(".")[:LONGEST_SHORTCUT], kind.kind)


def needed_scopes(methods: Iterable[str] = METHOD_SCOPES, events: Iterable[str] = DEFAULT_EVENTS) -> tuple[str, ...]:
    """The bot scopes for these methods and events, sorted. Raises KeyError for one that the tables lack."""
    found = {METHOD_SCOPES[method] for method in methods} | {EVENT_SCOPES[event] for event in events}
    return tuple(sorted({scope for scope in found if scope} | set(WIDER_SCOPES) | set(ALWAYS)))


def build_manifest(
    commands: Sequence[CommandSpec],
    shortcuts: Sequence[ShortcutSpec] = (),
    events: Sequence[str] = DEFAULT_EVENTS,
    scopes: Sequence[str] | None = None,
    mode: SlackMode = "socket",
    base_url: str = "",
    name: str = "Shipmate",
) -> dict[str, Any]:
    """The manifest as Slack takes it. `base_url` is the bot's public address, needed for http."""
    if mode == "http" and not base_url.startswith("https://"):
        raise ValueError("Slack sends requests only to an https:// address: set SHIPMATE_PUBLIC_URL")
    url = f"{base_url.rstrip('/')}/slack/events" if mode == "http" else None
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Watches your models, explains what it sees, and acts once you say yes",
            "background_color": "#1f3a4d",
        },
        "features": _features(commands, shortcuts, url, name),
        "oauth_config": {"scopes": {"bot": sorted(scopes if scopes is not None else needed_scopes(events=events))}},
        "settings": _settings(events, mode, url),
    }


def _features(
    commands: Sequence[CommandSpec], shortcuts: Sequence[ShortcutSpec], url: str | None, name: str
) -> dict[str, Any]:
    features: dict[str, Any] = {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": name.lower(), "always_online": True},
        "agent_view": {"agent_description": "Ask about your runbooks and models, or for a retrain"},
        "slash_commands": [_command(spec, url) for spec in commands],
    }
    if shortcuts:
        features["shortcuts"] = [
            {"name": item.name, "type": item.kind, "callback_id": item.callback_id, "description": item.description}
            for item in shortcuts
        ]
    return features


def _command(spec: CommandSpec, url: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "command": spec.name,
        "description": spec.description[:LONGEST_DESCRIPTION],
        "should_escape": True,
    }
    if spec.usage_hint:
        entry["usage_hint"] = spec.usage_hint[:LONGEST_HINT]
    return entry | ({"url": url} if url else {})


def _settings(events: Sequence[str], mode: SlackMode, url: str | None) -> dict[str, Any]:
    address = {"request_url": url} if url else {}
    return {
        "event_subscriptions": {"bot_events": sorted(events), **address},
        "interactivity": {"is_enabled": True, **address},
        "org_deploy_enabled": False,
        "socket_mode_enabled": mode == "socket",
        "token_rotation_enabled": False,
    }
