"""A small gradient-boosted ranker of our own: how likely a line belongs to what a person would mark as the failure,
and whether what they marked goes on below and above it.

Trained by `bot/evaluation/ranker_training.py`; `ranker.npz` holds the trees, `ranker.md` says on what and how well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).with_name("ranker.npz")
ROWS_AT_ONCE = 4_096  # keeps the working set of a tree in the cache


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees as parallel arrays, one row a tree: leaves point to themselves, so that every walk has the same length."""

    feature: Any  # trees x nodes, the column that a node looks at
    threshold: Any  # go left where the value is not above it
    left: Any
    right: Any
    value: Any  # of leaves, in log odds
    depth: int
    baseline: float

    def score(self, features: Any) -> Any:
        """Probability per row of `features` (lines x columns)."""
        import numpy

        total = numpy.full(len(features), self.baseline, numpy.float32)
        for start in range(0, len(features), ROWS_AT_ONCE):
            total[start : start + ROWS_AT_ONCE] += self._piece(features[start : start + ROWS_AT_ONCE])
        return 1 / (1 + numpy.exp(-total))

    def _piece(self, features: Any) -> Any:
        import numpy

        count, columns = features.shape
        flat = numpy.ascontiguousarray(features).ravel()
        base = numpy.arange(count) * columns
        total = numpy.zeros(count, numpy.float32)
        for feature, threshold, left, right, value in zip(
            self.feature, self.threshold, self.left, self.right, self.value, strict=True
        ):
            node = numpy.zeros(count, numpy.intp)
            for _ in range(self.depth):
                below = flat[base + feature[node]] <= threshold[node]
                node = numpy.where(below, left[node], right[node])
            total += value[node]
        return total


def joined(forests: Sequence[Forest]) -> Forest:
    """One forest that gives the mean log odds of all."""
    import numpy

    width = max(forest.feature.shape[1] for forest in forests)

    def stacked(parts: Sequence[Any]) -> Any:
        """Trees of fewer nodes get more that nothing leads to."""
        return numpy.concatenate([numpy.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])

    return Forest(
        stacked([forest.feature for forest in forests]),
        stacked([forest.threshold for forest in forests]),
        stacked([forest.left for forest in forests]),
        stacked([forest.right for forest in forests]),
        stacked([forest.value / len(forests) for forest in forests]),
        max(forest.depth for forest in forests),
        sum(forest.baseline for forest in forests) / len(forests),
    )


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned: how likely a line is marked; and, where it is, whether the one `below` or `above` it is too."""

    lines: Forest
    below: Forest
    above: Forest


@cache
def shipped() -> Weights:
    """The weights that come with the package."""
    return load(WEIGHTS)


def load(path: Path) -> Weights:
    import numpy

    with numpy.load(path, allow_pickle=False) as kept:
        return Weights(*(_unpacked(kept, field.name) for field in fields(Weights)))


def _unpacked(kept: Any, name: str) -> Forest:
    import numpy

    return Forest(
        kept[f"{name}_feature"].astype(numpy.intp),
        kept[f"{name}_threshold"].astype(numpy.float32),
        kept[f"{name}_left"].astype(numpy.intp),
        kept[f"{name}_right"].astype(numpy.intp),
        kept[f"{name}_value"].astype(numpy.float32),
        int(kept[f"{name}_depth"]),
        float(kept[f"{name}_baseline"]),
    )


def save(weights: Weights, path: Path) -> None:
    import numpy

    kept: dict[str, Any] = {}
    for field in fields(Weights):
        kept |= _packed(getattr(weights, field.name), field.name)
    numpy.savez_compressed(path, **kept)


def _packed(forest: Forest, name: str) -> dict[str, Any]:
    import numpy

    return {
        f"{name}_feature": forest.feature.astype(numpy.int16),
        f"{name}_threshold": forest.threshold.astype(numpy.float32),
        f"{name}_left": forest.left.astype(numpy.int16),
        f"{name}_right": forest.right.astype(numpy.int16),
        f"{name}_value": forest.value.astype(numpy.float32),
        f"{name}_depth": forest.depth,
        f"{name}_baseline": forest.baseline,
    }
