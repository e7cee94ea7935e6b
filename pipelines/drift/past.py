"""The hours of one version of a model, summed by window."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.drift.windows import Tally, WindowProfile, added

HOUR = timedelta(hours=1)


class Past:
    """`hours` in any order, with gaps; `span` is the length of a window."""

    def __init__(self, hours: Sequence[WindowProfile], span: timedelta) -> None:
        self._hours = [(window.hour, window.total) for window in sorted(hours, key=lambda window: window.hour)]
        self.span = span

    def window(self, until: datetime) -> Tally:
        return self.between(until - self.span, until)

    def between(self, since: datetime, until: datetime) -> Tally:
        return added(tally for hour, tally in self._hours if since <= hour < until)

    def latest(self, until: datetime, rows: int) -> Tally:
        """The newest hours of the window before `until`, as few of them as hold that many rows."""
        since = until - self.span
        newest: list[Tally] = []
        for hour, tally in reversed(self._hours):
            if since <= hour < until and tally.rows:
                newest.append(tally)
                if sum(tally.rows for tally in newest) >= rows:
                    break
        return added(newest)

    def labelled_until(self, until: datetime) -> datetime | None:
        """The end of the last hour before `until` of which a label is known."""
        known = [hour for hour, tally in self._hours if hour < until and tally.outcomes.labelled]
        return min(known[-1] + HOUR, until) if known else None
