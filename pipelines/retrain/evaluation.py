"""How good a model is: on rows held out, over folds, and against the champion on the same rows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from pipelines.retrain.metrics import (
    Predictions,
    classification_metrics,
    codes_of,
    log_loss,
    regression_metrics,
)
from pipelines.retrain.model import TableModel, aligned_probabilities
from pipelines.retrain.values import Importance, Problem, Spread

Fit = Callable[[Any, Any], Any]  # features, target -> fitted estimator

# Permutation importance asks the model rows x repeats x features times.
IMPORTANCE_ROWS = 2_000
IMPORTANCE_FEATURES = 200
MOST_REPEATS = 5


class Judge:
    """Measures predictions for one problem; `labels` are empty for regression."""

    def __init__(self, labels: Sequence[Any], positive_label: str | None = None) -> None:
        self.labels = tuple(labels)
        self._positive_label = positive_label

    @property
    def problem(self) -> Problem:
        return "classification" if self.labels else "regression"

    def predict(self, estimator: Any, features: Any) -> Predictions:
        values = np.asarray(estimator.predict(features))
        if self.labels and hasattr(estimator, "predict_proba"):
            return Predictions(values, aligned_probabilities(estimator, features, self.labels))
        return Predictions(values)

    def metrics(self, truth: Any, predicted: Predictions) -> dict[str, float]:
        if not self.labels:
            return regression_metrics(truth, predicted.values)
        return classification_metrics(truth, predicted, self.labels, self._positive_label)

    def loss(self, truth: Any, predicted: Predictions) -> float:
        """What the primary metric calls bad: RMSE, log loss, or the share of errors without probabilities."""
        if not self.labels:
            return regression_metrics(truth, predicted.values)["rmse"]
        codes = codes_of(truth, self.labels)
        if predicted.probabilities is not None:
            return log_loss(codes, predicted.probabilities)
        return float((codes != codes_of(predicted.values, self.labels)).mean())


def cross_validate(
    judge: Judge, fit: Fit, features: Any, target: Any, *, folds: int, seed: int, on_fold: Callable[[int], None]
) -> dict[str, Spread]:
    """Mean and standard deviation of each metric over the folds."""
    kind = StratifiedKFold if judge.labels else KFold
    measured: list[dict[str, float]] = []
    for index, (fitted_on, judged_on) in enumerate(
        kind(folds, shuffle=True, random_state=seed).split(features, target)
    ):
        on_fold(index)
        estimator = fit(features.iloc[fitted_on], target.iloc[fitted_on])
        predicted = judge.predict(estimator, features.iloc[judged_on])
        measured.append(judge.metrics(target.iloc[judged_on], predicted))
    return {metric: _spread([fold.get(metric, np.nan) for fold in measured]) for metric in measured[0]}


def judge_champion(judge: Judge, champion: TableModel, features: Any, target: Any) -> dict[str, float]:
    """The champion's metrics on the challenger's test rows. Raises ValueError when it cannot take these rows."""
    values = champion.predict(features)
    probabilities = None
    if judge.labels and champion.gives_probabilities:
        probabilities = aligned_probabilities(champion, features, judge.labels)
    return judge.metrics(target, Predictions(values, probabilities))


def permutation_importance(
    judge: Judge, estimator: Any, features: Any, target: Any, seed: int
) -> tuple[Importance, ...]:
    """How much the loss grows when one feature is shuffled, largest first (Breiman 2001, Random Forests, section 10).

    At most IMPORTANCE_ROWS rows and the first IMPORTANCE_FEATURES features are asked.
    """
    random = np.random.default_rng(seed)
    rows = np.sort(random.permutation(len(features))[:IMPORTANCE_ROWS])
    sample, truth = features.iloc[rows].reset_index(drop=True), target.iloc[rows]
    usual = judge.loss(truth, judge.predict(estimator, sample))
    names = list(sample.columns)[:IMPORTANCE_FEATURES]
    repeats = max(1, min(MOST_REPEATS, IMPORTANCE_FEATURES // len(names)))
    measured = []
    for name in names:
        losses = [
            judge.loss(truth, judge.predict(estimator, _shuffled(sample, name, random))) - usual for _ in range(repeats)
        ]
        measured.append(Importance(name, float(np.mean(losses)), float(np.std(losses))))
    return tuple(sorted(measured, key=lambda importance: -importance.mean))


def _shuffled(sample: Any, name: str, random: Any) -> Any:
    shuffled = sample[name].iloc[random.permutation(len(sample))].reset_index(drop=True)
    return sample.assign(**{name: shuffled})


def _spread(values: list[float]) -> Spread:
    return Spread(float(np.mean(values)), float(np.std(values)))
