"""A challenger on recent labelled rows, by cross-validation: the recipe of a retrain, with fewer settings to search.

Runs in a process of its own (bot/clients/challenger.py). Nothing is written, and no value of a row is told.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipelines.errors import Refused
from pipelines.retrain import trainer
from pipelines.retrain.assembly import Assembly
from pipelines.retrain.dataset import WHOLE
from pipelines.retrain.own_trainer import find_trainer, fit_own
from pipelines.retrain.values import TrainingJob

# The linear and the boosted model with plain settings: which one it is matters more than how it is tuned.
MOST_CANDIDATES = 2
# The search splits in three; a class with fewer rows would be missing in some part.
LEAST_A_CLASS = 3

Fit = Callable[[Any, Any], Any]


def challenger_errors(
    job: TrainingJob,
    rows: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    folds: Sequence[tuple[Sequence[int], Sequence[int]]],
) -> list[float]:
    """The error of each tested row, fold after fold: 0 or 1 for classes, the absolute one for numbers.

    Raises Refused where nothing can be learned from these rows, and TrainerFailed for a team's own trainer.
    """
    target = _target(job, labels)
    features = _features(job, rows)
    fit = _recipe(job, features, target)
    errors: list[float] = []
    for train, test in folds:
        taught, asked = features.iloc[list(train)], features.iloc[list(test)]
        learned, truth = target.iloc[list(train)], target.iloc[list(test)]
        alike = learned.nunique() == 1
        said = np.full(len(truth), learned.iloc[0]) if alike else fit(taught, learned).predict(asked)
        errors += _errors(job, np.asarray(said), truth)
    return errors


def _target(job: TrainingJob, labels: Sequence[str]) -> Any:
    if job.problem == "regression":
        return pd.Series([float(label) for label in labels])
    whole = all(map(WHOLE.match, labels))
    return pd.Series([int(label) if whole else label for label in labels], dtype="int64" if whole else object)


def _features(job: TrainingJob, rows: Sequence[Mapping[str, Any]]) -> Any:
    table = pd.DataFrame.from_records(list(rows))
    assembly = Assembly(job.target, job.problem, job.drop_columns, np.float64)
    assembly.add(table.assign(**{job.target: 0}))
    features, columns = assembly.features(table.index)
    if not columns:
        raise Refused("No column of the recent rows is of use: every one is empty, constant or an identifier.")
    return features


def _recipe(job: TrainingJob, features: Any, target: Any) -> Fit:
    if job.trainer != "builtin":
        own = find_trainer(job.trainer)
        return lambda some, outcome: fit_own(own, job, some, outcome)
    searched = np.ones(len(target), dtype=bool)
    if job.problem == "classification":
        counts = target.value_counts()
        searched = target.isin(counts[counts >= LEAST_A_CLASS].index).to_numpy()
    if target[searched].nunique() < 2:
        raise Refused("Nearly all recent labels are the same: there is nothing to learn.")
    chosen = trainer.search(
        features[searched], target[searched], job.problem,
        count=min(MOST_CANDIDATES, job.search_candidates), seed=job.seed, on_candidate=lambda _index, _text: None,
    )  # fmt: skip
    return lambda some, outcome: trainer.fit(chosen, some, outcome, job.problem, job.seed)[0]


def _errors(job: TrainingJob, said: Any, truth: Any) -> list[float]:
    if job.problem == "regression":
        return [float(error) for error in np.abs(said.astype(float) - truth.to_numpy())]
    return [float(str(one) != str(other)) for one, other in zip(said.tolist(), truth.tolist(), strict=True)]
