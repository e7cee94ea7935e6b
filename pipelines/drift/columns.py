"""The columns of a table as they are judged: numbers, texts and moments, in numpy."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Share of texts that must read as numbers or moments for the column to count as such.
MOSTLY = 0.95
BOOLEANS = {"true": "true", "false": "false"}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Floats; what is missing or no number is NaN. `unreadable` texts stood among them."""

    values: Any
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.values)

    @property
    def present(self) -> Any:
        return np.isfinite(self.values)

    def take(self, rows: Any) -> "Numbers":
        return Numbers(self.values[rows], self.unreadable)


@dataclass(frozen=True, slots=True)
class Texts:
    """`codes` into `levels`; a negative code is missing. `boolean` where the file itself knows true and false."""

    codes: Any
    levels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def present(self) -> Any:
        return self.codes >= 0

    def take(self, rows: Any) -> "Texts":
        return Texts(self.codes[rows], self.levels)

    def counts(self) -> Any:
        """Rows of each level."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))


@dataclass(frozen=True, slots=True)
class Moments:
    """Seconds since 1970 in UTC; missing is NaN."""

    seconds: Any

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def present(self) -> Any:
        return np.isfinite(self.seconds)

    def take(self, rows: Any) -> "Moments":
        return Moments(self.seconds[rows])


Column = Numbers | Texts | Moments


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file, in its order; a random sample of them where there are more than `rows` says.

    `left_out` are columns that hold no values that could be compared, with the reason ("holds lists").
    """

    columns: Mapping[str, Column]
    rows: int
    total_rows: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    def take(self, rows: Any) -> "Table":
        return Table({name: column.take(rows) for name, column in self.columns.items()}, len(rows), len(rows))


def settled(column: Column, alike: Column | None = None) -> Column:
    """Texts that are numbers or moments as such. With `alike`, the column of the other table, half of them suffice."""
    if not isinstance(column, Texts) or not len(column.levels):
        return column
    if isinstance(alike, Texts):
        return _folded(column)
    needed = 0.5 if isinstance(alike, Numbers) else MOSTLY
    counts = column.counts()
    numbers = np.array([_number(level) for level in column.levels])
    readable = np.isfinite(numbers)
    if counts[readable].sum() >= needed * counts.sum():
        values = np.append(numbers, np.nan)[column.codes]
        return Numbers(values, int(counts[~readable].sum()))
    moments = _moments(column.levels)
    if counts[np.isfinite(moments)].sum() >= MOSTLY * counts.sum():
        return Moments(np.append(moments, np.nan)[column.codes])
    return _folded(column)


def as_texts(column: Column) -> Texts:
    """Numbers as texts, for a column whose other side holds texts."""
    if isinstance(column, Texts):
        return column
    values = column.values if isinstance(column, Numbers) else column.seconds
    present = np.isfinite(values)
    levels, codes = np.unique(values[present], return_inverse=True)
    found = np.full(len(values), -1, dtype=np.int64)
    found[present] = codes
    return Texts(found, tuple(_text(value) for value in levels.tolist()))


def truth_as_number(column: Column) -> Column:
    """True and false as 1 and 0; any other column as it is."""
    if not isinstance(column, Texts) or not column.levels or not set(column.levels) <= set(BOOLEANS):
        return column
    return Numbers(np.array([*(float(level == "true") for level in column.levels), np.nan])[column.codes])


def _folded(column: Texts) -> Texts:
    """True and TRUE as true where there is nothing else; else the column itself."""
    lowered = [level.lower() for level in column.levels]
    if not set(lowered) <= set(BOOLEANS):
        return column
    names = tuple(sorted(set(lowered)))
    places = np.array([*(names.index(level) for level in lowered), -1])
    return Texts(places[column.codes], names)


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "") if _grouped(text) else text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _grouped(text: str) -> bool:
    """Thousands separated by commas, as 1,234,567."""
    whole, _, rest = text.strip().lstrip("+-").partition(".")
    groups = whole.split(",")
    return (
        len(groups) > 1
        and 1 <= len(groups[0]) <= 3
        and all(len(group) == 3 and group.isdigit() for group in groups[1:])
        and groups[0].isdigit()
        and (not rest or rest.isdigit())
    )


def _text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _moments(levels: tuple[str, ...]) -> Any:
    """Seconds of each text that is a moment in ISO 8601 with at least year, month and day; NaN for others."""
    found = np.full(len(levels), np.nan)
    # A look at a few first: texts of every kind would each raise in turn.
    few = np.linspace(0, len(levels) - 1, min(len(levels), 50)).astype(int)
    if sum(math.isfinite(_moment(levels[place])) for place in few) < MOSTLY * len(few) - 1:
        return found
    for place, level in enumerate(levels):
        found[place] = _moment(level)
    return found


def _moment(text: str) -> float:
    from datetime import UTC, datetime

    text = text.strip()
    if len(text) < 10 or not text[:4].isdigit() or text[4] not in "-/":
        return math.nan
    try:
        moment = datetime.fromisoformat(text.replace("/", "-").replace("Z", "+00:00"))
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
