"""Hours of inference records as profiles that add up: in any order, twice, from many processes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelines import profiles
from pipelines.json_values import to_json
from pipelines.profiles import Categories, Distribution, Numbers


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What labels say of predictions. `confusion`: predicted, then actual; for numbers only the errors are kept."""

    labelled: int = 0
    right: int = 0
    absolute_error: float = 0.0
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    squared_error: float = 0.0

    @property
    def accuracy(self) -> float:
        """nan without any label."""
        return self.right / self.labelled if self.labelled else float("nan")


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some rows in the bins of the reference. Labels come late and alone: then `rows` is 0."""

    rows: int = 0
    features: Mapping[str, Distribution] = field(default_factory=dict)
    prediction: Distribution | None = None
    confidence: Numbers | None = None
    outcomes: Outcomes = Outcomes()


@dataclass(frozen=True, slots=True)
class WindowProfile:
    """One hour of one version of a model. `tallies` by the id of the batch they came in; the same id counts once."""

    model: str
    version: str
    hour: datetime
    tallies: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def total(self) -> Tally:
        """All tallies together, always added in the order of their ids."""
        return added(self.tallies[batch] for batch in sorted(self.tallies))


def merge(one: WindowProfile, other: WindowProfile) -> WindowProfile:
    """Both together: associative, commutative, and merging again changes nothing. Raises ValueError for other hours.

    Should two batches have one id, the one with more rows counts.
    """
    if (one.model, one.version, one.hour) != (other.model, other.version, other.hour):
        raise ValueError("only profiles of one model, version and hour can be merged")
    tallies = dict(one.tallies)
    for batch, tally in other.tallies.items():
        tallies[batch] = max(tallies[batch], tally, key=_weight) if batch in tallies else tally
    return WindowProfile(one.model, one.version, one.hour, tallies)


def added(tallies: Iterable[Tally]) -> Tally:
    """The sum. Raises ValueError when they were counted in different bins."""
    total = Tally()
    for tally in tallies:
        features = dict(total.features)
        for name, distribution in tally.features.items():
            features[name] = _sum(features.get(name), distribution)
        total = Tally(
            total.rows + tally.rows,
            features,
            tally.prediction if total.prediction is None else _sum(total.prediction, tally.prediction),
            tally.confidence if total.confidence is None else _numbers(_sum(total.confidence, tally.confidence)),
            _outcomes(total.outcomes, tally.outcomes),
        )
    return total


def _weight(tally: Tally) -> tuple[int, str]:
    return tally.rows, json.dumps(to_json(tally), sort_keys=True)


def _sum(one: Distribution | None, other: Distribution | None) -> Distribution:
    if one is None or other is None:
        known = one if other is None else other
        assert known is not None
        return known
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        return profiles.merge(one, other)
    if isinstance(one, Categories) and isinstance(other, Categories):
        return profiles.merge(one, other)
    raise ValueError("numbers and categories cannot be merged")


def _numbers(distribution: Distribution) -> Numbers:
    assert isinstance(distribution, Numbers)
    return distribution


def _outcomes(one: Outcomes, other: Outcomes) -> Outcomes:
    confusion = {said: dict(actual) for said, actual in one.confusion.items()}
    for said, counts in other.confusion.items():
        row = confusion.setdefault(said, {})
        for actual, count in counts.items():
            row[actual] = row.get(actual, 0) + count
    return Outcomes(
        one.labelled + other.labelled,
        one.right + other.right,
        one.absolute_error + other.absolute_error,
        confusion,
        one.squared_error + other.squared_error,
    )
