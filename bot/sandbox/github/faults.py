"""What can go wrong with GitHub, switched on from outside: limits, conflicts, outages, slowness."""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Literal, assert_never

from bot.sandbox.github.answers import ApiError

HOUR = 3600
Kind = Literal["rate_limit", "secondary_rate_limit", "conflict", "broken", "unavailable", "slow", "forbidden"]


@dataclass
class Fault:
    """Strikes the next `times` requests whose "METHOD /path" matches; `seconds` is how long to wait or to be slow."""

    kind: Kind
    where: str = ""
    times: int = 1
    seconds: float = 1

    def error(self) -> ApiError | None:
        match self.kind:
            case "rate_limit":
                headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time() + self.seconds) + 1)}
                return ApiError(403, "API rate limit exceeded for user ID 1.", headers=headers)
            case "secondary_rate_limit":
                text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
                return ApiError(403, text, headers={"Retry-After": f"{self.seconds:g}"})
            case "conflict":
                return ApiError(409, "is at 0000000000000000000000000000000000000000 but expected another")
            case "broken":
                return ApiError(500, "Server Error")
            case "unavailable":
                return ApiError(503, "No server is currently available to service your request.")
            case "forbidden":
                return ApiError(403, "Resource not accessible by personal access token")
            case "slow":
                return None
            case _:
                assert_never(self.kind)


@dataclass
class Faults:
    """`limit` requests an hour; the rest is what was switched on."""

    limit: int = 5000
    used: int = 0
    resets_at: float = field(default_factory=lambda: time.time() + HOUR)
    _faults: list[Fault] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def switch_on(self, kind: Kind, where: str = "", times: int = 1, seconds: float = 1) -> None:
        with self._turn:
            self._faults.append(Fault(kind, where, times, seconds))

    def switch_off(self) -> None:
        with self._turn:
            self._faults.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """What this request suffers. Counting it may raise the primary limit's ApiError."""
        with self._turn:
            self._count(path)
            for fault in self._faults:
                if re.search(fault.where, f"{method} {path}"):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit), "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": str(int(self.resets_at)), "X-RateLimit-Resource": "core",
        }  # fmt: skip

    def _count(self, path: str) -> None:
        if time.time() > self.resets_at:
            self.used, self.resets_at = 0, time.time() + HOUR
        if path == "/rate_limit":
            return
        if self.used >= self.limit:
            raise ApiError(403, "API rate limit exceeded for user ID 1.")
        self.used += 1
