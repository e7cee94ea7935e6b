"""Since when a watched model drifts, and how many labelled rows of the new kind there are by now.

The moment is told by single errors where rows with labels are kept, else by the hourly profiles: the hour that parts
a column's counts best into two (the likeliest split of multinomials, as in Gombay and Horvath 1996).
"""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from pipelines.drift.changes import first_change
from pipelines.drift.plans import LEAST_NEW_ROWS, NewRows
from pipelines.drift.quality import LATEST_LABELS, usual_deviation
from pipelines.drift.records import outcome_of
from pipelines.drift.sampling import LabelledRow
from pipelines.drift.values import FeatureDrift, Onset, SchemaBreak, Verdict
from pipelines.drift.windows import Tally, WindowProfile
from pipelines.profiles import Distribution, Numbers, ReferenceProfile

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Older than this it is no beginning that anybody looks for, and earlier drift of the same model may lie before.
LONGEST_ONSET = 14 * DAY
MOST_COLUMNS = 3
LEAST_ERRORS = 50
# An error of so many usual deviations is as wrong as it gets; ADWIN takes numbers between 0 and 1.
WHOLLY_WRONG = 4.0
# How fast labels come is told by the last day of them.
RATE_OF = DAY


def earliest(until: datetime, drifting: Sequence[tuple[datetime, datetime]]) -> datetime:
    """From when on a beginning is looked for: after the last drift that ended."""
    ended = [end for _, end in drifting if end <= until]
    return max([until - LONGEST_ONSET, *ended])


def onset_by_errors(rows: Sequence[LabelledRow], reference: ReferenceProfile, since: datetime) -> Onset | None:
    """Where the errors of `rows` (oldest first) became more, by ADWIN; None where they did not, or are too few."""
    recent = [row for row in rows if row.at >= since]
    if len(recent) < LEAST_ERRORS:
        return None
    numbers = isinstance(reference.prediction, Numbers)
    usual = WHOLLY_WRONG * usual_deviation(reference.target)
    outcomes = [outcome_of(row.prediction, row.label) for row in recent]
    wrong = [min(1.0, one.absolute_error / usual) if numbers else float(not one.right) for one in outcomes]
    known = np.asarray(wrong)
    places = np.flatnonzero(np.isfinite(known))
    row = _lasting_change(known[places])
    return Onset(recent[int(places[row])].at, exact=True) if row is not None else None


def _lasting_change(errors: Any) -> int | None:
    """The first row from which on errors are more, up to now: a bad night that is over is passed by."""
    start, last, middle, row = 0, 0, 0.0, None
    while (point := first_change(errors[start:])) is not None:
        since, noticed = start + point.row, start + point.noticed
        between = errors[last:since]
        if row is None or (len(between) and between.mean() < middle):
            row, middle = since, float(point.before + errors[since : noticed + 1].mean()) / 2
        start = last = noticed + 1
    return row if row is not None and errors[row:].mean() >= middle else None


def onset_by_hours(
    reference: ReferenceProfile, hours: Sequence[WindowProfile], verdict: Verdict, window: timedelta, since: datetime
) -> Onset | None:
    """The beginning of the hour from which on the columns that the verdict names are others, or errors are more."""
    within = sorted((one for one in hours if one.hour >= since), key=lambda one: one.hour)
    if not within:
        return None
    gains = [gain for counts, before in _streams(reference, within, verdict) if (gain := _gains(counts, before, window))
             is not None]  # fmt: skip
    if not gains:
        return None
    return Onset(within[int(np.sum(gains, axis=0).argmax())].hour)


def new_rows(onset: Onset, hours: Sequence[WindowProfile], until: datetime) -> NewRows | None:
    """Those whose labels came; None where no label of the last two weeks is known, so that nothing can be counted."""
    labelled = [(one.hour, count) for one in hours if (count := _labelled(one)) and one.hour < until]
    if not labelled or until - max(hour for hour, _ in labelled) > LATEST_LABELS:
        return None
    known = math.floor(sum(count * _share_since(hour, onset.at, until) for hour, count in labelled))
    missing = LEAST_NEW_ROWS - known
    if missing <= 0:
        return NewRows(onset.at, known)
    newest = min(max(hour for hour, _ in labelled) + HOUR, until)
    lately = [count for hour, count in labelled if hour >= newest - RATE_OF]
    per_hour = sum(lately) / max(1.0, min(RATE_OF, newest - min(hour for hour, _ in labelled)) / HOUR)
    # Labels come some time after their rows: those of the new kind begin to come that much later.
    begins = max(until, onset.at + (until - newest))
    return NewRows(onset.at, known, expected=begins + HOUR * (missing / per_hour))


