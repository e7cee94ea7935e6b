"""What windows of the reference do among themselves: the same hours and weekdays, and rows that come in flocks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines import profiles
from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts
from pipelines.drift.comparison import compare
from pipelines.drift.pairing import Pair, bins_of

HOUR, DAY = 3_600, 86_400
LEAST_BLOCKS, MOST_BLOCKS = 4, 30
LEAST_ROWS = 200
# Blocks of the reference count as different from it beyond this p-value, so that their own noise is no band.
BLOCK_P = 0.001
# A window that covers less than this share of the day's hours or the week's days is compared with the like.
PARTLY = 0.8
LEAST_DAYS, LEAST_WEEKS = 3, 2
# Blocks of the reference that show by themselves how much windows of this size differ.
LEAST_BATCHES = 8
# A column tells of sorting where so many rows hold another value than the commonest, and nearly none turns back.
LEAST_TURNED, NEARLY_ALL = 20, 0.999


def alike_rows(reference: Moments, current: Moments) -> tuple[Any, str]:
    """Rows of the reference at the hours and on the weekdays that the current window covers, and how to say so.

    All rows where the window covers the whole day and week, or the reference is too short to know them.
    """
    then, now = reference.seconds, current.seconds
    known = np.isfinite(then)
    everything = np.arange(len(then)), ""
    if not known.any() or not np.isfinite(now).any():
        return everything
    span_days = float(np.nanmax(then) - np.nanmin(then)) / DAY
    mask, words = known.copy(), []
    for least, length, slots, word in (
        (LEAST_DAYS, HOUR, 24, "hours of the day"), (LEAST_WEEKS * 7, DAY, 7, "days of the week"),
    ):  # fmt: skip
        present = np.unique((now[np.isfinite(now)] // length).astype(np.int64) % slots)
        usual = np.unique((then[known] // length).astype(np.int64) % slots)
        if span_days >= least and len(present) < PARTLY * len(usual):
            slot = np.where(known, (np.nan_to_num(then) // length).astype(np.int64) % slots, -1)
            mask &= np.isin(slot, present)
            words.append(word)
    rows = np.flatnonzero(mask)
    if not words or len(rows) < LEAST_ROWS:
        return everything
    return rows, f"compared with the same {' and '.join(words)} of the reference"


def usual_strength(pair: Pair, block_rows: int) -> float:
    """The strength that blocks of the reference of this size reach against all of it; 0 where there are too few."""
    rows = len(pair.before)
    blocks = min(MOST_BLOCKS, rows // max(1, block_rows))
    if blocks < LEAST_BLOCKS:
        return 0.0
    bins = bins_of(pair.before, pair.reference)
    width = len(pair.reference.counts) + (1 if isinstance(pair.reference, profiles.Numbers) else 2)
    block = np.minimum(np.arange(rows) * blocks // rows, blocks - 1)
    counts = np.bincount(block * width + bins, minlength=blocks * width).reshape(blocks, width)
    usual = 0.0
    for own in counts:
        rest = counts.sum(axis=0) - own
        found = compare(_again(pair, rest), _again(pair, own), named_by_both=True)
        if min(found.value_p, found.missing_p or 1.0) < BLOCK_P:
            usual = max(usual, found.strength)
    return usual


@dataclass(frozen=True, slots=True)
class Order:
    """What the order of the rows tells. `key` is the column whose values the reference is sorted by, "" in time.

    `slots`, where the rows have a clock, are the hours of the day or week of both sides.
    """

    key: str = ""
    slots: tuple[Any, Any] | None = None
    sorted_now: bool = False


def order_of(reference: Table, current: Table, clock: str, names: Sequence[str]) -> Order:
    """By the clock where there is one; else in time, unless the reference is sorted by one of the columns `names`."""
    then, now = reference.columns.get(clock), current.columns.get(clock)
    if isinstance(then, Moments) and isinstance(now, Moments):
        return Order(slots=_slots(then, now))
    for name in names:
        before, after = reference.columns.get(name), current.columns.get(name)
        if before is not None and after is not None and _sorted(before) and _lies_among(before, after):
            return Order(name, sorted_now=_sorted(after))
    return Order()


def _slots(then: Moments, now: Moments) -> tuple[Any, Any] | None:
    known = then.seconds[then.present]
    span_days = float(np.ptp(known)) / DAY if len(known) else 0.0
    if span_days < LEAST_DAYS:
        return None
    length = 7 * 24 if span_days >= LEAST_WEEKS * 7 else 24
    hours = (np.where(side.present, side.seconds // HOUR % length, length).astype(np.intp) for side in (then, now))
    return next(hours), next(hours)


def _sorted(column: Column) -> bool:
    """Whether numbers never turn, or each category stands in one run; by chance neither happens."""
    if isinstance(column, Moments):
        return False
    values = column.values[column.present] if isinstance(column, Numbers) else column.codes[column.present]
    different, counts = np.unique(values, return_counts=True)
    if len(values) - counts.max(initial=0) < LEAST_TURNED:
        return False
    steps = np.diff(values)
    if isinstance(column, Texts):
        return int((steps != 0).sum()) == len(different) - 1
    return bool(max((steps >= 0).mean(), (steps <= 0).mean()) > NEARLY_ALL)


def _lies_among(sorted_side: Column, other: Column) -> bool:
    """Whether the other side begins anew; a month or a counter goes on where this one ends."""
    if isinstance(sorted_side, Numbers) and isinstance(other, Numbers):
        ordered, values = sorted_side.values[sorted_side.present], other.values[other.present]
        inside, last = (values >= ordered.min()) & (values <= ordered.max()), values == ordered[-1]
    elif isinstance(sorted_side, Texts) and isinstance(other, Texts):
        codes = sorted_side.codes[sorted_side.present]
        known = {sorted_side.levels[code] for code in np.unique(codes)}
        names = np.array([*other.levels, ""], dtype=object)[other.codes[other.present]]
        inside, last = np.array([name in known for name in names]), names == sorted_side.levels[codes[-1]]
    else:
        return False
    return bool(len(inside) and inside.mean() > 0.5 and last.mean() < NEARLY_ALL)


def independent_share(pair: Pair, order: Order | None = None) -> float:
    """The share of rows that tell something new; 1 where neighbours are unrelated, or sorted by value.

    How much more blocks of the reference, of as many rows as now, differ than chance would have them (batch means);
    where it has too few of them (1 - r) / (1 + r) of neighbouring rows. What the hour of the day or week explains is
    taken out first. The smaller relation of the two sides counts: where only one has it, its distribution changed
    within the window.
    """
    order = order or Order()
    if order.key:
        return 1.0
    before, now = _series(pair.before, pair), _series(pair.now, pair)
    related = min(_related(before), _related(now))
    if related and order.slots is not None:
        before, now = _without_season(before, now, order.slots)
        related = min(_related(before), _related(now))
    if not related:
        return 1.0
    blocks = len(before) // max(1, len(now))
    return _by_blocks(before, blocks) if blocks >= LEAST_BATCHES else (1 - related) / (1 + related)


def _series(side: Numbers | Texts, pair: Pair) -> Any:
    """Numbers within the outer edges, or whether a row is of the commonest category; NaN where it is missing."""
    if isinstance(side, Texts):
        counts = side.counts()
        commonest = (side.codes == int(counts.argmax())).astype(float) if len(counts) else np.zeros(len(side))
        return np.where(side.present, commonest, np.nan)
    edges = pair.reference.edges if isinstance(pair.reference, profiles.Numbers) else ()
    if not edges:
        return np.full(len(side), np.nan)
    low = edges[0] - abs(edges[0]) - 1 if len(edges) == 1 else edges[0]
    return np.clip(np.where(side.present, side.values, np.nan), low, edges[-1])


def _without_season(before: Any, now: Any, slots: tuple[Any, Any]) -> tuple[Any, Any]:
    """Both sides less what the reference has at that hour."""
    known = np.isfinite(before)
    length = int(max(side.max(initial=0) for side in slots)) + 1
    rows = np.bincount(slots[0][known], minlength=length)
    sums = np.bincount(slots[0][known], before[known], minlength=length)
    usual = np.where(rows > 0, sums / np.maximum(rows, 1), before[known].mean() if known.any() else 0.0)
    return before - usual[slots[0]], now - usual[slots[1]]


def _related(series: Any) -> float:
    values = series[np.isfinite(series)]
    if len(values) < 50:
        return 0.0
    centred = values - values.mean()
    total = float(np.square(centred).sum())
    if not total or not math.isfinite(total):
        return 0.0
    related = float((centred[1:] * centred[:-1]).sum()) / total
    return min(related, 0.999) if related > max(0.1, 4 / math.sqrt(len(values))) else 0.0


def _by_blocks(series: Any, blocks: int) -> float:
    """Chance's variance of a block's mean by that of the blocks, with what so few of them may hide (one in ten)."""
    means = np.array([np.nanmean(block) for block in np.array_split(series, blocks) if np.isfinite(block).any()])
    rows, freedom = int(np.isfinite(series).sum()), len(means) - 1
    if freedom < 1:
        return 1.0
    # A low quantile of chi-squared (Wilson and Hilferty 1931).
    low = freedom * (1 - 2 / (9 * freedom) - 1.2816 * math.sqrt(2 / (9 * freedom))) ** 3
    apart = float(np.square(means - means.mean()).sum()) / max(low, 0.1)
    return min(1.0, float(np.nanvar(series)) / (rows / len(means)) / apart) if apart > 0 else 1.0


def _again(pair: Pair, counts: Any) -> profiles.Distribution:
    """A distribution over the same bins with these counts; moments are those of the reference."""
    reference = pair.reference
    whole = [int(count) for count in counts]
    if isinstance(reference, profiles.Numbers):
        ends = reference.minimum, reference.maximum
        present = sum(whole[:-1])
        squares = reference.squares * present / reference.count if reference.count else 0.0
        return profiles.Numbers(reference.edges, tuple(whole[:-1]), whole[-1], reference.mean, squares, *ends)
    named = dict(zip(reference.counts, whole[:-2], strict=True))
    return profiles.Categories(named, whole[-2], whole[-1])
