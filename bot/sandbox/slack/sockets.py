"""Socket Mode: tickets, up to ten connections, envelopes out and acknowledgements in."""

import asyncio
import json
import secrets
import time
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.sandbox.slack.roster import APP_ID
from bot.sandbox.slack.store import Document

MOST_SOCKETS = 10
TICKET_SECONDS = 30.0
PING_SECONDS = 5.0
HOST = "sandbox-applink-1"


class Sockets:
    """All connections of the app. Payloads go to them in turn."""

    def __init__(self) -> None:
        self._tickets: dict[str, float] = {}
        self._open: list[WebSocket] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = 0
        self.refresh_after: float | None = None  # seconds until a connection is asked to make way for a new one

    @property
    def connected(self) -> bool:
        return bool(self._open)

    @property
    def count(self) -> int:
        return len(self._open)

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
        refresher = asyncio.create_task(self._refresh_later(socket)) if self.refresh_after else None
        try:
            await self._hello(socket)
            while True:
                self._heard(await socket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            # RuntimeError: the server closed it while we were receiving.
            pass
        finally:
            if refresher:
                refresher.cancel()
            if socket in self._open:
                self._open.remove(socket)

    async def send(self, envelope: Document) -> "asyncio.Future[Any] | None":
        """Send one envelope; the future ends with the payload of its ack. None when nobody is connected."""
        ack: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = ack
        for _ in range(len(self._open)):
            self._turn += 1
            socket = self._open[self._turn % len(self._open)]
            try:
                await socket.send_text(json.dumps(envelope))
            except (WebSocketDisconnect, RuntimeError):
                self._open.remove(socket)
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

    async def _refresh_later(self, socket: WebSocket) -> None:
        await asyncio.sleep(self.refresh_after or 0)
        await self._make_way(socket, "refresh_requested")

    async def _make_way(self, socket: WebSocket, reason: str) -> None:
        await socket.send_text(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}))
        if reason == "warning":
            return
        if socket in self._open and len(self._open) > 1:
            self._open.remove(socket)
        if reason == "link_disabled":
            await socket.close()

    async def _farewell(self, socket: WebSocket, reason: str) -> None:
        await socket.send_text(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}))
        if socket.client_state is WebSocketState.CONNECTED:
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
        except ValueError:
            return
        ack = self._waiting.pop(frame.get("envelope_id", ""), None) if isinstance(frame, dict) else None
        if ack and not ack.done():
            ack.set_result(frame.get("payload"))
