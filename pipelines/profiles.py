"""The reference profile: what the data and the predictions looked like at training, for drift to compare with.

`profile.json` beside the model is `to_json(ReferenceProfile)`. Distributions are counts in fixed bins: a later
window is counted with `tally_numbers`, `tally_codes` or `tally_categories` over the reference's own edges or names,
and two windows add up with `merge`. Features are what the model reads: dates are days since 1970, booleans 0 and 1.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

FORMAT = 1
QUANTILES = 10
MOST_CATEGORIES = 50
# A block of floats, its deviations and masks stay in the processor's cache.
BLOCK_ROWS = 1 << 15


@dataclass(frozen=True, slots=True)
class Numbers:
    """Bin i holds edges[i-1] < x <= edges[i]; the first and last bin are open. `counts` is one longer than `edges`.

    `squares` is the sum of squared deviations from the mean, so variance = squares / count. Without any value
    mean is 0, minimum inf and maximum -inf.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    missing: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Categories:
    """`counts` names at most MOST_CATEGORIES categories of the reference; all others are in `other`.

    `named_apart` where the names were chosen on other rows than those that are counted. Names chosen on the counted
    rows are commoner there than in any others, where not all could be named.
    """

    counts: dict[str, int]
    other: int = 0
    missing: int = 0
    named_apart: bool = False

    @property
    def count(self) -> int:
        return sum(self.counts.values()) + self.other


