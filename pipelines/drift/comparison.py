"""One feature then and now: tests and effects, from two distributions over the same bins."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.values import FeatureDrift, Role
from pipelines.profiles import Categories, Distribution, Numbers

# A feature drifts where chance is out of the question AND the change is large enough to matter. At 0.01 and with these
# floors 300 pairs of unchanged windows of 50 features gave no more than 2 % with any flag, and moves of 0.3 standard
# deviations or 0.1 of the rows are seen in 95 % (tests/benchmarks/drift.py).
Q_VALUE = 0.01
PSI_FLOOR = 0.05
WASSERSTEIN_FLOOR = 0.15
TOTAL_VARIATION_FLOOR = 0.05
MISSING_FLOOR = 0.05
# Rows that lie ten standard deviations off: a few already move the mean by as much as a whole column may.
FAR, FAR_FLOOR = 10.0, 0.01
# Categories that the reference never saw: a source that names things anew, before they are a twentieth of the rows.
UNSEEN_FLOOR = 0.03
# What windows of the reference do among themselves must be exceeded by this.
BEYOND_USUAL = 1.3


@dataclass(frozen=True, slots=True)
class Comparison:
    """`p_values` are those of the values and of the missing share, each with the strength it speaks for."""

    psi: float
    jensen_shannon: float
    wasserstein: float | None
    total_variation: float | None
    value_p: float
    value_strength: float
    missing_p: float | None
    missing_strength: float
    missing_before: float
    missing_now: float
    unseen: float

    @property
    def strength(self) -> float:
        return max(self.value_strength, self.missing_strength if self.missing_p is not None else 0.0)


def compare(
    reference: Distribution, current: Distribution, shrink: float = 1.0, *, named_by_both: bool = False
) -> Comparison:
    """Raises ValueError when one is of numbers and the other of categories. `shrink`: share of independent rows.

    `named_by_both` where the names of the categories were chosen on the rows of both sides and favour neither.
    """
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        found = _compare_numbers(reference, current, shrink)
    elif isinstance(reference, Categories) and isinstance(current, Categories):
        found = _compare_categories(reference, current, shrink, named_by_both)
    else:
        raise ValueError("numbers cannot be compared with categories")
    before, now = (
        (reference.missing, reference.missing + reference.count),
        (current.missing, current.missing + current.count),
    )
    share_before, share_now = before[0] / before[1] if before[1] else 0.0, now[0] / now[1] if now[1] else 0.0
    return replace(
        found,
        missing_before=share_before,
        missing_now=share_now,
        missing_p=statistics.share_p(before, now, shrink) if before[0] or now[0] else None,
        missing_strength=abs(share_now - share_before) / MISSING_FLOOR,
    )


def judge_features(
    compared: Mapping[str, Comparison],
    kinds: Mapping[str, str],
    importance: Mapping[str, float],
    usual: Mapping[str, float],
    roles: Mapping[str, Role],
    changes: Mapping[str, str],
) -> tuple[FeatureDrift, ...]:
    """Which of them drifted, worst first; all tests of all features are one family for the false discovery rate."""
    family = [(name, "value", found.value_p) for name, found in compared.items()]
    family += [(name, "missing", found.missing_p) for name, found in compared.items() if found.missing_p is not None]
    corrected = statistics.benjamini_hochberg([p for _, _, p in family])
    q_values = {(name, what): q for (name, what, _), q in zip(family, corrected, strict=True)}
    judged = []
    for name, found in compared.items():
        band = BEYOND_USUAL * usual.get(name, 0.0)
        value_q, missing_q = q_values[name, "value"], q_values.get((name, "missing"), 1.0)
        drifted = (value_q < Q_VALUE and found.value_strength >= max(1.0, band)) or (
            missing_q < Q_VALUE and found.missing_strength >= max(1.0, band)
        )
        judged.append(
            FeatureDrift(
                name=name, role=roles.get(name, "feature"), kind="number" if kinds[name] == "number" else "category",
                psi=found.psi, jensen_shannon=found.jensen_shannon, wasserstein=found.wasserstein,
                total_variation=found.total_variation, p_value=min(found.value_p, found.missing_p or 1.0),
                q_value=min(value_q, missing_q), strength=found.strength, usual=usual.get(name, 0.0),
                importance=importance.get(name, 0.0), missing_before=found.missing_before,
                missing_now=found.missing_now, unseen=found.unseen, drifted=drifted, change=changes.get(name, ""),
            )
        )  # fmt: skip
    return tuple(sorted(judged, key=lambda feature: (not feature.drifted, -feature.strength, feature.name)))


def change_of(reference: Distribution, current: Distribution) -> str:
    """What happened, in a few words: "mean 3.1 → 4.5", "B 12 % → 30 %"."""
    if not reference.count or not current.count:
        return "all missing" if reference.count else "no longer missing" if current.count else ""
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        return f"mean {reference.mean:,.4g} → {current.mean:,.4g}"
    if isinstance(reference, Categories) and isinstance(current, Categories):
        moved = {
            name: (count / reference.count, current.counts.get(name, 0) / current.count)
            for name, count in reference.counts.items()
        }
        moved["others"] = (reference.other / reference.count, current.other / current.count)
        name, (before, now) = max(moved.items(), key=lambda item: abs(item[1][1] - item[1][0]))
        return f"{name} {before:.0%} → {now:.0%}"
    return ""


def scale_of(distribution: Numbers) -> float:
    """The standard deviation, or what the middle 80 % say of it where outliers would blow it up."""
    if distribution.count < 2:
        return 0.0
    deviation = (
        math.sqrt(distribution.squares / distribution.count) if math.isfinite(distribution.squares) else math.inf
    )
    if len(distribution.edges) >= 8:
        middle = (distribution.edges[-1] - distribution.edges[0]) / (2 * 1.2816)
        deviation = min(deviation, 2 * middle) if middle > 0 else deviation
    return deviation


def _compare_numbers(reference: Numbers, current: Numbers, shrink: float) -> Comparison:
    then, now = np.array(reference.counts, float), np.array(current.counts, float)
    psi, jensen_shannon = statistics.psi(then, now), statistics.jensen_shannon(then, now)
    scale = scale_of(reference)
    ends = min(reference.minimum, current.minimum), max(reference.maximum, current.maximum)
    apart = statistics.wasserstein(reference.edges, then, now, ends, scale)
    if 0 < scale < math.inf and reference.count and current.count and math.isfinite(current.mean):
        # The distance is never less than that of the means (Kantorovich and Rubinstein); it matters beyond the bins.
        apart = max(apart, min(abs(current.mean - reference.mean) / scale, 1e6) if _beyond(reference, current) else 0.0)
    strength = max(psi / PSI_FLOOR, apart / WASSERSTEIN_FLOOR)
    p = statistics.ordered_bins_p(then, now, shrink)
    far, far_p = _far(reference, current, scale, shrink)
    if far_p is not None:
        strength = max(strength, far / FAR_FLOOR) if far_p < p else strength
        p = min(1.0, 2 * min(p, far_p))
    return Comparison(psi, jensen_shannon, apart, None, p, strength, None, 0.0, 0.0, 0.0, 0.0)


def _far(reference: Numbers, current: Numbers, scale: float, shrink: float) -> tuple[float, float | None]:
    """Share of rows that lie so far off that the bins can not tell, and whether chance put them there.

    From the moments: rows with this sum and these squares of distances are at least so many (Cauchy and Schwarz), so
    that a single outlier counts as one. No p-value where nothing lies far off.
    """
    if not 0 < scale < math.inf or not reference.count or not current.count:
        return 0.0, None
    apart = abs(current.mean - reference.mean) / scale
    spreads = [each.squares / each.count / scale / scale for each in (reference, current)]
    if not apart or not all(map(math.isfinite, (apart, *spreads))):
        return 0.0, None
    squares = spreads[1] + apart * apart
    share = apart * apart / squares
    if squares / apart < FAR or share < FAR_FLOOR:
        return share, None
    z = apart * apart * shrink / (spreads[0] / reference.count + spreads[1] / current.count or math.inf)
    return share, statistics.chi_squared_tail(z, 1)


def _beyond(reference: Numbers, current: Numbers) -> bool:
    """Whether most of the current values lie in the open bins, where the bins no longer tell how far."""
    return current.counts[0] + current.counts[-1] > current.count / 2 and bool(reference.edges)


def _compare_categories(reference: Categories, current: Categories, shrink: float, named_by_both: bool) -> Comparison:
    then = np.array([*reference.counts.values(), reference.other], float)
    now = np.array([*(current.counts.get(name, 0) for name in reference.counts), current.other], float)
    unseen, unseen_p = _unseen(then, now, shrink)
    if not named_by_both and not reference.named_apart:
        then, now = _without_choice(then, now)
    psi, jensen_shannon = statistics.psi(then, now), statistics.jensen_shannon(then, now)
    moved = statistics.total_variation(then, now)
    strength = max(psi / PSI_FLOOR, moved / TOTAL_VARIATION_FLOOR)
    p = statistics.categories_p(then, now, shrink)
    if unseen_p is not None:
        strength = max(strength, unseen / UNSEEN_FLOOR) if unseen_p < p else strength
        p = min(1.0, 2 * min(p, unseen_p))
    return Comparison(psi, jensen_shannon, None, moved, p, strength, None, 0.0, 0.0, 0.0, unseen)


def _unseen(then: Any, now: Any, shrink: float) -> tuple[float, float | None]:
    """Share of current rows in categories without any row of the reference, and whether chance could bring so many.

    A reference never holds what it has not seen, so it is asked row by row: what only one row has would be unseen
    without it (Good 1953). What two rows have makes that guess uncertain, as if it came of fewer rows (Robbins 1968).
    No p-value where nothing is unseen.
    """
    rows, own = int(then.sum()), int(now.sum())
    count = int(now[then == 0].sum())
    if not rows or not count:
        return 0.0, None
    once, twice = int((then == 1).sum()), int((then == 2).sum())
    sure = (once + 1) / (once + 2 * twice + 1)
    return count / own, statistics.share_p((round(once * sure), round(rows * sure)), (count, own), shrink)


def _without_choice(then: Any, now: Any) -> tuple[Any, Any]:
    """Both sides without what naming the reference's own commonest categories does to the share of "other".

    Names that chance made common in the reference are less common in any other rows. Asked row by row, a category at
    the limit would not be named without its last row; so the rows of those at the limit are what the choice may have
    cost "other". Up to twice that much more of it is not compared.
    """
    rows, own = then.sum(), now.sum()
    if not rows or not own or not then[:-1].any():
        return then, now
    limit, width = 1.0, 1.0
    if then[-1]:
        # How many just missed being named is not known: the limit is set where all are.
        least = float(then[:-1][then[:-1] > 0].min())
        limit = least + max(2.0, 2 * math.sqrt(least))
        width = max(1.0, math.sqrt(limit) / 2)
        clear = np.append(then[:-1] >= limit, False)
        then, now = (np.append(side[clear], side[~clear].sum()) for side in (then, now))
    at_limit = limit * float((then[:-1] < limit + width).sum()) / width
    other, most = then[-1] / rows, min(1.0, (then[-1] + 2 * at_limit) / rows)
    share = now[-1] / own
    if other >= most or share <= other:
        return then, now
    if share <= most:
        return then[:-1], now[:-1]
    return np.append(then[:-1] * (1 - most) * rows / then[:-1].sum(), most * rows), now


def normalised(importance: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    """Shares of the importance over `names`; the same for all where none is known."""
    known = {name: max(0.0, importance.get(name, 0.0)) for name in names}
    known = {name: value if math.isfinite(value) else 0.0 for name, value in known.items()}
    total = sum(known.values())
    if not total:
        return {name: 1 / len(names) for name in names}
    return {name: value / total for name, value in known.items()}
