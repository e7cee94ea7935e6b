"""Trains where blocks end: given that a line is marked, whether the next one is, downwards and upwards."""

from collections.abc import Sequence
from typing import Any

from bot.evaluation.forests import as_forest
from pipelines.evidence.features import edges
from pipelines.evidence.ranker import Forest

INNER = 40  # edges between two marked rows that are taken of each log
OUTER = 6  # of these, so many at either end: there it is hard to say
TREES = 60


def trained_ends(held: Sequence[tuple[Any, Any]]) -> tuple[Forest, Forest]:
    """Forests for below and above, of logs as (features, which rows are marked); the same ones each time."""
    import numpy

    generator = numpy.random.default_rng(0)
    taken = [_taken(features, marked, generator) for features, marked in held if marked.any()]
    return _fitted(taken, "last"), _fitted(taken, "first")


def _taken(features: Any, marked: Any, generator: Any) -> dict[str, Any]:
    """Edges by the row above them: behind a last marked row, before a first one, and between two; their weights."""
    import numpy

    above, below = marked[:-1], marked[1:]
    inner = numpy.flatnonzero(above & below)
    if len(inner) > INNER:
        some = generator.choice(inner[OUTER:-OUTER], INNER - 2 * OUTER, replace=False)
        inner = numpy.concatenate([inner[:OUTER], some, inner[-OUTER:]])
    taken = {"inner": inner, "last": numpy.flatnonzero(above & ~below), "first": numpy.flatnonzero(~above & below)}
    # A long block has as many edges to learn from as it has rows, but one end: each log's weight grows slower.
    return {name: edges(features, rows) for name, rows in taken.items()} | {"weight": 3 / numpy.sqrt(marked.sum())}


def _fitted(taken: Sequence[dict[str, Any]], end: str) -> Forest:
    import numpy
    from sklearn.ensemble import HistGradientBoostingClassifier

    parts = [(one[name], name == "inner", one["weight"]) for one in taken for name in (end, "inner")]
    goes_on = numpy.concatenate([numpy.full(len(rows), inner) for rows, inner, _ in parts])
    weights = numpy.concatenate(
        [numpy.full(len(rows), weight if inner else weight / max(1, len(rows))) for rows, inner, weight in parts]
    )
    model = HistGradientBoostingClassifier(
        max_iter=TREES,
        learning_rate=0.08,
        max_bins=63,
        max_leaf_nodes=10,
        min_samples_leaf=30,
        l2_regularization=5,
        max_features=0.3,
        early_stopping=False,
        random_state=0,
    )
    model.fit(numpy.concatenate([rows for rows, _, _ in parts]), goes_on, sample_weight=weights)
    return as_forest(model)
