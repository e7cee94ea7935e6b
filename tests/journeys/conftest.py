"""A whole workspace and a whole bot, on loopback, in folders of their own."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from drifting import ACK_SECONDS, TOKEN, HandSetClock, Watched, quick, train_champion
from playwright.sync_api import Browser, expect, sync_playwright
from pydantic import SecretStr
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.app import Bot, build_bot, registered_manifest
from bot.catalogue import load_catalogue
from bot.clients.mlflow import MlflowRegistry
from bot.config import prepare_environment
from bot.demo.run import CATALOGUE, demo_settings
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import PATIENCE_SECONDS, Workspace
from pipelines.ports import Clock

# Nothing leaves this machine, and nothing waits for a graphics card.
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip


def _in_a_thread(act: Callable[[], object]) -> None:
    """The engine refuses a thread with an event loop, which Playwright leaves in ours."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(act).result()


@dataclass
class Ship:
    """The bot in its workspace. `restart` is an orderly stop and a new start over the same folder."""

    folder: Path
    sandbox: SlackSandbox
    catalogue: Path
    workspace: Workspace
    bot: Bot | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    more_settings: dict[str, Any] = field(default_factory=dict)
    clock: Clock | None = None
    drift_clock: Clock | None = None

    def start(self) -> None:
        settings = demo_settings(self.folder, self.sandbox, "http://127.0.0.1:5000")
        settings = settings.model_copy(update=self.more_settings)
        prepare_environment(settings)
        self.bot = build_bot(settings, load_catalogue(self.catalogue, self.folder), self.clock, self.drift_clock)
        try:
            _in_a_thread(self.bot.start)
        except BaseException:
            # A bot that started by half must not work on in the tests that follow.
            self.stop()
            raise

    def stop(self) -> None:
        if self.bot:
            _in_a_thread(self.bot.stop)
            self.bot = None

    def restart(self, **more_settings: Any) -> None:
        self.more_settings |= more_settings
        self.stop()
        self.start()


