"""A sensor that stands still: one value in row after row, for far longer than chance would have it."""

import math
from typing import Any

import numpy as np

from pipelines.drift.columns import Column, Moments, Numbers, Texts

# It must stand still for so many rows, and for such a share of them, with one chance in a million.
LEAST_RUN, LEAST_SHARE, BY_CHANCE = 30, 0.15, 1e-6
# All other stretches of one value are as short as this, else the rows come in the order of something.
MOST_OTHERS = 0.2
# What it stands still at comes more often than before, and as often as before elsewhere where it was common: rows that
# were put in some order do neither.
MORE_OFTEN, COMMON = 0.1, 0.02


def standstill(reference: Column, current: Column) -> tuple[str, float] | None:
    """The value that a column froze at, and the share of its rows; None where it did not."""
    if isinstance(reference, Moments) or isinstance(current, Moments):
        return None
    values, usual = _values(current), _values(reference)
    if len(values) < 2 * LEAST_RUN or len(usual) < 2 * LEAST_RUN:
        return None
    starts, lengths = runs(values)
    longest = int(lengths.argmax())
    length, value = int(lengths[longest]), values[starts[longest]]
    if length < max(LEAST_RUN, LEAST_SHARE * len(values)) or length == len(values):
        return None
    before, now = float((usual == value).mean()), float((values == value).mean())
    rest = (now * len(values) - length) / (len(values) - length)
    # Lest a value that was seen nowhere be impossible: as if it had been seen once.
    chance = length * math.log(max(before, 1 / len(usual))) + math.log(len(values))
    others = np.delete(lengths, longest).max(initial=0), runs(usual)[1].max()
    if chance > math.log(BY_CHANCE) or now - before < MORE_OFTEN or max(others) > MOST_OTHERS * length:
        return None
    if rest < before / 2 and before > COMMON:
        return None
    return _named(current, value), length / len(values)


def runs(values: Any) -> tuple[Any, Any]:
    """Where each stretch of one value begins, and how many rows it holds."""
    starts = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    return starts, np.diff(np.append(starts, len(values)))


def _values(column: Numbers | Texts) -> Any:
    """Values that are there; texts as their names, since codes differ from table to table."""
    if isinstance(column, Numbers):
        return column.values[column.present]
    return np.array(column.levels, dtype=object)[column.codes[column.present]]


def _named(column: Numbers | Texts, value: Any) -> str:
    return f"{value:,.6g}" if isinstance(column, Numbers) else f"“{value}”"
