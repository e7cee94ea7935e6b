"""Callers at the same moment share one write: a store cannot do ten thousand of them a second."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pipelines.errors import Refused, Unavailable

T = TypeVar("T")


class _Ticket(Generic[T]):
    def __init__(self, members: Sequence[T]) -> None:
        self.members = members
        self.tried = False
        self.written = False


class GroupWrite(Generic[T]):
    """`write` is called by one caller at a time, for itself and for all who wait; each returns when its part is kept.

    What a group fails at each of its callers tries again alone, so that nobody's mistake is somebody else's.
    """

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        self._write = write
        self._arriving = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[_Ticket[T]] = []

    def add(self, members: Sequence[T]) -> None:
        """Raises what `write` raises."""
        mine = _Ticket(members)
        with self._arriving:
            self._waiting.append(mine)
        with self._writing:
            if not mine.tried:
                self._write_group()
            if not mine.written:
                self._write(mine.members)

    def _write_group(self) -> None:
        """Write for all who wait; each of a group that fails is left to itself."""
        with self._arriving:
            group, self._waiting = self._waiting, []
        for ticket in group:
            ticket.tried = True
        try:
            self._write([member for ticket in group for member in ticket.members])
        except (Refused, Unavailable, ValueError):
            if len(group) == 1:
                raise
            return
        for ticket in group:
            ticket.written = True
