"""The durable way of a log in Slack: `logs` reads it, and puts the report into the thread of its message, once."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.ports import Conversation, LanguageModel, Place
from pipelines.triage.examining import RedactLines, redacted
from pipelines.triage.findings import TriageDetails
from pipelines.triage.log_files import SharedLogs, unpacked
from pipelines.triage.log_orders import LogOrder, LogsNotRead, LogsReported, ReadingLogs

if TYPE_CHECKING:
    from pipelines.evidence.reading import Source

Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]


@dataclass(frozen=True, slots=True)
class LogRooms:
    """What the workflow works with. `pages` lays the details out over messages; files lie in `folder` for a moment.

    `most_bytes` is how much of one message is read.
    """

    durable: DurableWork
    files: SharedLogs
    conversation: Conversation
    language_model: LanguageModel
    redact: RedactLines
    pages: Callable[[LogsReported], Sequence[TriageDetails]]
    folder: Path
    most_bytes: int
    guard: Guard


class LogWorkflow:
    def __init__(self, rooms: LogRooms) -> None:
        self._r = rooms
        rooms.durable.register("logs", rooms.guard(self._report, self._broke))

    def begin(self, order: LogOrder) -> None:
        """Take the order. While the same message is read nothing new begins; afterwards it is read anew."""
        number = 0
        while self._r.durable.settled("logs", f"{order.key}:{number}"):
            number += 1
        self._r.durable.start("logs", f"{order.key}:{number}", json.dumps(to_json(order)))

    def _report(self, argument: str) -> None:
        order, step = _order(argument), self._r.durable.step
        channel, ts = step("show", self._show, order)
        place = Place(channel, ts)
        try:
            read = step("read", self._read, order)
            reported = from_json(LogsReported, step("compose", self._compose, order, read))
            step("post", self._redraw, place, reported)
            for number, page in enumerate(self._r.pages(reported), 1):
                step(f"details {number}", self._reply, order, number, page)
        except (Refused, Unavailable) as problem:
            step("tell", self._redraw, place, LogsNotRead(order, str(problem)))

    def _show(self, order: LogOrder) -> tuple[str, str]:
        """The one reply of this message: first that it is read, then what it says."""
        thread, shown = Place(order.channel, order.thread), ReadingLogs(order)
        place = self._r.conversation.reply_once(_reply_key(order), thread, shown)
        self._r.conversation.update(place, lambda: shown)
        return place.channel, place.ts

    def _read(self, order: LogOrder) -> dict[str, Any]:
        """Files and what they say are one step: another process that goes on from here has no use for ours."""
        from pipelines.evidence.analysing import analyse

        self._r.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._r.folder) as folder:
            sources, unseen = self._sources(order, Path(folder))
            if not sources:
                raise Refused(" ".join(unseen) or "There is nothing to read.")
            analysis = redacted(analyse(sources), self._r.redact)
        return {"analysis": to_json(analysis), "unseen": list(self._r.redact(unseen))}

    def _sources(self, order: LogOrder, folder: Path) -> "tuple[list[tuple[str, Source]], list[str]]":
        """What can be read, by name, and what cannot."""
        sources: list[tuple[str, Source]] = []
        unseen: list[str] = []
        left = self._r.most_bytes
        if order.text:
            sources.append(("message", order.text.encode("utf-8", "replace")))
        for number, file in enumerate(order.files):
            path = folder / str(number)
            try:
                name = self._r.files.save(file.id, path)
            except Refused as refusal:
                unseen.append(str(refusal))
                continue
            found = unpacked(name, path, folder, left)
            left = max(0, left - sum(log.stat().st_size for _, log in found.logs))
            sources += found.logs
            unseen += found.unseen
        return sources, unseen

    def _compose(self, order: LogOrder, read: dict[str, Any]) -> dict[str, Any]:
        from pipelines.evidence.analysing import Analysis
        from pipelines.evidence.reporting import compose

        analysis = from_json(Analysis, read["analysis"])
        report = compose(self._r.language_model, analysis)
        return to_json(LogsReported(order, report, analysis.extract, tuple(read["unseen"])))

    def _redraw(self, place: Place, value: object) -> None:
        self._r.conversation.update(place, lambda: value)

    def _reply(self, order: LogOrder, number: int, page: TriageDetails) -> None:
        thread = Place(order.channel, order.thread)
        self._r.conversation.reply_once(f"{_reply_key(order)}:{number}", thread, page)

    def _broke(self, argument: str, reference: str) -> None:
        order = _order(argument)
        channel, ts = self._show(order)
        self._redraw(Place(channel, ts), LogsNotRead(order, f"Something broke, reference {reference}."))


def _order(argument: str) -> LogOrder:
    return from_json(LogOrder, json.loads(argument))


def _reply_key(order: LogOrder) -> str:
    return f"logs:{order.key}"
