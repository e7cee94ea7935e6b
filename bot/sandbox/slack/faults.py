"""Switches for trouble: methods that fail, are slow, or drop the connection, as often as they are told to."""

import asyncio
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.permits import Limits
from bot.sandbox.slack.store import Document


class Dropped(ConnectionError):
    """The connection is to end without an answer."""


class HalfAnAnswer(Response):
    """Begins and never ends, upon which the server closes the connection."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})


@dataclass
class Faults:
    limits: Limits
    failing: dict[str, Document] = field(default_factory=dict)  # method -> {"status", "times", "error"}
    slow: dict[str, float] = field(default_factory=dict)  # method -> seconds

    def switch(self, asked: Document) -> Document:
        """`{"rate_limits": bool, "fail": {"method", "status", "times", "drop"}, "slow": {"method", "seconds"}}`.

        The method "*" is every method; `drop` ends the connection instead of answering, after nothing was done.
        """
        if "rate_limits" in asked:
            self.limits.on = bool(asked["rate_limits"])
        if fail := asked.get("fail"):
            self.failing[fail["method"]] = {"status": int(fail.get("status", 500)), "times": int(fail.get("times", 1)),
                                            "error": fail.get("error", "internal_error"),
                                            "drop": bool(fail.get("drop", False))}  # fmt: skip
        if slow := asked.get("slow"):
            self.slow[slow["method"]] = float(slow["seconds"])
        return self.shown()

    def shown(self) -> Document:
        return {"rate_limits": self.limits.on, "fail": self.failing, "slow": self.slow}

    async def strike(self, method: str) -> None:
        """Raise or wait, if a switch says so. A fault counts down even when the call would have failed anyway."""
        for name in (method, "*"):
            if seconds := self.slow.get(name):
                await asyncio.sleep(seconds)
            fault = self.failing.get(name)
            if fault and fault["times"] > 0:
                fault["times"] -= 1
                if fault["drop"]:
                    raise Dropped
                headers = {"Retry-After": "1"} if fault["status"] == 429 else {}
                code = "ratelimited" if fault["status"] == 429 else fault["error"]
                raise SlackError(code, fault["status"], headers)
