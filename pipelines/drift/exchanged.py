"""Labels that only changed their names: the outcomes are as they were, once classes change places."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

LEAST_ROWS = 50
# A class must have been said so often for its place to be known.
LEAST_SAID = 15
# Errors after turning may be so many more than expected, beyond chance.
TOLERANCE, STANDARD_ERRORS = 0.02, 3.0


def exchanged_classes(said: Any, actual: Any, expected: Any, names: Sequence[str]) -> str:
    """Which classes changed places, as "“0” and “1”", where that leaves no more errors than `expected`; else "".

    `said` and `actual` are class numbers, `expected` how likely each row was to be wrong.
    """
    if len(said) < LEAST_ROWS or not names:
        return ""
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (said, actual), 1)
    known = np.flatnonzero(counts.sum(axis=1) >= LEAST_SAID)
    means = {int(place): int(counts[place].argmax()) for place in known}
    if len(set(means.values())) < len(means) or all(place == meant for place, meant in means.items()):
        return ""
    places = np.array([means.get(place, place) for place in range(len(names))])
    error, usual = float((places[said] != actual).mean()), float(expected.mean())
    if error > usual + TOLERANCE + STANDARD_ERRORS * math.sqrt(usual * (1 - usual) / len(said)):
        return ""
    moved = sorted(place for place, meant in means.items() if place != meant)
    return " and ".join(f"“{names[place]}”" for place in moved[:4])
