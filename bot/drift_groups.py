"""Deliveries of inference records that come at the same moment share one transaction, each with its own answer."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.drift.receiving import Delivery, Taken
from pipelines.errors import Refused, Unavailable

SERVICE = "the intake of inference records"
# Senders wait for their answers: what is gathered meanwhile costs each of them that much.
GATHER_SECONDS = 0.003
GROUP_DELIVERIES = 1_000
GROUP_BYTES = 8_000_000
# What may wait in memory: JSON takes some ten times its bytes, but only a group at a time.
MOST_DELIVERIES = 5_000
MOST_BYTES = 64_000_000
RETRY_SECONDS = 2.0

Answer = Taken | Refused
Done = asyncio.Future[Sequence[Answer]]


@dataclass(slots=True)
class _Group:
    deliveries: list[Delivery] = field(default_factory=list)
    size: int = 0
    task: "asyncio.Task[Done] | None" = None

    @property
    def full(self) -> bool:
        return len(self.deliveries) >= GROUP_DELIVERIES or self.size >= GROUP_BYTES


class DeliveryGroups:
    """`take` stores a group and answers for each, in a thread of its own: one group at a time, the others gather.

    Lives in one event loop. At its end there is nothing to flush: who has no answer yet is still connected.
    """

    def __init__(self, take: Callable[[Sequence[Delivery]], Sequence[Answer]]) -> None:
        self._take = take
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inference-records")
        self._turn = asyncio.Lock()
        self._gathering: _Group | None = None
        self._waiting = 0
        self._bytes = 0

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Room for one delivery of `size` bytes, before it is read. Raises Unavailable where there is none."""
        if self._waiting >= MOST_DELIVERIES or (self._waiting and self._bytes + size > MOST_BYTES):
            raise Unavailable(SERVICE, "more deliveries wait than it may hold", RETRY_SECONDS)
        self._waiting += 1
        self._bytes += size
        try:
            yield
        finally:
            self._waiting -= 1
            self._bytes -= size

    async def add(self, delivery: Delivery) -> Taken:
        """What became of it, once that is stored. Raises Refused and Unavailable.

        What a whole group fails at each of it tries again alone, so that nobody's mistake is somebody else's.
        """
        group = self._joined(delivery)
        place = len(group.deliveries) - 1
        assert group.task is not None
        # Shielded: who goes away must not take the others' transaction along.
        done = await asyncio.shield(group.task)
        failure = done.exception()
        if isinstance(failure, Unavailable):
            raise Unavailable(*failure.args)
        if failure is not None and len(group.deliveries) > 1:
            alone = _Group([delivery])
            done, place = await self._stored(alone), 0
        answer = done.result()[place]
        if isinstance(answer, Refused):
            raise answer
        return answer

    def _joined(self, delivery: Delivery) -> _Group:
        if self._gathering is None or self._gathering.full:
            self._gathering = _Group()
            self._gathering.task = asyncio.create_task(self._gathered(self._gathering))
        self._gathering.deliveries.append(delivery)
        self._gathering.size += len(delivery.content)
        return self._gathering

    async def _gathered(self, group: _Group) -> Done:
        await asyncio.sleep(GATHER_SECONDS)
        return await self._stored(group)

    async def _stored(self, group: _Group) -> Done:
        """Done, with the answers or with what was wrong."""
        async with self._turn:
            if self._gathering is group:
                self._gathering = None
            done = asyncio.get_running_loop().run_in_executor(self._writer, self._take, group.deliveries)
            await asyncio.wait([done])
            return done
