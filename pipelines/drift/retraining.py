"""Will retraining help? A challenger against the champion on recent labelled rows, before anybody is asked to pay."""

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.plans import NO, UNKNOWN, YES, RetrainingTest
from pipelines.drift.sampling import Fold
from pipelines.errors import Refused

FOLDS = 5
LEAST_ROWS = 200
LEAST_TAUGHT = 50
P_VALUE = 0.01
# A challenger must take away this share of the champion's errors to be worth its training.
LEAST_GAIN = 0.1

ErrorsOf = Callable[[Sequence[Fold]], Sequence[float]]


def would_retraining_help(
    champion_errors: Sequence[float], alike: Sequence[Hashable], challenger_errors: ErrorsOf, *, classes: bool,
    weights: Sequence[float] | None = None,
) -> RetrainingTest:  # fmt: skip
    """Cross-validate a challenger over recent rows, in the order of time, paired with the champion's errors.

    `champion_errors`: 0 or 1 a row for `classes`, else absolute ones. `challenger_errors` trains a fold on the rows
    of its first numbers and answers the errors on those of the second. Rows with the same entry in `alike` are never
    on both sides: a challenger would know the answer. `weights` have the mean 1. Raises Refused on too few rows.
    """
    if len(champion_errors) < LEAST_ROWS:
        raise Refused(f"Only {len(champion_errors):,} recent rows have a label; {LEAST_ROWS} are needed.")
    folds = _folds(alike)
    if min(len(fold.train) for fold in folds) < LEAST_TAUGHT:
        raise Refused("The recent rows with a label are too much alike to learn from some of them and test on others.")
    theirs, ours = np.asarray(champion_errors, dtype=float), np.asarray(challenger_errors(folds), dtype=float)
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        raise Refused("The challenger did not answer every row.")
    if weights is not None:
        theirs, ours = theirs * np.asarray(weights), ours * np.asarray(weights)
    gains = theirs - ours
    spread = float(gains.std()) / math.sqrt(len(gains))
    p_value = statistics.normal_tail(float(gains.mean()) / spread) if spread else float(gains.mean() <= 0)
    return _told(float(theirs.mean()), float(ours.mean()), p_value, len(gains), classes, weights is not None)


def _folds(alike: Sequence[Hashable]) -> list[Fold]:
    found = []
    for part in np.array_split(np.arange(len(alike)), FOLDS):
        tested = set(part.tolist())
        known = {alike[row] for row in tested}
        taught = tuple(row for row, mark in enumerate(alike) if row not in tested and mark not in known)
        found.append(Fold(taught, tuple(part.tolist())))
    return found


def _told(
    champion: float, challenger: float, p_value: float, rows: int, classes: bool, weighted: bool
) -> RetrainingTest:  # fmt: skip
    if classes:
        how = ", each class counting alike" if weighted else ""
        both = f"is wrong in {challenger:.1%} of them, the champion in {champion:.1%}{how}"
    else:
        both = f"is off by {challenger:.4g} on average, the champion by {champion:.4g}"
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"
    measured = f"a challenger, cross-validated on recent rows with labels, {both} ({rows:,} rows, {chance})."
    gain = champion - challenger
    if gain <= 0 or gain < LEAST_GAIN * champion:
        answer, text = NO, f"Retraining will probably not help: {measured}"
    elif p_value < P_VALUE:
        answer, text = YES, f"Retraining will probably help: {measured}"
    else:
        answer, text = UNKNOWN, f"Cannot say: {measured} That may be chance."
    return RetrainingTest(answer, text, rows, champion, challenger, p_value)
