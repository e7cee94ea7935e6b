"""Windows of the past at the same hour as a window, on the same weekday where weeks are known: its season."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.drift.judge import LEAST_ROWS
from pipelines.drift.past import Past
from pipelines.drift.windows import Tally, added

DAY = timedelta(days=1)
WEEK = 7 * DAY
# Windows of the past at the same hour (and weekday) that make a season; fewer know none.
LEAST_WEEKS, MOST_WEEKS = 3, 8
LEAST_DAYS, MOST_DAYS = 4, 14
# How far back hours are of use.
LONGEST_PAST = MOST_WEEKS * WEEK


@dataclass(frozen=True, slots=True)
class Slot:
    """`windows` of the past that lie a multiple of `step` (a week or a day) before one, and the sum of them."""

    step: timedelta
    windows: tuple[Tally, ...]
    together: Tally


class Slots:
    """`drifting` are spans of time that are known as drift, from and to; `alike` says whether rows are as in the
    reference."""

    def __init__(
        self, past: Past, drifting: Sequence[tuple[datetime, datetime]], alike: Callable[[Tally], bool]
    ) -> None:
        self._past = past
        self._drifting = drifting
        self._alike = alike
        self._known: dict[datetime, Slot | None] = {}

    def slot(self, until: datetime) -> Slot | None:
        """Of the window before `until`; None where the past is too short to know a season."""
        if until not in self._known:
            self._known[until] = self._found(until)
        return self._known[until]

    def calm_week(self, until: datetime) -> tuple[Tally, ...]:
        """The seven days before `until`: no day and no week shows in them. Empty where one is missing or was drift."""
        days = [self._past.between(until - (number + 1) * DAY, until - number * DAY) for number in range(7)]
        if min(day.rows for day in days) < LEAST_ROWS or self._drifted(until - WEEK, until):
            return ()
        return tuple(days)

    def _found(self, until: datetime) -> Slot | None:
        for step, least, most in ((WEEK, LEAST_WEEKS, MOST_WEEKS), (DAY, LEAST_DAYS, MOST_DAYS)):
            ends = [until - number * step for number in range(1, most + 1)]
            calm = [end for end in ends if self._calm(end, step)]
            windows = tuple(tally for tally in map(self._past.window, calm) if tally.rows >= LEAST_ROWS)
            if len(windows) >= least:
                return Slot(step, windows, added(windows))
        return None

    def _calm(self, end: datetime, step: timedelta) -> bool:
        """Whether the window before `end` can tell what is usual: it was not drift, or only a season was taken for it.

        That is so where it was over before it could come again, and where the whole day, or week, was as the
        reference though its parts were not. Else nights and weekends that were called drift while nobody could know
        better would never become known.
        """
        if not self._drifted(end - self._past.span, end, step):
            return True
        return self._past.begun_by(end - step) and self._alike(self._past.between(end - step, end))

    def _drifted(self, since: datetime, until: datetime, least: timedelta = timedelta(0)) -> bool:
        return any(begun < until and since < ended and ended - begun >= least for begun, ended in self._drifting)
