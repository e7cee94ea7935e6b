"""The Slack app manifest against Slack's own schema, and its scopes against Slack's own method pages."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.app import registered_manifest
from bot.manifest import (
    DEFAULT_EVENTS,
    METHOD_SCOPES,
    CommandSpec,
    ShortcutSpec,
    build_manifest,
    command_spec,
    needed_scopes,
)
from commands.approvals import ApprovalsCommand
from commands.help import HelpCommand
from commands.models import ModelsCommand
from commands.retrain import RetrainCommand

COMMANDS = {
    "/retrain": RetrainCommand,
    "/models": ModelsCommand,
    "/approvals": ApprovalsCommand,
    "/shipmate": HelpCommand,
}
SPECS = tuple(command_spec(name, command) for name, command in COMMANDS.items())
SHORTCUTS = (ShortcutSpec("Explain this", "explain", "Look into the message"),)
# Slack's page is older than this method, or names scopes in prose only.
CALL = re.compile(
    r"[\"'.]((?:api|auth|chat|conversations|files|usergroups|users|views|reactions|pins|bookmarks)_[a-zA-Z_0-9]+)[\"'(]"
)
BEHIND = {"files_upload_v2": ("files.getUploadURLExternal", "files.completeUploadExternal")}


@pytest.fixture
def schema(shipmate_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (shipmate_data / "slack/manifest-schema/schemas/manifest.schema.1.0.0.json").read_text()
    )
    return found


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_the_manifest_is_valid_by_slacks_own_schema(mode: Any, schema: dict[str, Any]) -> None:
    manifest = build_manifest(SPECS, SHORTCUTS, mode=mode, base_url="https://bot.example")
    jsonschema.validate(manifest, schema)
    assert manifest["settings"]["socket_mode_enabled"] is (mode == "socket")
    assert ("https://bot.example/slack/events" in json.dumps(manifest)) is (mode == "http")


def test_the_schema_refuses_what_we_would_get_wrong(schema: dict[str, Any]) -> None:
    manifest = build_manifest(SPECS)
    manifest["features"]["slash_commands"][0]["hint"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, schema)


def test_each_scope_is_one_that_slack_names_for_the_method(shipmate_data: Path) -> None:
    for method, scope in METHOD_SCOPES.items():
        page = json.loads((shipmate_data / f"slack/slack_kit-methods/{method}.json").read_text())
        named = [item["name"] for item in (page.get("scopes") or {}).get("bot", [])]
        assert scope in named if scope else not named, f"{method}: ours {scope}, Slack's {named}"


def test_every_method_that_the_bot_calls_has_its_scopes() -> None:
    root = Path(__file__).parents[2]
    files = [*(root / "bot").glob("*.py"), *(root / "bot/clients").rglob("*.py")]
    called = {name for file in files for name in CALL.findall(file.read_text()) if hasattr_of_client(name)}
    methods = {method for name in called for method in BEHIND.get(name, (dotted(name),))}
    assert methods
    assert methods <= set(METHOD_SCOPES)


def hasattr_of_client(name: str) -> bool:
    from slack_sdk import WebClient

    return hasattr(WebClient, name)


def dotted(name: str) -> str:
    """users_info -> users.info, usergroups_users_list -> usergroups.users.list"""
    return name.replace("_", ".")


def test_scopes_follow_from_methods_and_events() -> None:
    assert "chat:write" in needed_scopes()
    assert "reactions:read" not in needed_scopes()
    assert "reactions:read" in needed_scopes(events=[*DEFAULT_EVENTS, "reaction_added"])
    with pytest.raises(KeyError):
        needed_scopes(events=["no_such_event"])


def test_http_needs_an_address_that_slack_accepts() -> None:
    with pytest.raises(ValueError, match="SHIPMATE_PUBLIC_URL"):
        build_manifest(SPECS, mode="http", base_url="http://bot.example")


def test_a_commands_text_comes_from_its_docstring() -> None:
    retrain = next(spec for spec in SPECS if spec.name == "/retrain")
    assert retrain == CommandSpec(
        "/retrain",
        "Train a model again, once somebody has approved the plan",
        "MODEL [data=FILE-OR-URL] [note=WORDS]",
    )


def no_text() -> None: ...


def no_usage() -> None:
    """Do something."""


def other_usage() -> None:
    """Do something.

    Usage: /other X
    """


@pytest.mark.parametrize(
    ("function", "says"), [(no_text, "sentence"), (no_usage, "Usage: /this"), (other_usage, "/other")]
)
def test_a_command_without_help_is_refused(function: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        command_spec("/this", function)


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_what_is_registered_makes_a_valid_manifest_with_its_shortcuts_and_scopes(
    mode: Any, schema: dict[str, Any]
) -> None:
    manifest = registered_manifest(mode, "https://bot.example")
    jsonschema.validate(manifest, schema)
    shortcuts = {item["callback_id"]: item for item in manifest["features"]["shortcuts"]}
    assert shortcuts["ask.add"]["type"] == "message"
    assert shortcuts["ask.add"]["name"] == "Add to knowledge"
    assert shortcuts["ask.add"]["description"]
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    for needed in ("files:read", "chat:write", "im:history", "app_mentions:read", "assistant:write"):
        assert needed in scopes
    assert {"app_mention", "message.im", "app_home_opened"} <= set(
        manifest["settings"]["event_subscriptions"]["bot_events"]
    )
