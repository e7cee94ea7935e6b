"""Draws the reference profile of a training run from its rows and predictions."""

from typing import Any

import numpy as np
import pandas as pd

from pipelines.profiles import (
    Distribution,
    Numbers,
    ReferenceProfile,
    reference_edges,
    reference_names,
    tally_categories,
    tally_numbers,
)
from pipelines.retrain.metrics import Predictions
from pipelines.retrain.values import TrainingJob

# Enough for deciles to three digits; a larger table is sampled.
PROFILE_ROWS = 200_000


def draw_profile(job: TrainingJob, features: Any, target: Any, predicted: Predictions) -> ReferenceProfile:
    """`features` and `target` are the training rows, `predicted` is what the model says about the test rows."""
    if len(features) > PROFILE_ROWS:
        rows = np.sort(np.random.default_rng(job.seed).choice(len(features), PROFILE_ROWS, replace=False))
        features, target = features.iloc[rows], target.iloc[rows]
    spread = _of_numbers if job.problem == "regression" else _of_texts
    return ReferenceProfile(
        model=job.model,
        run_id=job.run_id,
        rows=len(features),
        features={name: _of_feature(features[name]) for name in features.columns},
        target=spread(np.asarray(target)),
        prediction=spread(predicted.values),
        confidence=None if predicted.probabilities is None else _of_numbers(predicted.probabilities.max(axis=1)),
    )


def _of_feature(values: Any) -> Distribution:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _of_texts(values.astype(object).where(values.notna(), None).to_numpy())
    return _of_numbers(values.to_numpy())


def _of_numbers(values: Any) -> Numbers:
    values = np.asarray(values, dtype=np.float64)
    return tally_numbers(values, reference_edges(values))


def _of_texts(values: Any) -> Distribution:
    texts = [None if value is None else str(value) for value in values]
    return tally_categories(texts, reference_names(texts))
