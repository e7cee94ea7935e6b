"""Will retraining help? A challenger against the champion on recent labelled rows, before anybody is asked to pay."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.values import Verdict
from pipelines.errors import Refused

FOLDS = 5
LEAST_ROWS = 200
P_VALUE = 0.01
# A challenger must take away this share of the champion's errors to be worth its training.
LEAST_GAIN = 0.1

ErrorsOf = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class RetrainingTest:
    """Mean errors a row of both on the same rows; `why` is a whole sentence."""

    helps: bool
    champion_error: float
    challenger_error: float
    p_value: float
    rows: int
    why: str


def would_retraining_help(verdict: Verdict, champion_errors: Any, challenger_errors: ErrorsOf) -> RetrainingTest:
    """Cross-validate a challenger over recent rows, in the order of time, paired with the champion's errors.

    `champion_errors`: 0 or 1 a row (or absolute errors), NaN without a label. `challenger_errors(train, test)` trains
    on the rows of the first numbers and answers the errors on those of the second. Raises Refused on broken rows and
    on too few of them.
    """
    if verdict.kind == "schema break":
        names = ", ".join(verdict.affected[:5])
        raise Refused(f"No retraining on broken rows: a model would learn the fault. Fix {names} first.")
    rows = np.flatnonzero(np.isfinite(champion_errors))
    if len(rows) < LEAST_ROWS:
        raise Refused(
            f"Only {len(rows)} recent rows have a label; {LEAST_ROWS} are needed to say whether retraining helps."
        )
    folds = np.array_split(rows, FOLDS)
    errors = np.concatenate([challenger_errors(np.setdiff1d(rows, fold), fold) for fold in folds])
    gains = np.asarray(champion_errors)[rows] - errors
    champion, challenger = float(np.mean(np.asarray(champion_errors)[rows])), float(errors.mean())
    spread = float(gains.std()) / math.sqrt(len(gains))
    p_value = statistics.normal_tail(float(gains.mean()) / spread) if spread else 1.0
    helps = p_value < P_VALUE and champion - challenger >= LEAST_GAIN * champion
    why = (
        f"A challenger trained on recent rows errs by {challenger:.3f} where the champion errs by {champion:.3f} "
        f"({len(rows):,} rows, {FOLDS}-fold): retraining would {'probably help' if helps else 'probably not help'}."
    )
    return RetrainingTest(helps, champion, challenger, p_value, len(rows), why)
