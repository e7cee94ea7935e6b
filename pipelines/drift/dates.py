"""Dates of things: which column is the clock of the rows, and what of the others can be compared as days."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pipelines.drift.columns import Column, Moments, Numbers, Table
from pipelines.drift.pairing import Pair

DAY = 86_400
YEAR_2000, YEAR_2100 = 946_684_800, 4_102_444_800
# So many current rows must lie behind nearly all of the reference for a column to go on with time.
MOST, NEARLY_ALL = 0.95, 0.99
# A date this closely related to the clock goes along with it, as a delivery does with its order.
TIED = 0.5


def with_moments(reference: Table, current: Table, names: Collection[str]) -> tuple[Table, Table]:
    """Columns of these names (in small letters) that hold seconds or milliseconds since 1970 on both sides, as moments.

    Before 2000 and after 2100 they are taken for other numbers.
    """
    sides: tuple[dict[str, Column], dict[str, Column]] = dict(reference.columns), dict(current.columns)
    for name in sides[0]:
        columns = sides[0][name], sides[1].get(name)
        if name.lower() not in names:
            continue
        for unit in (1, 1_000):
            values = [column.values / unit for column in columns if isinstance(column, Numbers)]
            if len(values) == 2 and all(_in_our_time(side) for side in values):
                sides[0][name], sides[1][name] = (Moments(side) for side in values)
    return replace(reference, columns=sides[0]), replace(current, columns=sides[1])


def _in_our_time(seconds: Any) -> bool:
    known = seconds[np.isfinite(seconds)]
    return bool(len(known)) and known.min() >= YEAR_2000 and known.max() < YEAR_2100


def follows(reference: Moments, current: Moments) -> bool:
    """Whether the current rows mostly come after the reference's, as a clock's do and birthdays do not."""
    then, now = reference.seconds[reference.present], current.seconds[current.present]
    return bool(len(then) and len(now) and (now > np.quantile(then, NEARLY_ALL)).mean() >= MOST)


def tied(date: Moments, clock: Moments) -> bool:
    """Whether a date moves with the clock of its rows."""
    both = date.present & clock.present
    one, other = date.seconds[both], clock.seconds[both]
    return bool(len(one) > 2 and np.ptp(one) and np.ptp(other) and np.corrcoef(one, other)[0, 1] >= TIED)


def in_days(table: Table, dates: Mapping[str, str]) -> Table:
    """The `dates`, each with the clock that it goes along with or "", as days after that clock or since 1970."""
    columns: dict[str, Column] = dict(table.columns)
    for name, clock in dates.items():
        column, since = table.columns.get(name), table.columns.get(clock)
        if isinstance(column, Moments):
            start = since.seconds if isinstance(since, Moments) else 0.0
            columns[name] = Numbers((column.seconds - start) / DAY)
    return replace(table, columns=columns)


def change_of_dates(pair: Pair, clock: str) -> str:
    """As comparison.change_of, in words of the calendar."""
    sides = [side.values[side.present] for side in (pair.before, pair.now) if isinstance(side, Numbers)]
    if len(sides) < 2 or not all(len(side) for side in sides):
        return ""
    before, now = (float(side.mean()) for side in sides)
    if clock:
        return f"mean {before:,.4g} → {now:,.4g} days after {clock}"
    return f"mean {_date(before)} → {_date(now)}"


def _date(days: float) -> str:
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days):%Y-%m-%d}"
    except OverflowError:
        return f"{days:,.4g} days"
