"""How good a watched model is: by the labels that came, however late, and estimated from how sure it was."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.drift import statistics
from pipelines.drift.output_breaks import find_label_profile_breaks
from pipelines.drift.past import Past
from pipelines.drift.performance import ERRORS_GROWN, LEAST_DROP, lost_class, matters
from pipelines.drift.records import outcome_of
from pipelines.drift.slots import Slots
from pipelines.drift.values import ClassRecall, Performance, SchemaBreak
from pipelines.drift.windows import Outcomes, Tally
from pipelines.profiles import Distribution, HeldOut, Numbers, ReferenceProfile

DAY = timedelta(days=1)
BASELINES_DAYS = (7, 14, 30)
SAME_HOURS = "of the same hours"
LEAST_LABELS = 50
LEAST_CONFIDENCES = 50
# A model is looked at every hour of the year: at one in a thousand each would be called worse once a season by chance.
P_VALUE = 0.0001
# The windows before one that is worse are looked at because of it.
AGAIN_P = 0.01
# Labels that stopped coming longer ago than this say nothing of today.
LATEST_LABELS = 14 * DAY
# Mean absolute deviation of a normal distribution, in standard deviations.
DEVIATION = math.sqrt(2 / math.pi)


@dataclass(frozen=True, slots=True)
class Errors:
    """Mean and variance of a row's error: 0 or 1 for classes, the absolute distance for numbers.

    `classes`: of each class its wrong rows and all its rows; empty where only the sum is known.
    """

    rows: int
    mean: float
    variance: float
    classes: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What labels say. `before` is the best of the baselines of days; `until` is where the labelled window ends."""

    performance: Performance
    before: Errors
    until: datetime


class Quality:
    """Judges the outcomes of one model's windows."""

    def __init__(self, reference: ReferenceProfile) -> None:
        self._reference = reference
        self._numbers = isinstance(reference.prediction, Numbers)
        self._usual = usual_deviation(reference.target)

    def measure(self, past: Past, until: datetime, slots: Slots) -> Measured | None:
        """The last window with labels enough against the days before it, or else the test rows of the training.

        And against the windows at its own hour, where a season is known: a weekend on which the model always errs
        more is no worse than usual.
        """
        end = self._end(past, until)
        if end is None:
            return None
        now = self._errors(past.window(end).outcomes)
        baselines = self._baselines(past, end - past.span)
        if not baselines:
            return None
        best = min(baselines.values(), key=lambda errors: errors.mean)
        alike = self._alike(slots, end)
        before = max(best, alike, key=lambda errors: errors.mean) if alike is not None else best
        p_value = self._p_value(before, now)
        if alike is not None:
            baselines[SAME_HOURS] = alike
        others = {
            f"{self.metric} {name}": (self._good(one.mean), self._good(now.mean)) for name, one in baselines.items()
        }
        worse = p_value < P_VALUE and self.matters(before.mean, now.mean)
        lost = _lost(before, now, P_VALUE)
        found = Performance(
            self.metric, self._good(before.mean), self._good(now.mean), now.rows, p_value, worse or lost is not None,
            others=others, lost=lost,
        )  # fmt: skip
        return Measured(found, best, end)

    def broken_labels(self, past: Past, until: datetime, moved: bool) -> list[SchemaBreak]:
        """What is wrong with the labels of the last window that has enough of them.

        `moved`: a feature drifted, so that they may well be others.
        """
        end = self._end(past, until)
        if end is None or self._numbers:
            return []
        known, said = self._reference.target, self._reference.prediction
        return find_label_profile_breaks("(label)", known, said, past.window(end).outcomes.confusion, moved)

    @property
    def metric(self) -> str:
        return "explained deviation" if self._numbers else "accuracy"

    def again(self, measured: Measured, past: Past, slots: Slots, number: int) -> tuple[bool, bool]:
        """Whether labels judge the window of `number` windows ago, and whether it, too, is worse than usual."""
        end = measured.until - number * past.span
        now, alike = self._errors(past.window(end).outcomes), self._alike(slots, end)
        before = max(measured.before, alike or measured.before, key=lambda errors: errors.mean)
        enough = now.rows >= LEAST_LABELS
        worse = self.matters(before.mean, now.mean) and self._p_value(before, now) < AGAIN_P
        return enough, enough and (worse or _lost(before, now, AGAIN_P) is not None)

    def matters(self, before: float, now: float) -> bool:
        if not self._numbers:
            return matters(before, now)
        return now > ERRORS_GROWN * before and (now - before) / self._usual > LEAST_DROP

    def _end(self, past: Past, until: datetime) -> datetime | None:
        if past.window(until).outcomes.labelled >= LEAST_LABELS:
            return until
        end = past.labelled_until(until)
        if end is None or until - end > LATEST_LABELS or past.window(end).outcomes.labelled < LEAST_LABELS:
            return None
        return end

    def _baselines(self, past: Past, since: datetime) -> dict[str, Errors]:
        known = {f"of {days} days": past.between(since - days * DAY, since).outcomes for days in BASELINES_DAYS}
        found = {name: self._errors(one) for name, one in known.items() if one.labelled >= LEAST_LABELS}
        held_out = self._reference.held_out
        if not found and held_out is not None and held_out.rows >= LEAST_LABELS:
            return {"of the test rows": self._errors(_as_outcomes(held_out))}
        return found

    def _alike(self, slots: Slots, end: datetime) -> Errors | None:
        """Of the windows at the same hour; None where no season, or too few labels of it, are known."""
        slot = slots.slot(end)
        found = self._errors(slot.together.outcomes) if slot is not None else None
        return found if found is not None and found.rows >= LEAST_LABELS else None

    def _errors(self, outcomes: Outcomes) -> Errors:
        rows = outcomes.labelled
        if not rows:
            return Errors(0, 0.0, 0.0)
        if not self._numbers:
            wrong = 1 - outcomes.right / rows
            return Errors(rows, wrong, wrong * (1 - wrong), _by_class(outcomes.confusion))
        mean = outcomes.absolute_error / rows
        # Tallies of before squares were kept have none: errors are then taken to spread like an exponential.
        squares = outcomes.squared_error / rows if outcomes.squared_error else 2 * mean * mean
        return Errors(rows, mean, max(squares - mean * mean, 0.0))

    def _p_value(self, before: Errors, now: Errors) -> float:
        if self._numbers:
            spread = math.sqrt(before.variance / before.rows + now.variance / now.rows) or 1e-300
            return statistics.normal_tail((now.mean - before.mean) / spread)
        wrong = [(round(errors.mean * errors.rows), errors.rows) for errors in (before, now)]
        p_value = statistics.share_p(wrong[0], wrong[1]) / 2
        return 1 - p_value if now.mean <= before.mean else p_value

    def _good(self, error: float) -> float:
        return 1 - error / self._usual if self._numbers else 1 - error


