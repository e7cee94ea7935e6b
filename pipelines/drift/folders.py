"""Inference records and labels that lie in files: each is read once, and what grows is read on from where it ended."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, Protocol

from pipelines.drift.intake import LabelsTaken
from pipelines.drift.records import Fields, as_category, read_row, record_id
from pipelines.errors import Refused, Unavailable

log = logging.getLogger("pipelines.drift")

Kind = Literal["records", "labels"]
# A megabyte or so of rows: what is held in memory, and what is read again where somebody kills us.
BLOCK_ROWS = 2_000
# A file whose first lines are all rubbish is not what we think it is.
HOPELESS = 100


@dataclass(frozen=True, slots=True)
class RecordSource:
    """Where the records and labels of a model lie: patterns of paths or addresses, and what their rows call things."""

    model: str
    channel: str
    files: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    every: timedelta = timedelta(minutes=5)
    fields: Fields = field(default_factory=Fields)
    label: str = "label"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """`mark` changes with the content: an etag, or when it was changed."""

    uri: str
    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class FileMark:
    """How far a file was read: `read` bytes and `lines` of a plain JSONL file that may grow, else 0. `head` tells what
    grew from what was replaced. `fault` is what was wrong with it, in a sentence. Until it is read whole, `size` is -1.
    """

    uri: str
    size: int
    mark: str
    read: int = 0
    lines: int = 0
    head: str = ""
    fault: str = ""

    def of(self, file: FoundFile) -> bool:
        return (self.size, self.mark) == (file.size, file.mark)


@dataclass(frozen=True, slots=True)
class Row:
    """One line or row; `fault` where it is none. `end` is the byte behind it, for files that may grow."""

    number: int
    values: Mapping[str, Any] | None
    end: int = 0
    fault: str = ""


class RecordFiles(Protocol):
    """Folders and buckets."""

    def find(self, pattern: str) -> Sequence[FoundFile]:
        """Files that the pattern names, by name. Raises Unavailable for outages."""
        ...

    def head(self, file: FoundFile, length: int) -> bytes:
        """Its first bytes."""
        ...

    def grows(self, file: FoundFile) -> bool:
        """Whether it may be read on from a byte: lines that are not packed."""
        ...

    def rows(self, file: FoundFile, start: int = 0, lines: int = 0) -> Iterator[Row]:
        """Its rows in bounded memory, from byte `start` on, before which `lines` lie. Lines that are broken are rows
        with a fault, a last one that is cut off is left out. Raises Refused for a file that cannot be read at all."""
        ...


class FileMarks(Protocol):
    def all(self, model: str, kind: Kind) -> Mapping[str, FileMark]:
        """By address."""
        ...

    def put(self, model: str, kind: Kind, mark: FileMark) -> None: ...


class Keeping(Protocol):
    """What the intake does with records and labels."""

    def keep(self, model: str, records: Sequence[Any]) -> None: ...

    def label(self, model: str, labels: Mapping[str, Any]) -> LabelsTaken: ...


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """Told once in the model's channel. `left_out` rows of it were not taken; None where it is not read at all."""

    model: str
    kind: Kind
    uri: str
    fault: str
    left_out: int | None


@dataclass(frozen=True, slots=True)
class FolderRooms:
    """`tell` shows a broken file once, whatever is killed in between; `refused` counts; `stopping` ends a long read."""

    files: RecordFiles
    marks: FileMarks
    intake: Keeping
    tell: Callable[[str, RecordSource, BrokenFile], object]
    refused: Callable[[str, int], None] = lambda _source, _count: None
    stopping: Callable[[], bool] = lambda: False


HEAD_BYTES = 512


