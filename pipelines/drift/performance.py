"""How good the predictions are, then and now: from labels where they are there, estimated from the scores where not."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.columns import Numbers
from pipelines.drift.values import ChangePoint, ClassRecall, Performance

LEAST_ROWS = 50
# Worse: by two points, or by a point that is a fifth more errors; and not by chance.
LEAST_DROP = 0.02
LEAST_DROP_OF_FEW = 0.01
ERRORS_TIMES = 1.2
# Distances of numbers: a tenth more of them, and by two points of the target's own deviation.
ERRORS_GROWN = 1.1
P_VALUE = 0.001
# A class of which so much less is recognised is lost, however rare it is.
LEAST_RECALL_LOST = 0.1
P_SINCE = 0.0001
LEAST_GAP = 0.15
CALIBRATION_BANDS = 20
ROWS_A_BAND = 50


def classification(
    said: tuple[Any, Any], actual: tuple[Any, Any], names: Sequence[str]
) -> tuple[Any, Any, Performance | None]:
    """Class numbers then and now (negative: missing). Answers the errors of both sides and the accuracy.

    Worse is a model of which either the accuracy fell, or the recall of one class.
    """
    wrong = [
        np.where((one >= 0) & (other >= 0), one != other, np.nan).astype(float)
        for one, other in zip(said, actual, strict=True)
    ]
    before, now = (errors[np.isfinite(errors)] for errors in wrong)
    if len(before) < LEAST_ROWS or len(now) < LEAST_ROWS:
        return wrong[0], wrong[1], None
    more = statistics.share_p((int(before.sum()), len(before)), (int(now.sum()), len(now))) / 2
    if now.mean() <= before.mean():
        more = 1 - more
    others = {}
    for name, place in (("precision", 0), ("recall", 1), ("f1", 2)):
        scores = [_precision_recall(one, other, len(names))[place] for one, other in zip(said, actual, strict=True)]
        others[name] = (scores[0], scores[1])
    worse = more < P_VALUE and matters(float(before.mean()), float(now.mean()))
    lost = lost_class(by_class((wrong[0], wrong[1]), actual, names), P_VALUE)
    found = Performance(
        "accuracy", 1 - float(before.mean()), 1 - float(now.mean()), len(now), more, worse or lost is not None,
        others=others, lost=lost,
    )  # fmt: skip
    return wrong[0], wrong[1], found


def by_class(
    wrong: tuple[Any, Any], actual: tuple[Any, Any], names: Sequence[str]
) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Of each class its wrong rows and all its rows, then and now. NaN is an unknown error."""
    found = {}
    for number, name in enumerate(names):
        sides = [one[(other == number) & np.isfinite(one)] for one, other in zip(wrong, actual, strict=True)]
        found[name] = (int(sides[0].sum()), len(sides[0])), (int(sides[1].sum()), len(sides[1]))
    return found


def lost_class(classes: Mapping[str, tuple[tuple[int, int], tuple[int, int]]], p_value: float) -> ClassRecall | None:
    """The class whose recall fell most, by enough to matter and with less than `p_value` of chance over all classes.

    Accuracy alone is blind to a rare class: a model that no longer finds any of one row in a hundred is right in 99.
    """
    known = {name: sides for name, sides in classes.items() if sides[0][1] and sides[1][1]}
    found = []
    for name, (then, now) in known.items():
        before, after = 1 - then[0] / then[1], 1 - now[0] / now[1]
        if before - after < LEAST_RECALL_LOST:
            continue
        by_chance = min(1.0, statistics.share_p(then, now) / 2 * len(known))
        if by_chance < p_value:
            found.append(ClassRecall(name, before, after, now[1], by_chance))
    return max(found, key=lambda each: (each.drop, each.name), default=None)


def regression(said: tuple[Any, Any], actual: tuple[Any, Any]) -> tuple[Any, Any, Performance | None]:
    """Numbers then and now. The metric is the share of the target's mean absolute deviation that is explained."""
    errors = [np.abs(one - other) for one, other in zip(said, actual, strict=True)]
    before, now = (each[np.isfinite(each)] for each in errors)
    if len(before) < LEAST_ROWS or len(now) < LEAST_ROWS:
        return errors[0], errors[1], None
    target = actual[0][np.isfinite(actual[0])]
    usual = max(float(np.abs(target - np.median(target)).mean()), 1e-300)
    # A few huge errors are the outliers of the world, not a worse model.
    limit = max(float(np.quantile(before, 0.99)), 1e-300)
    one, other = np.minimum(before, limit), np.minimum(now, limit)
    spread = math.sqrt(one.var() / len(one) + other.var() / len(other)) or 1e-300
    more = statistics.normal_tail(float(other.mean() - one.mean()) / spread)
    worse = (
        more < P_VALUE and other.mean() > ERRORS_GROWN * one.mean() and (other.mean() - one.mean()) / usual > LEAST_DROP
    )
    squares = {"rmse": tuple(float(np.sqrt(np.square(each).mean())) for each in (before, now))}
    others = {"mae": (float(before.mean()), float(now.mean())), "rmse": (squares["rmse"][0], squares["rmse"][1])}
    found = Performance(
        "explained deviation", 1 - float(before.mean()) / usual, 1 - float(now.mean()) / usual, len(now), more,
        bool(worse), others=others,
    )  # fmt: skip
    return errors[0], errors[1], found


