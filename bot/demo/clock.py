"""The demo's own time: its hours are seconds long, so that days of traffic pass while somebody watches."""

import time
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


class FastClock:
    """The port Clock. An hour of it takes `seconds_per_hour`; it begins at `start` when it is made."""

    def __init__(self, start: datetime, seconds_per_hour: float) -> None:
        self._start = start.astimezone(UTC)
        self._begun = time.monotonic()
        self.seconds_per_hour = seconds_per_hour

    def now(self) -> datetime:
        return self._start + HOUR * ((time.monotonic() - self._begun) / self.seconds_per_hour)


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
