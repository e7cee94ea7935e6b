"""Slack's four Socket Mode clients, unmodified, against the sandbox's sockets."""

import asyncio
import gc
import json
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AiohttpClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.builtin import SocketModeClient as BuiltinClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websocket_client import SocketModeClient as WebsocketClient
from slack_sdk.socket_mode.websockets import SocketModeClient as WebsocketsClient
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connected

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import PATIENCE_SECONDS, Someone, Workspace

APP = {"features": {"slash_commands": [{"command": "/echo"}]}}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SlackSandbox]:
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", app=APP, time_scale=0.02, ack_seconds=1.0)
    sandbox.start()
    yield sandbox
    sandbox.stop()


@contextmanager
def threaded(sandbox: SlackSandbox, kind: type[Any]) -> Iterator[None]:
    """A client that works with threads."""
    web = WebClient(base_url=sandbox.api_url)
    client = kind(app_token=sandbox.app_token, web_client=web, ping_interval=1)

    def answer(sdk: BaseSocketModeClient, request: SocketModeRequest) -> None:
        sdk.send_socket_mode_response(_echo(request))

    client.socket_mode_request_listeners.append(answer)
    client.connect()
    try:
        yield
    finally:
        client.auto_reconnect_enabled = False
        sandbox.stop()  # a closed connection ends the clients' reading, for which they would wait up to ten seconds
        client.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # they leave replaced connections to the collector
            gc.collect()


@contextmanager
def asynchronous(sandbox: SlackSandbox, kind: type[Any]) -> Iterator[None]:
    """A client that works with asyncio, on a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, loop).result(PATIENCE_SECONDS)

    async def opened() -> Any:
        client = kind(app_token=sandbox.app_token, web_client=AsyncWebClient(base_url=sandbox.api_url))
        client.socket_mode_request_listeners.append(_answer_later)
        await client.connect()
        return client

    client = run(opened())
    try:
        yield
    finally:
        run(client.close())
        run(_all_done())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.close()


async def _answer_later(sdk: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
    await sdk.send_socket_mode_response(_echo(request))


async def _all_done() -> None:
    """What the client left running is cancelled, so that no warning comes of it."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.sleep(0.05)


def _echo(request: SocketModeRequest) -> SocketModeResponse:
    return SocketModeResponse(request.envelope_id, {"text": f"echo: {request.payload['text']}"})


Connect = Callable[[SlackSandbox, type[Any]], Any]
CLIENTS = [
    pytest.param(threaded, BuiltinClient, id="builtin"),
    pytest.param(threaded, WebsocketClient, id="websocket-client"),
    pytest.param(asynchronous, AiohttpClient, id="aiohttp"),
    pytest.param(asynchronous, WebsocketsClient, id="websockets"),
]


@pytest.mark.parametrize(("connect", "kind"), CLIENTS)
def test_a_client_takes_a_command_and_its_ack_is_shown(
    sandbox: SlackSandbox, connect: Connect, kind: type[Any]
) -> None:
    workspace = Workspace(sandbox.url)
    with connect(sandbox, kind):
        _echoed(workspace, workspace.person("ben"), "one")
    workspace.close()


@pytest.mark.parametrize(("connect", "kind"), CLIENTS)
def test_a_client_survives_a_requested_refresh(sandbox: SlackSandbox, connect: Connect, kind: type[Any]) -> None:
    workspace = Workspace(sandbox.url)
    sockets = sandbox.delivery.sockets
    with connect(sandbox, kind):
        _echoed(workspace, workspace.person("ben"), "before")
        before = _open_sockets(sandbox)
        sandbox.on_loop(lambda: sockets.refresh())
        # A client that misses the request notices by its own pings, which takes it up to 20 s.
        workspace.wait_until(lambda: _open_sockets(sandbox) - before and not before & _open_sockets(sandbox))
        _echoed(workspace, workspace.person("ben"), "after")
        sandbox.on_loop(lambda: sockets.refresh("warning"))
        workspace.wait_until(lambda: sockets.connected)
        _echoed(workspace, workspace.person("ben"), "after the warning")
    workspace.close()


def _echoed(workspace: Workspace, person: Someone, text: str) -> None:
    # While a client changes over, a command may fail as it would in Slack; people type it again.
    workspace.wait_until(lambda: workspace.try_type(f"/echo {text}", as_=person, channel="#ml"))
    workspace.wait_for_ephemeral(containing=f"echo: {text}", as_=person, channel="#ml")


def _open_sockets(sandbox: SlackSandbox) -> set[str]:
    return sandbox.delivery.sockets.connections


def test_frames_have_the_keys_and_types_of_recorded_ones(sandbox: SlackSandbox, shipmate_data: Path) -> None:
    recorded = json.loads((shipmate_data / "slack" / "socket-mode" / "frames.json").read_text())
    sockets = sandbox.delivery.sockets
    with connected(_socket_address(sandbox)) as socket:
        hello = json.loads(socket.recv(PATIENCE_SECONDS))
        sandbox.on_loop(lambda: sockets.refresh("warning"))
        warning = json.loads(socket.recv(PATIENCE_SECONDS))
        sandbox.on_loop(lambda: sockets.refresh())
        refresh = json.loads(socket.recv(PATIENCE_SECONDS))
    with connected(_socket_address(sandbox)) as socket:
        socket.recv(PATIENCE_SECONDS)
        sandbox.on_loop(lambda: sockets.refresh("link_disabled"))
        disabled = json.loads(socket.recv(PATIENCE_SECONDS))
        with pytest.raises(ConnectionClosed):
            socket.recv(PATIENCE_SECONDS)
    assert _shape(hello) == _shape(recorded["hello"])
    assert _shape(refresh) == _shape(recorded["disconnect_refresh"])
    assert warning == refresh | {"reason": "warning"}
    assert disabled == refresh | {"reason": "link_disabled"}


def test_a_ticket_opens_one_connection(sandbox: SlackSandbox) -> None:
    address = _socket_address(sandbox)
    with connected(address) as socket:
        assert json.loads(socket.recv(PATIENCE_SECONDS))["num_connections"] == 1
    for refused in (address, address.replace("ticket=", "ticket=not")):
        with pytest.raises(InvalidStatus):
            connected(refused)


def test_the_eleventh_connection_is_told_that_it_is_one_too_many(sandbox: SlackSandbox) -> None:
    with ExitStack() as opened:
        for number in range(1, 11):
            socket = opened.enter_context(connected(_socket_address(sandbox)))
            assert json.loads(socket.recv(PATIENCE_SECONDS))["num_connections"] == number
        socket = opened.enter_context(connected(_socket_address(sandbox)))
        assert json.loads(socket.recv(PATIENCE_SECONDS))["reason"] == "too_many_websockets"
        with pytest.raises(ConnectionClosed):
            socket.recv(PATIENCE_SECONDS)


def _socket_address(sandbox: SlackSandbox) -> str:
    answer = WebClient(sandbox.app_token, base_url=sandbox.api_url).apps_connections_open(app_token=sandbox.app_token)
    return str(answer["url"])


def _shape(frame: Any) -> Any:
    if isinstance(frame, dict):
        return {name: _shape(value) for name, value in frame.items()}
    return type(frame).__name__
