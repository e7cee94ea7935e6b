"""Split-conformal prediction: intervals and label sets that hold the truth at an asked rate, whatever the model.

Formulas: A. Angelopoulos and S. Bates, "A Gentle Introduction to Conformal Prediction", arXiv:2107.07511,
sections 1 (sets, score 1 - p) and 2.2 (intervals, absolute residuals). The guarantee needs calibration rows that
the model was not fitted on and that are exchangeable with what comes.

Calibration uses the test rows. For the measured coverage one half of them calibrates and the other is counted,
both ways round, so no row is judged by a quantile that it took part in.
"""

import math
from typing import Any

import numpy as np

from pipelines.retrain.values import Coverage

LEVEL = 0.9


def quantile_of_scores(scores: Any, level: float) -> float:
    """The ceil((n + 1) * level)-th smallest score; infinite where n is too small for the level."""
    rank = math.ceil((len(scores) + 1) * level)
    if rank > len(scores):
        return math.inf
    return float(np.partition(np.asarray(scores, dtype=np.float64), rank - 1)[rank - 1])


def interval_coverage(truth: Any, predicted: Any, seed: int, level: float = LEVEL) -> Coverage | None:
    """Intervals `prediction ± half_width`. None where half the rows are too few for the level."""
    scores = np.abs(np.asarray(truth, dtype=np.float64) - np.asarray(predicted, dtype=np.float64))
    measured = _measured(scores, level, seed)
    if measured is None:
        return None
    return Coverage(level, measured, half_width=quantile_of_scores(scores, level), mean_set_size=None)


def set_coverage(codes: Any, probabilities: Any, seed: int, level: float = LEVEL) -> Coverage | None:
    """Sets of the labels whose probability is at least 1 - quantile. `codes` are the true labels' columns."""
    scores = 1.0 - probabilities[np.arange(len(codes)), codes]
    measured = _measured(scores, level, seed)
    if measured is None:
        return None
    sizes = (1.0 - probabilities <= quantile_of_scores(scores, level)).sum(axis=1)
    return Coverage(level, measured, half_width=None, mean_set_size=float(sizes.mean()))


def _measured(scores: Any, level: float, seed: int) -> float | None:
    order = np.random.default_rng(seed).permutation(len(scores))
    one, other = order[: len(order) // 2], order[len(order) // 2 :]
    limits = quantile_of_scores(scores[one], level), quantile_of_scores(scores[other], level)
    if math.inf in limits:
        return None
    held = (scores[other] <= limits[0]).sum() + (scores[one] <= limits[1]).sum()
    return float(held / len(scores))
