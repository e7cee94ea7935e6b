"""Many patterns over many bytes at once: hyperscan where its wheel exists, Python's `re` elsewhere, the same answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from pipelines.evidence.cues import CUES


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern over bytes that never crosses a line; `^` and `$` mean a line's."""

    text: str
    caseless: bool = False

    @property
    def raw(self) -> bytes:
        return self.text.encode("latin-1")


class Scanner(Protocol):
    def lines(self, content: bytes, ends: Any) -> tuple[Any, Any]:
        """Which pattern matches which line of `content`: two integer arrays, pattern and line, without repetition.

        `ends` holds the offset of each line's line feed.
        """
        ...

    def present(self, content: bytes) -> set[int]:
        """Which patterns match anywhere."""
        ...


class HyperscanScanner:
    def __init__(self, patterns: Sequence[Pattern]) -> None:
        import hyperscan

        self._count = len(patterns)
        base = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_ALLOWEMPTY
        flags = [base | (hyperscan.HS_FLAG_CASELESS if pattern.caseless else 0) for pattern in patterns]
        sources = [pattern.raw for pattern in patterns]
        ids = list(range(self._count))
        self._every = hyperscan.Database()
        self._every.compile(expressions=sources, ids=ids, elements=self._count, flags=flags)
        self._once: Any = None
        self._sources, self._ids, self._flags = sources, ids, flags

    def lines(self, content: bytes, ends: Any) -> tuple[Any, Any]:
        import numpy

        found: list[tuple[int, int]] = []
        add = found.append

        def matched(number: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            add((number, end))

        if content:
            self._every.scan(content, match_event_handler=matched)
        if not found:
            return numpy.empty(0, numpy.int64), numpy.empty(0, numpy.int64)
        pairs = numpy.array(found, numpy.int64)
        rows = numpy.searchsorted(ends, pairs[:, 1], side="left")
        keys = numpy.unique(rows * self._count + pairs[:, 0])
        return keys % self._count, keys // self._count

    def present(self, content: bytes) -> set[int]:
        import hyperscan

        if self._once is None:
            self._once = hyperscan.Database()
            flags = [flag | hyperscan.HS_FLAG_SINGLEMATCH for flag in self._flags]
            self._once.compile(expressions=self._sources, ids=self._ids, elements=self._count, flags=flags)
        found: set[int] = set()
        if content:
            self._once.scan(content, match_event_handler=lambda number, *_: found.add(number))
        return found


class PlainScanner:
    """Python's own `re`: slower by two orders of magnitude, and there on every platform."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = [compiled(pattern) for pattern in patterns]

    def lines(self, content: bytes, ends: Any) -> tuple[Any, Any]:
        import numpy

        numbers: list[int] = []
        offsets: list[int] = []
        for number, pattern in enumerate(self._patterns):
            hits = [match.end() for match in pattern.finditer(content)]
            numbers.extend([number] * len(hits))
            offsets.extend(hits)
        if not numbers:
            return numpy.empty(0, numpy.int64), numpy.empty(0, numpy.int64)
        rows = numpy.searchsorted(ends, numpy.array(offsets, numpy.int64), side="left")
        keys = numpy.unique(rows * len(self._patterns) + numpy.array(numbers, numpy.int64))
        return keys % len(self._patterns), keys // len(self._patterns)

    def present(self, content: bytes) -> set[int]:
        return {number for number, pattern in enumerate(self._patterns) if pattern.search(content)}


def compiled(pattern: Pattern) -> re.Pattern[bytes]:
    return re.compile(pattern.raw, re.MULTILINE | (re.IGNORECASE if pattern.caseless else 0))


def scanner(patterns: Sequence[Pattern], plain: bool = False) -> Scanner:
    """The fastest engine that is here; `plain` asks for Python's own."""
    if not plain:
        try:
            return HyperscanScanner(patterns)
        except ImportError:
            pass
    return PlainScanner(patterns)


@cache
def cue_scanner(plain: bool = False) -> Scanner:
    return scanner([Pattern(cue.pattern, cue.caseless) for cue in CUES], plain)
