"""Things that Slack hands out and that run out: trigger ids, response urls, and the rates of methods."""

import secrets
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from bot.sandbox.slack.errors import SlackError

RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


class Triggers:
    """A trigger id opens one modal, within three seconds in Slack."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._given: dict[str, tuple[float, str]] = {}
        self._used: set[str] = set()

    def new(self, person: str) -> str:
        trigger = f"{time.time_ns()}.{secrets.randbelow(10**9)}.{secrets.token_hex(16)}"
        self._given[trigger] = (time.monotonic(), person)
        return trigger

    def use(self, trigger: str) -> str:
        """The person whose act it was."""
        if trigger in self._used:
            raise SlackError("exchanged_trigger_id")
        at, person = self._given.get(trigger, (0.0, ""))
        if not person:
            raise SlackError("invalid_trigger_id")
        if time.monotonic() - at > self.seconds:
            raise SlackError("expired_trigger_id")
        self._used.add(trigger)
        return person


@dataclass(slots=True)
class ResponseUrl:
    """`message` is what it may replace: {"channel", "ts", "ephemeral"}; None for commands."""

    person: str
    channel: str
    message: dict[str, Any] | None
    at: float
    uses: int = 0


class ResponseUrls:
    """A response url takes five answers within thirty minutes."""

    def __init__(self, time_scale: float) -> None:
        self._time_scale = time_scale
        self._given: dict[str, ResponseUrl] = {}

    def new(self, person: str, channel: str, message: dict[str, Any] | None) -> str:
        token = secrets.token_urlsafe(18)
        self._given[token] = ResponseUrl(person, channel, message, time.monotonic())
        return token

    def use(self, token: str) -> ResponseUrl | None:
        """None when it was never given, or has run out."""
        url = self._given.get(token)
        if url is None or url.uses >= RESPONSE_USES:
            return None
        if time.monotonic() - url.at > RESPONSE_SECONDS * self._time_scale:
            return None
        url.uses += 1
        return url


@dataclass
class Limits:
    """Rates, off until they are switched on, because a demo is no place to be slow."""

    on: bool = False
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def method(self, name: str, per_minute: int | None) -> None:
        if self.on and per_minute is not None:
            self._take(f"method {name}", per_minute, 60.0)

    def message(self, channel: str) -> None:
        """One message a second and channel, with short bursts."""
        if self.on:
            self._take(f"channel {channel}", 5, 5.0)

    def _take(self, key: str, most: int, seconds: float) -> None:
        now = time.monotonic()
        calls = self._calls[key]
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        if len(calls) >= most:
            wait = ceil(seconds - (now - calls[0]))
            raise SlackError("ratelimited", 429, {"Retry-After": str(max(1, wait))})
        calls.append(now)
