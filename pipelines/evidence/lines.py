"""A log as a table of lines: numbers, what people see, what patterns are matched against."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.evidence.cleaning import bare, shown
from pipelines.evidence.long_lines import shortened
from pipelines.evidence.sources import Buffer

PIECE = 1 << 20
_SECOND = re.compile(rb"(?:\xef\xbb\xbf)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z ")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of whole lines: bytes from `start` to `end`, the first of them is line `number`."""

    start: int
    end: int
    number: int


@dataclass(frozen=True, slots=True)
class Table:
    """Lines that say something, in order; `numbers` jumps over blank lines and over what was not looked at.

    Many a CI log has a blank line behind each line: with them, no line would stand beside its neighbour.
    """

    numbers: list[int]
    shown: list[bytes]
    bare: list[bytes]
    total: int  # lines of the whole source
    seen: int  # lines of the windows, blank ones too

    def __len__(self) -> int:
        return len(self.numbers)


def count_lines(buffer: Buffer) -> int:
    """Lines as an editor counts them: a last line without a line feed counts, nothing after a line feed does not."""
    count = sum(piece.count(b"\n") for piece in pieces(buffer, 0, len(buffer)))
    return count + bool(len(buffer) and buffer[len(buffer) - 1 :] != b"\n")


def pieces(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    for position in range(start, end, PIECE):
        yield buffer[position : min(position + PIECE, end)]


def table(buffer: Buffer, windows: Iterable[Window], total: int) -> Table:
    """The lines of `windows`; a line longer than a piece is never held whole."""
    numbers: list[int] = []
    seen: list[bytes] = []
    looked_at = 0
    for window in windows:
        cleaned = [shown(line) for line in _split(buffer, window)]
        looked_at += len(cleaned)
        saying = [row for row, line in enumerate(cleaned) if line and not line.isspace()]
        numbers.extend(window.number + row for row in saying)
        seen.extend(cleaned[row] for row in saying)
    return Table(numbers, seen, [bare(line) for line in seen], total, looked_at)


def seconds(buffer: Buffer, windows: Iterable[Window]) -> dict[int, bytes]:
    """By its number, the second at which the runner says that a line was printed, such as 2026-01-05T10:00:01, UTC.

    A line without a time was printed with the one before it.
    """
    found: dict[int, bytes] = {}
    last = b""
    for window in windows:
        for number, line in enumerate(_split(buffer, window), window.number):
            if match := _SECOND.match(line):
                last = match[1]
            if last:
                found[number] = last
    return found


def _split(buffer: Buffer, window: Window) -> list[bytes]:
    if window.end - window.start > 64 * PIECE:
        return list(_split_long(buffer, window))
    text = buffer[window.start : window.end]
    if text.endswith(b"\n"):
        text = text[:-1]
    elif not text:
        return []
    return text.split(b"\n")


def _split_long(buffer: Buffer, window: Window) -> Iterator[bytes]:
    # Only a window that holds one enormous line is this long.
    position = window.start
    while position < window.end:
        stop = buffer.find(b"\n", position, window.end)
        stop = window.end if stop < 0 else stop
        yield shortened(buffer, position, stop)
        position = stop + 1
