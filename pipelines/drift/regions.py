"""Regions of the inputs along what they say together of the outcome: a rule changes at its border first."""

import math
from typing import Any

import numpy as np

from pipelines.drift import boosting, oblique

# Of 62 equal parts of the line so many together, and from one region to the next so many further.
REGIONS = ((3, 1), (6, 2))
LEAST_ROWS = 150
# Of so many regions a few were luckier in the reference than they should have been.
DOUBTS = 2.0
# A model that never erred on the reference may err here and there.
LEAST_RATE, MOST_RATE = 0.002, 0.95


def regions_of(values: tuple[Any, Any], target: Any, outputs: int, problem: str) -> list[tuple[Any, Any]]:
    """Masks over the rows of the reference and over the current ones: those that lie close together along the line.

    `values`: rows x features of both sides. Empty where there are too few rows for a line.
    """
    line = oblique.fit(values[0], target, outputs, problem)
    if line is None:
        return []
    before, now = (line.places(side) for side in values)
    found = []
    for width, step in REGIONS:
        for start in range(0, 2 * boosting.BINS - width, step):
            then, since = ((side >= start) & (side < start + width) for side in (before, now))
            if then.sum() >= LEAST_ROWS:
                found.append((then, since))
    return found


def stratum(wrong: Any, now: Any) -> tuple[Any, Any]:
    """The current rows of a region (a mask), and how likely each row is to be wrong by what the reference had there."""
    rate = (wrong.sum() + 0.5) / (len(wrong) + 1)
    doubt = math.sqrt(rate * (1 - rate) / (len(wrong) + 1))
    return now, np.full(len(now), cautious_rate(rate, DOUBTS * doubt))


def cautious_rate(rate: Any, doubt: Any) -> Any:
    """What an error rate may be at most, for all that is known, give or take its standard error `doubt`."""
    return np.clip(rate + doubt + LEAST_RATE, LEAST_RATE, MOST_RATE)