class ScriptedModel:
    """A server that speaks OpenAI's Chat Completions and answers what `script` says to all that it is told.

    `script` gets the whole prompt; a text is the answer, an integer an HTTP status, and streams are sent in pieces
    of a few letters. `breaks_after` ends a stream in the middle, after so many pieces.
    """

    def __init__(self, script: Callable[[str], str | int]) -> None:
        self.script = script
        self.breaks_after: int | None = None
        self.prompts: list[str] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                prompt = "\n".join(str(message["content"]) for message in asked["messages"])
                model.prompts.append(prompt)
                answer = model.script(prompt)
                if isinstance(answer, int):
                    self._send(answer, {"error": {"message": "scripted"}})
                elif asked.get("stream"):
                    self._stream(answer)
                else:
                    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}
                    self._send(200, _completion("chat.completion", choice))

            def _send(self, status: int, body: dict[str, Any]) -> None:
                sent = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def _stream(self, answer: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                pieces = [answer[at : at + 7] for at in range(0, len(answer), 7)]
                for number, piece in enumerate(pieces):
                    if number == model.breaks_after:
                        return
                    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
                    self._event(_completion("chat.completion.chunk", choice))
                last = {"index": 0, "delta": {}, "finish_reason": "stop"}
                self._event(_completion("chat.completion.chunk", last))
                self.wfile.write(b"data: [DONE]\n\n")

            def _event(self, body: dict[str, Any]) -> None:
                self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def settings(self) -> dict[str, Any]:
        """What leads the bot here."""
        url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return {"language_models": ("openai",), "openai_base_url": url, "openai_api_key": SecretStr("scripted")}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _completion(kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    return {"id": "c1", "object": kind, "created": 1, "model": "gpt-4o-mini", "choices": [choice]}


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A language model that knows nothing; tests set its `script`."""
    made = ScriptedModel(lambda _prompt: "NO ANSWER")
    yield made
    made.close()


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's three data sets, made once."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    write_demo_data(folder)
    return folder


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's database with its tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("registry") / "mlflow.sqlite"
    MlflowRegistry(f"sqlite:///{path}", "", "").warm()
    return path


@pytest.fixture
def clock() -> Clock | None:
    """The system's; a module whose stories hang on the time has one of its own that it can move."""
    return None


@pytest.fixture(scope="session")
def make_ship() -> Callable[..., Ship]:
    """A bot over a folder with a catalogue in it, not yet started; for stories that begin in the middle."""

    def make(folder: Path, sandbox: SlackSandbox, clock: Clock | None = None) -> Ship:
        return Ship(folder, sandbox, folder / "shipmate.yaml", Workspace(sandbox.url), clock=clock)

    return make


@pytest.fixture
def ship(tmp_path: Path, demo_data: Path, empty_registry: Path, clock: Clock | None) -> Iterator[Ship]:
    """A started bot; small searches, so that a training takes seconds."""
    (tmp_path / "data").symlink_to(demo_data)
    shutil.copyfile(empty_registry, tmp_path / "mlflow.sqlite")
    catalogue = tmp_path / "shipmate.yaml"
    catalogue.write_text(CATALOGUE.read_text())
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest(), ack_seconds=ACK_SECONDS)
    sandbox.start()
    made = Ship(tmp_path, sandbox, catalogue, Workspace(sandbox.url), clock=clock)
    made.start()
    yield made
    made.workspace.close()
    made.stop()
    sandbox.stop()


@pytest.fixture(scope="session")
def champion_registry(tmp_path_factory: pytest.TempPathFactory, demo_data: Path, empty_registry: Path) -> Path:
    """A registry that holds a champion of tumour, trained once for all stories about drift."""
    folder = tmp_path_factory.mktemp("champion")
    shutil.copyfile(empty_registry, folder / "mlflow.sqlite")
    train_champion(folder, demo_data)
    return folder / "mlflow.sqlite"


@pytest.fixture
def watched_ship(tmp_path: Path, demo_data: Path, champion_registry: Path) -> Iterator[Watched]:
    """A bot that watches a champion by a clock that stands until it is moved, and records that come by HTTP."""
    (tmp_path / "data").mkdir()
    for table in demo_data.glob("*.csv"):
        shutil.copyfile(table, tmp_path / "data" / table.name)
    shutil.copyfile(champion_registry, tmp_path / "mlflow.sqlite")
    catalogue = tmp_path / "shipmate.yaml"
    catalogue.write_text(quick(CATALOGUE.read_text()))
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest(), ack_seconds=ACK_SECONDS)
    sandbox.start()
    clock = HandSetClock()
    made = Ship(
        tmp_path, sandbox, catalogue, Workspace(sandbox.url), drift_clock=clock,
        more_settings={"http_bearer_tokens": (SecretStr(TOKEN),)},
    )  # fmt: skip
    made.start()
    yield Watched(made, clock)
    made.workspace.close()
    made.stop()
    sandbox.stop()


# For one module only: while it is open, Playwright keeps an event loop running in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; where it is not installed, tests skip, but never in CI."""
    path = shutil.which("chromium")
    if path is None:
        missing = "chromium is not installed, so the page cannot be tried in a browser"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_SECONDS * 1000)
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


# A small app for the page to talk with: one command, one button, one form, one of each.
SMALL_MANIFEST = {
    "display_information": {"name": "Shipmate"},
    "features": {
        "slash_commands": [
            {"command": "/retrain", "description": "Train a model anew", "usage_hint": "MODEL [data=…]"},
            {"command": "/models", "description": "Champions and challengers"},
            {"command": "/form", "description": "A form"},
        ],
        "shortcuts": [{"name": "Explain this", "callback_id": "explain", "type": "message", "description": "Why?"}],
    },
    "settings": {
        "socket_mode_enabled": True,
        "event_subscriptions": {"bot_events": ["message.im", "app_home_opened", "app_mention"]},
    },
}
QUESTION = {
    "title": {"type": "plain_text", "text": "Approve this retrain?"},
    "text": {"type": "mrkdwn", "text": "It trains *churn* on 50,000 rows."},
    "confirm": {"type": "plain_text", "text": "Approve it"},
    "deny": {"type": "plain_text", "text": "Not yet"},
}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


