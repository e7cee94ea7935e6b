"""Change points in a stream of errors: ADWIN where nothing is known of it, CUSUM where its rate is known."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.drift.values import ChangePoint

DELTA = 0.002
BUCKETS_A_SIZE = 5
LEAST_WINDOW = 5
# How much likelier than expected errors may have become; odds.
ODDS = (2.0, 4.0, 10.0)
FALSE_ALARMS = 0.01


class Adwin:
    """A window over numbers in [0, 1] that lets go of its old end as soon as the two ends differ.

    Bifet and Gavalda 2007, "Learning from Time-Changing Data with Adaptive Windowing": exponential histogram,
    memory logarithmic in the window. `update` says whether the window was cut.
    """

    def __init__(self, delta: float = DELTA) -> None:
        self._delta = delta
        # Buckets (rows, sum), newest first, of sizes that double.
        self._buckets: deque[tuple[int, float]] = deque()
        self.width = 0
        self.total = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.width if self.width else 0.0

    def update(self, value: float) -> bool:
        self._buckets.appendleft((1, value))
        self.width += 1
        self.total += value
        self._compress()
        return self.width % 8 == 0 and self._cut()

    def _compress(self) -> None:
        buckets, start, size = self._buckets, 0, 1
        while True:
            end = start
            while end < len(buckets) and buckets[end][0] == size:
                end += 1
            if end - start <= BUCKETS_A_SIZE:
                return
            (rows, one), (_, other) = buckets[end - 2], buckets[end - 1]
            buckets[end - 2] = (2 * rows, one + other)
            del buckets[end - 1]
            start, size = end - 2, 2 * size

    def _cut(self) -> bool:
        cut = False
        while self._ends_differ():
            rows, total = self._buckets.pop()
            self.width -= rows
            self.total -= total
            cut = True
        return cut

    def _ends_differ(self) -> bool:
        variance = max(self.mean * (1 - self.mean), 1e-12)
        rows, total = 0, 0.0
        doubt = math.log(2 * math.log(max(self.width, 3)) / self._delta)
        for bucket_rows, bucket_total in reversed(self._buckets):
            rows, total = rows + bucket_rows, total + bucket_total
            rest = self.width - rows
            if rest < LEAST_WINDOW:
                return False
            if rows < LEAST_WINDOW:
                continue
            inverse = 1 / (rows - LEAST_WINDOW + 1) + 1 / (rest - LEAST_WINDOW + 1)
            least = math.sqrt(2 * inverse * variance * doubt) + 2 / 3 * doubt * inverse
            if abs(total / rows - (self.total - total) / rest) > least:
                return True
        return False


def first_change(errors: Any) -> ChangePoint | None:
    """Where ADWIN first lets go of old errors because they have become more."""
    window = Adwin()
    for noticed, error in enumerate(errors.tolist()):
        before = window.mean
        if window.update(error) and window.mean > before:
            # ADWIN drops whole buckets; the likeliest split of all it saw dates the change better.
            seen = errors[: noticed + 1]
            sizes = np.arange(1, noticed + 1)
            walk = np.cumsum(seen - seen.mean())[:-1]
            row = int((-walk / np.sqrt(sizes * (noticed + 1 - sizes))).argmax()) + 1
            return ChangePoint(row, noticed, float(errors[:row].mean()), float(errors[row:].mean()))
    return None


@dataclass(frozen=True, slots=True)
class Excess:
    """A change point, and the rows among which it was noticed with what was usual there (a probability a row)."""

    point: ChangePoint
    among: Any
    usual: Any


def first_excess(errors: Any, expected: Any, strata: Sequence[tuple[Any, Any]], caution: float = 1.0) -> Excess | None:
    """Where errors first became likelier than `expected` (a probability a row), in all rows or in one of `strata`.

    Page's CUSUM 1954 of the log likelihood ratio for odds that rose to each of ODDS times; the limit allows
    FALSE_ALARMS of a false alarm over all rows and strata. `strata` are masks over the rows, each with what is expected
    there; `caution` above 1 raises the limit where errors come in flocks.
    """
    rows = len(errors)
    if not rows:
        return None
    limit = caution * math.log(max(1.0, float(np.sum(expected))) * len(ODDS) * 3 / FALSE_ALARMS)
    best: tuple[int, int] | None = None
    among, expected_there = np.ones(rows, dtype=bool), expected
    for mask, usual in ((np.ones(rows, dtype=bool), expected), *strata):
        places = np.flatnonzero(mask)
        likely = usual[places]
        for odds in ODDS:
            raised = likely * odds / (1 + likely * (odds - 1))
            ratio = np.where(errors[places] > 0, np.log(raised / likely), np.log((1 - raised) / (1 - likely)))
            found = _page(ratio, limit)
            if found and (best is None or places[found[1]] < best[1]):
                best = int(places[found[0]]), int(places[found[1]])
                among, expected_there = mask, usual
    if best is None:
        return None
    since, noticed = best
    point = ChangePoint(since, noticed, float(expected[since:].mean()), float(errors[since:].mean()))
    return Excess(point, among, expected_there)


def _page(ratio: Any, limit: float) -> tuple[int, int] | None:
    """The row after the lowest point before the sum first rose by `limit` above it, and the row where it did."""
    walk = np.cumsum(ratio)
    lowest = np.minimum.accumulate(np.concatenate([[0.0], walk[:-1]]))
    over = np.flatnonzero(walk - lowest >= limit)
    if not len(over):
        return None
    noticed = int(over[0])
    before = np.concatenate([[0.0], walk[:noticed]])
    return int(before.argmin()), noticed