Distribution = Numbers | Categories


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How good the model was on its test rows: `right` for classes, sums of errors for numbers.

    `right_by_confidence` counts the right rows in each bin of the profile's confidence.
    """

    rows: int
    right: int = 0
    absolute_error: float = 0.0
    squared_error: float = 0.0
    right_by_confidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceProfile:
    """`features`, `target` are those of the training rows, `prediction` and `confidence` those of the test rows.

    `confidence` is the highest probability a row; None where the model gives none.
    """

    model: str
    run_id: str
    rows: int
    features: dict[str, Distribution]
    target: Distribution
    prediction: Distribution
    confidence: Numbers | None = None
    held_out: HeldOut | None = None
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Reference:
    """What a served version is judged by. `importance` by feature, at least 0; empty where training told none."""

    version: str
    profile: ReferenceProfile
    importance: dict[str, float] = field(default_factory=dict)


def reference_edges(values: Any) -> tuple[float, ...]:
    """Edges at the deciles of `values` (numpy floats, may hold NaN); fewer where values repeat; none when empty."""
    import numpy as np

    present = values[np.isfinite(values)]
    if not len(present):
        return ()
    inner = np.quantile(present.astype(np.float64), np.linspace(0, 1, QUANTILES + 1)[1:-1])
    return tuple(float(edge) for edge in np.unique(inner))


def tally_numbers(values: Any, edges: Sequence[float]) -> Numbers:
    """Count numpy numbers into the bins of `edges`; what is not finite is missing. Works block by block."""
    total = Numbers(tuple(edges), (0,) * (len(edges) + 1))
    for start in range(0, len(values), BLOCK_ROWS):
        total = _merge_numbers(total, _tally_block(values[start : start + BLOCK_ROWS], total.edges))
    return total


def _tally_block(block: Any, edges: tuple[float, ...]) -> Numbers:
    import numpy as np

    block = block.astype(np.float64, copy=False)
    finite = np.isfinite(block)
    present = int(np.count_nonzero(finite))
    missing = len(block) - present
    if not present:
        return Numbers(edges, (0,) * (len(edges) + 1), missing)
    if missing:
        block = block[finite]
    # A comparison an edge is vectorised where a search for each value is not: a fifth of searchsorted's time.
    below = [int(np.count_nonzero(block <= edge)) for edge in edges]
    counts = tuple(high - low for low, high in zip([0, *below], [*below, present], strict=True))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(block.mean())
        apart = block - mean
        # Not np.dot: its threads wait for each other on a busy machine, longer than one needs for all.
        squares = float(np.square(apart, out=apart).sum())
    return Numbers(edges, counts, missing, mean, squares, float(block.min()), float(block.max()))


def tally_few(values: Sequence[float], edges: Sequence[float]) -> Numbers:
    """The same for some plain floats, without numpy: its calls alone would take longer than some dozens of values."""
    present = [value for value in values if math.isfinite(value)]
    counts = [0] * (len(edges) + 1)
    for value in present:
        counts[bisect_left(edges, value)] += 1
    missing = len(values) - len(present)
    if not present:
        return Numbers(tuple(edges), tuple(counts), missing)
    mean = sum(present) / len(present)
    squares = sum((value - mean) * (value - mean) for value in present)
    return Numbers(tuple(edges), tuple(counts), missing, mean, squares, min(present), max(present))


def reference_names(values: Iterable[str | None]) -> tuple[str, ...]:
    """The commonest categories, ties in alphabetical order."""
    counted = Counter(value for value in values if value is not None)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(name for name, _ in ranked[:MOST_CATEGORIES])


def reference_categories(values: Sequence[str | None]) -> Categories:
    """The distribution of a reference. Where not all can be named, a random half names and the other half is counted.

    The halves are the same at every call.
    """
    import numpy as np

    names = reference_names(values)
    if len(names) < MOST_CATEGORIES or not tally_categories(values, names).other:
        return tally_categories(values, names)
    naming = np.random.default_rng(0).random(len(values)) < 0.5
    names = reference_names(value for value, first in zip(values, naming, strict=True) if first)
    counted = [value for value, first in zip(values, naming, strict=True) if not first]
    return replace(tally_categories(counted, names), named_apart=True)


def tally_categories(values: Iterable[str | None], names: Sequence[str]) -> Categories:
    """Count texts into `names` and "other"; None is missing."""
    counted = Counter(values)
    missing = counted.pop(None, 0)
    counts = {name: counted.pop(name, 0) for name in names}
    return Categories(counts, sum(counted.values()), missing)


def tally_codes(codes: Any, levels: Sequence[str], names: Sequence[str]) -> Categories:
    """The same for texts that are numpy codes into `levels`; a negative code is missing."""
    import numpy as np

    tallied = np.zeros(len(levels) + 1, dtype=np.int64)
    for start in range(0, len(codes), BLOCK_ROWS):
        block = codes[start : start + BLOCK_ROWS].astype(np.intp)
        tallied += np.bincount(np.where(block < 0, len(levels), block), minlength=len(levels) + 1)
    counted = dict(zip(levels, tallied[:-1].tolist(), strict=True))
    counts = {name: counted.pop(name, 0) for name in names}
    return Categories(counts, sum(counted.values()), int(tallied[-1]))


@overload
def merge(one: Numbers, other: Numbers) -> Numbers: ...
@overload
def merge(one: Categories, other: Categories) -> Categories: ...
def merge(one: Distribution, other: Distribution) -> Distribution:
    """Both together, as if counted at once. Raises ValueError when the bins are not the same."""
    if isinstance(one, Numbers) and isinstance(other, Numbers) and one.edges == other.edges:
        return _merge_numbers(one, other)
    if isinstance(one, Categories) and isinstance(other, Categories) and set(one.counts) == set(other.counts):
        counts = {name: count + other.counts[name] for name, count in one.counts.items()}
        return replace(one, counts=counts, other=one.other + other.other, missing=one.missing + other.missing)
    raise ValueError("only distributions over the same bins can be merged")


def _merge_numbers(one: Numbers, other: Numbers) -> Numbers:
    """Chan, Golub and LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances"."""
    total = one.count + other.count
    counts = tuple(left + right for left, right in zip(one.counts, other.counts, strict=True))
    missing = one.missing + other.missing
    if not total:
        return Numbers(one.edges, counts, missing)
    if not one.count or not other.count:
        known = one if one.count else other
        return replace(known, counts=counts, missing=missing)
    apart = other.mean - one.mean
    mean = one.mean + apart * other.count / total
    squares = one.squares + other.squares + apart * apart * one.count * other.count / total
    return Numbers(
        one.edges, counts, missing, mean, squares, min(one.minimum, other.minimum), max(one.maximum, other.maximum)
    )
