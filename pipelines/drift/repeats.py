"""Rows that came more than once: sent again, or joined twice. They tell nothing new and make chance look sure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipelines.drift.columns import Moments, Numbers, Table, Texts

# So few rows of the reference may repeat, lest repeats be a matter of course; and so many current ones must.
USUAL_SHARE, LEAST_SHARE = 0.01, 0.05


def without_repeats(reference: Table, current: Table, names: Sequence[str]) -> tuple[Table, str]:
    """The current rows, each once, and a note that says so, where the reference hardly has two that are alike.

    `names` are the columns that make a row what it is; the first of rows that agree in all of them stays.
    """
    shared = [name for name in names if name in reference.columns and name in current.columns]
    if not shared or not reference.rows or not current.rows:
        return current, ""
    first = _first(current, shared)
    repeated = 1 - len(first) / current.rows
    if repeated < LEAST_SHARE or 1 - len(_first(reference, shared)) / reference.rows > USUAL_SHARE:
        return current, ""
    note = f"{current.rows - len(first):,} of the {current.rows:,} current rows repeat another one and were not counted"
    kept = current.take(first)
    return Table(kept.columns, kept.rows, kept.rows, current.left_out), note


def _first(table: Table, names: Sequence[str]) -> Any:
    """Places of the first of rows that are alike, in order."""
    keys = np.stack([_key(table.columns[name]) for name in names], axis=1)
    _, places = np.unique(_hashed(keys), return_index=True)
    return np.sort(places)


def _key(column: Numbers | Texts | Moments) -> Any:
    if isinstance(column, Texts):
        return column.codes.astype(np.uint64)
    values = column.values if isinstance(column, Numbers) else column.seconds
    return np.where(np.isnan(values), np.inf, values + 0.0).astype(np.float64).view(np.uint64)


def _hashed(keys: Any) -> Any:
    """One number a row (FNV's prime with a shift; by chance two of a million rows agree once in ten million times)."""
    found = np.full(len(keys), 0xCBF29CE484222325, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for place in range(keys.shape[1]):
            found = (found ^ keys[:, place]) * np.uint64(0x9E3779B97F4A7C15)
            found ^= found >> np.uint64(29)
    return found
