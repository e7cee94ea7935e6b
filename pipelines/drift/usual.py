"""Whether what moved is more than the season: against the reference, and against windows at the same hour."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.comparison import (
    BEYOND_USUAL,
    Comparison,
    change_of,
    compare,
    judge_features,
    normalised,
    scale_of,
)
from pipelines.drift.past import evenly
from pipelines.drift.slots import WEEK, Slot, Slots
from pipelines.drift.values import FeatureDrift, Role
from pipelines.drift.windows import Tally
from pipelines.profiles import Categories, Distribution, Numbers, ReferenceProfile

# Three of four past windows lie below the band: one odd week does not make everything usual.
BAND = 0.75
PAST_P = 0.001
# One odd day by the calendar lies in two of seven that do not begin at midnight.
MOST_DAYS = 5 / 7
# A window that is looked at to see whether drift lasts counts with this p-value.
STILL_P = 0.01


@dataclass(frozen=True, slots=True)
class Watched:
    """Features and what the model says, under names that cannot meet."""

    reference: ReferenceProfile
    columns: Mapping[str, Distribution]
    roles: Mapping[str, Role]

    @property
    def kinds(self) -> dict[str, str]:
        return {name: "number" if isinstance(then, Numbers) else "category" for name, then in self.columns.items()}

    def of(self, tally: Tally, name: str) -> Distribution | None:
        if self.roles.get(name) == "prediction":
            return tally.prediction
        return tally.confidence if self.roles.get(name) == "score" else tally.features.get(name)

    def sides(self, tally: Tally) -> dict[str, tuple[Distribution, Distribution]]:
        """Each feature in the reference and in these rows; what the model says is none."""
        features = self.reference.features
        return {name: (then, now) for name, then in features.items() if (now := tally.features.get(name)) is not None}

    def as_tally(self, columns: Mapping[str, Distribution]) -> Tally:
        """The other way round than `of`."""
        features = {name: rows for name, rows in columns.items() if name not in self.roles}
        by_role = {role: columns.get(name) for name, role in self.roles.items()}
        score = by_role.get("score")
        rows = max(one.count + one.missing for one in columns.values())
        return Tally(rows, features, by_role.get("prediction"), score if isinstance(score, Numbers) else None)

    def compared(self, then: Mapping[str, Distribution] | None, now: Tally) -> dict[str, Comparison]:
        """Each column of `now` against `then`, or against the reference where that is None."""
        found = {}
        for name, known in self.columns.items():
            before, after = known if then is None else then.get(name), self.of(now, name)
            if before is not None and after is not None:
                found[name] = compare(before, after)
        return found

    def drifted(self, then: Mapping[str, Distribution] | None, now: Tally) -> frozenset[str]:
        """The columns that moved by more than chance and by enough to matter, whatever is usual."""
        judged = judge_features(self.compared(then, now), self.kinds, {}, {}, self.roles, {})
        return frozenset(feature.name for feature in judged if feature.drifted)


def watched(reference: ReferenceProfile) -> Watched:
    columns: dict[str, Distribution] = {**reference.features, "(prediction)": reference.prediction}
    roles: dict[str, Role] = {"(prediction)": "prediction"}
    if reference.confidence is not None:
        columns["(confidence)"] = reference.confidence
        roles["(confidence)"] = "score"
    return Watched(reference, columns, roles)


class Usual:
    """What is usual for each window of a model."""

    def __init__(self, watched: Watched, slots: Slots) -> None:
        self._watched = watched
        self._slots = slots
        self._bands: dict[tuple[str, datetime], tuple[float, Distribution | None]] = {}

    def judged(self, now: Tally, until: datetime, importance: Mapping[str, float]) -> tuple[FeatureDrift, ...]:
        """The columns of the window before `until`, worst first.

        Where a season is known, drift lies above the band of the windows at the same hour, and is drift against all
        of them together as well. Not so for what rose over a whole week, which knows no weekday: drift that grows
        slowly is always much like the weeks before it.
        """
        features = self._judge(now, importance, {})
        slot = self._slots.slot(until)
        if slot is None or not any(feature.drifted for feature in features):
            return features
        risen = self.risen(until)
        seasons = {name: self._season(name, slot, until) for name in self._watched.columns}
        features = self._judge(now, importance, {name: band for name, (band, _) in seasons.items()}, risen)
        before = {name: rows for name, (_, rows) in seasons.items() if rows is not None}
        known = self._watched.drifted(before, now) | risen
        features = tuple(replace(feature, drifted=feature.drifted and feature.name in known) for feature in features)
        return tuple(sorted(features, key=lambda feature: (not feature.drifted, -feature.strength, feature.name)))

    def risen(self, until: datetime) -> frozenset[str]:
        """The columns that were not as in the reference over the whole week before, and not for one odd day alone.

        Weekends aside a week may always be otherwise; so what all seven days hold has to be so, too.
        """
        days = self._slots.calm_week(until)
        if not days:
            return frozenset()
        parts = {name: [self._watched.of(day, name) for day in days] for name in self._watched.columns}
        whole = {name: evenly([day for day in each if day is not None]) for name, each in parts.items()}
        most = {
            name: evenly(_typical(each, [self._strength(name, day) for day in each], MOST_DAYS))
            for name, each in parts.items()
        }
        return self._unlike_reference(whole) & self._unlike_reference(most)

    def _unlike_reference(self, columns: Mapping[str, Distribution | None]) -> frozenset[str]:
        known = {name: rows for name, rows in columns.items() if rows is not None}
        return self._watched.drifted(None, self._watched.as_tally(known)) if known else frozenset()

    def still(self, name: str, now: Tally, until: datetime, risen: frozenset[str]) -> bool:
        """Whether a column is unusual in this window too, for its own hour."""
        then, found = self._watched.columns[name], self._watched.of(now, name)
        if found is None:
            return False
        slot = self._slots.slot(until)
        if slot is None or name in risen:
            return _unlike(then, found)
        band, before = self._season(name, slot, until)
        return _unlike(then, found, BEYOND_USUAL * band) and (before is None or _unlike(before, found))

    def _judge(
        self,
        now: Tally,
        importance: Mapping[str, float],
        bands: Mapping[str, float],
        free: frozenset[str] = frozenset(),
    ) -> tuple[FeatureDrift, ...]:
        """`free` are the columns that no band holds."""
        whole, names = self._watched, list(self._watched.reference.features)
        compared = whole.compared(None, now)
        changes = {
            name: change_of(whole.columns[name], seen) for name in compared if (seen := whole.of(now, name)) is not None
        }
        shares = normalised(importance, names) if names else {}
        held = {name: band for name, band in bands.items() if name not in free}
        return judge_features(compared, whole.kinds, shares, held, whole.roles, changes)

    def _season(self, name: str, slot: Slot, until: datetime) -> tuple[float, Distribution | None]:
        """The strength below which a column is as usual, and what most windows of the season hold, each as much."""
        if (name, until) not in self._bands:
            self._bands[name, until] = self._typically(name, slot.windows)
        return self._bands[name, until]

    def _typically(self, name: str, windows: Sequence[Tally]) -> tuple[float, Distribution | None]:
        parts = [self._watched.of(tally, name) for tally in windows]
        strengths = [self._strength(name, part) for part in parts]
        return sorted(strengths)[int(BAND * (len(strengths) - 1))], evenly(_typical(parts, strengths))

    def _strength(self, name: str, part: Distribution | None) -> float:
        found = compare(self._watched.columns[name], part) if part is not None else None
        return found.strength if found is not None and _chance(found) < PAST_P else 0.0


def _typical(
    parts: Sequence[Distribution | None], strengths: Sequence[float], share: float = BAND
) -> list[Distribution]:
    """Without the odd ones, as the band is: those whose strength lies farthest from the middle one."""
    middle = sorted(strengths)[len(strengths) // 2]
    nearest = sorted(zip(strengths, parts, strict=True), key=lambda pair: abs(pair[0] - middle))
    return [part for _, part in nearest[: math.ceil(share * len(nearest))] if part is not None]


def beyond_seasons(then: Distribution, now: Distribution, span: timedelta) -> bool:
    """Whether no season of days or weeks could look like this, given a reference of whole weeks.

    Windows at one hour of one weekday are a share s of their weeks. So what they hold cannot lie further from all
    rows than 1 - s in total variation, nor their mean further than sqrt((1 - s) / s) standard deviations.
    """
    share = min(1.0, span / WEEK)
    if total_variation(then, now) > 1 - share:
        return True
    if not isinstance(then, Numbers) or not isinstance(now, Numbers) or not now.count:
        return False
    scale = scale_of(then)
    return 0 < scale < math.inf and abs(now.mean - then.mean) / scale > math.sqrt((1 - share) / share)


def total_variation(then: Distribution, now: Distribution) -> float:
    """Over the bins and what is missing, without what chance adds: a mix of two windows has the mix of theirs."""
    return statistics.total_variation(_counts(then, then), _counts(then, now))


def _counts(bins: Distribution, side: Distribution) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    if isinstance(bins, Categories) and isinstance(side, Categories):
        return np.array([*(side.counts.get(name, 0) for name in bins.counts), side.other, side.missing], float)
    assert isinstance(side, Numbers)
    return np.array([*side.counts, side.missing], float)


def _unlike(then: Distribution, now: Distribution, band: float = 0.0) -> bool:
    found = compare(then, now)
    return found.strength >= max(1.0, band) and _chance(found) < STILL_P


def _chance(found: Comparison) -> float:
    return min(found.value_p, found.missing_p or 1.0)
