"""What the ranker knows of a line: its own looks, its neighbours', and where it stands."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.evidence.cues import CUES, GROUPS, Group
from pipelines.evidence.lines import Table
from pipelines.evidence.scanning import cue_scanner
from pipelines.evidence.templates import skeleton_ids

SPANS = ((-1, -1), (1, 1), (-5, -1), (1, 5), (-25, -1), (1, 25))
_CUE = {cue.name: number for number, cue in enumerate(CUES)}


@dataclass(frozen=True, slots=True)
class Looks:
    """Per line: `cues` (lines x cues), `groups` (lines x groups), `template` and its `copies`, `length` of the text."""

    cues: Any
    groups: Any
    template: Any
    copies: Any
    length: Any
    indent: Any


def looks(lines: Table, plain: bool = False) -> Looks:
    import numpy

    count = len(lines)
    content = b"\n".join(lines.bare) + b"\n" if count else b""
    ends = numpy.flatnonzero(numpy.frombuffer(content, numpy.uint8) == 10)
    cues = numpy.zeros((count, len(CUES)), bool)
    which, where = cue_scanner(plain).lines(content, ends)
    cues[where, which] = True
    template, copies = skeleton_ids(lines.bare)
    templates = numpy.array(template, numpy.int64)
    length = numpy.array([len(line) for line in lines.bare], numpy.float32)
    stripped = numpy.array([len(line.lstrip()) for line in lines.bare], numpy.float32)
    return Looks(
        cues,
        _grouped(cues),
        templates,
        numpy.array(copies, numpy.float32)[templates] if count else numpy.empty(0, numpy.float32),
        length,
        length - stripped,
    )


def _grouped(cues: Any) -> Any:
    import numpy

    columns = [[number for number, cue in enumerate(CUES) if cue.group == group] for group in GROUPS]
    return numpy.stack([cues[:, column].any(axis=1) for column in columns], axis=1).astype(numpy.float32)


def has(found: Looks, *names: str) -> Any:
    """Whether a line shows any of these cues."""
    return found.cues[:, [_CUE[name] for name in names]].any(axis=1)


def matrix(lines: Table, found: Looks) -> Any:
    """Lines x features, in the order of `names()`."""
    import numpy

    if not len(lines):
        return numpy.zeros((0, len(names())), numpy.float32)
    gaps = _gaps(lines)
    opens = (gaps > 0)[:, None].astype(numpy.float32)
    around = [_windowed(numpy.concatenate([found.groups, opens], axis=1), first, last) for first, last in SPANS]
    parts = [
        found.cues.astype(numpy.float32),
        *around,
        _position(lines, found, gaps),
        _shape(lines, found),
        _novelty(found, gaps),
        _paragraphs(found, gaps),
    ]
    return numpy.concatenate(parts, axis=1).astype(numpy.float32)


@cache
def names() -> tuple[str, ...]:
    around = [f"{group} {first}..{last}" for first, last in SPANS for group in (*GROUPS, "gap")]
    return (*(cue.name for cue in CUES), *around, *POSITIONS, *SHAPES, *NOVELTIES, *PARAGRAPHS)


@cache
def _own() -> tuple[int, ...]:
    """Columns that speak of a line itself; the others differ little from those of the line above it."""
    beside = {*SHAPES, "gap above", "gap below", "from last gap", "to next gap"}
    return tuple(column for column, name in enumerate(names()) if column < len(CUES) or name in beside)


def edges(features: Any, rows: Any) -> Any:
    """Features of what lies between each of `rows` and the row below it: all of the one, the other's own looks."""
    import numpy

    return numpy.concatenate([features[rows], features[rows + 1][:, list(_own())]], axis=1, dtype=numpy.float32)


def _gaps(lines: Table) -> Any:
    """Per line, how many more lines than usual were passed over above it; some logs have a blank one behind each."""
    import numpy

    numbers = numpy.array(lines.numbers, numpy.int64)
    above = numpy.diff(numbers, prepend=numbers[:1]) - 1
    return numpy.maximum(above - numpy.median(above), 0)


def _windowed(groups: Any, first: int, last: int) -> Any:
    """Sums of each column over the lines from `first` to `last` relative to each line."""
    import numpy

    count = len(groups)
    sums = numpy.concatenate([numpy.zeros((1, groups.shape[1]), numpy.float32), groups.cumsum(axis=0)])
    rows = numpy.arange(count)
    low = numpy.clip(rows + first, 0, count)
    high = numpy.clip(rows + last + 1, 0, count)
    return sums[numpy.maximum(high, low)] - sums[low]


POSITIONS = (
    "from start", "to end", "before last marker", "behind last marker", "to next marker", "from start of step",
    "to next step", "step from last", "errors before", "errors behind", "errors before in step",
    "errors behind in step", "to next summary", "frames before in step", "from last gap", "to next gap",
    "behind first error",
)  # fmt: skip


