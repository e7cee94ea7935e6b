"""Every payload that the sandbox sends: shaped as Slack's recorded ones, and taken by Bolt as what it is."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from websockets.sync.client import connect

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import PATIENCE_SECONDS, Workspace

EVENTS = ["app_home_opened", "app_mention", "file_shared", "member_joined_channel", "message.channels", "message.im",
          "reaction_added", "reaction_removed"]  # fmt: skip
MANIFEST = {
    "features": {"slash_commands": [{"command": "/act"}]},
    "settings": {"event_subscriptions": {"bot_events": EVENTS}},
}
INPUT = {"type": "input", "block_id": "name", "label": {"type": "plain_text", "text": "Name"},
         "element": {"type": "plain_text_input", "action_id": "name"}}  # fmt: skip
BUTTON = {"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}
SELECT = {"type": "external_select", "action_id": "find", "placeholder": {"type": "plain_text", "text": "Find"}}
BLOCKS = [{"type": "actions", "block_id": "acts", "elements": [BUTTON, SELECT]}]
MODAL = {"type": "modal", "callback_id": "form", "notify_on_close": True, "blocks": [INPUT, *BLOCKS],
         "close": {"type": "plain_text", "text": "Leave"},
         "title": {"type": "plain_text", "text": "Form"}, "submit": {"type": "plain_text", "text": "Send"}}  # fmt: skip

# payload -> what was recorded of its kind: java-slack-sdk's file, and bolt-python's files by their beginning
RECORDED = {
    "slash_commands": ("app-backend/slash-commands/SlashCommandPayload.json", "slash_command."),
    "block_actions": ("app-backend/interactive-components/BlockActionPayload.json", "block_actions."),
    "block_suggestion": ("app-backend/interactive-components/BlockActionPayload.json", "block_suggestion."),
    "view_submission": ("app-backend/views/ViewSubmissionPayload.json", "view_submission."),
    "view_closed": ("app-backend/views/ViewClosedPayload.json", "view_closed."),
    "shortcut": ("", "shortcut."),
    "message_action": ("app-backend/interactive-components/MessageShortcutPayload.json", "message_action."),
    "app_mention": ("events/AppMentionPayload.json", "event_app_mention."),
    "app_home_opened": ("events/AppHomeOpenedPayload.json", "event_app_home_opened."),
    "message": ("events/MessagePayload.json", "event_message."),
    "message/file_share": ("events/MessageFileSharePayload.json", "event_message_file_share."),
    "reaction_added": ("events/ReactionAddedPayload.json", "event_reaction_added."),
    "reaction_removed": ("events/ReactionRemovedPayload.json", "event_reaction_removed."),
    "member_joined_channel": ("events/MemberJoinedChannelPayload.json", "event_member_joined_channel."),
    "file_shared": ("events/FileSharedPayload.json", "event_file_shared."),
}

# What the recordings lack: they were redacted or merged, and Slack's pages have these.
BEYOND = {
    "view.blocks": "java-slack-sdk leaves the blocks of views out; judged by the Block Kit tests",
    "message.blocks": "blocks differ by type; judged by the Block Kit tests",
    "event.view.blocks": "as view.blocks",
    "view.state.values": "has block and action ids as keys",
    "event.view.state.values": "as view.state.values",
    "state.values": "as view.state.values",
    "response_urls": "docs.slack.dev/reference/interaction-payloads/view-interactions-payload: in view_submission",
    "api_app_id": "in every interaction payload of that page; the samples of shortcuts are older",
    "event.files.channels": "as all file objects have it: docs.slack.dev/reference/objects/file-object",
    "event.files.groups": "as event.files.channels",
    "event.files.ims": "as event.files.channels",
    "is_enterprise_install": "the word as text in commands, which are forms, and on the page of every interaction",
    "context_team_id": "java-slack-sdk's newer recordings of events have it",
    "context_enterprise_id": "as context_team_id",
}
ORG = {"enterprise", "enterprise_id", "enterprise_name", "team.enterprise_id", "team.enterprise_name"}
NEVER = (
    ORG
    | {
        "authed_users": "Slack no longer sends it",
        "event.blocks": "people's messages here are plain text without rich text",
        "message.blocks": "as event.blocks",
        "event.inviter": "nobody is invited here, people come by themselves",
    }.keys()
)


class Recorder:
    """An app of one socket that writes down what comes and acknowledges it; answers options and nothing else."""

    def __init__(self, sandbox: SlackSandbox) -> None:
        web = WebClient(base_url=sandbox.api_url)
        address = str(web.apps_connections_open(app_token=sandbox.app_token)["url"])
        self.envelopes: list[dict[str, Any]] = []
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(address,), daemon=True)
        self._thread.start()

    def payload(self, kind: str) -> dict[str, Any]:
        """The newest payload of a kind."""
        found: dict[str, Any] = next(one["payload"] for one in reversed(self.envelopes) if _kind(one) == kind)
        return found

    def close(self) -> None:
        self._leave.set()
        self._thread.join(PATIENCE_SECONDS)

    def _listen(self, address: str) -> None:
        with connect(address) as socket:
            while not self._leave.is_set():
                with suppress(TimeoutError):
                    frame = json.loads(socket.recv(0.1))
                    if "envelope_id" in frame:
                        self.envelopes.append(frame)
                        socket.send(json.dumps(_acknowledged(frame)))


def _acknowledged(frame: dict[str, Any]) -> dict[str, Any]:
    ack: dict[str, Any] = {"envelope_id": frame["envelope_id"]}
    if frame["payload"].get("type") == "block_suggestion":
        ack["payload"] = {"options": [{"text": {"type": "plain_text", "text": "churn"}, "value": "churn"}]}
    return ack


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    """Everything that people can do has been done once."""
    sandbox = SlackSandbox(
        tmp_path_factory.mktemp("slack") / "slack.sqlite", app=MANIFEST, ack_seconds=PATIENCE_SECONDS
    )  # fmt: skip
    sandbox.start()
    recorder = Recorder(sandbox)
    workspace = Workspace(sandbox.url)
    workspace.wait_until(lambda: sandbox.delivery.sockets.connected)
    _live(workspace, recorder, WebClient(sandbox.bot_token, base_url=sandbox.api_url))
    yield recorder
    workspace.close()
    recorder.close()
    sandbox.stop()


def _live(workspace: Workspace, recorder: Recorder, web: WebClient) -> None:
    ben = workspace.person("ben")
    web.chat_postMessage(channel="C0ML", text="Look", blocks=BLOCKS)
    card = workspace.wait_for_message("#ml", containing="Go", as_=ben)
    workspace.press(card, "Go", as_=ben)
    assert workspace.suggestions(card, "acts", "find", "chu", as_=ben)[0]["value"] == "churn"
    workspace.type("/act now", as_=ben, channel="#ml")
    for ending in ("submitted", "closed"):
        workspace.shortcut("global", as_=ben)
        web.views_open(trigger_id=recorder.payload("shortcut")["trigger_id"], view=MODAL)
        modal = workspace.wait_until(lambda: workspace.modal(as_=ben))
        workspace.press(modal, "Go", as_=ben)
        workspace.suggestions(modal, "acts", "find", "chu", as_=ben)
        if ending == "submitted":
            workspace.submit(modal, {"name": {"name": {"type": "plain_text_input", "value": "x"}}}, as_=ben)
        else:
            workspace.dismiss(modal, as_=ben)
    workspace.shortcut("of_message", as_=ben, seen=card)
    workspace.say("<@U0SHIPMATE> hello", as_=ben, channel="#ml")
    said = workspace.wait_for_message("#ml", containing="hello", as_=ben)
    workspace.shortcut("of_message", as_=ben, seen=said)
    workspace.say("in the thread", as_=ben, channel="#ml", thread=card)
    workspace.say("in private", as_=ben, channel="@bot")
    workspace.upload("log.txt", b"one line", as_=ben, channel="#ml")
    workspace.home(as_=ben)
    web.views_publish(user_id=ben.id, view={"type": "home", "blocks": BLOCKS})
    home = workspace.home(as_=ben)
    assert home is not None
    workspace.press(home, "Go", as_=ben)
    workspace.react(card, "eyes", as_=ben)
    workspace.react(card, "eyes", as_=ben, remove=True)
    web.conversations_join(channel="C0GENERAL")
    workspace.wait_until(lambda: set(RECORDED) <= {_kind(one) for one in recorder.envelopes})


def _kind(envelope: dict[str, Any]) -> str:
    if envelope["type"] == "slash_commands":
        return "slash_commands"
    payload = envelope["payload"]
    if payload["type"] != "event_callback":
        return str(payload["type"])
    event = payload["event"]
    return "/".join(part for part in (event["type"], event.get("subtype", "")) if part)


def _paths(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each place in a document with its JSON type; the members of a list share one place."""
    yield at, "number" if type(value) in (int, float) else type(value).__name__
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, at + "[]")


