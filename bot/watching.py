"""Keeps the index in step with the folders and repositories of the catalogue: at start, then again and again."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bot.catalogue.knowledge import Knowledge, WatchedSource
from bot.clients.documents import KnowledgeIndex
from bot.clients.sources import Source, SourceSync
from bot.scheduler import Scheduler
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Channels

log = structlog.get_logger("bot.watching")


@dataclass
class Watcher:
    """`sources` are looked through one after the other; a source that is at it is not begun a second time."""

    sources: Sequence[WatchedSource]
    sync: SourceSync
    index: KnowledgeIndex
    channels: Channels
    warm: Callable[[], object]  # loads what the first question needs
    filled: Callable[[], bool]  # whether there may be something in the index; opening it costs a second of CPU
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def schedule(self, scheduler: Scheduler) -> None:
        for source in self.sources:
            interval = timedelta(minutes=source.every_minutes)
            scheduler.every(interval, self.look_through(source), f"documents of {source.name}")

    def start(self) -> None:
        """Look through everything in the background, and renew vectors of another embedding."""
        threading.Thread(target=self._first, name="documents", daemon=True).start()

    def stop(self) -> None:
        """Nothing new is begun; what was begun goes on from there at the next start."""
        self._stopped.set()

    def close(self) -> None:
        """Let the index go, once nobody asks it any more."""
        self.index.close()

    def _first(self) -> None:
        for source in self.sources:
            self._attempt(self.look_through(source), source.name)
        if self.filled():
            self._attempt(lambda: self.index.renew(self._stopped.is_set), "index")
            # The first question does not wait for the embedding to be loaded.
            self._attempt(lambda: self.warm(), "index")

    def _attempt(self, work: Callable[[], object], name: str) -> None:
        try:
            work()
        except (Refused, Unavailable) as problem:
            log.warning("documents not looked through", source=name, reason=str(problem))

    def look_through(self, source: WatchedSource) -> Callable[[], None]:
        def look() -> None:
            if self._stopped.is_set():
                return
            with self._turn:
                readers = tuple(sorted(self.channels.find(channel) for channel in source.channels))
                done = self.sync.sync(Source(source.name, source.place, readers, source.link), self._progress)
            for path, reason in done.refused:
                log.warning("document not read", source=source.name, path=path, reason=reason)
            if done.put or done.removed:
                log.info("documents changed", source=source.name, put=done.put, removed=done.removed)

        return look

    def _progress(self, _done: int, _all: int) -> None:
        if self._stopped.is_set():
            raise Unavailable("the bot", "is stopping; the next start goes on from here")


def watched(knowledge: Knowledge) -> tuple[WatchedSource, ...]:
    return (*knowledge.folders, *knowledge.repositories)
