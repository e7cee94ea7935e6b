"""Which rows to train, test, search and cross-validate on: the same for the same seed."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from pipelines.retrain.values import Problem

TEST_SHARE = 0.2


def hold_out(target: Any, problem: Problem, seed: int) -> tuple[Any, Any]:
    """Row numbers to train on and to test on, each class in both in its share."""
    stratify = target if problem == "classification" else None
    train, test = train_test_split(
        np.arange(len(target)), test_size=TEST_SHARE, random_state=seed, shuffle=True, stratify=stratify
    )
    return np.sort(train), np.sort(test)


def representative_rows(target: Any, problem: Problem, *, most: int, least_a_class: int, seed: int) -> Any:
    """At most about `most` row numbers; all where there are no more. Each class has `least_a_class` or all it has."""
    if len(target) <= most:
        return np.arange(len(target))
    random = np.random.default_rng(seed)
    chosen = random.choice(len(target), size=most, replace=False)
    if problem == "regression":
        return np.sort(chosen)
    values = np.asarray(target, dtype=object)
    rare = [np.flatnonzero(values == label)[:least_a_class] for label in target.unique()]
    return np.union1d(chosen, np.concatenate(rare))
