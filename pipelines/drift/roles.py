"""Which columns of two tables are features, and which are predictions, scores, targets, moments or identifiers.

The rules are shy: a name alone makes no role where the values speak against it, and what was said outright wins.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts
from pipelines.drift.dates import follows, tied
from pipelines.errors import Refused

PREDICTIONS = ("y_pred", "prediction", "predictions", "predicted", "predicted_label", "pred", "y_hat", "yhat")
SCORES = (
    "y_pred_proba",
    "y_score",
    "prediction_score",
    "predicted_probability",
    "probability",
    "proba",
    "score",
    "confidence",
)
TARGETS = ("target", "label", "y", "y_true", "ground_truth", "actual", "outcome", "class")
TIMESTAMPS = ("timestamp", "ts", "datetime", "event_time", "created_at", "time", "date")
# Such as y_pred_proba_setosa beside y_pred.
OTHER_OUTPUTS = ("y_pred_", "y_score_", "prediction_", "proba_", "probability_")
LIKE_AN_ID = re.compile(r"(^|[_\s-])(id|uuid|guid|key|index|row|no|nr|number|serial)$|^unnamed: \d+$|^$", re.IGNORECASE)
# What pandas calls an index that it was to write as well.
WRITTEN_INDEX = re.compile(r"^(unnamed: \d+|__index_level_\d+__|)$", re.IGNORECASE)
# Beyond this share of different texts a column names its rows, or is free text: no two windows have them in common.
MOSTLY_DIFFERENT = 0.5
FEW_LEVELS = 50
LEAST_ROWS = 20
MOSTLY_UNIQUE = 0.95
# The correlation of sorted values with their place is 1 where they are spread evenly, 0.98 for normal ones.
STRAIGHT = 0.985
MOST_TIMES_FASTER = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person said of the columns; empty where nothing was said."""

    prediction: str = ""
    score: str = ""
    target: str = ""
    timestamp: str = ""
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roles:
    """`left_out` says of each column that is not compared why, as the end of "`name` …".

    `dates` are features that hold moments, each with the clock that it goes along with, or "".
    """

    features: tuple[str, ...]
    prediction: str = ""
    score: str = ""
    target: str = ""
    timestamp: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)

    def without(self, broken: Collection[str]) -> "Roles":
        """The same where broken columns are no target and no answer."""
        prediction = "" if self.prediction in broken else self.prediction
        score = "" if self.score in broken else self.score
        target = "" if self.target in broken else self.target
        return Roles(self.features, prediction, score, target, self.timestamp, self.left_out, self.dates)

    @property
    def valued(self) -> tuple[str, ...]:
        """The columns that a table may be sorted by."""
        return (*self.features, self.target, self.prediction, self.score)


def find_roles(reference: Table, current: Table, brought: Sequence[str], wish: Wish) -> Roles:
    """`brought` are columns that the labels added to the current rows. Raises Refused for a wish that names none."""
    known = {*reference.columns, *current.columns}
    for name in (wish.prediction, wish.score, wish.target, wish.timestamp):
        if name and name not in known:
            raise Refused(f"There is no column `{name}` in these tables. They have: {', '.join(sorted(known)[:20])}.")
    left_out = dict.fromkeys(wish.ignore, "was to be ignored")
    names = [name for name in [*reference.columns, *current.columns] if name not in left_out]
    names = list(dict.fromkeys(names))
    prediction = wish.prediction or _named(PREDICTIONS, names)
    score = wish.score or _score(reference, current, [name for name in names if name != prediction])
    target = wish.target or _target(
        reference, current, brought, prediction, [n for n in names if n not in (prediction, score)]
    )
    timestamp = wish.timestamp or _timestamp(reference, current, names)
    special = {prediction, score, target, timestamp}
    features = []
    for name in names:
        if name in special or name in brought:
            continue
        if name.lower().startswith(OTHER_OUTPUTS) and (prediction or score):
            left_out[name] = "is another output of the model"
            continue
        clock = reference.columns.get(timestamp)
        reason = _reason_to_leave(name, reference.columns.get(name), current.columns.get(name), clock)
        if reason:
            left_out[name] = reason
        else:
            features.append(name)
    dates = _dates(reference, current, features, timestamp)
    return Roles(tuple(features), prediction, score, target, timestamp, left_out, dates)


