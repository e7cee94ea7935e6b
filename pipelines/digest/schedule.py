"""When a digest is due: days of the week and a time of day, as the clocks of a time zone show it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY, WEEKDAYS, WEEKEND = (0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4), (5, 6)
# Days are a week apart at most; two more for zones that change sides of the date line.
LOOK_AROUND = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`days` count from 0 for Monday, in order, never none; `zone` is a name of the IANA database."""

    days: tuple[int, ...]
    hour: int
    minute: int
    zone: str

    def __str__(self) -> str:
        """The one spelling of this rhythm, which can be read again."""
        return f"{','.join(DAYS[day][:3] for day in self.days)} {self.clock} {self.zone}"

    @property
    def clock(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"

    @property
    def days_in_words(self) -> str:
        groups = {EVERY_DAY: "every day", WEEKDAYS: "weekdays", WEEKEND: "weekends"}
        if self.days in groups:
            return groups[self.days]
        names = [f"{DAYS[day].capitalize()}s" for day in self.days]
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def slots(self, after: datetime, until: datetime) -> list[datetime]:
        """The slots later than `after`, up to and with `until`, in UTC, in order.

        One a day of the calendar. A time that the clocks skip counts by the offset before they were set (02:30 on
        the day of spring is what is then 03:30), a time that they show twice is the first of the two: the rules of
        `fold=0` in PEP 495.
        """
        return sorted({slot for slot in self._around(after, until) if after < slot <= until})

    def next_after(self, moment: datetime) -> datetime:
        return self.slots(moment, moment + LOOK_AROUND)[0]

    def last_until(self, moment: datetime) -> datetime:
        """The newest slot that is not later than `moment`."""
        return self.slots(moment - LOOK_AROUND, moment)[-1]

    def _around(self, after: datetime, until: datetime) -> Iterator[datetime]:
        zone = ZoneInfo(self.zone)
        day = after.astimezone(zone).date() - timedelta(days=1)
        last = until.astimezone(zone).date() + timedelta(days=1)
        while day <= last:
            if day.weekday() in self.days:
                yield datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=zone).astimezone(UTC)
            day += timedelta(days=1)
