"""Columns in memory counted in the bins of a stored reference: block by block, however many rows."""

from collections.abc import Mapping

from pipelines import profiles
from pipelines.drift.columns import Column, Numbers, Texts, as_texts
from pipelines.drift.windows import Tally
from pipelines.profiles import Categories, Distribution, ReferenceProfile


def tally_columns(columns: Mapping[str, Column], reference: ReferenceProfile) -> Tally:
    """The features that the reference knows; what is missing or of another type counts as missing."""
    rows = max((len(column) for column in columns.values()), default=0)
    features = {
        name: _tally(columns.get(name), distribution, rows) for name, distribution in reference.features.items()
    }
    return Tally(rows, features)


def _tally(column: Column | None, distribution: Distribution, rows: int) -> Distribution:
    if isinstance(distribution, Categories):
        if column is None:
            return Categories(dict.fromkeys(distribution.counts, 0), missing=rows)
        texts = as_texts(column)
        return profiles.tally_codes(texts.codes, texts.levels, list(distribution.counts))
    if isinstance(column, Numbers):
        return profiles.tally_numbers(column.values, distribution.edges)
    if isinstance(column, Texts) and set(column.levels) <= {"true", "false"}:
        # Training reads booleans as 0 and 1.
        import numpy as np

        values = np.array([*(float(level == "true") for level in column.levels), np.nan])[column.codes]
        return profiles.tally_numbers(values, distribution.edges)
    if column is None or isinstance(column, Texts):
        return profiles.Numbers(distribution.edges, (0,) * len(distribution.counts), missing=rows)
    return profiles.tally_numbers(column.seconds / 86_400, distribution.edges)
