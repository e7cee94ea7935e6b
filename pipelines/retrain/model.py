"""A trained model as it is pickled: it takes tables as they come and needs only pandas and the estimator's library.

The pickle carries this class and `columns` by value, so whoever loads it needs no Shipmate.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipelines.retrain.columns import Column, coerce


def aligned_probabilities(estimator: Any, features: Any, labels: Sequence[Any]) -> Any:
    """`predict_proba` with one column for each of `labels`; classes that are none of them are left out."""
    given = np.asarray(estimator.predict_proba(features), dtype=np.float64)
    places = {label: index for index, label in enumerate(labels)}
    aligned = np.zeros((len(given), len(labels)))
    for index, label in enumerate(estimator.classes_):
        if label in places:
            aligned[:, places[label]] = given[:, index]
    return aligned


class TableModel:
    """Prepares raw tables the way training did, then asks the fitted estimator.

    `labels` are the classes in the order of `predict_proba`'s columns; empty for regression.
    """

    def __init__(self, columns: Sequence[Column], target: str, estimator: Any, labels: Sequence[Any] = ()) -> None:
        self.columns = tuple(columns)
        self.target = target
        self.estimator = estimator
        self.labels = tuple(labels)

    @property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def classes_(self) -> tuple[Any, ...]:
        return self.labels

    @property
    def gives_probabilities(self) -> bool:
        return bool(self.labels) and hasattr(self.estimator, "predict_proba")

    def prepare(self, table: Any) -> Any:
        """The features of `table`, in order and typed; raises ValueError naming the columns that are missing."""
        missing = [name for name in self.feature_names if name not in table.columns]
        if missing:
            raise ValueError(f"missing columns: {', '.join(missing[:10])}")
        prepared = {column.name: coerce(column, table[column.name]) for column in self.columns}
        return pd.DataFrame(prepared, index=table.index)

    def predict(self, table: Any) -> Any:
        return np.asarray(self.estimator.predict(self.prepare(table)))

    def predict_proba(self, table: Any) -> Any:
        """One row a row, one column a label. A label that the estimator never saw has probability 0."""
        return aligned_probabilities(self.estimator, self.prepare(table), self.labels)
