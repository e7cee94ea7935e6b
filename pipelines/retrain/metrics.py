"""The metrics of predictions, in scikit-learn's definitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics as sk

# Probabilities are kept this far from 0 and 1: a sure mistake costs much, not everything.
SURE = 1e-15


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says about some rows. `probabilities` has a column a label, or is None."""

    values: Any
    probabilities: Any | None = None


def regression_metrics(truth: Any, predicted: Any) -> dict[str, float]:
    truth = np.asarray(truth, dtype=np.float64)
    mse = float(sk.mean_squared_error(truth, predicted))
    return {
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "mae": float(sk.mean_absolute_error(truth, predicted)),
        "r2": float(sk.r2_score(truth, predicted)),
    }


def classification_metrics(
    truth: Any, predicted: Predictions, labels: Sequence[Any], positive_label: str | None
) -> dict[str, float]:
    """Precision, recall and F1 of the positive label, or their macro average without one.

    ROC AUC is one against the rest, averaged over the labels that occur. It and log loss take probabilities:
    without them the two are missing.
    """
    codes = codes_of(truth, labels)
    guessed = codes_of(predicted.values, labels)
    positive = [index for index, label in enumerate(labels) if str(label) == positive_label]
    chosen = {"labels": positive or sorted(set(codes)), "average": "macro", "zero_division": 0}
    measured = {
        "accuracy": float(sk.accuracy_score(codes, guessed)),
        "precision": float(sk.precision_score(codes, guessed, **chosen)),
        "recall": float(sk.recall_score(codes, guessed, **chosen)),
        "f1": float(sk.f1_score(codes, guessed, **chosen)),
    }
    if predicted.probabilities is not None:
        measured["log_loss"] = log_loss(codes, predicted.probabilities)
        measured |= _roc_auc(codes, predicted.probabilities)
    return measured


def codes_of(values: Any, labels: Sequence[Any]) -> Any:
    """The place of each value in `labels`; -1 for one that is not there."""
    places = {label: index for index, label in enumerate(labels)}
    return np.array([places.get(value, -1) for value in np.asarray(values, dtype=object)], dtype=np.int64)


def log_loss(codes: Any, probabilities: Any) -> float:
    """Mean negative logarithm of the probability that was given to what was true (rows are made to sum to 1)."""
    sums = probabilities.sum(axis=1)
    given = probabilities[np.arange(len(codes)), codes] / np.where(sums > 0, sums, 1.0)
    return float(-np.log(np.clip(given, SURE, 1.0)).mean())


def _roc_auc(codes: Any, probabilities: Any) -> dict[str, float]:
    occurring = [code for code in range(probabilities.shape[1]) if 0 < (codes == code).sum() < len(codes)]
    if not occurring:
        return {}
    areas = [sk.roc_auc_score(codes == code, probabilities[:, code]) for code in occurring]
    return {"roc_auc": float(np.mean(areas))}
