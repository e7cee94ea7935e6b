"""Tests and effect sizes on counts in bins. Closed forms; nothing here knows what a feature is."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

# Below it the chi-squared distribution is no longer a fair picture of a bin (Cochran 1954).
LEAST_EXPECTED = 5.0
# The category that moved most of many is judged far out in the tail, where the normal one is too thin for longer.
EXACT_BELOW = 50.0
# Location, scale, skewness and tails: what a smooth change of a distribution looks like (Rayner and Best 1989).
SMOOTH_COMPONENTS = 4
SMALLEST_P = 1e-300


def chi_squared_tail(statistic: float, degrees: int) -> float:
    """P(X > statistic) for a whole number of degrees of freedom, as the finite sum (Abramowitz and Stegun 26.4.4-5)."""
    if degrees < 1 or statistic <= 0:
        return 1.0
    half = statistic / 2
    if half > 690:
        return SMALLEST_P
    if degrees % 2:
        tail, term, steps = math.erfc(math.sqrt(half)), math.exp(-half) * math.sqrt(half / math.pi) * 2, degrees // 2
        start = 1.5
    else:
        tail, term, steps = math.exp(-half), math.exp(-half) * half, degrees // 2 - 1
        start = 2.0
    for step in range(steps):
        tail += term
        term *= half / (start + step)
    return min(1.0, max(tail, SMALLEST_P))


def normal_tail(z: float) -> float:
    """P(Z > z)."""
    return max(0.5 * math.erfc(z / math.sqrt(2)), SMALLEST_P)


def ordered_bins_p(reference: Any, current: Any, shrink: float = 1.0) -> float:
    """Whether two rows of counts over the same ordered bins come from one distribution.

    Half of the level goes to a shift alone, a quarter to a smooth test of four components, a quarter to Pearson's
    over all bins. `shrink` is the share of the rows that count as independent.
    """
    reference, current = _pooled_neighbours(np.asarray(reference, float), np.asarray(current, float))
    if len(reference) < 2 or not reference.sum() or not current.sum():
        return 1.0
    rows, own = reference.sum(), current.sum()
    pooled = (reference + current) / (rows + own)
    apart = (current / own - reference / rows) * math.sqrt(rows * own / (rows + own) * shrink)
    pearson = chi_squared_tail(float((apart * apart / pooled).sum()), len(pooled) - 1)
    components = min(SMOOTH_COMPONENTS, len(pooled) - 1)
    if components == len(pooled) - 1:
        return pearson
    scores = np.cumsum(pooled) - pooled / 2 - 0.5
    weighted = np.vander(scores, components + 1, increasing=True) * np.sqrt(pooled)[:, None]
    orthonormal = np.linalg.qr(weighted)[0][:, 1:]
    projected = (apart / np.sqrt(pooled)) @ orthonormal
    smooth = chi_squared_tail(float(projected @ projected), components)
    shift = chi_squared_tail(float(projected[0] ** 2), 1)
    return min(1.0, 2 * shift, 4 * smooth, 4 * pearson)


def categories_p(reference: Any, current: Any, shrink: float = 1.0) -> float:
    """The same for categories, which have no order: the smaller of Pearson's test and of the category that moved most.

    The second is corrected for the number of categories, the smaller of both is doubled.
    """
    reference, current = _pooled_rare(np.asarray(reference, float), np.asarray(current, float))
    if len(reference) < 2 or not reference.sum() or not current.sum():
        return 1.0
    rows, own = reference.sum(), current.sum()
    pooled = (reference + current) / (rows + own)
    apart = (current / own - reference / rows) * math.sqrt(rows * own / (rows + own) * shrink)
    pearson = chi_squared_tail(float((apart * apart / pooled).sum()), len(pooled) - 1)
    if len(pooled) == 2:
        return pearson
    most = int((apart * apart / (pooled * (1 - pooled))).argmax())
    alone = share_p((int(reference[most]), int(rows)), (int(current[most]), int(own)), shrink, EXACT_BELOW)
    return min(1.0, 2 * min(pearson, len(pooled) * alone))


def share_p(
    reference: tuple[int, int], current: tuple[int, int], shrink: float = 1.0, exact_below: float = LEAST_EXPECTED
) -> float:
    """Whether two shares (count, of) differ: Fisher's mid-p where fewer are expected, else Pearson's test."""
    (a, m), (b, n) = reference, current
    if not m or not n:
        return 1.0
    if min(a + b, m + n - a - b) * min(m, n) / (m + n) < exact_below:
        # Rows that come in flocks are as many cases as there are flocks.
        return _fisher_p(*(round(count * shrink) for count in (a, m, b, n)))
    pooled = (a + b) / (m + n)
    apart = (b / n - a / m) ** 2 * shrink
    return chi_squared_tail(apart / (pooled * (1 - pooled) * (1 / m + 1 / n)), 1)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The q-value of each p-value (Benjamini and Hochberg 1995)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index], reverse=True)
    found, smallest = [1.0] * len(p_values), 1.0
    for place, index in enumerate(order):
        smallest = min(smallest, p_values[index] * len(p_values) / (len(p_values) - place))
        found[index] = smallest
    return found


def psi(reference: Any, current: Any) -> float:
    """Population stability index without what chance alone adds, (bins - 1) (1/m + 1/n); never below 0."""
    p, q, noise = _shares(reference, current)
    if p is None:
        return 0.0
    return max(0.0, float(((q - p) * np.log(q / p)).sum()) - noise)


def jensen_shannon(reference: Any, current: Any) -> float:
    """Jensen-Shannon distance, 0 to 1 (root of the divergence in bits), without what chance alone adds."""
    p, q, noise = _shares(reference, current)
    if p is None:
        return 0.0
    middle = (p + q) / 2
    divergence = float((p * np.log2(p / middle) + q * np.log2(q / middle)).sum()) / 2
    # For small differences the divergence in nats is an eighth of the PSI.
    return math.sqrt(max(0.0, min(1.0, divergence - noise / (8 * math.log(2)))))


def total_variation(reference: Any, current: Any) -> float:
    """Share of rows that changed their bin, each bin without the variance that chance alone adds."""
    reference, current = np.asarray(reference, float), np.asarray(current, float)
    rows, own = reference.sum(), current.sum()
    if not rows or not own:
        return 0.0
    pooled = (reference + current) / (rows + own)
    squared = (current / own - reference / rows) ** 2 - pooled * (1 - pooled) * (1 / rows + 1 / own)
    return float(np.sqrt(np.maximum(squared, 0)).sum() / 2)


def wasserstein(edges: Sequence[float], reference: Any, current: Any, ends: tuple[float, float], scale: float) -> float:
    """Wasserstein-1 distance in units of `scale`, from the distribution functions at the edges.

    Between two edges they run straight. The open bins reach to `ends`, but no further than one `scale`: a single
    outlier is no distance.
    """
    reference, current = np.asarray(reference, float), np.asarray(current, float)
    if scale <= 0 or not len(edges) or not reference.sum() or not current.sum():
        return 0.0
    apart = np.cumsum(current / current.sum() - reference / reference.sum())[:-1]
    low, high = max(ends[0], edges[0] - scale), min(ends[1], edges[-1] + scale)
    points = np.array([low, *edges, high])
    gaps = np.abs(np.array([0.0, *apart, 0.0]))
    return float((np.maximum(np.diff(points), 0) * (gaps[1:] + gaps[:-1]) / 2).sum() / scale)


def _shares(reference: Any, current: Any) -> tuple[Any, Any, float]:
    """Shares with half a row added to each bin, so that an empty one has a logarithm; and the noise of their PSI."""
    reference, current = np.asarray(reference, float), np.asarray(current, float)
    used = reference + current > 0
    reference, current = reference[used], current[used]
    rows, own = reference.sum(), current.sum()
    if not rows or not own:
        return None, None, 0.0
    p, q = (reference + 0.5) / (rows + 0.5 * len(reference)), (current + 0.5) / (own + 0.5 * len(current))
    return p, q, float((len(p) - 1) * (1 / rows + 1 / own))


def _pooled_neighbours(reference: Any, current: Any) -> tuple[Any, Any]:
    """Neighbouring bins together until chance would put five rows of each side into every one."""
    rows, own = reference.sum(), current.sum()
    if not rows or not own:
        return reference, current
    expected = (reference + current) * min(rows, own) / (rows + own)
    if (expected >= LEAST_EXPECTED).all():
        return reference, current
    groups, filled, group = [], 0.0, 0
    left = float(expected.sum())
    for share in expected:
        groups.append(group)
        filled, left = filled + share, left - share
        if filled >= LEAST_EXPECTED and left >= LEAST_EXPECTED:
            group, filled = group + 1, 0.0
    return np.bincount(groups, weights=reference), np.bincount(groups, weights=current)


def _pooled_rare(reference: Any, current: Any) -> tuple[Any, Any]:
    """Rare categories as one; with them the smallest common one, should they be too few even together."""
    rows, own = reference.sum(), current.sum()
    if not rows or not own:
        return reference, current
    expected = (reference + current) * min(rows, own) / (rows + own)
    order = np.argsort(expected)
    together = np.cumsum(expected[order])
    rare = int((expected < LEAST_EXPECTED).sum())
    if rare and together[rare - 1] < LEAST_EXPECTED:
        rare += 1
    if rare < 2:
        return reference[expected > 0], current[expected > 0]
    few, common = order[:rare], order[rare:]
    return (
        np.append(reference[common], reference[few].sum()),
        np.append(current[common], current[few].sum()),
    )  # fmt: skip


def _fisher_p(a: int, m: int, b: int, n: int) -> float:
    """Two-sided mid-p of Fisher's exact test: it is neither too shy nor too bold for a rare event."""
    events = a + b
    low, high = max(0, events - m), min(events, n)
    count = np.arange(low, high + 1)
    logs = np.array([_log_choose(n, each) + _log_choose(m, events - each) for each in count.tolist()])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    here = shares[b - low]
    alike = np.abs(shares - here) <= here * 1e-9
    return float(min(1.0, shares[(shares < here) & ~alike].sum() + shares[alike].sum() / 2))


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
