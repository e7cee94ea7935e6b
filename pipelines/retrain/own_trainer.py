"""Trainers that a team brings along, named `package.module:function` in the catalogue.

The function is called as `function(table, job)`: `table` is a pandas DataFrame of the training rows (floats,
categories, and the column `job.target`), `job` the `TrainingJob`. It answers a fitted estimator with
`predict(features)` and, for classification, `classes_` and, for ROC AUC and log loss, `predict_proba(features)`.
It is called once for the model and once a fold of the cross-validation, so it must neither keep state nor
write anywhere, and should use `job.seed` for whatever is random. The result must be picklable.
"""

import importlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pipelines.retrain.values import TrainingJob

Trainer = Callable[[Any, TrainingJob], Any]

# What code that nobody here wrote may raise when it is wrong about the table or about itself.
MISTAKES = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError,
    RuntimeError, TypeError, ValueError, pickle.PickleError,
)  # fmt: skip


class TrainerFailed(Exception):
    """The team's own trainer is at fault; the text says how."""


def find_trainer(name: str) -> Trainer:
    module_name, _, function_name = name.partition(":")
    if not (module_name and function_name):
        raise TrainerFailed(f"`trainer: {name}` is not of the form package.module:function.")
    with _told(name, "could not be imported"):
        function = getattr(importlib.import_module(module_name), function_name)
    if not callable(function):
        raise TrainerFailed(f"`trainer: {name}` is not a function but a {type(function).__name__}.")
    return function  # type: ignore[no-any-return]  # any callable may stand here; what it answers is checked


def fit_own(trainer: Trainer, job: TrainingJob, features: Any, target: Any) -> Any:
    """The estimator that the trainer answers, tried on a few rows."""
    with _told(job.trainer, "failed"):
        estimator = trainer(features.assign(**{job.target: target}), job)
    if not callable(getattr(estimator, "predict", None)):
        kind = type(estimator).__name__
        raise TrainerFailed(f"The trainer `{job.trainer}` answered a {kind} without a method predict.")
    few = features.head(5)
    with _told(job.trainer, "answered an estimator that failed on its own training rows"):
        predicted = np.asarray(estimator.predict(few))
    if predicted.shape != (len(few),):
        raise TrainerFailed(f"The trainer `{job.trainer}`'s model predicts a shape {predicted.shape} for 5 rows.")
    _check_kind(job, estimator, predicted)
    return estimator


def _check_kind(job: TrainingJob, estimator: Any, predicted: Any) -> None:
    if job.problem == "classification":
        if hasattr(estimator, "predict_proba") and not hasattr(estimator, "classes_"):
            raise TrainerFailed(f"The trainer `{job.trainer}`'s model has predict_proba and no classes_.")
    elif not (np.issubdtype(predicted.dtype, np.number) and np.isfinite(predicted).all()):
        raise TrainerFailed(f"The trainer `{job.trainer}`'s model predicts something else than finite numbers.")


@contextmanager
def _told(name: str, what: str) -> Iterator[None]:
    try:
        yield
    except MISTAKES as mistake:
        words = " ".join(str(mistake).split())[:300]
        raise TrainerFailed(f"The trainer `{name}` {what}: {type(mistake).__name__}: {words}") from mistake
