"""Events come again until they are acknowledged, loads are spread, and HTTP deliveries are signed as Slack signs."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from websockets.sync.client import connect

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

MENTIONS = {"event_subscriptions": {"bot_events": ["app_mention"]}}
SOCKETS = {"features": {"slash_commands": [{"command": "/ping"}]}, "settings": MENTIONS}
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]
# Where an ack is to be in time, a busy machine gets all the time that it may need.
PATIENT_SECONDS, SHORT_SECONDS = 60.0, 0.2


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SlackSandbox]:
    running = SlackSandbox(tmp_path / "slack.sqlite", app=SOCKETS, ack_seconds=PATIENT_SECONDS, time_scale=0.001)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def workspace(sandbox: SlackSandbox) -> Iterator[Workspace]:
    person = Workspace(sandbox.url)
    yield person
    person.close()


@contextmanager
def listening(sandbox: SlackSandbox, answer: Answer) -> Iterator[list[dict[str, Any]]]:
    """One socket; `answer` makes the frame that goes back, None for silence. Yields the envelopes that came."""
    came: list[dict[str, Any]] = []
    leave, ready = threading.Event(), threading.Event()
    url = WebClient(base_url=sandbox.api_url).apps_connections_open(app_token=sandbox.app_token)["url"]

    def listen() -> None:
        with connect(str(url)) as socket:
            while not leave.is_set():
                try:
                    frame = json.loads(socket.recv(0.05))
                except TimeoutError:
                    continue
                if frame["type"] == "hello":
                    ready.set()
                    continue
                came.append(frame)
                if (back := answer(frame)) is not None:
                    socket.send(json.dumps(back))

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(PATIENT_SECONDS)
    try:
        yield came
    finally:
        leave.set()
        thread.join(PATIENT_SECONDS)


def acknowledge(frame: dict[str, Any]) -> dict[str, Any]:
    return {"envelope_id": frame["envelope_id"]}


def test_an_event_comes_again_under_its_id_until_it_is_given_up(sandbox: SlackSandbox, workspace: Workspace) -> None:
    sandbox.delivery.ack_seconds = SHORT_SECONDS
    with listening(sandbox, lambda _: None) as came:
        workspace.say("<@U0SHIPMATE> hello?", as_=workspace.person("ben"), channel="#ml")
        workspace.wait_until(lambda: len(came) == 4)
    assert len({frame["payload"]["event_id"] for frame in came}) == 1
    assert len({frame["envelope_id"] for frame in came}) == 4
    assert [(frame["retry_attempt"], frame["retry_reason"]) for frame in came] == [
        (0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout"),
    ]  # fmt: skip


def test_an_event_that_is_acknowledged_late_does_not_come_a_third_time(
    sandbox: SlackSandbox, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sandbox.delivery._over_socket

    async def patient_with_the_second(kind: Any, payload: Any, retry: int, reason: str) -> Any:
        sandbox.delivery.ack_seconds = PATIENT_SECONDS if retry else SHORT_SECONDS
        return await real(kind, payload, retry, reason)

    def second_time(frame: dict[str, Any]) -> dict[str, Any] | None:
        return acknowledge(frame) if frame["retry_attempt"] else None

    monkeypatch.setattr(sandbox.delivery, "_over_socket", patient_with_the_second)
    with listening(sandbox, second_time) as came:
        workspace.say("<@U0SHIPMATE> hello?", as_=workspace.person("ben"), channel="#ml")
        workspace.wait_until(lambda: len(sandbox.delivery.acks) == 1)
        workspace.say("<@U0SHIPMATE> and another", as_=workspace.person("ben"), channel="#ml")
        workspace.wait_until(lambda: len(sandbox.delivery.acks) == 2)
    assert [frame["retry_attempt"] for frame in came] == [0, 1, 0, 1]


def test_an_event_that_the_manifest_does_not_name_is_not_sent(sandbox: SlackSandbox, workspace: Workspace) -> None:
    with listening(sandbox, acknowledge) as came:
        workspace.say("nobody is mentioned", as_=workspace.person("ben"), channel="#ml")
        workspace.say("<@U0SHIPMATE> you are", as_=workspace.person("ben"), channel="#ml")
        workspace.wait_until(lambda: bool(came))
    assert [frame["payload"]["event"]["type"] for frame in came] == ["app_mention"]


def test_commands_go_to_the_sockets_in_turn_and_come_once(sandbox: SlackSandbox, workspace: Workspace) -> None:
    with ExitStack() as opened:
        sockets = [opened.enter_context(listening(sandbox, acknowledge)) for _ in range(10)]
        for number in range(20):
            workspace.type(f"/ping {number}", as_=workspace.person("ben"), channel="#ml")
    assert [len(came) for came in sockets] == [2] * 10
    texts = Counter(frame["payload"]["text"] for came in sockets for frame in came)
    assert set(texts.values()) == {1}


def test_acks_that_are_nonsense_are_no_acks(sandbox: SlackSandbox, workspace: Workspace) -> None:
    answers: tuple[Any, ...] = (
        {"envelope_id": "another"},
        {"envelope_id": []},
        {"envelope_id": None},
        [],
        "text",
        7,
        {},
    )
    left = list(answers)
    sandbox.delivery.ack_seconds = SHORT_SECONDS
    with listening(sandbox, lambda _: left.pop()):
        for _ in answers:
            assert not workspace.try_type("/ping", as_=workspace.person("ben"), channel="#ml")
    sandbox.delivery.ack_seconds = PATIENT_SECONDS
    with listening(sandbox, acknowledge):
        workspace.type("/ping", as_=workspace.person("ben"), channel="#ml")


def test_without_a_socket_a_command_fails_at_once(workspace: Workspace) -> None:
    with pytest.raises(AssertionError, match="dispatch_failed"):
        workspace.type("/ping", as_=workspace.person("ben"), channel="#ml")


class Endpoint:
    """An address on loopback behind which Bolt checks signatures; `status` overrides what Bolt would answer."""

    def __init__(self) -> None:
        self.app: App | None = None
        self.seen: list[tuple[int, dict[str, str]]] = []
        self.status: list[int] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = endpoint.answer(body, dict(self.headers.items()))
                self.send_response(answer.status)
                self.end_headers()
                self.wfile.write((answer.body or "").encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/slack/events"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, body: str, headers: dict[str, str]) -> BoltResponse:
        assert self.app is not None
        answer = self.app.dispatch(BoltRequest(body=body, headers={name: [value] for name, value in headers.items()}))
        if self.status:
            answer = BoltResponse(status=self.status.pop(0), body="")
        self.seen.append((answer.status, headers))
        return answer

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENT_SECONDS)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[tuple[Endpoint, SlackSandbox, Workspace]]:
    """A workspace that delivers over HTTP, and Bolt at the other end."""
    endpoint = Endpoint()
    manifest = {
        "features": {"slash_commands": [{"command": "/ping", "url": endpoint.url}]},
        "settings": {
            "socket_mode_enabled": False, "interactivity": {"is_enabled": True, "request_url": endpoint.url},
            "event_subscriptions": {"bot_events": ["app_mention"], "request_url": endpoint.url},
        },
    }  # fmt: skip
    sandbox = SlackSandbox(tmp_path / "http.sqlite", app=manifest, time_scale=0.001)
    sandbox.start()
    web = WebClient(sandbox.bot_token, base_url=sandbox.api_url)
    endpoint.app = App(client=web, signing_secret=sandbox.signing_secret, process_before_response=True)
    endpoint.app.command("/ping")(lambda ack, body: ack(f"pong {body['text']}"))
    endpoint.app.action("go")(lambda ack, respond: (ack(), respond("pressed", replace_original=False)))
    endpoint.app.event("app_mention")(lambda say: say("you called?"))
    workspace = Workspace(sandbox.url)
    yield endpoint, sandbox, workspace
    workspace.close()
    sandbox.stop()
    endpoint.close()


def test_over_http_bolt_accepts_the_signature_of_commands_clicks_and_events(
    endpoint: tuple[Endpoint, SlackSandbox, Workspace],
) -> None:
    target, sandbox, workspace = endpoint
    ben = workspace.person("ben")
    workspace.type("/ping ünï & =code", as_=ben, channel="#ml")
    workspace.wait_for_ephemeral(containing="pong ünï & =code", as_=ben, channel="#ml")
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    web = WebClient(sandbox.bot_token, base_url=sandbox.api_url)
    web.chat_postMessage(channel="C0ML", text="x", blocks=[{"type": "actions", "elements": [button]}])
    workspace.press(workspace.wait_for_message("#ml", containing="Go", as_=ben), "Go", as_=ben)
    workspace.wait_for_ephemeral(containing="pressed", as_=ben, channel="#ml")
    workspace.say("<@U0SHIPMATE> hello", as_=ben, channel="#ml")
    workspace.wait_for_message("#ml", containing="you called?", as_=ben)
    assert {status for status, _ in target.seen} == {200}


def test_over_http_bolt_refuses_a_forged_signature(endpoint: tuple[Endpoint, SlackSandbox, Workspace]) -> None:
    target, sandbox, workspace = endpoint
    target.app = App(client=WebClient("xoxb-x", base_url=sandbox.api_url), token_verification_enabled=False,
                     signing_secret="another secret")  # fmt: skip
    with pytest.raises(AssertionError, match="dispatch_failed"):
        workspace.type("/ping", as_=workspace.person("ben"), channel="#ml")
    assert [status for status, _ in target.seen] == [401]


def test_a_request_url_is_verified_by_its_challenge(endpoint: tuple[Endpoint, SlackSandbox, Workspace]) -> None:
    target, sandbox, _ = endpoint
    assert sandbox.on_loop(lambda: sandbox.delivery.verified(target.url))
    assert not sandbox.on_loop(lambda: sandbox.delivery.verified(f"{sandbox.url}/nothing/here"))
    assert not sandbox.on_loop(lambda: sandbox.delivery.verified("http://[broken"))


def test_over_http_an_event_that_failed_comes_again_and_says_so(
    endpoint: tuple[Endpoint, SlackSandbox, Workspace],
) -> None:
    target, _, workspace = endpoint
    target.status = [500, 503]
    workspace.say("<@U0SHIPMATE> hello", as_=workspace.person("ben"), channel="#ml")
    workspace.wait_until(lambda: len(target.seen) == 3)
    retries = [(headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")) for _, headers in target.seen]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error")]


def test_over_http_an_app_that_is_down_is_a_failure_and_not_a_crash(
    endpoint: tuple[Endpoint, SlackSandbox, Workspace],
) -> None:
    target, _, workspace = endpoint
    target.close()
    assert not workspace.try_type("/ping", as_=workspace.person("ben"), channel="#ml")
    workspace.say("the workspace lives", as_=workspace.person("ben"), channel="#ml")
    assert workspace.wait_for_message("#ml", containing="lives", as_=workspace.person("ben"))
