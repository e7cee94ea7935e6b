"""A circuit breaker: who fails again and again is left alone for a while, then tried with a single call.

Why not a library: docs/decisions/0010-language-models.md.
"""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Safe to share between threads. Closed, open, and half-open with one probe at a time."""

    def __init__(self, failures: int, open_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most_failures = failures
        self._open_seconds = open_seconds
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._opens_again_at: float | None = None  # None while closed

    @property
    def admits(self) -> bool:
        """Whether a call would be let through now; asking changes nothing."""
        with self._lock:
            return self._opens_again_at is None or self._now() >= self._opens_again_at

    def enter(self) -> bool:
        """Whether this call may go. While half-open only the first may, until it ends or its time is over."""
        with self._lock:
            if self._opens_again_at is None:
                return True
            if self._now() < self._opens_again_at:
                return False
            self._opens_again_at = self._now() + self._open_seconds
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._opens_again_at = 0, None

    def failed(self, for_seconds: float | None = None) -> None:
        """`for_seconds` is how long the other side asked to be left alone: then it is, whatever was before."""
        with self._lock:
            self._failures += 1
            if self._opens_again_at is not None or self._failures >= self._most_failures or for_seconds:
                self._opens_again_at = self._now() + max(self._open_seconds, for_seconds or 0)
