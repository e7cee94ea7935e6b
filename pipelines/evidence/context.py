"""What is known around a log and can be cited beside its lines: files that it names, and what changed since it passed.

A line of a file is cited as F1:41, a change as C2, a line that only the failed log has as N57, N2:57 of the second.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.reports import Evidence

ChangeKind = Literal["commit", "workflow", "image", "runner", "action", "package", "file"]
AROUND = 12  # lines before and behind a line that the log names
MOST_SHOWN = 60  # lines of a file that a model is shown
RELATED = 3  # pieces of context that code puts beside a cause
FEW = 4  # new lines that are shown beside the first cause; more are for the model and the page of the change
SHORTEST_NAME = 3
# Names of packages that are words of every log.
_COMMON = frozenset(
    [
        "python",
        "pip",
        "setuptools",
        "wheel",
        "build",
        "test",
        "tests",
        "pytest",
        "typing",
        "core",
        "main",
        "checkout",
        "cache",
        "types",
    ]
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was at the commit that failed, whole and without secrets.

    All numbers are 1-based: `named` are the lines that the log names, `added` those that are new since the last green
    run, `hidden` those in which something was made unreadable.
    """

    path: str
    sha: str
    lines: tuple[str, ...]
    named: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.path} at {self.sha}"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is different from the last green run, in one line. `name` is of a package, an action, a path."""

    kind: ChangeKind
    name: str
    before: str = ""
    after: str = ""
    text: str = ""

    @property
    def told(self) -> str:
        return self.text or f"{self.kind} {self.name}: {self.before or 'none'} \u2192 {self.after or 'none'}"


@dataclass(frozen=True, slots=True)
class FreshLine:
    """A line of the log that the green run did not print; `source` is the name of the log."""

    source: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """`green` is the number of the last green run, 0 where none is known; `places` are step, job and workflow."""

    files: tuple[SourceFile, ...] = ()
    changes: tuple[Change, ...] = ()
    fresh: tuple[FreshLine, ...] = ()
    green: int = 0
    places: tuple[str, ...] = ()


NO_CONTEXT = Context()


def citable(context: Context) -> dict[str, Evidence]:
    """References to what they stand for; number 0 for what is no line."""
    found: dict[str, Evidence] = {}
    for place, file in enumerate(context.files, 1):
        found |= {f"F{place}:{number}": _line(file, number, context.green) for number in shown_lines(file)}
    for place, change in enumerate(context.changes, 1):
        found[f"C{place}"] = Evidence(since(context.green), 0, change.told)
    return found


def citable_fresh(context: Context) -> dict[str, Evidence]:
    """Lines of the log itself, so that a cause may rest on them alone."""
    names = list(dict.fromkeys(one.source for one in context.fresh))
    several = len(names) > 1
    return {
        f"N{names.index(one.source) + 1}:{one.number}" if several else f"N{one.number}": Evidence(
            one.source, one.number, one.text
        )
        for one in context.fresh
    }


def fresh_text(context: Context, most: int) -> list[str]:
    """As a model is shown them, each behind its reference; of several logs with the name of each before its lines."""
    told = list(citable_fresh(context).items())[:most]
    several = len({one.source for _, one in told}) > 1
    rows: list[str] = []
    before = ""
    for name, one in told:
        if several and one.source != before:
            rows.append(f"{name.partition(':')[0]} is {one.source}")
        before = one.source
        rows.append(f"{name}|{one.text}")
    return rows


def since(green: int) -> str:
    return f"what changed since run {green}" if green else "what changed"


def shown_lines(file: SourceFile) -> list[int]:
    """The lines around those that the log names; the beginning of a file of which it names none."""
    if not file.named:
        return list(range(1, min(len(file.lines), MOST_SHOWN) + 1))
    wanted: dict[int, None] = {}
    for named in file.named:
        for number in range(max(1, named - AROUND), min(len(file.lines), named + AROUND) + 1):
            wanted[number] = None
    return sorted(list(wanted)[:MOST_SHOWN])


def file_text(place: int, file: SourceFile) -> str:
    """As a model is shown it: references before the bar, + for lines that are new, > for those that the log names."""
    rows: list[str] = []
    before = 0
    for number in shown_lines(file):
        rows += ["\u2026"] if number != before + 1 and rows else []
        mark = ("+" if number in file.added else "") + (">" if number in file.named else "")
        rows.append(f"F{place}:{number}{mark}|{file.lines[number - 1]}")
        before = number
    return "\n".join(rows)


def related(texts: Sequence[str], context: Context) -> tuple[Evidence, ...]:
    """What of the context these texts (a cause and its lines) speak of: lines of files by place, packages by name."""
    said = "\n".join(texts)
    found = [*_named_lines(said, context), *(_told(change, context) for change in named_changes(said, context))]
    return tuple(dict.fromkeys(found))[:RELATED]


def named_changes(said: str, context: Context) -> list[Change]:
    """Packages and actions whose version changed and whose name stands in the text as a word of its own."""
    words = {_plain(word) for word in re.findall(r"[A-Za-z][\w.-]*\w", said)}
    words |= {part for word in words for part in re.split(r"[.]", word)}
    return [
        change
        for change in context.changes
        if change.kind in ("package", "action") and (name := _plain(change.name.rpartition("/")[2]))
        and len(name) >= SHORTEST_NAME and name not in _COMMON and name in words
    ]  # fmt: skip


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def fresh_code(context: Context) -> tuple[Evidence, ...]:
    """The lines that are new since the last green run, where they are so few that they are worth reading at once."""
    held = [
        _line(file, number, context.green)
        for file in context.files
        for number in file.added
        if context.green and number <= len(file.lines) and file.lines[number - 1].strip()
    ]
    return tuple(held) if len(held) <= FEW else ()


def _named_lines(said: str, context: Context) -> Iterator[Evidence]:
    """Places that are named with their line; of a file that is named without one, the first that the log names."""
    for file in context.files:
        name = re.escape(file.path.rpartition("/")[2])
        numbers = [int(one) for one in re.findall(rf"{name}(?::|\", line |\((?:line )?)(\d+)", said)]
        if not numbers and file.path in said:
            numbers = list(file.named[:1])
        for number in dict.fromkeys(numbers):
            if number in file.named and number <= len(file.lines):
                yield _line(file, number, context.green)


def _line(file: SourceFile, number: int, green: int) -> Evidence:
    new = f", new since run {green}" if number in file.added and green else ""
    return Evidence(file.path, number, file.lines[number - 1], f"at {file.sha}{new}")


def _told(change: Change, context: Context) -> Evidence:
    return Evidence(since(context.green), 0, change.told)
