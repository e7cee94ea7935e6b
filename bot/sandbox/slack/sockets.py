"""Socket Mode: tickets, up to ten connections, envelopes out and acknowledgements in."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.sandbox.slack.roster import APP_ID
from bot.sandbox.slack.store import Document

MOST_SOCKETS = 10
TICKET_SECONDS = 30.0
FAREWELL_SECONDS = 10.0  # what is left to a connection that was asked to make way for a new one
HOST = "sandbox-applink-1"


class Sockets:
    """All connections of the app. Payloads go to them in turn, acknowledgements come back over any of them."""

    def __init__(self, time_scale: float = 1.0) -> None:
        self._time_scale = time_scale
        self._tickets: dict[str, float] = {}
        self._open: list[WebSocket] = []
        self._leaving: list[WebSocket] = []  # still open, but nothing new is sent to them while others are there
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._names: dict[WebSocket, str] = {}
        self._turn = 0
        self.refresh_after: float | None = None  # seconds until a connection is asked to make way for a new one
        self.changed: Callable[[], None] = lambda: None  # called when the first connection comes or the last one goes

    @property
    def connected(self) -> bool:
        return bool(self._open or self._leaving)

    @property
    def count(self) -> int:
        return len(self._open) + len(self._leaving)

    @property
    def connections(self) -> set[str]:
        """A name for each open connection."""
        return set(self._names.values())

    def new_ticket(self) -> str:
        """A ticket opens one connection, soon."""
        now = time.monotonic()
        self._tickets = {ticket: at for ticket, at in self._tickets.items() if now - at < TICKET_SECONDS}
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = now
        return ticket

    async def serve(self, socket: WebSocket) -> None:
        """One connection from its ticket to its end."""
        at = self._tickets.pop(socket.query_params.get("ticket", ""), None)
        if at is None or time.monotonic() - at > TICKET_SECONDS:
            await socket.close(4001)
            return
        await socket.accept()
        if len(self._open) >= MOST_SOCKETS:
            await self._farewell(socket, "too_many_websockets")
            return
        self._open.append(socket)
        self._names[socket] = secrets.token_hex(6)
        if self.count == 1:
            self.changed()
        if self.refresh_after:
            self._later(self.refresh_after, lambda: self._make_way(socket, "refresh_requested"))
        try:
            await self._hello(socket)
            while True:
                self._heard(await socket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            # KeyError: a binary frame. RuntimeError: the server closed it while we were receiving.
            pass
        finally:
            self._gone(socket)

    async def send(self, envelope: Document) -> "asyncio.Future[Any] | None":
        """Send one envelope; the future ends with the payload of its ack. None when nobody is connected."""
        ack: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = ack
        while targets := self._open or self._leaving:
            self._turn += 1
            socket = targets[self._turn % len(targets)]
            try:
                await socket.send_text(json.dumps(envelope))
            except (WebSocketDisconnect, RuntimeError):
                self._gone(socket)
                continue
            return ack
        self._waiting.pop(envelope["envelope_id"], None)
        return None

    def forget(self, envelope_id: str) -> None:
        """An ack that comes from now on is late, and counts for nothing."""
        self._waiting.pop(envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to make a new one; with `refresh_requested` the old ones close a little later."""
        for socket in list(self._open):
            await self._make_way(socket, reason)

    async def _make_way(self, socket: WebSocket, reason: str) -> None:
        if reason == "link_disabled":
            await self._farewell(socket, reason)
            return
        await self._say_disconnect(socket, reason)
        if reason == "refresh_requested" and socket in self._open:
            self._open.remove(socket)
            self._leaving.append(socket)
            self._later(FAREWELL_SECONDS * self._time_scale, lambda: self._close(socket))

    def _later(self, seconds: float, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            await what()

        task = asyncio.create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gone(self, socket: WebSocket) -> None:
        before = self.count
        self._names.pop(socket, None)
        for sockets in (self._open, self._leaving):
            if socket in sockets:
                sockets.remove(socket)
        if before and not self.count:
            self.changed()

    async def _farewell(self, socket: WebSocket, reason: str) -> None:
        await self._say_disconnect(socket, reason)
        await self._close(socket)

    async def _say_disconnect(self, socket: WebSocket, reason: str) -> None:
        frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it went by itself meanwhile
            await socket.send_text(json.dumps(frame))

    async def _close(self, socket: WebSocket) -> None:
        self._gone(socket)
        if socket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await socket.close()

    async def _hello(self, socket: WebSocket) -> None:
        debug = {"host": HOST, "build_number": 1, "approximate_connection_time": 18_060}
        hello = {
            "type": "hello", "num_connections": len(self._open), "debug_info": debug,
            "connection_info": {"app_id": APP_ID},
        }  # fmt: skip
        await socket.send_text(json.dumps(hello))

    def _heard(self, text: str) -> None:
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            return
        name = frame.get("envelope_id") if isinstance(frame, dict) else None
        ack = self._waiting.pop(name, None) if isinstance(name, str) else None
        if ack and not ack.done():
            ack.set_result(frame.get("payload"))
