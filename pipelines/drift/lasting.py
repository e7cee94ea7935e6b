"""Whether a drift lasts: in how many windows it was to be seen, and whether a season could be all there is to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipelines.drift.judge import LEAST_ROWS
from pipelines.drift.past import Past
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.quality import Measured, Quality
from pipelines.drift.slots import DAY, WEEK, Slots
from pipelines.drift.urgency import severity
from pipelines.drift.usual import Usual, Watched, beyond_seasons, total_variation
from pipelines.drift.values import FeatureDrift, Persistence, SchemaBreak
from pipelines.drift.windows import Tally

# A weekend lies in three windows of a day when they do not begin at midnight, but in the first and the last of them
# by no more than half; what lasts is in three days by as much.
ALIKE_DAYS, ALIKE = 3, 2 / 3
# Share of the importance that must lie beyond all seasons: the rest may well be one.
BEYOND_SEASONS = 0.5
# A whole day with half of its rows in other bins is none of the weekends that a model would have been trained for.
REPLACED = 0.5


@dataclass(frozen=True, slots=True)
class Lasting:
    """Looks at the `windows` up to `until`; those without rows do not count."""

    past: Past
    until: datetime
    windows: int
    watched: Watched
    usual: Usual
    slots: Slots
    quality: Quality
    measured: Measured | None

    def count(self, drifted: Sequence[FeatureDrift], breaks: Sequence[SchemaBreak]) -> Persistence | None:
        worse = self.measured is not None and self.measured.performance.worse
        if not drifted and not breaks and not worse:
            return None
        risen = self.usual.risen(self.until) if drifted else frozenset()
        seen = of = 0
        for number in range(self.windows):
            end = self.until - number * self.past.span
            tally = self.past.window(end)
            labelled, worse = self._labelled(number)
            if tally.rows < LEAST_ROWS and not labelled:
                continue
            of += 1
            moved = any(self.usual.still(feature.name, tally, end, risen) for feature in drifted)
            broken = any(
                find_profile_breaks(found.name, self.watched.columns[found.name], now)
                for found in breaks
                if (now := tally.features.get(found.name)) is not None
            )
            seen += moved or broken or worse
        return Persistence(seen, of, seasonal=self._seasonal(drifted)) if of else None

    def _labelled(self, number: int) -> tuple[bool, bool]:
        """Whether labels judge the window, and whether it is worse; late labels are counted from where they end."""
        if self.measured is None:
            return False, False
        return self.quality.again(self.measured, self.past, self.slots, number)

    def _seasonal(self, drifted: Sequence[FeatureDrift]) -> bool:
        """Whether a day or a week could be all there is to it, for all that is known."""
        slot = self.slots.slot(self.until)
        if self.past.span >= WEEK or (slot is not None and slot.step == WEEK):
            return False
        return not self._beyond_seasons(drifted) and not self._alike_for_days(drifted)

    def _beyond_seasons(self, drifted: Sequence[FeatureDrift]) -> bool:
        now, since = self.past.window(self.until), self.until - max(DAY, self.past.span)
        # Fewer hours than a whole day may hold but one side of its rhythm.
        day = self.past.between(since, self.until) if self.past.begun_by(since) else Tally()
        beyond = 0.0
        for feature in drifted:
            then, found = self.watched.columns[feature.name], self.watched.of(now, feature.name)
            whole = self.watched.of(day, feature.name)
            replaced = whole is not None and total_variation(then, whole) >= REPLACED
            if replaced or (found is not None and beyond_seasons(then, found, self.past.span)):
                beyond += feature.importance
        return beyond >= BEYOND_SEASONS

    def _alike_for_days(self, drifted: Sequence[FeatureDrift]) -> bool:
        """Whether the last three days, or windows where these are longer, lie off by as much as each other.

        And by as much as the window that is judged: what only some hours of each day do is a rhythm of the day.
        """
        step = max(DAY, self.past.span)
        whole = self.past.between(self.until - step, self.until)
        if self._severity(drifted, whole) < ALIKE * self._severity(drifted, self.past.window(self.until)):
            return False
        moved = [self._moved(drifted, self.until - number * step, step) for number in range(ALIKE_DAYS)]
        return min(moved) > 0 and min(moved) >= ALIKE * max(moved)

    def _severity(self, drifted: Sequence[FeatureDrift], tally: Tally) -> float:
        found = self.watched.compared(None, tally)
        return severity(
            [replace(feature, strength=found[feature.name].strength) for feature in drifted if feature.name in found]
        )

    def _moved(self, drifted: Sequence[FeatureDrift], until: datetime, span: timedelta) -> float:
        tally = self.past.between(until - span, until)
        if tally.rows < LEAST_ROWS:
            return 0.0
        found = [(feature, self.watched.of(tally, feature.name)) for feature in drifted]
        return sum(
            feature.importance * total_variation(self.watched.columns[feature.name], now)
            for feature, now in found
            if now is not None
        )
