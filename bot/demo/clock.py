"""The demo's own time: its hours are seconds long, so that days of traffic pass while somebody watches."""

import time
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


class FastClock:
    """The port Clock. It stands at `start` until it is set going; from then on its hour takes `seconds_per_hour`."""

    def __init__(self, start: datetime, seconds_per_hour: float) -> None:
        self._start = start.astimezone(UTC)
        self._begun: float | None = None
        self.seconds_per_hour = seconds_per_hour

    def go(self) -> None:
        self._begun = time.monotonic()

    def now(self) -> datetime:
        if self._begun is None:
            return self._start
        return self._start + HOUR * ((time.monotonic() - self._begun) / self.seconds_per_hour)


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