def _position(lines: Table, found: Looks, gaps: Any) -> Any:
    import numpy

    count = len(lines)
    rows = numpy.arange(count)
    marker = found.groups[:, GROUPS.index("marker")] > 0
    start = found.groups[:, GROUPS.index("start")] > 0
    error = found.groups[:, GROUPS.index("error")]
    summary = found.groups[:, GROUPS.index("summary")] > 0
    opens = gaps > 0
    last = int(numpy.flatnonzero(marker)[-1]) if marker.any() else count
    step = numpy.cumsum(start)
    opening = _previous(start)
    closing = _next(start, count)
    before = numpy.concatenate([[0], numpy.cumsum(error)])
    frames = numpy.concatenate([[0], numpy.cumsum(found.groups[:, GROUPS.index("frame")])])
    first = int(numpy.flatnonzero(error)[0]) if error.any() else count
    columns = [
        rows,
        count - rows,
        numpy.maximum(last - rows, 0),
        numpy.maximum(rows - last, 0),
        _next(marker, count) - rows,
        rows - opening,
        closing - rows,
        (step[-1] if count else 0) - step,
        before[:-1],
        before[-1] - before[1:],
        before[:-1] - before[numpy.maximum(opening, 0)],
        before[numpy.minimum(closing, count)] - before[1:],
        _next(summary, count) - rows,
        frames[:-1] - frames[numpy.maximum(opening, 0)],
        rows - _previous(opens),
        _next(numpy.append(opens[1:], True), count) - rows,
        numpy.maximum(rows - first, 0),
    ]
    return numpy.log1p(numpy.maximum(numpy.stack(columns, axis=1), 0).astype(numpy.float32))


def _previous(flags: Any) -> Any:
    """For each row, the last row up to it where the flag stands; -1 without one."""
    import numpy

    rows = numpy.where(flags, numpy.arange(len(flags)), -1)
    return numpy.maximum.accumulate(rows) if len(rows) else rows


def _next(flags: Any, without: int) -> Any:
    """For each row, the first row from it on where the flag stands."""
    import numpy

    rows = numpy.where(flags, numpy.arange(len(flags)), without)
    return numpy.minimum.accumulate(rows[::-1])[::-1] if len(rows) else rows


SHAPES = (
    "length", "indent", "copies", "first of its shape", "same shape as above", "letters", "digits", "capitals",
    "relative position", "total", "error density", "length above", "indent above", "indent below",
)  # fmt: skip
_LETTERS = bytes(range(65, 91)) + bytes(range(97, 123))
_DIGITS = b"0123456789"
_CAPITALS = bytes(range(65, 91))


def _shape(lines: Table, found: Looks) -> Any:
    import numpy

    count = len(lines)
    share = [_share(lines.bare, kind) for kind in (_LETTERS, _DIGITS, _CAPITALS)]
    first = numpy.zeros(count, bool)
    first[numpy.unique(found.template, return_index=True)[1]] = True
    above = numpy.roll(found.template, 1)
    error = found.groups[:, GROUPS.index("error")]
    density = numpy.full(count, error.mean() if count else 0.0)
    columns = [
        numpy.log1p(found.length),
        numpy.log1p(found.indent),
        numpy.log1p(found.copies),
        first,
        (found.template == above) & (numpy.arange(count) > 0),
        *share,
        numpy.arange(count) / max(count, 1),
        numpy.full(count, numpy.log1p(count)),
        density,
        numpy.log1p(numpy.roll(found.length, 1)),
        numpy.log1p(numpy.roll(found.indent, 1)),
        numpy.log1p(numpy.roll(found.indent, -1)),
    ]
    return numpy.stack([numpy.asarray(column, numpy.float32) for column in columns], axis=1)


def _share(lines: list[bytes], kind: bytes) -> Any:
    import numpy

    return numpy.array([1 - len(line.translate(None, kind)) / len(line) if line else 0.0 for line in lines])


NOVELTIES = (
    "gap above", "gap below", "new 5 above", "new 5 below", "new 25 above", "new 25 below", "copies 5 above",
    "copies 5 below", "copies 25 above", "copies 25 below", "rarer than above", "rarer than below",
)  # fmt: skip


def _novelty(found: Looks, gaps: Any) -> Any:
    """Whether a line and those around it are seen for the first time, amid what the log prints all the time."""
    import numpy

    count = len(gaps)
    first = numpy.zeros(count, numpy.float32)
    first[numpy.unique(found.template, return_index=True)[1]] = 1
    copies = numpy.log1p(found.copies)
    values = numpy.stack([first, copies, numpy.ones(count, numpy.float32)], axis=1)
    spans = [_windowed(values, low, high) for low, high in ((-5, -1), (1, 5), (-25, -1), (1, 25))]
    shares = [span[:, :2] / numpy.maximum(span[:, 2:], 1) for span in spans]
    columns = [
        numpy.log1p(gaps),
        numpy.log1p(numpy.append(gaps[1:], 0)),
        *(share[:, 0] for share in shares),
        *(share[:, 1] for share in shares),
        shares[2][:, 1] - copies,
        shares[3][:, 1] - copies,
    ]
    return numpy.stack([numpy.asarray(column, numpy.float32) for column in columns], axis=1)


_COUNTED: tuple[Group, ...] = ("error", "weak", "frame", "place", "detail", "summary", "pass", "noise")
PARAGRAPHS = (*(f"{group} in paragraph" for group in _COUNTED), "lines of paragraph", "copies in paragraph")


def _paragraphs(found: Looks, gaps: Any) -> Any:
    """What the lines between two gaps show together."""
    import numpy

    which = numpy.cumsum(gaps > 0)
    counted = [found.groups[:, GROUPS.index(group)] for group in _COUNTED]
    lines = numpy.maximum(numpy.bincount(which), 1)
    copies = numpy.bincount(which, numpy.log1p(found.copies)) / lines
    columns = [numpy.log1p(numpy.bincount(which, column)[which]) for column in counted]
    return numpy.stack([*columns, numpy.log1p(lines[which]), copies[which]], axis=1).astype(numpy.float32)
