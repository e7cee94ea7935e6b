"""What the features say together: a straight line through all of them, as one more column of bins for the trees.

Trees that ask one feature at a time draw a slanting border as stairs, and err all along it; a change of that border is
then hard to tell from their own errors. Least squares on the outcome finds the slope (Fisher 1936).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.drift import boosting

# Rows of the reference a feature, so that the line is of the world and not of chance.
ROWS_A_FEATURE = 20
MOST_LINES = 3
# What lies further out than this share of the rows counts as lying there: a line follows outliers.
ENDS = 0.005
RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Lines:
    """`weights` are features x lines of standardised values, `edges` of twice as many bins as a column has."""

    low: Any
    high: Any
    centre: Any
    scale: Any
    weights: Any
    edges: tuple[Any, ...]

    def bins(self, values: Any) -> Any:
        """Rows x (2 x lines): each line in two columns, whose edges lie between each other's."""
        placed = _standardised(values, self.low, self.high, self.centre, self.scale) @ self.weights
        found = [
            np.searchsorted(edges[start::2], placed[:, line])
            for line, edges in enumerate(self.edges)
            for start in (0, 1)
        ]
        return np.stack(found, axis=1).astype(np.uint8)

    def places(self, values: Any) -> Any:
        """The place of each row along the first line, in as many equal parts as it has edges and one."""
        placed = _standardised(values, self.low, self.high, self.centre, self.scale) @ self.weights[:, 0]
        return np.searchsorted(self.edges[0], placed)


def fit(values: Any, target: Any, outputs: int, problem: str) -> Lines | None:
    """`values`: rows x features, NaN where missing. None where there are too few rows, or one feature alone."""
    rows, features = values.shape
    if features < 2 or rows < ROWS_A_FEATURE * features:
        return None
    with np.errstate(all="ignore"):
        low, high = np.nanquantile(values, [ENDS, 1 - ENDS], axis=0)
    low, high = np.nan_to_num(low), np.nan_to_num(high)
    clipped = np.clip(values, low, high)
    known = np.isfinite(clipped)
    counts = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, clipped, 0).sum(axis=0) / counts
    scale = np.sqrt(np.where(known, np.square(clipped - centre), 0).sum(axis=0) / counts)
    scale = np.where(scale > 0, scale, np.inf)
    ready = _standardised(values, low, high, centre, scale)
    wanted = _wanted(target, outputs, problem)
    weights = np.linalg.solve(
        ready.T @ ready + RIDGE * rows * np.eye(features), ready.T @ (wanted - wanted.mean(axis=0))
    )
    shares = np.linspace(0, 1, 2 * boosting.BINS - 1)[1:-1]
    placed = ready @ weights
    edges = tuple(np.quantile(placed[:, line], shares) for line in range(placed.shape[1]))
    return Lines(low, high, centre, scale, weights, edges)


def _wanted(target: Any, outputs: int, problem: str) -> Any:
    if problem != "classification":
        return np.asarray(target, float)[:, None]
    common = np.argsort(-np.bincount(target, minlength=outputs), kind="stable")
    return np.eye(outputs)[target][:, common[: 1 if outputs == 2 else MOST_LINES]]


def _standardised(values: Any, low: Any, high: Any, centre: Any, scale: Any) -> Any:
    return np.nan_to_num((np.clip(values, low, high) - centre) / scale)
