"""What windows of the reference do among themselves: the same hours and weekdays, and rows that come in flocks."""

import math
from typing import Any

import numpy as np

from pipelines import profiles
from pipelines.drift.columns import Moments, Numbers, Texts
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


def independent_share(pair: Pair) -> float:
    """The share of rows that tell something new, (1 - r) / (1 + r) of neighbouring rows; 1 where they are unrelated.

    The smaller correlation of the two sides: where only one has it, its distribution changed within the window.
    """
    related = min(_related(side, pair) for side in (pair.before, pair.now))
    return (1 - related) / (1 + related)


def _related(side: Numbers | Texts, pair: Pair) -> float:
    if isinstance(side, Numbers):
        edges = pair.reference.edges if isinstance(pair.reference, profiles.Numbers) else ()
        if not edges:
            return 0.0
        values = np.clip(
            side.values[side.present], edges[0] - abs(edges[0]) - 1 if len(edges) == 1 else edges[0], edges[-1]
        )
    else:
        counts = side.counts()
        values = (side.codes == int(counts.argmax())).astype(float) if len(counts) else np.zeros(0)
    if len(values) < 50:
        return 0.0
    centred = values - values.mean()
    total = float(np.square(centred).sum())
    if not total or not math.isfinite(total):
        return 0.0
    related = float((centred[1:] * centred[:-1]).sum()) / total
    return min(related, 0.999) if related > max(0.1, 4 / math.sqrt(len(values))) else 0.0


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
