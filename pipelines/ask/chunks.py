"""Cuts a converted document into chunks along its headings; code and tables stay whole where they fit."""

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.ask.markdown import Section, sections
from pipelines.ask.values import Chunk

# Words as a reader counts them; what has no spaces (Chinese, Japanese, Korean, one endless line) is counted in pieces.
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_WORD = re.compile(rf"[{_CJK}]{{1,2}}|[^\s{_CJK}]{{1,40}}")
_SENTENCE_END = re.compile(r"[.!?:;][\"')\]*`]*$")


@dataclass(frozen=True, slots=True)
class Window:
    """How long a chunk may be and how much of it the next one repeats, both in words.

    180 and 30 were best of what was measured on runbooks (docs/decisions/0006-retrieval.md); 500-word windows suit
    embeddings that read longer texts.
    """

    words: int = 180
    overlap: int = 30

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.words:
            raise ValueError(f"an overlap of {self.overlap} words does not fit into windows of {self.words}")


def count_words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def split(text: str, title: str, window: Window = Window()) -> tuple[Chunk, ...]:
    """Chunks in the order of the document, lines counted from 1 in `text`.

    A document without a word has no chunks; one that is nothing but a title has one.
    """
    newlines = [found.start() for found in re.finditer("\n", text)]
    found: list[Chunk] = []
    for section in sections(text, title):
        for start, end in _windows(text, section, window):
            first, last = (bisect.bisect_left(newlines, offset) + 1 for offset in (start, end - 1))
            found.append(Chunk(len(found), section.path, text[start:end], first, last))
    if not found and _WORD.search(title):
        found = [Chunk(0, (title,), title)]
    return tuple(found)


def _windows(text: str, section: Section, window: Window) -> Iterator[tuple[int, int]]:
    """Spans of text, each at most as long as the window, that cover the section."""
    words = [found.span() for found in _WORD.finditer(text, section.start, section.end)]
    starts = [start for start, _ in words]
    # In numbers of words from here on.
    whole = [(bisect.bisect_left(starts, start), bisect.bisect_left(starts, end)) for start, end in section.blocks]
    first = 0
    while first < len(words):
        last = _end(text, words, whole, first, window)
        yield words[first][0], words[last - 1][1]
        if last >= len(words):
            return
        first = max(first + 1, _start(text, words, whole, last, window))


def _end(
    text: str, words: Sequence[tuple[int, int]], whole: Sequence[tuple[int, int]], first: int, window: Window
) -> int:
    """Where a window that begins at word `first` ends: before a block that it would cut, or after a sentence."""
    last = first + window.words
    if last >= len(words):
        return len(words)
    for start, end in whole:
        if start < last < end:
            if end - start <= window.words and start > first:
                return start
            return _last_break(text, words, first, last, re.compile("\n"))
    return _last_break(text, words, first, last, _SENTENCE_END)


def _start(
    text: str, words: Sequence[tuple[int, int]], whole: Sequence[tuple[int, int]], last: int, window: Window
) -> int:
    """Where the window after `last` begins: some words earlier, but never within a line of code or of a table."""
    wished = last - window.overlap
    for start, end in whole:
        if start < wished < end <= last:
            return end
        if start < wished < end:
            lines = (number for number in range(wished, last) if "\n" in text[words[number - 1][1] : words[number][0]])
            return next(lines, last)
    return wished


def _last_break(text: str, words: Sequence[tuple[int, int]], first: int, last: int, mark: re.Pattern[str]) -> int:
    """The last word before `last`, in the final third of the window, after which there is a natural break."""
    for number in range(last, first + (last - first) * 2 // 3, -1):
        word = text[words[number - 1][0] : words[number - 1][1]]
        gap = text[words[number - 1][1] : words[number][0]]
        if "\n\n" in gap or mark.search(word + gap if mark.pattern == "\n" else word):
            return number
    return last
