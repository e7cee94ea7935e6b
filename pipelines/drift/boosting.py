"""A small gradient boosting of oblivious trees in numpy: good enough to know when the same inputs mean something else.

Friedman 2001, "Greedy Function Approximation"; trees that ask the same question in all nodes of a level as in
Prokhorenkova et al. 2018. It is no champion and never serves; scikit-learn is not part of the bot.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

TREES = 60
DEPTH = 3
LEARNING_RATE = 0.15
BINS = 32


@dataclass(frozen=True, slots=True)
class Booster:
    """`trees` hold for each level the feature and the last bin that goes left, and the leaves' outputs."""

    start: Any
    trees: tuple[tuple[Any, Any, Any], ...]
    problem: str

    def raw(self, bins: Any) -> Any:
        """Rows x outputs."""
        found = np.tile(self.start, (len(bins), 1))
        for features, limits, leaves in self.trees:
            found += leaves[_leaf(bins, features, limits)]
        return found

    def probabilities(self, bins: Any) -> Any:
        """Rows x classes."""
        return _softmax(self.raw(bins))


def fit(bins: Any, target: Any, outputs: int, problem: str) -> Booster:
    """`bins`: rows x features, small whole numbers below BINS. `target`: class numbers, or floats for regression."""
    rows = len(bins)
    if problem == "classification":
        wanted = np.eye(outputs)[target]
        start = np.log((wanted.sum(axis=0) + 1) / (rows + outputs))
    else:
        wanted = np.asarray(target, float)[:, None]
        start = wanted.mean(axis=0)
    current = np.tile(start, (rows, 1))
    places = bins.astype(np.int64) + np.arange(bins.shape[1]) * BINS
    # Rows' worth of doubt in each leaf: what learns the noise by heart ranks its own certainty badly.
    doubt = min(20.0, max(2.0, rows / 250))
    trees = []
    for _ in range(TREES):
        fitted = _softmax(current) if problem == "classification" else current
        gradient = wanted - fitted
        curvature = (fitted * (1 - fitted)) if problem == "classification" else np.ones_like(fitted)
        tree = _grow(bins, places, gradient, curvature, doubt)
        if tree is None:
            break
        trees.append(tree)
        current += tree[2][_leaf(bins, tree[0], tree[1])]
    return Booster(start, tuple(trees), problem)


def _grow(bins: Any, places: Any, gradient: Any, curvature: Any, doubt: float) -> tuple[Any, Any, Any] | None:
    rows, features = bins.shape
    leaf = np.zeros(rows, dtype=np.int64)
    chosen, limits = [], []
    for level in range(DEPTH):
        gains = _gains(places, leaf, gradient, 1 << level, features, doubt)
        best = int(gains.argmax())
        if gains.flat[best] <= 1e-12:
            break
        feature, limit = divmod(best, BINS)
        chosen.append(feature)
        limits.append(limit)
        leaf = 2 * leaf + (bins[:, feature] > limit)
    if not chosen:
        return None
    count = 1 << len(chosen)
    sums = np.stack([np.bincount(leaf, gradient[:, k], count) for k in range(gradient.shape[1])], axis=1)
    weights = np.stack([np.bincount(leaf, curvature[:, k], count) for k in range(gradient.shape[1])], axis=1)
    certain = weights + doubt * float(curvature.mean()) + 1e-9
    return np.array(chosen), np.array(limits), LEARNING_RATE * np.clip(sums / certain, -1e12, 1e12)


def _gains(places: Any, leaf: Any, gradient: Any, leaves: int, features: int, doubt: float) -> Any:
    """Features x bins: what a split there saves in squared error of the gradient, over all leaves together."""
    flat = (places + (leaf * features * BINS)[:, None]).ravel()
    shape, size = (leaves, features, BINS), leaves * features * BINS
    counts = np.bincount(flat, minlength=size).reshape(shape).cumsum(axis=2)
    total = counts[:, :, -1:]
    gains = np.zeros((features, BINS))
    for output in range(gradient.shape[1]):
        sums = np.bincount(flat, np.repeat(gradient[:, output], features), size).reshape(shape).cumsum(axis=2)
        whole = sums[:, :, -1:]
        left = sums**2 / (counts + doubt)
        right = (whole - sums) ** 2 / (total - counts + doubt)
        gains += (left + right - whole**2 / (total + doubt)).sum(axis=0)
        if gradient.shape[1] == 2:
            break  # two classes: the second gradient is the first one turned around
    gains[:, -1] = 0.0
    return gains


def _leaf(bins: Any, features: Any, limits: Any) -> Any:
    found = np.zeros(len(bins), dtype=np.int64)
    for feature, limit in zip(features, limits, strict=True):
        found = 2 * found + (bins[:, feature] > limit)
    return found


def _softmax(raw: Any) -> Any:
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