def estimated(said: tuple[Any, Any], scores: tuple[Any, Any], right_before: Any) -> Performance | None:
    """Accuracy of a binary classifier by its own scores, calibrated on the labelled reference.

    CBPE as in NannyML: how often predictions were right where the score was like this, averaged over the current
    scores. It sees what moved inputs do to a model, not what a changed concept does. `right_before`: 0 or 1 a row of
    the reference, NaN where unknown; where nothing is known the scores are taken at their word.
    """
    usable = [np.isfinite(score) & (one >= 0) for one, score in zip(said, scores, strict=True)]
    if min(int(each.sum()) for each in usable) < LEAST_ROWS:
        return None
    sure = [np.where(one == 1, score, 1 - score)[each] for one, score, each in zip(said, scores, usable, strict=True)]
    sides = [one[each] for one, each in zip(said, usable, strict=True)]
    right = right_before[usable[0]]
    rates = [_rates(sure[0][sides[0] == side], right[sides[0] == side]) for side in (0, 1)]
    values = []
    for confidence, side in zip(sure, sides, strict=True):
        expected = np.where(side == 1, np.interp(confidence, *rates[1]), np.interp(confidence, *rates[0]))
        values.append(expected)
    before, now = values
    spread = math.sqrt(before.var() / len(before) + now.var() / len(now)) or 1e-300
    fall = statistics.normal_tail(float(before.mean() - now.mean()) / spread)
    worse = fall < P_VALUE and matters(1 - float(before.mean()), 1 - float(now.mean()))
    return Performance("accuracy", float(before.mean()), float(now.mean()), len(now), fall, worse, estimated=True)


def since(wrong: Any, point: ChangePoint | None) -> Performance | None:
    """The accuracy from a change point on against that before it. `wrong`: 0 or 1 a row, NaN where unknown."""
    if point is None:
        return None
    before, now = (side[np.isfinite(side)] for side in (wrong[: point.row], wrong[point.row :]))
    if min(len(before), len(now)) < LEAST_ROWS:
        return None
    more = statistics.share_p((int(before.sum()), len(before)), (int(now.sum()), len(now))) / 2
    # The point was chosen where both sides differ most: that alone makes a difference look surer.
    worse = more < P_SINCE and now.mean() > before.mean() and matters(float(before.mean()), float(now.mean()))
    return Performance("accuracy", 1 - float(before.mean()), 1 - float(now.mean()), len(now), more, bool(worse))


def promised(said: Any, score: Any, wrong: Any) -> Performance | None:
    """The accuracy against what the scores of a binary classifier promise, for where there are no other labels.

    Scores are no measure before they were calibrated, so only a large gap counts: twice the errors, and 15 points.
    """
    if not isinstance(said, Numbers) or not isinstance(score, Numbers):
        return None
    known = np.isfinite(wrong) & said.present & score.present
    named, sure = said.values[known], score.values[known]
    if known.sum() < LEAST_ROWS or set(np.unique(named)) - {0.0, 1.0} or sure.min() < 0 or sure.max() > 1:
        return None
    right = np.where(named == 1, sure, 1 - sure)
    claimed, error = float(1 - right.mean()), float(wrong[known].mean())
    spread = math.sqrt(float((right * (1 - right)).sum())) / len(right) or 1e-300
    p_value = statistics.normal_tail((error - claimed) / spread)
    worse = p_value < P_SINCE and error - claimed >= LEAST_GAP and error >= 2 * claimed
    return Performance("accuracy", 1 - claimed, 1 - error, len(right), p_value, worse, claimed=True)


def _rates(confidence: Any, right: Any) -> tuple[Any, Any]:
    """Points of the calibration curve: mean confidence of a band, share that was right in it."""
    known = np.isfinite(right)
    if known.sum() < ROWS_A_BAND:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0])
    confidence, right = confidence[known], right[known]
    order = np.argsort(confidence, kind="stable")
    bands = int(np.clip(len(order) // ROWS_A_BAND, 1, CALIBRATION_BANDS))
    parts = np.array_split(order, bands)
    centres = np.array([confidence[part].mean() for part in parts])
    shares = np.maximum.accumulate([right[part].mean() for part in parts])
    return centres, shares


def matters(before: float, now: float) -> bool:
    """Whether an error rate has grown to a degree that matters."""
    return now - before >= LEAST_DROP or (now - before >= LEAST_DROP_OF_FEW and now >= ERRORS_TIMES * before)


def _precision_recall(said: Any, actual: Any, classes: int) -> tuple[float, float, float]:
    """Of the higher class of two, else the mean over all classes."""
    found = []
    for one in [1] if classes == 2 else range(classes):
        hits = float(((said == one) & (actual == one)).sum())
        named, there = float(((said == one) & (actual >= 0)).sum()), float(((actual == one) & (said >= 0)).sum())
        precision, recall = hits / named if named else 0.0, hits / there if there else 0.0
        both = 2 * precision * recall / (precision + recall) if hits else 0.0
        found.append((precision, recall, both))
    means = np.mean(found, axis=0)
    return float(means[0]), float(means[1]), float(means[2])