def _named(candidates: Sequence[str], names: Sequence[str]) -> str:
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[candidate] for candidate in candidates if candidate in lowered), "")


def _score(reference: Table, current: Table, names: Sequence[str]) -> str:
    """A column of such a name whose values are probabilities on one side at least: a credit score is a feature."""
    for candidate in SCORES:
        name = _named((candidate,), names)
        columns = [table.columns[name] for table in (reference, current) if name in table.columns]
        if any(_within_one(column) for column in columns):
            return name
    return ""


def _within_one(column: Column) -> bool:
    if not isinstance(column, Numbers):
        return False
    values = column.values[column.present]
    return bool(len(values)) and values.min() >= 0 and values.max() <= 1


def _target(reference: Table, current: Table, brought: Sequence[str], prediction: str, names: Sequence[str]) -> str:
    """What labels brought that the reference knows; else a usual name; else what the predictions foretell."""
    late = [name for name in brought if name in reference.columns]
    if len(late) == 1:
        return late[0]
    named = [n for n in names if n.lower() in TARGETS]
    for candidate in sorted(named, key=lambda name: TARGETS.index(name.lower())):
        column = reference.columns.get(candidate) or current.columns[candidate]
        if candidate.lower() != "class" or _few_levels(column) or candidate not in current.columns:
            return candidate
    extra = [name for name in brought if not LIKE_AN_ID.search(name)]
    if len(extra) == 1:
        return extra[0]
    if prediction in reference.columns:
        lacking = [n for n in names if n in reference.columns and n not in current.columns]
        foretold = [n for n in lacking if _foretold(reference.columns[n], reference.columns[prediction])]
        if len(foretold) == 1:
            return foretold[0]
    return ""


def _few_levels(column: Column) -> bool:
    if isinstance(column, Texts):
        return len(column.levels) <= FEW_LEVELS
    return isinstance(column, Numbers) and len(np.unique(column.values[column.present])) <= FEW_LEVELS


def _foretold(column: Column, prediction: Column) -> bool:
    """Whether the predictions are mostly right about this column, or move with it where they are numbers."""
    if isinstance(column, Texts) and isinstance(prediction, Texts):
        names = np.array([*column.levels, ""], dtype=object)[column.codes]
        return bool((names == np.array([*prediction.levels, ""], dtype=object)[prediction.codes]).mean() > 0.5)
    if isinstance(column, Numbers) and isinstance(prediction, Numbers):
        both = column.present & prediction.present
        one, other = column.values[both], prediction.values[both]
        if len(one) < LEAST_ROWS or not one.std() or not other.std():
            return False
        return bool((one == other).mean() > 0.6 or np.corrcoef(one, other)[0, 1] > 0.5)
    return False


def _timestamp(reference: Table, current: Table, names: Sequence[str]) -> str:
    """A usual name; else the first date that goes on where the reference ends: others do not say when a row came."""
    both = {name: (reference.columns.get(name), current.columns.get(name)) for name in names}
    moments = {n: (a, b) for n, (a, b) in both.items() if isinstance(a, Moments) and isinstance(b, Moments)}
    going_on = (name for name, (then, now) in moments.items() if follows(then, now))
    return _named(TIMESTAMPS, list(moments)) or next(going_on, "")


def _dates(reference: Table, current: Table, features: Sequence[str], timestamp: str) -> dict[str, str]:
    clock, found = reference.columns.get(timestamp), {}
    for name in features:
        then = reference.columns.get(name)
        if isinstance(then, Moments) and isinstance(current.columns.get(name), Moments):
            found[name] = timestamp if isinstance(clock, Moments) and tied(then, clock) else ""
    return found