def _recordings(folder: Path, kind: str) -> list[dict[str, Any]]:
    java, bolt = RECORDED[kind]
    paths = sorted((folder / "bolt-python-payloads").glob(f"{bolt}*.json"))
    found: list[dict[str, Any]] = [json.loads(path.read_text())["payload"] for path in paths]
    if java:
        found.append(json.loads((folder / "java-json-logs" / java).read_text()))
    assert found, kind
    return found


def _beyond(path: str) -> bool:
    bare = path.replace("[]", "")
    return any(bare == known or bare.startswith(f"{known}.") for known in BEYOND)


@pytest.mark.parametrize("kind", RECORDED)
def test_every_key_and_type_is_known_from_recordings(recorder: Recorder, shipmate_data: Path, kind: str) -> None:
    known: dict[str, set[str]] = {}
    for recording in _recordings(shipmate_data / "slack", kind):
        for path, name in _paths(recording):
            known.setdefault(path, set()).add(name)
    strange = {}
    for envelope in (one for one in recorder.envelopes if _kind(one) == kind):
        for path, name in _paths(envelope["payload"]):
            fits = name == "NoneType" or known.get(path, set()) & {name, "NoneType"}
            if not fits and not _beyond(path):
                strange[path] = (name, known.get(path))
    assert strange == {}


