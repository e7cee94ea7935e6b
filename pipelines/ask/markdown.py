"""Reads the skeleton of a Markdown document: headings, and the blocks that should not be torn apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

_HEADING = re.compile(r" {0,3}(#{1,12})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TABLE = re.compile(r"[ \t]*\|.*\|[ \t]*$")
_LIST_OR_QUOTE = re.compile(r"[ \t]*([-*+>|]|\d+[.)])")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ANCHOR = re.compile(r"[ \t]*\{#[^}]*\}[ \t]*$")
_TITLE = re.compile(r"title[ \t]*:[ \t]*(.+)", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w-]+[ \t]*:")
LONGEST_LINE = 4_000  # longer ones are prose whatever they begin with
LONGEST_HEADING = 200
MOST_LINES_OF_FRONT_MATTER = 200


@dataclass(frozen=True, slots=True)
class Line:
    """`start` and `end` are offsets in the text, without the line break."""

    start: int
    end: int
    kind: Literal["heading", "block", "prose"]
    level: int = 0
    title: str = ""
    opens: bool = False  # the first line of a block


@dataclass(slots=True)
class Section:
    """The text between one heading and the next; `blocks` are spans of code and tables within it."""

    path: tuple[str, ...]
    level: int  # of its heading; 0 for what stands before the first
    heading: int  # offset of the heading
    start: int
    end: int
    blocks: list[tuple[int, int]] = field(default_factory=list)


def sections(text: str, title: str) -> list[Section]:
    """Sections that hold text, in order. The first part of each path is `title`, unless that is empty."""
    root = (title,) if title.strip() else ()
    beginning = front_matter_end(text)
    current = Section(root, 0, beginning, beginning, beginning)
    found, path = [current], list[tuple[int, str]]()
    for line in _lines(text, beginning):
        if line.kind == "heading":
            path = [*((level, name) for level, name in path if level < line.level), (line.level, line.title)]
            current = Section(_joined(root, [name for _, name in path]), line.level, line.start, line.end, line.end)
            found.append(current)
            continue
        current.end = line.end
        if line.kind == "block":
            if line.opens or not current.blocks:
                current.blocks.append((line.start, line.end))
            else:
                current.blocks[-1] = (current.blocks[-1][0], line.end)
    return [
        section for section, after in pairwise([*found, Section((), 0, 0, 0, 0)]) if _holds_text(text, section, after)
    ]


def _holds_text(text: str, section: Section, after: Section) -> bool:
    """A heading with nothing under it, not even other headings, is a text of its own."""
    if text[section.start : section.end].strip():
        return True
    if section.level == 0 or after.level > section.level:
        return False
    section.start = section.heading
    return True


def title_of(text: str) -> str:
    """The title that the document gives itself: in its front matter, else its first heading; empty without one."""
    end = front_matter_end(text)
    for line in text[:end].splitlines():
        if named := _TITLE.match(line):
            return plain(named[1].strip("\"' "))
    for found in _lines(text[: end + 20_000], end):
        if found.kind == "heading" and found.title:
            return found.title
    return ""


def front_matter_end(text: str) -> int:
    """Offset after a leading block of settings between two lines of `---`; 0 where there is none."""
    if not _FRONT_MATTER.match(text):
        return 0
    position = text.index("\n") + 1
    for _ in range(MOST_LINES_OF_FRONT_MATTER):
        end = text.find("\n", position)
        line = text[position : end if end >= 0 else len(text)]
        if line.rstrip() in ("---", "..."):
            return end + 1 if end >= 0 else len(text)
        if end < 0:
            return 0
        position = end + 1
    return 0


def plain(heading: str) -> str:
    """A heading without its markup."""
    bare = _ANCHOR.sub("", _LINK.sub(r"\1", heading))
    return re.sub(r"[`*]|__", "", bare).strip()[:LONGEST_HEADING]


def _joined(root: tuple[str, ...], names: list[str]) -> tuple[str, ...]:
    """Title and headings, without saying the title twice."""
    kept = [name for name in names if name]
    if root and kept and kept[0].casefold() == root[0].casefold():
        kept = kept[1:]
    return (*root, *kept)


def _lines(text: str, position: int) -> Iterator[Line]:
    fence, in_table = "", False
    previous: Line | None = None  # prose that may turn out to be a heading by the line under it
    for start, end in _spans(text, position):
        line = text[start:end] if end - start <= LONGEST_LINE else ""
        opened = _FENCE.match(line)
        table = not fence and not opened and _TABLE.match(line) is not None
        if previous and not fence and (under := _UNDERLINE.match(line)):
            level = 1 if under[1][0] == "=" else 2
            yield Line(previous.start, end, "heading", level, plain(text[previous.start : previous.end]))
            previous = None
            continue
        if previous:
            yield previous
            previous = None
        if fence or opened:
            yield Line(start, end, "block", opens=not fence)
            fence = _fence_after(fence, line, opened[1] if opened else "")
        elif table:
            yield Line(start, end, "block", opens=not in_table)
        elif heading := _HEADING.match(line):
            yield Line(start, end, "heading", len(heading[1]), plain(heading[2]))
        else:
            prose = Line(start, end, "prose")
            if line.strip() and len(line) <= LONGEST_HEADING and not _LIST_OR_QUOTE.match(line):
                previous = prose
            else:
                yield prose
        in_table = table
    if previous:
        yield previous


def _fence_after(fence: str, line: str, opened: str) -> str:
    """The fence that is open after this line; what closes it is of the same characters, as many or more."""
    if not fence:
        return opened
    closes = opened.startswith(fence) and line.strip() == opened
    return "" if closes else fence


def _spans(text: str, position: int) -> Iterator[tuple[int, int]]:
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        yield position, end
        position = end + 1