def _reason_to_leave(name: str, reference: Column | None, current: Column | None, clock: Column | None) -> str:
    columns = [column for column in (reference, current) if column is not None]
    if WRITTEN_INDEX.match(name):
        return "is an index that was written with the rows"
    if isinstance(reference, Moments) and isinstance(current, Moments):
        return _reason_to_leave_date(reference, current, clock)
    if all(isinstance(column, Moments) for column in columns):
        return "holds moments, and time goes on"
    if len(columns) < 2:
        lone = columns[0]
        return "names its rows" if _names_rows(name, lone) else ""
    if all(_names_rows(name, column) for column in columns):
        return "names its rows: nearly each has a value of its own"
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        if _empty(reference) and _empty(current):
            return "is empty in both"
        if _constant(reference) and _constant(current) and _same_constant(reference, current):
            return "is constant in both, so it can tell nothing"
        if _runs_on(reference, current):
            return "runs on with the rows, as time does"
    if isinstance(reference, Texts) and isinstance(current, Texts):
        if _empty(reference) and _empty(current):
            return "is empty in both"
        if (
            len(reference.levels) == 1
            and reference.levels == current.levels
            and not _gaps(reference)
            and not _gaps(current)
        ):
            return "is constant in both, so it can tell nothing"
    return ""


def _reason_to_leave_date(reference: Moments, current: Moments, clock: Column | None) -> str:
    then, now = reference.seconds[reference.present], current.seconds[current.present]
    if not len(then) and not len(now):
        return "is empty in both"
    if len(then) and len(now) and not np.ptp(then) and not np.ptp(now):
        return "is one date in each table, so it can tell nothing"
    if follows(reference, current) and not (isinstance(clock, Moments) and tied(reference, clock)):
        return "holds moments, and time goes on"
    return ""


def _names_rows(name: str, column: Column) -> bool:
    present = column.present
    rows = int(present.sum())
    if rows < LEAST_ROWS:
        return bool(LIKE_AN_ID.search(name))
    if isinstance(column, Texts):
        return len(column.levels) > max(FEW_LEVELS, MOSTLY_DIFFERENT * rows)
    if isinstance(column, Moments) or not LIKE_AN_ID.search(name):
        return False
    values = column.values[present]
    whole = bool((values == np.floor(values)).all())
    return whole and len(np.unique(values)) > MOSTLY_UNIQUE * rows


def _runs_on(reference: Numbers, current: Numbers) -> bool:
    """A number that counts the rows or moments: in their order, or over again in equal steps, or shuffled.

    A table that is sorted by a column does not make it one: its values crowd somewhere, or begin anew.
    """
    then, now = reference.values[reference.present], current.values[current.present]
    if len(then) < LEAST_ROWS or len(now) < LEAST_ROWS or len(np.unique(then)) <= 5:
        return False
    whole = all(bool((values == np.floor(values)).all()) for values in (then, now))
    if all(_never_falls(values) for values in (then, now)):
        goes_on = now[0] >= then[-1] or now[-1] <= then[0]
        if goes_on and _as_fast(then, now) and (whole or (_even(then) and _even(now))):
            return True
        return _in_steps(then) and _in_steps(now)
    counts = all(len(np.unique(values)) > MOSTLY_UNIQUE * len(values) for values in (then, now))
    after = bool((now > np.quantile(then, 0.99)).mean() > MOSTLY_UNIQUE)
    return whole and counts and after and _as_fast(then, now) and _even(then) and _even(now)


def _even(values: Any) -> bool:
    """Whether the values lie about as close everywhere: sorted, they rise in a straight line."""
    return bool(np.corrcoef(np.sort(values), np.arange(len(values)))[0, 1] > STRAIGHT)


def _in_steps(values: Any) -> bool:
    steps = np.diff(values)
    return bool((np.abs(steps - np.median(steps)) <= 1e-6 * abs(np.median(steps))).mean() > MOSTLY_UNIQUE)


def _as_fast(then: Any, now: Any) -> bool:
    """Whether both rise about as much from row to row, as what comes in another unit does not."""
    one, other = np.ptp(then) / len(then), np.ptp(now) / len(now)
    return bool(min(one, other) * MOST_TIMES_FASTER >= max(one, other))


def _never_falls(values: Any) -> bool:
    return bool((np.diff(values) >= 0).mean() > 0.999) and values[-1] > values[0]


def _empty(column: Column) -> bool:
    return not column.present.any()


def _gaps(column: Column) -> bool:
    return not bool(column.present.all())


def _constant(column: Numbers) -> bool:
    values = column.values[column.present]
    return bool(len(values)) and values.min() == values.max()


def _same_constant(reference: Numbers, current: Numbers) -> bool:
    then, now = reference.values[reference.present], current.values[current.present]
    return bool(then[0] == now[0]) and abs(len(then) / len(reference) - len(now) / len(current)) < 0.01
