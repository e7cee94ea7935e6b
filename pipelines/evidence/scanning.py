"""Many patterns over many bytes at once: hyperscan where its wheel exists, Python's `re` elsewhere, the same answer."""

import re
import threading
from collections.abc import Callable, Sequence
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
    """Each of its two ways of looking has a database of its own, compiled when it is first asked for.

    Threads share the databases. What a scan writes to is a thread's own: the engine refuses to share that.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        import hyperscan

        self._patterns = patterns
        self._engine = hyperscan
        self._compiling = threading.Lock()
        self._databases: dict[int, Any] = {}
        self._mine = threading.local()

    def _scan(self, content: bytes, flag: int, matched: Callable[..., None]) -> None:
        with self._compiling:
            if flag not in self._databases:
                self._databases[flag] = self._compiled(flag)
        scratches = self._mine.__dict__
        name = str(flag)
        if name not in scratches:
            scratches[name] = self._engine.Scratch(self._databases[flag])
        self._databases[flag].scan(content, match_event_handler=matched, scratch=scratches[name])

    def _compiled(self, flag: int) -> Any:
        base = flag | self._engine.HS_FLAG_MULTILINE | self._engine.HS_FLAG_ALLOWEMPTY
        caseless = self._engine.HS_FLAG_CASELESS
        database = self._engine.Database()
        database.compile(
            expressions=[pattern.raw for pattern in self._patterns],
            ids=list(range(len(self._patterns))),
            elements=len(self._patterns),
            flags=[base | caseless if pattern.caseless else base for pattern in self._patterns],
        )
        return database

    def lines(self, content: bytes, ends: Any) -> tuple[Any, Any]:
        import numpy

        found: list[tuple[int, int]] = []
        add = found.append

        def matched(number: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            add((number, end))

        if content:
            self._scan(content, 0, matched)
        if not found:
            return numpy.empty(0, numpy.int64), numpy.empty(0, numpy.int64)
        pairs = numpy.array(found, numpy.int64)
        rows = numpy.searchsorted(ends, pairs[:, 1], side="left")
        keys = numpy.unique(rows * len(self._patterns) + pairs[:, 0])
        return keys % len(self._patterns), keys // len(self._patterns)

    def present(self, content: bytes) -> set[int]:
        found: set[int] = set()

        def matched(number: int, *_: Any) -> None:
            found.add(number)

        if content:
            self._scan(content, self._engine.HS_FLAG_SINGLEMATCH, matched)
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
