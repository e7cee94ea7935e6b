"""Waiting that ends: for a call that is slow, and for a bot that stops.

A client's own timeouts count from byte to byte, so that a server which drips would hold us for ever. The call runs in
a thread of its own and is left behind when its time is over; it ends by itself, and nobody hears of it.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from bot.clients.language_models.provider import ProviderFault

T = TypeVar("T")

STEP_SECONDS = 0.1  # how soon it is noticed that the bot stops
AHEAD = 64  # pieces of a stream that may wait for a slow reader


class Deadline:
    """The moment by which all tries together have to end; `stopping` ends them at once."""

    def __init__(self, seconds: float, stopping: threading.Event) -> None:
        self._until = time.monotonic() + seconds
        self._stopping = stopping

    @property
    def remaining_seconds(self) -> float:
        return 0.0 if self._stopping.is_set() else max(0.0, self._until - time.monotonic())

    def sooner(self, seconds: float) -> "Deadline":
        """The same, but `seconds` from now at the latest."""
        return Deadline(min(seconds, self.remaining_seconds), self._stopping)

    @property
    def over(self) -> bool:
        return self.remaining_seconds <= 0


def bounded(call: Callable[[], T], deadline: Deadline) -> T:
    """The result of `call` or its error; ProviderFault when neither has come by the deadline."""
    if deadline.over:
        raise ProviderFault("slow", "there was no time left to ask it")
    future = _run(call)
    while not future.done():
        if deadline.over:
            raise ProviderFault("slow", "it did not answer in time")
        wait([future], timeout=min(STEP_SECONDS, deadline.remaining_seconds))
    return future.result()


def bounded_stream(opened: Callable[[], Iterator[T]], seconds: float, deadline: Deadline) -> Generator[T, None, None]:
    """What the iterator gives; ProviderFault when `seconds` pass without a piece, or the deadline."""
    items: queue.Queue[tuple[T] | None] = queue.Queue(AHEAD)
    unwanted = threading.Event()

    def pump() -> None:
        try:
            for item in opened():
                if not _put(items, (item,), unwanted):
                    return
        finally:
            _put(items, None, unwanted)

    future = _run(pump)
    try:
        while (item := _take(items, deadline.sooner(seconds))) is not None:
            yield item[0]
        future.result()
    finally:
        unwanted.set()


def _put(items: "queue.Queue[tuple[T] | None]", item: tuple[T] | None, unwanted: threading.Event) -> bool:
    while not unwanted.is_set():
        try:
            items.put(item, timeout=STEP_SECONDS)
        except queue.Full:
            continue
        return True
    return False


def _take(items: "queue.Queue[tuple[T] | None]", deadline: Deadline) -> tuple[T] | None:
    while not deadline.over:
        try:
            return items.get(timeout=min(STEP_SECONDS, deadline.remaining_seconds))
        except queue.Empty:
            continue
    raise ProviderFault("slow", "it stopped in the middle of its answer")


def _run(call: Callable[[], T]) -> Future[T]:
    pool = ThreadPoolExecutor(1, thread_name_prefix="language-model")
    future = pool.submit(copy_context().run, call)
    pool.shutdown(wait=False)
    return future