def _lost(before: Errors, now: Errors, p_value: float) -> ClassRecall | None:
    both = [name for name in before.classes if name in now.classes]
    return lost_class({name: (before.classes[name], now.classes[name]) for name in both}, p_value)


def _by_class(confusion: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[int, int]]:
    """Of each actual class its wrong rows and all its rows."""
    found: dict[str, tuple[int, int]] = {}
    for said, actual in confusion.items():
        for name, count in actual.items():
            wrong, rows = found.get(name, (0, 0))
            right = outcome_of(said, name).right
            found[name] = wrong + (0 if right else count), rows + count
    return found


def usual_deviation(target: Distribution) -> float:
    """The target's mean absolute deviation, as of a normal distribution with its spread; 1 for classes."""
    if not isinstance(target, Numbers) or not target.count:
        return 1.0
    return max(DEVIATION * math.sqrt(target.squares / target.count), 1e-300)


def estimate(reference: ReferenceProfile, current: Tally) -> Performance | None:
    """Accuracy by how sure the model was, with how often it was right when it was as sure in its test.

    CBPE as in NannyML, over the bins of the reference's confidence; what is less sure than the lowest bin counts as
    that bin, so that a fall is told too small rather than too large. It sees what moved inputs do to a model, not
    what a changed concept does. None without confidences, or where the training did not tell how right they were.
    """
    held_out, then, now = reference.held_out, reference.confidence, current.confidence
    if held_out is None or then is None or now is None or len(held_out.right_by_confidence) != len(then.counts):
        return None
    if now.edges != then.edges or min(now.count, then.count) < LEAST_CONFIDENCES:
        return None
    rates = calibrated(held_out.right_by_confidence, then.counts)
    before, now_mean = (
        sum(rate * count for rate, count in zip(rates, side.counts, strict=True)) / side.count for side in (then, now)
    )
    spread = math.sqrt(
        sum(
            sum(count * (rate - mean) ** 2 for rate, count in zip(rates, side.counts, strict=True)) / side.count**2
            for side, mean in ((then, before), (now, now_mean))
        )
    )
    fall = statistics.normal_tail((before - now_mean) / (spread or 1e-300))
    worse = fall < P_VALUE and matters(1 - before, 1 - now_mean)
    return Performance("accuracy", before, now_mean, now.count, fall, worse, estimated=True)


def calibrated(right: tuple[int, ...], rows: tuple[int, ...]) -> list[float]:
    """The share that was right in each bin of confidence, never less than in a bin of less confidence."""
    rates: list[float] = []
    for one, count in zip(right, rows, strict=True):
        rate = one / count if count else (rates[-1] if rates else 0.5)
        rates.append(max(rate, rates[-1]) if rates else rate)
    return rates


def _as_outcomes(held_out: HeldOut) -> Outcomes:
    return Outcomes(held_out.rows, held_out.right, held_out.absolute_error, squared_error=held_out.squared_error)
