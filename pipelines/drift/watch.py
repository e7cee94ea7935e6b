"""Judges the last window of a model's hourly profiles by its reference, its seasons and its own past."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.drift.comparison import BEYOND_USUAL, Q_VALUE, Comparison, change_of, compare, judge_features, normalised
from pipelines.drift.judge import LEAST_ROWS, Evidence, decide
from pipelines.drift.output_breaks import find_answer_breaks
from pipelines.drift.past import Past, evenly
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.quality import LEAST_LABELS, Measured, Quality, estimate
from pipelines.drift.urgency import UrgencyPolicy
from pipelines.drift.values import FeatureDrift, Persistence, Role, SchemaBreak, Verdict
from pipelines.drift.windows import Tally, WindowProfile
from pipelines.profiles import Distribution, ReferenceProfile

DAY = timedelta(days=1)
# Windows of the past at the same hour (and weekday) that make a band; fewer know no season.
LEAST_WEEKS, MOST_WEEKS = 3, 8
LEAST_DAYS, MOST_DAYS = 4, 14
# In fewer rows of one or two windows a change of 0.3 standard deviations could pass for the like.
LEAST_ROWS_OF_WEEKDAY = 200
# Three of four past windows lie below the band: one odd week does not make everything usual.
BAND = 0.75
PAST_P = 0.001
# The newest rows that are looked at for breaks on their own.
FRESH_ROWS = 100
# How far back hours are of use: for the bands of the seasons.
LONGEST_PAST = MOST_WEEKS * 7 * DAY


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
    drifting: Sequence[tuple[datetime, datetime]] = (),
) -> Verdict:
    """The verdict on the `watch.span` before `until`. `hours` are of one version, any order, with gaps, older ones too.

    `drifting` are spans of time that are known as drift, from and to: they tell nothing of what is usual, else any
    drift would become so by lasting. Hours in other bins than the reference's are a ValueError: they belong to
    another reference.
    """
    watch, importance = watch or Watch(), importance or {}
    past, quality = Past(hours, watch.span), Quality(reference)
    current = past.window(until)
    whole, roles = _whole(reference)
    seen = {name: _in_window(current, name, roles) for name in whole}
    compared = {name: compare(then, now) for name, then in whole.items() if (now := seen[name]) is not None}
    usual = _usual(whole, roles, seen, compared, _seasons(past, until, drifting))
    features = _judged(reference, whole, seen, compared, usual, roles, importance)
    drifted = [feature for feature in features if feature.drifted]
    moved = any(feature.role == "feature" for feature in drifted)
    unsound = quality.broken_labels(past, until, moved)
    measured = quality.measure(past, until) if not unsound else None
    breaks = _breaks(reference, current) or _fresh_breaks(reference, past.latest(until, FRESH_ROWS))
    breaks += unsound + find_answer_breaks(reference, current, moved)
    return decide(
        Evidence(
            features=features, rows_before=reference.rows, rows_now=max(current.rows, current.outcomes.labelled),
            breaks=tuple(breaks), performance=measured.performance if measured else None,
            estimated=estimate(reference, current),
            persistence=_Persisting(past, until, watch, quality, measured).count(whole, roles, drifted, breaks),
            importance_known=any(importance.get(name, 0) for name in reference.features),
            notes=tuple(_notes(bool(usual), measured, until)),
        ),
        policy,
    )  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class _Seasons:
    """Earlier windows at the same hour: on the same weekday where weeks are known, else every day.

    `weekday` are those of the same weekday where too few are known for a band of their own.
    """

    windows: Sequence[Tally] = ()
    weekday: Sequence[Tally] = ()


def _seasons(past: Past, until: datetime, drifting: Sequence[tuple[datetime, datetime]]) -> _Seasons:
    weekday: Sequence[Tally] = ()
    for step, least, most in ((7 * DAY, LEAST_WEEKS, MOST_WEEKS), (DAY, LEAST_DAYS, MOST_DAYS)):
        ends = [until - number * step for number in range(1, most + 1)]
        calm = [end for end in ends if not any(since < end and end - past.span < to for since, to in drifting)]
        earlier = [tally for tally in map(past.window, calm) if tally.rows >= LEAST_ROWS]
        if len(earlier) >= least:
            return _Seasons(earlier, weekday)
        weekday = [tally for tally in earlier if tally.rows >= LEAST_ROWS_OF_WEEKDAY]
    return _Seasons()


def _usual(
    whole: Mapping[str, Distribution],
    roles: Mapping[str, Role],
    seen: Mapping[str, Distribution | None],
    compared: Mapping[str, Comparison],
    seasons: _Seasons,
) -> dict[str, float]:
    """The strength that earlier windows of the season had. What is like most of them together is as strong as usual,
    and so is what is like the same weekday before, of which nobody knows three yet.

    A band of few and small windows is narrower than their own noise: by it alone, one in seven of unchanged seasonal
    windows of 480 rows was drift in the days in which four to eight others are known.
    """
    usual: dict[str, float] = {}
    for name, then in whole.items() if seasons.windows else ():
        parts = [_in_window(tally, name, roles) for tally in seasons.windows]
        strengths = [_certain_strength(then, part) if part is not None else 0.0 for part in parts]
        usual[name] = sorted(strengths)[int(BAND * (len(strengths) - 1))]
        weekday = [part for tally in seasons.weekday if (part := _in_window(tally, name, roles)) is not None]
        before = [one for one in (evenly(_typical(parts, strengths)), evenly(weekday)) if one is not None]
        now = seen[name]
        if now is not None and any(_alike(compare(one, now)) for one in before):
            usual[name] = max(usual[name], compared[name].strength)
    return usual


def _certain_strength(then: Distribution, now: Distribution) -> float:
    found = compare(then, now)
    return found.strength if min(found.value_p, found.missing_p or 1.0) < PAST_P else 0.0


def _typical(parts: Sequence[Distribution | None], strengths: Sequence[float]) -> list[Distribution]:
    """Without the odd ones, as the band is: those whose strength lies farthest from the middle one."""
    middle = sorted(strengths)[len(strengths) // 2]
    nearest = sorted(zip(strengths, parts, strict=True), key=lambda pair: abs(pair[0] - middle))
    return [part for _, part in nearest[: math.ceil(BAND * len(nearest))] if part is not None]


def _alike(found: Comparison) -> bool:
    return min(found.value_p, found.missing_p or 1.0) >= Q_VALUE or found.strength < 1.0


def _breaks(reference: ReferenceProfile, current: Tally) -> list[SchemaBreak]:
    if current.rows < LEAST_ROWS:
        return []
    found: list[SchemaBreak] = []
    for name, then in reference.features.items():
        now = current.features.get(name)
        found += find_profile_breaks(name, then, now) if now is not None else []
    return found


def _fresh_breaks(reference: ReferenceProfile, latest: Tally) -> list[SchemaBreak]:
    """Columns that came in another unit or code lately: within a window of many hours they would look like drift.

    What may be so at any night (nothing but zeros, many missing) is left to the whole window.
    """
    if latest.rows < FRESH_ROWS:
        return []
    return [found for found in _breaks(reference, latest) if found.what in ("unit", "encoding")]


def _notes(seasonal: bool, measured: Measured | None, until: datetime) -> list[str]:
    found = ["Compared with the same hours of earlier days or weeks as well."] if seasonal else []
    if measured is not None and measured.until < until:
        found.append(f"Labels reach to {measured.until:%d %B %H:%M} UTC: performance is that of the window before.")
    return found


@dataclass(frozen=True, slots=True)
class _Persisting:
    """In how many of the last windows the same was to be seen; windows without rows do not count."""

    past: Past
    until: datetime
    watch: Watch
    quality: Quality
    measured: Measured | None

    def count(
        self,
        whole: Mapping[str, Distribution],
        roles: Mapping[str, Role],
        drifted: Sequence[FeatureDrift],
        breaks: Sequence[SchemaBreak],
    ) -> Persistence | None:
        worse = self.measured is not None and self.measured.performance.worse
        if not drifted and not breaks and not worse:
            return None
        seen = of = 0
        for number in range(self.watch.windows):
            tally = self.past.window(self.until - number * self.watch.span)
            labelled, worse = self._labelled(number)
            if tally.rows < LEAST_ROWS and not labelled:
                continue
            of += 1
            moved = any(_still(feature, tally, whole, roles) for feature in drifted)
            broken = any(
                find_profile_breaks(found.name, whole[found.name], now)
                for found in breaks
                if (now := tally.features.get(found.name)) is not None
            )
            seen += moved or broken or worse
        return Persistence(seen, of) if of else None

    def _labelled(self, number: int) -> tuple[bool, bool]:
        """Whether labels judge the window, and whether it is worse; late labels are counted from where they end."""
        if self.measured is None:
            return False, False
        outcomes = self.past.window(self.measured.until - number * self.watch.span).outcomes
        return outcomes.labelled >= LEAST_LABELS, self.quality.worse(self.measured.before, outcomes)


def _still(feature: FeatureDrift, tally: Tally, whole: Mapping[str, Distribution], roles: Mapping[str, Role]) -> bool:
    now = _in_window(tally, feature.name, roles)
    if now is None:
        return False
    found = compare(whole[feature.name], now)
    return found.strength >= max(1.0, BEYOND_USUAL * feature.usual) and min(found.value_p, found.missing_p or 1) < 0.01
