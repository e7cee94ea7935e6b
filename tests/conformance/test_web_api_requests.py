"""Methods, arguments, errors, scopes and rates of the sandbox against the pages of Slack's own reference."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.registry import METHODS
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.store import Document

# Newer than the pages as they were collected (May 2026), each with where it stands.
NEWER_METHODS = {"blocks.validate": "docs.slack.dev/reference/methods/blocks.validate"}
NEWER_ARGUMENTS = {
    "blocks.validate": {"blocks", "message", "view"},
    "chat.postEphemeral": {"metadata"},  # taken and dropped: content of messages is read in one place
    "files.completeUploadExternal": {"blocks"},
}
OTHER_ERRORS = {
    "blocks.validate": {"invalid_blocks", "invalid_message", "invalid_view"},
    "chat.postMessage": {"thread_not_found"},  # what Slack answers to a thread_ts of no message; its page is silent
    "reactions.list": {"invalid_cursor"},  # docs.slack.dev/apis/web-api/pagination
}
RATES = {"Tier 1": 1, "Tier 2": 20, "Tier 3": 50, "Tier 4": 100, "Special": None}
ANYTHING_WRONG: tuple[Any, ...] = (
    None, "", "?", "C0NOWHERE", "0", "1.5", -1, 0, 7, 1e300, True, [], [1], [[]], {}, {"type": 1}, {"a": {"b": []}},
    "x" * 50_000, [{"type": "nothing"}], "\u0000", "12345.6789",
)  # fmt: skip


class Asked(dict[str, Any]):
    """Arguments that remember which of them were looked at."""

    def __init__(self, given: Document) -> None:
        super().__init__(given)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def page(slack_data: Path, method: str) -> Document:
    path = slack_data / "slack_kit-methods" / f"{method}.json"
    found: Document = json.loads(path.read_text()) if path.exists() else {"args": {}, "errors": {}}
    return found


def call(sandbox: SlackSandbox, method: str, arguments: Document) -> str:
    """The error that a call answers; empty when it went well."""
    token = sandbox.app_token if METHODS[method].caller == "app" else sandbox.bot_token

    async def calling() -> str:
        try:
            await sandbox.call(method, arguments, token)
        except SlackError as error:
            return error.code
        return ""

    return str(sandbox.on_loop(calling))


@pytest.fixture
def valid(sandbox: SlackSandbox) -> Document:
    """Arguments that every method would take, whatever of them it reads."""
    message = sandbox.on_loop(
        lambda: sandbox.call("chat.postMessage", {"channel": "C0ML", "text": "hi"}, sandbox.bot_token)
    )
    return {
        "channel": "C0ML", "channel_id": "C0ML", "ts": message["ts"], "timestamp": message["ts"],
        "message_ts": message["ts"], "thread_ts": message["ts"], "user": "U0ANA", "users": "U0ANA", "name": "eyes",
        "text": "hello", "title": "Title", "type": "link", "link": "https://a.example", "post_at": 4_000_000_000,
        "email": "ana@shipyard.example", "usergroup": "S0MLLEADS", "filename": "a.txt", "length": 3, "status": "thinks",
        "prompts": [{"title": "a", "message": "b"}], "user_id": "U0ANA", "recipient_user_id": "U0ANA",
        "recipient_team_id": "T0SHIPYARD", "markdown_text": "more", "files": [{"id": "F1"}], "file": "F1",
    }  # fmt: skip


def test_slack_knows_every_method_of_the_sandbox(slack_data: Path) -> None:
    unknown = {name for name in METHODS if not (slack_data / "slack_kit-methods" / f"{name}.json").exists()}
    assert unknown == NEWER_METHODS.keys()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_method_reads_no_argument_that_slack_does_not_know(
    sandbox: SlackSandbox, slack_data: Path, valid: Document, method: str
) -> None:
    known = page(slack_data, method)["args"].keys() | NEWER_ARGUMENTS.get(method, set())
    read: set[str] = set()
    for given in (valid, {name: valid[name] for name in valid if name in known}, {}):
        asked = Asked(given)
        call(sandbox, method, asked)
        read |= asked.names
    assert read <= known


@pytest.mark.parametrize("method", sorted(METHODS))
def test_whatever_is_sent_the_error_is_one_that_slack_answers(
    sandbox: SlackSandbox, slack_data: Path, valid: Document, method: str
) -> None:
    """Each known argument is left away, and replaced by each wrong value, beside valid ones."""
    reference = page(slack_data, method)
    common = json.loads((slack_data / "slack_kit-methods" / "_common_errors.json").read_text())
    known = reference["errors"].keys() | common.keys() | OTHER_ERRORS.get(method, set()) | {""}
    names = reference["args"].keys() | NEWER_ARGUMENTS.get(method, set())
    base = {name: valid[name] for name in names if name in valid}
    wrong: dict[str, Any] = {}
    for name in names:
        for value in ANYTHING_WRONG:
            error = call(sandbox, method, base | {name: value})
            if error not in known:
                wrong[error] = (name, str(value)[:40])
    assert wrong == {}


@pytest.mark.parametrize("method", sorted(METHODS.keys() - NEWER_METHODS.keys()))
def test_scopes_and_rates_are_those_of_the_page(slack_data: Path, method: str) -> None:
    reference = page(slack_data, method)
    scopes = {scope["name"] for scope in (reference["scopes"] or {}).get("bot") or []}
    assert set(METHODS[method].scopes) <= scopes | ({"connections:write"} if METHODS[method].caller == "app" else set())
    assert not scopes or METHODS[method].scopes
    label = reference["rate_limit"]["label"]
    assert METHODS[method].per_minute == next(rate for tier, rate in RATES.items() if label.startswith(tier))


def test_a_method_that_slack_does_not_have_is_unknown(sandbox: SlackSandbox) -> None:
    async def calling() -> str:
        with pytest.raises(SlackError) as refused:
            await sandbox.call("chat.postMassage", {}, sandbox.bot_token)
        return refused.value.code

    assert sandbox.on_loop(calling) == "unknown_method"
