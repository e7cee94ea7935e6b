"""Which rows to train, test, search and cross-validate on: the same for the same seed."""

from typing import Any

import numpy as np
import pandas as pd

from pipelines.retrain.values import Problem

TEST_SHARE = 0.2


def hold_out(target: Any, problem: Problem, seed: int) -> tuple[Any, Any]:
    """Row numbers to train on and to test on, in order; each class in both in its share, and at least once."""
    random = np.random.default_rng(seed)
    tested = np.zeros(len(target), dtype=bool)
    # Class by class over a mask: scikit-learn's split holds the row numbers of a large table five times.
    codes = pd.Categorical(target).codes if problem == "classification" else np.zeros(len(target), dtype=np.int8)
    for code in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes == code)
        tested[random.permutation(rows)[: max(1, round(len(rows) * TEST_SHARE))]] = True
    return np.flatnonzero(~tested), np.flatnonzero(tested)


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
