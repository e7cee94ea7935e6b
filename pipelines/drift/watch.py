"""Judges the last window of a model's hourly profiles by its reference, its seasons and its own past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.drift import statistics
from pipelines.drift.comparison import BEYOND_USUAL, Comparison, change_of, compare, judge_features, normalised
from pipelines.drift.judge import LEAST_ROWS, Evidence, decide
from pipelines.drift.performance import P_VALUE, matters
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.urgency import UrgencyPolicy
from pipelines.drift.values import FeatureDrift, Performance, Persistence, Role, SchemaBreak, Verdict
from pipelines.drift.windows import Tally, WindowProfile, added
from pipelines.profiles import Distribution, ReferenceProfile

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Windows of the past at the same hour (and weekday) that make a band; fewer know no season.
LEAST_WEEKS, MOST_WEEKS = 3, 8
LEAST_DAYS, MOST_DAYS = 4, 14
# Three of four past windows lie below the band: one odd week does not make everything usual.
BAND = 0.75
PAST_P = 0.001
BASELINES_DAYS = (7, 14, 30)
# How far back hours are of use: for the bands of the seasons.
LONGEST_PAST = MOST_WEEKS * 7 * DAY
LEAST_LABELS = 50
# Labels that come late speak of a window that is over; older than this, they say nothing of the model today.
LATEST_LABELS = 7 * DAY


@dataclass(frozen=True, slots=True)
class Watch:
    """How a model is watched: windows of `span`, drift counts as lasting when seen in most of the last `windows`."""

    span: timedelta = timedelta(hours=24)
    windows: int = 3


def judge_windows(
    reference: ReferenceProfile,
    hours: Sequence[WindowProfile],
    until: datetime,
    watch: Watch | None = None,
    importance: Mapping[str, float] | None = None,
    policy: UrgencyPolicy | None = None,
) -> Verdict:
    """The verdict on the `watch.span` before `until`. `hours` are of one version, any order, with gaps, older ones too.

    Hours in other bins than the reference's are a ValueError: they belong to another reference.
    """
    watch, importance = watch or Watch(), importance or {}
    past = _Past(hours, watch.span)
    current = past.window(until)
    whole, roles = _whole(reference)
    seen = {name: _in_window(current, name, roles) for name in whole}
    compared = {name: compare(then, now) for name, then in whole.items() if (now := seen[name]) is not None}
    usual = _usual(whole, roles, past, until)
    features = _judged(reference, whole, seen, compared, usual, roles, importance)
    drifted = [feature for feature in features if feature.drifted]
    known_until = past.labelled_until(until)
    baseline, performance = _performance(past, known_until, watch.span)
    breaks = _breaks(reference, current)
    lasts = _persistence(past, until, known_until, watch, whole, roles, drifted, breaks, performance, baseline)
    return decide(
        Evidence(
            features=features, rows_before=reference.rows, rows_now=max(current.rows, current.outcomes.labelled),
            breaks=tuple(breaks), performance=performance,
            persistence=lasts, importance_known=any(importance.get(name, 0) for name in reference.features),
            notes=_notes(usual, performance, until - known_until),
        ),
        policy,
    )  # fmt: skip


def _notes(usual: Mapping[str, float], performance: Performance | None, late: timedelta) -> tuple[str, ...]:
    notes = ["Compared with the same hours of earlier days or weeks as well."] if usual else []
    if performance is not None and late:
        notes.append(f"Labels come late: the performance is that of the window {late / DAY:.1f} days ago.")
    return tuple(notes)


class _Past:
    """Sums of hours by window."""

    def __init__(self, hours: Sequence[WindowProfile], span: timedelta) -> None:
        self._hours = [(window.hour, window.total) for window in sorted(hours, key=lambda window: window.hour)]
        self._span = span

    def window(self, until: datetime) -> Tally:
        return self.between(until - self._span, until)

    def labelled_until(self, until: datetime) -> datetime:
        """The end of the newest window that has labels enough; `until` where there is none."""
        labelled = {hour: tally.outcomes.labelled for hour, tally in self._hours}
        ends = [hour + HOUR for hour in labelled if until - LATEST_LABELS <= hour < until]
        for end in (until, *sorted(ends, reverse=True)):
            if sum(count for hour, count in labelled.items() if end - self._span <= hour < end) >= LEAST_LABELS:
                return end
        return until

    def between(self, since: datetime, until: datetime) -> Tally:
        return added(tally for hour, tally in self._hours if since <= hour < until)


def _whole(reference: ReferenceProfile) -> tuple[dict[str, Distribution], dict[str, Role]]:
    """Features and what the model says, under names that cannot meet."""
    whole = dict(reference.features)
    roles: dict[str, Role] = {"(prediction)": "prediction"}
    whole["(prediction)"] = reference.prediction
    if reference.confidence is not None:
        whole["(confidence)"] = reference.confidence
        roles["(confidence)"] = "score"
    return whole, roles


def _in_window(tally: Tally, name: str, roles: Mapping[str, Role]) -> Distribution | None:
    if roles.get(name) == "prediction":
        return tally.prediction
    return tally.confidence if roles.get(name) == "score" else tally.features.get(name)


def _judged(
    reference: ReferenceProfile,
    whole: Mapping[str, Distribution],
    seen: Mapping[str, Distribution | None],
    compared: Mapping[str, Comparison],
    usual: Mapping[str, float],
    roles: Mapping[str, Role],
    importance: Mapping[str, float],
) -> tuple[FeatureDrift, ...]:
    kinds = {name: "number" if hasattr(whole[name], "edges") else "category" for name in compared}
    changes = {name: change_of(whole[name], now) for name in compared if (now := seen[name]) is not None}
    shares = normalised(importance, list(reference.features)) if reference.features else {}
    return judge_features(compared, kinds, shares, usual, roles, changes)


def _usual(
    whole: Mapping[str, Distribution], roles: Mapping[str, Role], past: _Past, until: datetime
) -> dict[str, float]:
    """The strength that windows at the same hour had: on the same weekday where weeks are known, else every day."""
    for step, least, most in ((7 * DAY, LEAST_WEEKS, MOST_WEEKS), (DAY, LEAST_DAYS, MOST_DAYS)):
        earlier = [past.window(until - number * step) for number in range(1, most + 1)]
        earlier = [tally for tally in earlier if tally.rows >= LEAST_ROWS]
        if len(earlier) >= least:
            return {name: _band(name, then, earlier, roles) for name, then in whole.items()}
    return {}


def _band(name: str, then: Distribution, earlier: Sequence[Tally], roles: Mapping[str, Role]) -> float:
    strengths = []
    for tally in earlier:
        now = _in_window(tally, name, roles)
        found = compare(then, now) if now is not None else None
        certain = found is not None and min(found.value_p, found.missing_p or 1.0) < PAST_P
        strengths.append(found.strength if found is not None and certain else 0.0)
    return sorted(strengths)[int(BAND * (len(strengths) - 1))]


def _breaks(reference: ReferenceProfile, current: Tally) -> list[SchemaBreak]:
    if current.rows < LEAST_ROWS:
        return []
    found: list[SchemaBreak] = []
    for name, then in reference.features.items():
        now = current.features.get(name)
        found += find_profile_breaks(name, then, now) if now is not None else []
    return found


def _performance(past: _Past, until: datetime, span: timedelta) -> tuple[float | None, Performance | None]:
    """Accuracy against that of the days before the window, as many of them as are known; and that baseline."""
    now = past.window(until).outcomes
    since = until - span
    known = {days: past.between(since - days * DAY, since).outcomes for days in BASELINES_DAYS}
    known = {days: outcomes for days, outcomes in known.items() if outcomes.labelled >= LEAST_LABELS}
    if not known or now.labelled < LEAST_LABELS:
        return None, None
    longest = known[max(known)]
    wrong = (longest.labelled - longest.right, longest.labelled), (now.labelled - now.right, now.labelled)
    p_value = statistics.share_p(*wrong) / 2
    if now.accuracy >= longest.accuracy:
        p_value = 1 - p_value
    others = {f"accuracy of {days} days": (outcomes.accuracy, now.accuracy) for days, outcomes in known.items()}
    worse = p_value < P_VALUE and matters(1 - longest.accuracy, 1 - now.accuracy)
    found = Performance("accuracy", longest.accuracy, now.accuracy, now.labelled, p_value, worse, others=others)
    return longest.accuracy, found


def _persistence(
    past: _Past,
    until: datetime,
    known_until: datetime,
    watch: Watch,
    whole: Mapping[str, Distribution],
    roles: Mapping[str, Role],
    drifted: Sequence[FeatureDrift],
    breaks: Sequence[SchemaBreak],
    performance: Performance | None,
    baseline: float | None,
) -> Persistence | None:
    """In how many of the last windows the same was to be seen; windows without rows do not count."""
    if not drifted and not breaks and not (performance is not None and performance.worse):
        return None
    seen = of = 0
    for number in range(watch.windows):
        tally = past.window(until - number * watch.span)
        known = past.window(known_until - number * watch.span).outcomes
        if tally.rows < LEAST_ROWS and known.labelled < LEAST_LABELS:
            continue
        of += 1
        moved = any(_still(feature, tally, whole, roles) for feature in drifted)
        broken = any(
            find_profile_breaks(found.name, whole[found.name], now)
            for found in breaks
            if (now := tally.features.get(found.name)) is not None
        )
        labelled = known.labelled >= LEAST_LABELS and baseline is not None
        worse = labelled and baseline is not None and matters(1 - baseline, 1 - known.accuracy)
        seen += moved or broken or worse
    return Persistence(seen, of) if of else None


def _still(feature: FeatureDrift, tally: Tally, whole: Mapping[str, Distribution], roles: Mapping[str, Role]) -> bool:
    now = _in_window(tally, feature.name, roles)
    if now is None:
        return False
    found = compare(whole[feature.name], now)
    return found.strength >= max(1.0, BEYOND_USUAL * feature.usual) and min(found.value_p, found.missing_p or 1) < 0.01
