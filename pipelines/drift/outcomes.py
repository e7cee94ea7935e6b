"""What labels say of a version lately: accuracy, precision, recall and F1 out of counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.drift.ports import Profiles
from pipelines.drift.windows import Outcomes, added

LEAST_LABELS = 30


@dataclass(frozen=True, slots=True)
class LabelledMetrics:
    """Metrics over `rows` predictions whose labels have come."""

    rows: int
    metrics: dict[str, float]


def recent_metrics(
    profiles: Profiles, model: str, version: str, until: datetime, span: timedelta, positive: str | None = None
) -> LabelledMetrics | None:
    """Of one version in the `span` before `until`; None with fewer labels than would say anything."""
    hours = profiles.windows(model, until - span, until, version)
    outcomes = added(hour.total for hour in hours).outcomes
    return labelled_metrics(outcomes, positive) if outcomes.labelled >= LEAST_LABELS else None


def labelled_metrics(outcomes: Outcomes, positive: str | None = None) -> LabelledMetrics:
    """Precision, recall and F1 of the class `positive`, else their means over all classes; of numbers the MAE."""
    if not outcomes.confusion:
        return LabelledMetrics(outcomes.labelled, {"mae": outcomes.absolute_error / max(1, outcomes.labelled)})
    classes = sorted({*outcomes.confusion, *(actual for row in outcomes.confusion.values() for actual in row)})
    judged = [positive] if positive in classes else classes
    scores = [_scores(outcomes.confusion, str(name)) for name in judged]
    means = [sum(score[place] for score in scores) / len(scores) for place in range(3)]
    named = dict(zip(("precision", "recall", "f1"), means, strict=True))
    return LabelledMetrics(outcomes.labelled, {"accuracy": outcomes.accuracy, **named})


def _scores(confusion: Mapping[str, Mapping[str, int]], name: str) -> tuple[float, float, float]:
    hits = confusion.get(name, {}).get(name, 0)
    said = sum(confusion.get(name, {}).values())
    there = sum(row.get(name, 0) for row in confusion.values())
    precision, recall = hits / said if said else 0.0, hits / there if there else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0