@pytest.mark.parametrize("kind", RECORDED)
def test_no_key_is_missing_that_every_recording_has(recorder: Recorder, shipmate_data: Path, kind: str) -> None:
    recordings = _recordings(shipmate_data / "slack", kind)
    always = set.intersection(*({path for path, _ in _paths(one) if "[" not in path} for one in recordings))
    if len(recordings) == 1:  # one merged recording has all that may be there: only the outermost keys are sure
        always = {path for path in always if "." not in path}
    payloads = (one["payload"] for one in recorder.envelopes if _kind(one) == kind)
    sent = {path for payload in payloads for path, _ in _paths(payload)}
    assert {path for path in always - sent - NEVER if path.rpartition(".")[0] in sent} == set()


def test_envelopes_have_the_keys_of_recorded_ones(recorder: Recorder, shipmate_data: Path) -> None:
    for kind in ("slash_commands", "interactive", "events_api"):
        recorded = [
            json.loads(path.read_text())["payload"]
            for path in (shipmate_data / "slack" / "bolt-python-payloads").glob(f"envelope_{kind}.*.json")
        ]
        known = set.union(*(set(one) for one in recorded))
        sent = next(one for one in recorder.envelopes if one["type"] == kind)
        assert set.intersection(*(set(one) for one in recorded)) <= set(sent) <= known


def test_bolt_takes_every_payload_as_what_it_is(recorder: Recorder) -> None:
    me = AuthorizeResult(enterprise_id=None, team_id="T0SHIPYARD", bot_token="xoxb-no", bot_id="B", bot_user_id="U")
    app = App(authorize=lambda: me, process_before_response=True)
    taken = _listening(app)
    for kind in RECORDED:
        payload = recorder.payload(kind)
        answer = app.dispatch(BoltRequest(mode="socket_mode", body=payload))
        assert (answer.status, taken[-1]) == (200, kind.partition("/")[0])


def _listening(app: App) -> list[str]:
    """The kinds of what the app's listeners were called with."""
    taken: list[str] = []

    def take(kind: str) -> Callable[[Ack], None]:
        def listener(ack: Ack) -> None:
            taken.append(kind)
            ack(options=[]) if kind == "block_suggestion" else ack()

        return listener

    app.command("/act")(take("slash_commands"))
    app.action("go")(take("block_actions"))
    app.options("find")(take("block_suggestion"))
    app.view("form")(take("view_submission"))
    app.view_closed("form")(take("view_closed"))
    app.global_shortcut("global")(take("shortcut"))
    app.message_shortcut("of_message")(take("message_action"))
    for kind in {event.partition(".")[0] for event in EVENTS}:
        app.event(kind)(take(kind))
    return taken
