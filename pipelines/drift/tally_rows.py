"""Tallies as rows of a store: the very JSON of pipelines/json_values.py, written and read in a tenth of its time.

A look reads a thousand of them, and the intake one for each group of records.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from pipelines.drift.windows import Outcomes, Tally
from pipelines.profiles import Categories, Distribution, Numbers


def write_tally(tally: Tally) -> str:
    """As JSON; `from_json(Tally, …)` reads it as well."""
    outcomes = tally.outcomes
    document = {
        "rows": tally.rows,
        "features": {name: _written(distribution) for name, distribution in tally.features.items()},
        "prediction": _written(tally.prediction) if tally.prediction is not None else None,
        "confidence": _written(tally.confidence) if tally.confidence is not None else None,
        "outcomes": {
            "labelled": outcomes.labelled, "right": outcomes.right, "absolute_error": _plain(outcomes.absolute_error),
            "confusion": {said: dict(actual) for said, actual in outcomes.confusion.items()},
            "squared_error": _plain(outcomes.squared_error),
        },
    }  # fmt: skip
    return json.dumps(document, allow_nan=False)


def read_tally(text: str) -> Tally:
    """Raises ValueError for what is none."""
    document = json.loads(text)
    try:
        prediction, sure = document.get("prediction"), document.get("confidence")
        confidence = _read(sure) if sure is not None else None
        return Tally(
            document["rows"], {name: _read(one) for name, one in document["features"].items()},
            _read(prediction) if prediction is not None else None,
            confidence if isinstance(confidence, Numbers) else None, _outcomes(document.get("outcomes") or {}),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as mistake:
        raise ValueError(f"a row is no tally: {mistake!r}") from None


def _written(distribution: Distribution) -> dict[str, Any]:
    if isinstance(distribution, Categories):
        return {
            "counts": dict(distribution.counts), "other": distribution.other, "missing": distribution.missing,
            "named_apart": distribution.named_apart,
        }  # fmt: skip
    return {
        "edges": [_plain(edge) for edge in distribution.edges], "counts": list(distribution.counts),
        "missing": distribution.missing, "mean": _plain(distribution.mean), "squares": _plain(distribution.squares),
        "minimum": _plain(distribution.minimum), "maximum": _plain(distribution.maximum),
    }  # fmt: skip


def _read(one: Mapping[str, Any]) -> Distribution:
    if "edges" not in one:
        return Categories(one["counts"], one.get("other", 0), one.get("missing", 0), one.get("named_apart", False))
    return Numbers(
        tuple(map(float, one["edges"])), tuple(one["counts"]), one.get("missing", 0), float(one.get("mean", 0.0)),
        float(one.get("squares", 0.0)), float(one.get("minimum", math.inf)), float(one.get("maximum", -math.inf)),
    )  # fmt: skip


def _outcomes(one: Mapping[str, Any]) -> Outcomes:
    return Outcomes(
        one.get("labelled", 0), one.get("right", 0), float(one.get("absolute_error", 0.0)), one.get("confusion", {}),
        float(one.get("squared_error", 0.0)),
    )  # fmt: skip


def _plain(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
