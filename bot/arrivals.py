"""Acknowledgements go first: work that may wait a moment waits while payloads are still unacknowledged."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Slack gives three seconds, people notice one: of a storm without end, work begins all the same.
LONGEST_WAIT_SECONDS = 0.75


class Arrivals:
    """Counts the payloads that have come and are not acknowledged yet.

    One interpreter runs one thread at a time: thirty threads of work beside it make an acknowledgement, itself half
    a millisecond, wait its turn for a second (tests/benchmarks/acknowledge.py).
    """

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around whatever ends with the acknowledgement of one payload."""
        with self._changed:
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                if not self._count:
                    self._changed.notify_all()

    def let_through(self) -> None:
        """Wait until everything that came is acknowledged, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._count, LONGEST_WAIT_SECONDS)