def _labelled(window: WindowProfile) -> int:
    return sum(tally.outcomes.labelled for tally in window.tallies.values())


def _share_since(hour: datetime, since: datetime, until: datetime) -> float:
    """How much of an hour lies after that moment, as far as it has passed."""
    end = min(hour + HOUR, until)
    if hour >= since:
        return 1.0
    return max(0.0, (end - since) / (end - hour))


def _streams(
    reference: ReferenceProfile, hours: Sequence[WindowProfile], verdict: Verdict
) -> Iterator[tuple[Any, Any]]:
    """Counts by hour and bin of what the verdict is about, each with those of the reference."""
    worst: list[FeatureDrift | SchemaBreak] = [*verdict.breaks] or [one for one in verdict.features if one.drifted]
    for found in worst[:MOST_COLUMNS]:
        part = found.part if isinstance(found, SchemaBreak) else found.role
        before = _column_of_reference(reference, part, found.name)
        if before is not None:
            yield np.array([_hour_counts(one, part, found.name, before) for one in hours]), _counts(before, before)
    measured = verdict.performance
    if not worst and measured is not None and measured.worse and measured.metric == "accuracy":
        yield np.array([_outcomes(one) for one in hours]), np.array([measured.before, 1 - measured.before])


def _column_of_reference(reference: ReferenceProfile, part: str, name: str) -> Distribution | None:
    if part == "feature":
        return reference.features.get(name)
    return reference.prediction if part == "prediction" else reference.confidence if part == "score" else None


def _hour_counts(window: WindowProfile, part: str, name: str, before: Distribution) -> Any:
    found = [_column(tally, part, name) for tally in window.tallies.values()]
    return sum((_counts(one, before) for one in found if one is not None), start=_counts(None, before))


def _column(tally: Tally, part: str, name: str) -> Distribution | None:
    if part == "feature":
        return tally.features.get(name)
    return tally.prediction if part == "prediction" else tally.confidence


def _counts(found: Distribution | None, before: Distribution) -> Any:
    """By the bins or names of the reference, then the other categories, then the missing."""
    if isinstance(before, Numbers):
        known = found.counts if isinstance(found, Numbers) else (0,) * len(before.counts)
        return np.array([*known, found.missing if found is not None else 0], dtype=float)
    if found is None or isinstance(found, Numbers):
        return np.zeros(len(before.counts) + 2)
    return np.array([*(found.counts.get(name, 0) for name in before.counts), found.other, found.missing], dtype=float)


def _outcomes(window: WindowProfile) -> Any:
    outcomes = [tally.outcomes for tally in window.tallies.values()]
    right = sum(one.right for one in outcomes)
    return np.array([right, sum(one.labelled for one in outcomes) - right], dtype=float)


def _gains(counts: Any, reference: Any, window: timedelta) -> Any:
    """How much likelier the counts are with a split before each hour than without any.

    The reference stands before all of them as one window of the usual size: where all hours are of the new kind,
    there is something before them. None without a row.
    """
    hourly = counts.sum(axis=1)
    if not hourly.sum() or not reference.sum():
        return None
    weight = max(1.0, hourly[hourly > 0].mean() * (window / HOUR))
    first = reference / reference.sum() * weight
    after = np.cumsum(counts[::-1], axis=0)[::-1]
    before = first + counts.sum(axis=0) - after
    return _likelihood(before) + _likelihood(after)


def _likelihood(counts: Any) -> Any:
    """The logarithm of each row's likelihood under its own shares; half a row more in each bin."""
    padded = counts + 0.5
    return (counts * np.log(padded / padded.sum(axis=1, keepdims=True))).sum(axis=1)
