"""What stands around a verdict: how good each version was, the worst features then and now, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.drift.comparison import compare
from pipelines.drift.past import Past
from pipelines.drift.plans import RetrainingTest
from pipelines.drift.values import FeatureDrift
from pipelines.drift.windows import Tally
from pipelines.profiles import Categories, Distribution, Numbers, ReferenceProfile

MOST_SHAPES = 4
MOST_BARS = 12
MOST_WINDOWS = 14
LEAST_ROWS = 50
LEAST_LABELS = 30


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version of the registry. `trained`: metrics on its own test rows; `lately`: on `labelled` served rows."""

    version: str
    aliases: tuple[str, ...]
    trained: dict[str, float]
    lately: dict[str, float]
    labelled: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """One column then and now: shares of its rows in percent by bin, which `bins` name in order."""

    name: str
    change: str
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MoreShapes:
    """The columns that found no room in the first message: a message holds two charts."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """One window of the past. `metric` is accuracy, or the mean absolute error of numbers; None without labels."""

    until: datetime
    rows: int
    psi: float | None
    metric: float | None


@dataclass(frozen=True, slots=True)
class Background:
    """`unseen` says in whole sentences what could not be looked at. `followed` is the column of the course's PSI.

    `test` says whether retraining would help, where there is something to help against.
    """

    versions: tuple[VersionRecord, ...] = ()
    shapes: tuple[Shape, ...] = ()
    course: tuple[CoursePoint, ...] = ()
    followed: str = ""
    metric: str = "accuracy"
    unseen: tuple[str, ...] = ()
    test: RetrainingTest | None = None


def shapes(reference: ReferenceProfile, current: Tally, features: Sequence[FeatureDrift]) -> tuple[Shape, ...]:
    """Of the features that drifted, worst first; of the one that is nearest to it where none did."""
    drifted = [feature for feature in features if feature.drifted] or list(features[:1])
    found = []
    for feature in drifted:
        then, now = _sides(reference, current, feature.name)
        if then is not None and now is not None and then.count and now.count:
            found.append(_shape(feature, then, now))
    return tuple(found[:MOST_SHAPES])


def course(reference: ReferenceProfile, past: Past, until: datetime, followed: str) -> tuple[CoursePoint, ...]:
    """The last windows, oldest first; those without rows or labels are left out."""
    points = []
    for number in range(MOST_WINDOWS):
        end = until - number * past.span
        tally = past.window(end)
        metric, psi = _metric(reference, tally), _psi(reference, tally, followed)
        if metric is not None or psi is not None:
            points.append(CoursePoint(end, tally.rows, psi, metric))
    return tuple(reversed(points))


def _metric(reference: ReferenceProfile, tally: Tally) -> float | None:
    outcomes = tally.outcomes
    if outcomes.labelled < LEAST_LABELS:
        return None
    if isinstance(reference.prediction, Numbers):
        return outcomes.absolute_error / outcomes.labelled
    return outcomes.accuracy


def _psi(reference: ReferenceProfile, tally: Tally, name: str) -> float | None:
    then, now = _sides(reference, tally, name)
    return compare(then, now).psi if then is not None and now is not None and now.count >= LEAST_ROWS else None


def _sides(reference: ReferenceProfile, tally: Tally, name: str) -> tuple[Distribution | None, Distribution | None]:
    if name == "(prediction)":
        return reference.prediction, tally.prediction
    if name == "(confidence)":
        return reference.confidence, tally.confidence
    return reference.features.get(name), tally.features.get(name)


def _shape(feature: FeatureDrift, then: Distribution, now: Distribution) -> Shape:
    bins, before, after = _counts(then, now)
    shares = [tuple(round(100 * count / max(1, sum(side)), 2) for count in side) for side in (before, after)]
    return Shape(feature.name, feature.change, tuple(bins), shares[0], shares[1])


def _counts(then: Distribution, now: Distribution) -> tuple[list[str], list[int], list[int]]:
    """Names of bins, and how many rows each held then and now; what is missing has a bin where there is any."""
    if isinstance(then, Numbers) and isinstance(now, Numbers):
        edges = [f"{edge:.4g}" for edge in then.edges]
        bins = [f"up to {edge}" for edge in edges] + [f"above {edges[-1]}" if edges else "any value"]
        before, after = list(then.counts), list(now.counts)
    elif isinstance(then, Categories) and isinstance(now, Categories):
        names = sorted(then.counts, key=lambda name: -max(then.counts[name], now.counts.get(name, 0)))[: MOST_BARS - 2]
        bins = [*names, "others"]
        before, after = (_of_names(side, names) for side in (then, now))
    else:
        return [], [], []
    if then.missing or now.missing:
        bins, before, after = [*bins, "missing"], [*before, then.missing], [*after, now.missing]
    return bins, before, after


def _of_names(side: Categories, names: Sequence[str]) -> list[int]:
    counts = [side.counts.get(name, 0) for name in names]
    return [*counts, side.count - sum(counts)]
