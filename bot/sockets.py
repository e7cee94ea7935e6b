"""Socket Mode with a watchdog: a connection that has gone silent is made anew."""

import threading
import time
from typing import Any

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.arrivals import Arrivals
from bot.telemetry import Telemetry
from pipelines.errors import Refused

log = structlog.get_logger("bot.sockets")

CLOSING_SECONDS, CLOSING_ATTEMPTS = 5.0, 3  # closing takes two seconds
CONCURRENCY = 64  # payloads taken at once; each only acknowledges and hands over


class CountedHandler(SocketModeHandler):
    """Bolt's handler; each payload counts as arriving until its acknowledgement is sent."""

    def __init__(self, app: App, app_token: str, arrivals: Arrivals) -> None:
        super().__init__(app, app_token, concurrency=CONCURRENCY)
        self._arrivals = arrivals

    def handle(self, client: Any, req: SocketModeRequest) -> None:
        # Any, because Bolt narrows the type of its own base class here.
        with self._arrivals.one():
            super().handle(client, req)


class Sockets:
    """One connection to Slack. `silence_seconds` is since the last frame, pings included."""

    def __init__(
        self, app: App, app_token: str, silence_seconds: int, telemetry: Telemetry, arrivals: Arrivals
    ) -> None:
        self._handler = CountedHandler(app, app_token, arrivals)
        self._client = self._handler.client
        self._silence_seconds = silence_seconds
        self._telemetry = telemetry
        self._heard_at = time.monotonic()
        self._stopped = threading.Event()
        self._client.on_message_listeners.append(self._heard)
        self._watchdog = threading.Thread(target=self._watch, name="socket-watchdog", daemon=True)

    def connect(self) -> None:
        """Connect; raises Refused where the token is wrong."""
        try:
            self._client.connect()
        except SlackApiError as error:
            problem = error.response["error"]
            raise Refused(f"Slack refused the app token: {problem}. `shipmate doctor` says what to do.") from None
        self._watchdog.start()

    @property
    def connected(self) -> bool:
        return bool(self._client.is_connected())

    def close(self) -> None:
        """Take nothing new. What was taken goes on."""
        self._stopped.set()
        closing = threading.Thread(target=self._client.close, name="socket-closing", daemon=True)
        closing.start()
        for _ in range(CLOSING_ATTEMPTS):
            closing.join(CLOSING_SECONDS)
            if not closing.is_alive():
                return
            # The SDK's monitor connected anew while it was being closed; it would wait for that session for ever.
            self._client.current_session_state.terminated = True
            self._client.disconnect()
        log.warning("socket not closed in time")

    def age_seconds(self) -> float:
        session = self._client.current_session
        pinged = session.last_ping_pong_time if session is not None else None
        since_ping = time.time() - pinged if pinged is not None else float("inf")
        return min(since_ping, time.monotonic() - self._heard_at)

    def _heard(self, _message: str) -> None:
        self._heard_at = time.monotonic()

    def _watch(self) -> None:
        while not self._stopped.wait(5):
            age = self.age_seconds()
            self._telemetry.frame_age(age)
            if age > self._silence_seconds:
                log.warning("socket silent, connecting anew", seconds=round(age))
                self._heard_at = time.monotonic()
                self._reconnect()

    def _reconnect(self) -> None:
        try:
            self._client.connect_to_new_endpoint(force=True)
        except (SlackApiError, OSError) as error:
            log.warning("could not connect, trying again", reason=str(error))
