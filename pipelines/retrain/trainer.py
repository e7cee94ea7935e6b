"""The built-in trainer: linear models against gradient boosting, by a small random search with a fixed seed."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipelines.retrain.metrics import codes_of, log_loss
from pipelines.retrain.model import aligned_probabilities
from pipelines.retrain.sampling import hold_out, representative_rows
from pipelines.retrain.values import Problem

# More rows do not change which candidate wins, they only make finding out slower.
SEARCH_ROWS = 20_000
# Below this a single split is too noisy to choose by.
CROSS_VALIDATED_BELOW = 5_000
UNWEIGHTY = (ConvergenceWarning, LinAlgWarning)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to learn; `parameters` are scikit-learn's own names."""

    family: Literal["linear", "boosting"]
    parameters: dict[str, float]

    def __str__(self) -> str:
        shown = ", ".join(f"{name} {value:g}" for name, value in self.parameters.items())
        return f"{'Linear model' if self.family == 'linear' else 'Gradient boosting'} ({shown})"


def candidates(count: int, seed: int) -> list[Candidate]:
    """One linear and one boosted model with plain settings, then random ones; the same for the same seed."""
    random = np.random.default_rng(seed)
    plain = [Candidate("linear", {"strength": 1.0}), Candidate("boosting", _boosting(0.1, 100, 31, 20, 0.0))]
    drawn = [_draw(random, index) for index in range(max(0, count - len(plain)))]
    return [*plain, *drawn][: max(1, count)]


def _draw(random: Any, index: int) -> Candidate:
    if index % 4 == 3:
        return Candidate("linear", {"strength": round(float(10 ** random.uniform(-2, 3)), 4)})
    rate = round(float(10 ** random.uniform(-1.7, -0.7)), 4)
    leaves, least = int(random.choice([7, 15, 31, 63])), int(random.choice([5, 10, 20, 50]))
    rounds, penalty = int(random.choice([50, 100, 200])), float(random.choice([0.0, 0.1, 1.0, 10.0]))
    return Candidate("boosting", _boosting(rate, rounds, leaves, least, penalty))


def _boosting(rate: float, rounds: int, leaves: int, least: int, penalty: float) -> dict[str, float]:
    return {
        "learning_rate": rate, "max_iter": rounds, "max_leaf_nodes": leaves,
        "min_samples_leaf": least, "l2_regularization": penalty,
    }  # fmt: skip


def build(candidate: Candidate, problem: Problem, seed: int) -> Any:
    """The unfitted estimator of a candidate, for DataFrames of floats and categories."""
    if candidate.family == "boosting":
        kind = HistGradientBoostingRegressor if problem == "regression" else HistGradientBoostingClassifier
        return kind(**candidate.parameters, categorical_features="from_dtype", early_stopping=False, random_state=seed)
    strength = candidate.parameters["strength"]
    last = Ridge(alpha=strength) if problem == "regression" else LogisticRegression(C=1 / strength, max_iter=500)
    return make_pipeline(_encoding(), last)


def _encoding() -> ColumnTransformer:
    numbers: Pipeline = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    categories = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include=np.number)),
            ("categories", categories, make_column_selector(dtype_include="category")),
        ]
    )


def search(
    features: Any, target: Any, problem: Problem, *, count: int, seed: int, on_candidate: Callable[[int, str], None]
) -> Candidate:
    """The candidate with the smallest loss (log loss, or RMSE) on rows that it was not fitted on."""
    rows = representative_rows(target, problem, most=SEARCH_ROWS, least_a_class=10, seed=seed)
    features, target = features.iloc[rows], target.iloc[rows]
    splits = list(_splits(features, target, problem, seed))
    drawn = candidates(count, seed)
    losses = []
    for index, candidate in enumerate(drawn):
        on_candidate(index, str(candidate))
        losses.append(_loss(candidate, features, target, splits, problem, seed))
    return drawn[int(np.argmin(losses))]


def fit(candidate: Candidate, features: Any, target: Any, problem: Problem, seed: int) -> tuple[Any, list[str]]:
    """The fitted estimator, and what there is to say about the fit."""
    with noted() as notes:
        return build(candidate, problem, seed).fit(features, target), notes


def _loss(candidate: Candidate, features: Any, target: Any, splits: Any, problem: Problem, seed: int) -> float:
    losses = []
    for fitted_on, judged_on in splits:
        estimator, _ = fit(candidate, features.iloc[fitted_on], target.iloc[fitted_on], problem, seed)
        rows, truth = features.iloc[judged_on], target.iloc[judged_on]
        if problem == "regression":
            losses.append(root_mean_squared_error(truth, estimator.predict(rows)))
        else:
            labels = sorted(set(target))
            probabilities = aligned_probabilities(estimator, rows, labels)
            losses.append(log_loss(codes_of(truth, labels), probabilities))
    return float(np.mean(losses))


def _splits(features: Any, target: Any, problem: Problem, seed: int) -> Iterator[tuple[Any, Any]]:
    stratified = problem == "classification"
    if len(features) < CROSS_VALIDATED_BELOW:
        folds = (StratifiedKFold if stratified else KFold)(n_splits=3, shuffle=True, random_state=seed)
        yield from folds.split(features, target)
    else:
        yield hold_out(target, problem, seed)


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collects what solvers say about unfinished or ill-conditioned fits; other warnings go on their way."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    for warning in caught:
        if issubclass(warning.category, UNWEIGHTY):
            notes.append("The linear model stopped before it had converged; its metrics stand as measured.")
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    notes[:] = dict.fromkeys(notes)