PLAN = [
    {"type": "header", "text": plain("Retrain churn?")},
    section("Asked by <@U0BEN>, expires in *30 minutes*."),
    {
        "type": "actions",
        "block_id": "gate",
        "elements": [
            {
                "type": "button",
                "text": plain("Approve"),
                "style": "primary",
                "action_id": "approve",
                "confirm": QUESTION,
            }
        ],
    },
]
FORM = {
    "type": "modal", "callback_id": "form", "title": plain("Deploy churn"), "submit": plain("Deploy"),
    "blocks": [
        {"type": "input", "block_id": "reason", "label": plain("Reason"),
         "hint": plain("It stands in the audit trail."), "element": {"type": "plain_text_input", "action_id": "text"}},
        {"type": "input", "block_id": "where", "label": plain("Environment"),
         "element": {"type": "static_select", "action_id": "pick", "placeholder": plain("Choose one"),
                     "options": [{"text": plain(name), "value": name} for name in ("staging", "production")]}},
        {"type": "input", "block_id": "note", "optional": True, "label": plain("Note"),
         "element": {"type": "plain_text_input", "action_id": "text", "multiline": True}},
    ],
}  # fmt: skip


@dataclass
class SmallBot:
    """A Bolt app that answers what the page can do, and notes what reached it."""

    sandbox: SlackSandbox
    submitted: list[dict[str, Any]] = field(default_factory=list)
    presses: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        client = WebClient(token=self.sandbox.bot_token, base_url=self.sandbox.api_url)
        self.app = App(client=client, token_verification_enabled=False)
        self.client = client
        self.app.command("/retrain")(self.retrain)
        self.app.command("/models")(self.models)
        self.app.command("/form")(self.open_form)
        self.app.action("approve")(self.approve)
        self.app.view("form")(self.submit)
        self.app.shortcut("explain")(self.explain)
        self.app.event("app_home_opened")(self.publish)
        self.app.event("message")(self.listen)
        self.app.event("app_mention")(self.listen)
        self.connect()

    def connect(self) -> None:
        """A handler of its own each time: the SDK would use its spent ticket again."""
        self.handler = SocketModeHandler(self.app, self.sandbox.app_token)
        self.handler.connect()

    def ask(self, channel: str) -> str:
        """A card with an Approve button that asks again before it counts; answers its time stamp."""
        return str(self.client.chat_postMessage(channel=channel, text="Retrain churn?", blocks=PLAN)["ts"])

    def retrain(self, ack: Any, command: Any) -> None:
        ack()
        self.ask(command["channel_id"])

    def models(self, ack: Any, respond: Any) -> None:
        ack()
        respond(text="*churn* v6 is the champion.")

    def open_form(self, ack: Any, body: Any, client: Any) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=FORM)

    def approve(self, ack: Any, body: Any, client: Any) -> None:
        self.presses.append(body["user"]["id"])
        self.released.wait(PATIENCE_SECONDS)
        ack()
        done = section(f":white_check_mark: Approved by <@{body['user']['id']}>")
        where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        client.chat_update(**where, text="Approved", blocks=[*PLAN[:2], done])

    def submit(self, ack: Any, view: Any) -> None:
        values = view["state"]["values"]
        if len(values["reason"]["text"]["value"]) < 10:
            ack(response_action="errors", errors={"reason": "Write a few words more."})
            return
        ack()
        self.submitted.append(values)

    def explain(self, ack: Any, shortcut: Any) -> None:
        ack()
        self.explained.append(shortcut["message"]["text"])

    def publish(self, client: Any, event: Any) -> None:
        blocks = [{"type": "header", "text": plain("Good evening")}, section(f"Nothing waits for <@{event['user']}>.")]
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    def listen(self, event: Any) -> None:
        """Heard, and nothing to say."""


@pytest.fixture(scope="module")
def page_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackSandbox]:
    made = SlackSandbox(
        tmp_path_factory.mktemp("page") / "slack.sqlite", port=0, app=SMALL_MANIFEST, ack_seconds=PATIENCE_SECONDS
    )  # fmt: skip
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def small_bot(page_sandbox: SlackSandbox) -> Iterator[SmallBot]:
    made = SmallBot(page_sandbox)
    yield made
    made.handler.close()
