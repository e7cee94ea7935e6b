"""The hours of one version of a model, summed by window."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.drift.windows import Tally, WindowProfile, added

HOUR = timedelta(hours=1)


class Past:
    """`hours` in any order, with gaps; `span` is the length of a window."""

    def __init__(self, hours: Sequence[WindowProfile], span: timedelta) -> None:
        ordered = sorted(hours, key=lambda window: window.hour)
        self._moments = [window.hour for window in ordered]
        self._tallies = [window.total for window in ordered]
        # A look asks for the same windows many times over, and adding them up is most of its work.
        self._sums: dict[tuple[int, int], Tally] = {}
        self.span = span

    def window(self, until: datetime) -> Tally:
        return self.between(until - self.span, until)

    def between(self, since: datetime, until: datetime) -> Tally:
        first, end = bisect_left(self._moments, since), bisect_left(self._moments, until)
        if (first, end) not in self._sums:
            self._sums[first, end] = added(self._tallies[first:end])
        return self._sums[first, end]

    def begun_by(self, moment: datetime) -> bool:
        return bool(self._moments) and self._moments[0] <= moment

    def latest(self, until: datetime, rows: int) -> Tally:
        """The newest hours of the window before `until`, as few of them as hold that many rows."""
        first, end = bisect_left(self._moments, until - self.span), bisect_left(self._moments, until)
        newest: list[Tally] = []
        for tally in reversed(self._tallies[first:end]):
            if tally.rows:
                newest.append(tally)
                if sum(tally.rows for tally in newest) >= rows:
                    break
        return added(newest)

    def labelled_until(self, until: datetime) -> datetime | None:
        """The end of the last hour before `until` of which a label is known."""
        known = [
            hour
            for hour, tally in zip(self._moments, self._tallies, strict=True)
            if hour < until and tally.outcomes.labelled
        ]
        return min(known[-1] + HOUR, until) if known else None