class FolderReader:
    def __init__(self, rooms: FolderRooms) -> None:
        self._r = rooms

    def read(self, source: RecordSource) -> int:
        """Take in what is new; answers how many rows. A file that is broken or away does not stop the others.

        Files of a model without a champion wait for it.
        """
        try:
            self._r.intake.keep(source.model, [])
        except Refused as refusal:
            log.info("files of %s wait: %s", source.model, refusal)
            return 0
        taken = 0
        kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (("records", source.files), ("labels", source.labels))
        for kind, patterns in kinds:
            marks = self._r.marks.all(source.model, kind)
            for file in self._found(source, patterns):
                known = marks.get(file.uri)
                if known is not None and known.of(file):
                    continue
                try:
                    taken += self._read_file(source, kind, file, known)
                except Unavailable as outage:
                    if self._r.stopping():
                        return taken
                    log.warning("file of %s put off: %s: %s", source.model, file.uri, outage)
        return taken

    def _found(self, source: RecordSource, patterns: Iterable[str]) -> Iterator[FoundFile]:
        seen: set[str] = set()
        for pattern in patterns:
            try:
                found = self._r.files.find(pattern)
            except (Unavailable, Refused) as problem:
                log.warning("files of %s not found: %s: %s", source.model, pattern, problem)
                continue
            for file in found:
                if file.uri not in seen:
                    seen.add(file.uri)
                    yield file

    def _read_file(self, source: RecordSource, kind: Kind, file: FoundFile, known: FileMark | None) -> int:
        grows = self._r.files.grows(file)
        before = (
            known if known is not None and grows and self._grown(file, known) else FileMark(file.uri, -1, file.mark)
        )
        reading = _Reading(source, kind, self._r)
        try:
            for row in self._r.files.rows(file, before.read, before.lines):
                if reading.take(row) and grows:
                    self._r.marks.put(source.model, kind, self._mark(file, before, reading))
            reading.finish()
        except Refused as refusal:
            reading.fault, reading.ended = reading.fault or str(refusal), True
        if reading.fault and not before.fault:
            self._say(source, kind, file, reading)
        mark = self._mark(file, before, reading) if grows else replace(before, fault=reading.fault)
        self._r.marks.put(source.model, kind, replace(mark, size=file.size, mark=file.mark))
        return reading.rows

    def _mark(self, file: FoundFile, before: FileMark, reading: "_Reading") -> FileMark:
        end, lines = max(reading.end, before.read), max(reading.lines, before.lines)
        head = before.head if before.read >= HEAD_BYTES else self._head(file, end)
        return FileMark(file.uri, -1, file.mark, end, lines, head, before.fault or reading.fault)

    def _grown(self, file: FoundFile, known: FileMark) -> bool:
        """Whether it still begins with what was read of it."""
        return 0 < known.read <= file.size and self._head(file, known.read) == known.head

    def _head(self, file: FoundFile, read: int) -> str:
        length = min(read, HEAD_BYTES)
        return hashlib.sha256(self._r.files.head(file, length)).hexdigest()[:32] if length else ""

    def _say(self, source: RecordSource, kind: Kind, file: FoundFile, reading: "_Reading") -> None:
        self._r.refused("files", max(1, reading.left_out))
        log.warning("file of %s is broken: %s: %s", source.model, file.uri, reading.fault)
        key = hashlib.sha256(json.dumps([source.model, kind, file.uri, reading.fault]).encode()).hexdigest()[:32]
        left_out = None if reading.ended else reading.left_out
        self._r.tell(f"records-file:{key}", source, BrokenFile(source.model, kind, file.uri, reading.fault, left_out))


class _Reading:
    """One pass through one file: rows are handed on block by block."""

    def __init__(self, source: RecordSource, kind: Kind, rooms: FolderRooms) -> None:
        self._source = source
        self._kind = kind
        self._r = rooms
        self._block: list[Mapping[str, Any]] = []
        self.rows = 0
        self.end = 0
        self.lines = 0
        self.left_out = 0
        self.fault = ""
        self.ended = False

    def take(self, row: Row) -> bool:
        """Whether everything up to this row is kept now. Raises Refused where the file is hopeless."""
        self.end, self.lines = row.end, row.number
        if row.values is None:
            self.left_out += 1
            self.fault = self.fault or row.fault
            if self.left_out >= HOPELESS and not self.rows + len(self._block):
                raise Refused(self.fault)
            return False
        self._block.append(row.values)
        if len(self._block) < BLOCK_ROWS:
            return False
        self.finish()
        return True

    def finish(self) -> None:
        if self._r.stopping():
            raise Unavailable("the bot", "is stopping; the next start goes on from here")
        block, self._block = self._block, []
        if not block:
            return
        try:
            if self._kind == "records":
                self._keep(block)
            self._label(block)
        except Refused as refusal:  # no fault of the file
            raise Unavailable("the model", str(refusal)) from refusal
        self.rows += len(block)

    def _keep(self, block: Sequence[Mapping[str, Any]]) -> None:
        source = self._source
        fields = replace(source.fields, others=source.fields.others | {source.label})
        self._r.intake.keep(source.model, [read_row(row, source.model, fields) for row in block])

    def _label(self, block: Sequence[Mapping[str, Any]]) -> None:
        """Labels of files of their own, and those that stand beside the records."""
        source = self._source
        labels = {}
        for row in block:
            said, given = as_category(row.get(source.label)), row.get(source.fields.id)
            if said is not None and given is not None:
                labels[record_id(given)] = said
            elif self._kind == "labels":
                self.left_out += 1
                self.fault = self.fault or f"Rows lack `{source.fields.id}` or `{source.label}`."
        if labels:
            taken = self._r.intake.label(source.model, labels)
            self.left_out += taken.refused
            self.fault = self.fault or taken.reason
