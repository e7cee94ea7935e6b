"""Tries whether retraining would help, on the rows that are kept: an answer in any case, and never more than words."""

import math
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.drift.plans import NO, RetrainingTest, Trial, cannot_say
from pipelines.drift.ports import Challengers, Rows
from pipelines.drift.records import outcome_of
from pipelines.drift.retraining import LEAST_ROWS, would_retraining_help
from pipelines.drift.sampling import LabelledRow, RowLimit
from pipelines.errors import Refused

# Newest first; more of them would only make the answer later.
MOST_ROWS = 5_000
# Beyond it floats are whole because they know no fractions.
WHOLE_END = 1e15


@dataclass(frozen=True, slots=True)
class Trials:
    """One at a time; the last answer of a model is remembered for as long as its rows stay the same.

    `limits` say of which models rows are kept, `numeric` are the models that predict numbers.
    """

    rows: Rows
    challengers: Challengers
    limits: Mapping[str, RowLimit]
    numeric: Collection[str]
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _last: dict[str, tuple[int, RetrainingTest]] = field(default_factory=dict)

    def run(self, trial: Trial) -> RetrainingTest:
        """Raises Unavailable where the rows cannot be read now, or nothing can be trained now."""
        if trial.broken:
            names = ", ".join(trial.broken)
            return RetrainingTest(NO, f"Retraining will not help: a model would learn the fault. Fix {names} first.")
        limit = self.limits.get(trial.model)
        if limit is None or not limit.rows:
            return cannot_say("No rows of it are kept (`records.sample` in the catalogue).")
        with self._turn:
            found = _recent(self.rows.labelled(trial.model, trial.version), trial)[-MOST_ROWS:]
            mark = hash((trial.lost, *((row.record_id, row.label) for row in found)))
            known = self._last.get(trial.model)
            if known is not None and known[0] == mark:
                return known[1]
            test = self._tried(trial, found)
            self._last[trial.model] = (mark, test)
            return test

    def _tried(self, trial: Trial, found: Sequence[LabelledRow]) -> RetrainingTest:
        classes = trial.model not in self.numeric
        known = [replace(row, label=_settled(row.label)) for row in found if classes or _are_numbers(row)]
        outcomes = [outcome_of(row.prediction, row.label) for row in known]
        errors = [float(not one.right) if classes else one.absolute_error for one in outcomes]
        weights = _balanced([row.label for row in known]) if classes and trial.lost else None
        alike = [repr(sorted(row.features.items())) for row in known]
        try:
            return would_retraining_help(
                errors, alike, lambda folds: self.challengers.errors(trial.model, known, folds),
                classes=classes, weights=weights,
            )  # fmt: skip
        except Refused as refusal:
            return cannot_say(str(refusal))


def _recent(rows: Sequence[LabelledRow], trial: Trial) -> Sequence[LabelledRow]:
    """Those of the window, or as many as are needed: older ones may be from before the drift. `rows`: oldest first."""
    until = rows[-1].at if rows and trial.by_labels else trial.until
    known = [row for row in rows if until - trial.windows * trial.window < row.at <= until]
    within = sum(row.at > until - trial.window for row in known)
    return known[-max(within, LEAST_ROWS) :]


def _balanced(labels: Sequence[str]) -> list[float]:
    """All classes together weigh alike, however rare one is."""
    counts = Counter(labels)
    return [len(labels) / (len(counts) * counts[label]) for label in labels]


def _settled(label: str) -> str:
    """1.0 and 1 are one class."""
    number = _number(label)
    return str(int(number)) if number.is_integer() and abs(number) < WHOLE_END else label


def _are_numbers(row: LabelledRow) -> bool:
    return math.isfinite(_number(row.prediction)) and math.isfinite(_number(row.label))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
