"""Where it is worst: bins and categories, alone and in pairs, whose rows err more or have become more."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from pipelines.drift.pairing import Pair, bin_names, bins_of
from pipelines.drift.values import FeatureDrift, Segment
from pipelines.profiles import Distribution

MOST_SEGMENTS = 5
# Features looked at alone, and in pairs: the search is bounded whatever the width of the table.
MOST_ALONE = 30
MOST_IN_PAIRS = 5
LEAST_SHARE = 0.03
LEAST_ROWS = 30
# A pair must be this much worse than either of its halves to be worth a longer sentence.
WORSE_THAN_HALVES = 1.25


def grown_segments(
    sides: Mapping[str, tuple[Distribution, Distribution]], features: Sequence[FeatureDrift]
) -> tuple[Segment, ...]:
    """Of each feature that drifted the bin that gained most rows, largest gain first. `sides`: then and now."""
    found = []
    for feature in features:
        if not feature.drifted or feature.name not in sides:
            continue
        reference, current = sides[feature.name]
        then, now = _counts(reference), _counts(current)
        gained = now / max(now.sum(), 1) - then / max(then.sum(), 1)
        place = int(gained.argmax())
        if gained[place] > 0:
            where = f"{feature.name} {bin_names(reference)[place]}"
            shares = float(then[place] / max(then.sum(), 1)), float(now[place] / max(now.sum(), 1))
            found.append(Segment(where, (feature.name,), int(now[place]), *shares))
    return tuple(sorted(found, key=lambda segment: segment.share_before - segment.share_now)[:MOST_SEGMENTS])


def erring_segments(pairs: Sequence[Pair], rows: Any, errors: Any, expected: Any) -> tuple[Segment, ...]:
    """Parts of the current `rows` with most errors (0 or 1 a row) beyond what was `expected` of them."""
    sliced = [(pair, bins_of(pair.now, pair.reference)[rows]) for pair in pairs[:MOST_ALONE]]
    least = max(LEAST_ROWS, LEAST_SHARE * len(rows))
    alone = [
        (*_score(bins == place, errors, expected), (index, place))
        for index, (_, bins) in enumerate(sliced)
        for place in range(int(bins.max()) + 1)
    ]
    alone = sorted((item for item in alone if item[1] >= least), reverse=True)
    best = list(dict.fromkeys(item[2][0] for item in alone))[:MOST_IN_PAIRS]
    candidates: list[tuple[float, int, tuple[tuple[int, int], ...]]] = [
        (score, size, (slice_,)) for score, size, slice_ in alone
    ]
    single = {slice_: score for score, _, slice_ in alone}
    for one, other in combinations(best, 2):
        for first in range(int(sliced[one][1].max()) + 1):
            mask = sliced[one][1] == first
            if mask.sum() < least:
                continue
            for second in range(int(sliced[other][1].max()) + 1):
                score, size = _score(mask & (sliced[other][1] == second), errors, expected)
                halves = max(single.get((one, first), 0.0), single.get((other, second), 0.0))
                if size >= least and score > WORSE_THAN_HALVES * halves:
                    candidates.append((score, size, ((one, first), (other, second))))
    return _described(sorted(candidates, reverse=True), sliced, errors, expected, rows)


def _described(candidates: Any, sliced: Any, errors: Any, expected: Any, rows: Any) -> tuple[Segment, ...]:
    found: list[Segment] = []
    used: set[tuple[str, ...]] = set()
    for score, size, slices in candidates:
        if score < 3 or len(found) == MOST_SEGMENTS:
            break
        mask = np.ones(len(rows), dtype=bool)
        words, names, before = [], [], 1.0
        for index, place in slices:
            pair, bins = sliced[index]
            mask &= bins == place
            words.append(f"{pair.name} {bin_names(pair.reference)[place]}")
            names.append(pair.name)
            counts = _counts(pair.reference)
            before *= float(counts[place] / max(counts.sum(), 1))
        if tuple(names) in used:
            continue
        used.add(tuple(names))
        rates = float(expected[mask].mean()), float(errors[mask].mean())
        found.append(Segment(" and ".join(words), tuple(names), size, before, size / len(rows), *rates))
    return tuple(found)


def _score(mask: Any, errors: Any, expected: Any) -> tuple[float, int]:
    """Standard deviations by which errors exceed what was expected, and how many rows."""
    size = int(mask.sum())
    if not size:
        return 0.0, 0
    chance = expected[mask]
    return float((errors[mask] - chance).sum()) / math.sqrt(float((chance * (1 - chance)).sum()) + 1), size


def _counts(distribution: Any) -> Any:
    """Rows of each bin; the last entry is for what is missing."""
    if isinstance(distribution.counts, dict):
        return np.array([*distribution.counts.values(), distribution.other, distribution.missing], float)
    return np.array([*distribution.counts, distribution.missing], float)
