"""Draws the reference profile of a training run from its rows and predictions."""

from typing import Any

import numpy as np
import pandas as pd

from pipelines.profiles import (
    Distribution,
    HeldOut,
    Numbers,
    ReferenceProfile,
    reference_categories,
    reference_edges,
    tally_numbers,
)
from pipelines.retrain.metrics import Predictions
from pipelines.retrain.values import TrainingJob

# Enough for deciles to three digits; a larger table is sampled.
PROFILE_ROWS = 200_000


def draw_profile(
    job: TrainingJob, features: Any, target: Any, predicted: Predictions, test_target: Any
) -> ReferenceProfile:
    """`features` and `target` are the training rows, `predicted` is what the model says about the test rows."""
    if len(features) > PROFILE_ROWS:
        rows = np.sort(np.random.default_rng(job.seed).choice(len(features), PROFILE_ROWS, replace=False))
        features, target = features.iloc[rows], target.iloc[rows]
    sure = None if predicted.probabilities is None else predicted.probabilities.max(axis=1)
    confidence = None if sure is None else _of_numbers(sure)
    spread = _of_numbers if job.problem == "regression" else _of_texts
    return ReferenceProfile(
        model=job.model,
        run_id=job.run_id,
        rows=len(features),
        features={name: _of_feature(features[name]) for name in features.columns},
        target=spread(np.asarray(target)),
        prediction=spread(predicted.values),
        confidence=confidence,
        held_out=_held_out(job, predicted.values, np.asarray(test_target), sure, confidence),
    )


def _held_out(job: TrainingJob, said: Any, actual: Any, sure: Any, confidence: Numbers | None) -> HeldOut:
    if job.problem == "regression":
        errors = np.abs(np.asarray(said, dtype=np.float64) - actual.astype(np.float64))
        return HeldOut(len(actual), 0, float(errors.sum()), float(np.square(errors).sum()))
    right = np.asarray(said, dtype=object) == actual.astype(object)
    bins: tuple[int, ...] = ()
    if confidence is not None:
        # The bins of tally_numbers: edges[i-1] < x <= edges[i].
        places = np.searchsorted(np.asarray(confidence.edges), np.asarray(sure, dtype=np.float64), side="left")
        bins = tuple(np.bincount(places[right], minlength=len(confidence.counts)).tolist())
    return HeldOut(len(actual), int(right.sum()), right_by_confidence=bins)


def _of_feature(values: Any) -> Distribution:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _of_texts(values.astype(object).where(values.notna(), None).to_numpy())
    return _of_numbers(values.to_numpy())


def _of_numbers(values: Any) -> Numbers:
    values = np.asarray(values, dtype=np.float64)
    return tally_numbers(values, reference_edges(values))


def _of_texts(values: Any) -> Distribution:
    texts = [None if value is None else str(value) for value in values]
    return reference_categories(texts)
