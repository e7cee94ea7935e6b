"""Rhythms as people write them: "weekdays 09:00 Europe/Berlin", "mon,thu 8:30", "every day at 7pm"."""

import difflib
import re
from functools import cache
from zoneinfo import available_timezones

from pipelines.digest.schedule import DAYS, EVERY_DAY, WEEKDAYS, WEEKEND, Rhythm
from pipelines.errors import Refused

EXAMPLE = "weekdays 09:00 Europe/Berlin"
LONGEST = 120

_FILLERS = frozenset({"at", "on", "and", "every", "each", "&"})
_GROUPS = {
    **dict.fromkeys(("daily", "day", "everyday"), EVERY_DAY),
    **dict.fromkeys(("weekdays", "weekday", "workdays", "workday"), WEEKDAYS),
    **dict.fromkeys(("weekends", "weekend"), WEEKEND),
}
_SHORT = {0: ("mon",), 1: ("tue", "tues"), 2: ("wed", "weds"), 3: ("thu", "thur", "thurs"), 4: ("fri",), 5: ("sat",),
          6: ("sun",)}  # fmt: skip
_DAY = {
    word: number
    for number, name in enumerate(DAYS)
    for word in (name, f"{name}s", name[:2], *_SHORT[number], *(f"{short}s" for short in _SHORT[number]))
}
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(am|pm)?|([0-9]{1,2})(am|pm)")
_OFFSET = re.compile(r"(utc|gmt)?[+-][0-9]{1,2}(:?[0-9]{2})?")
# Names that mean "whatever this machine is set to", or nothing at all.
_NO_PLACES = frozenset({"localtime", "factory"})


def parse_rhythm(text: str, default_zone: str) -> Rhythm:
    """Read days, a time and maybe a zone, in any order. Raises Refused with what to write instead."""
    if len(text) > LONGEST:
        raise _refused("That is too long for days, a time and a time zone.")
    days: set[int] = set()
    times: list[tuple[int, int]] = []
    zones: list[str] = []
    for word in _words(text):
        if found := _time(word):
            times.append(found)
        elif numbers := _days(word):
            days.update(numbers)
        else:
            zones.append(_zone(word))
    if not days:
        raise _refused("On which days?")
    if len(times) != 1:
        raise _refused("At what time?" if not times else "A digest comes once a day, so name one time.")
    if len(zones) > 1:
        raise _refused(f"{zones[0]} and {zones[1]} are two time zones; name one.")
    hour, minute = times[0]
    return Rhythm(tuple(sorted(days)), hour, minute, zones[0] if zones else default_zone)


def known_zone(name: str) -> str | None:
    """The zone as the IANA database spells it, however it was capitalised; None where it knows none."""
    return _zones().get(name.lower())


@cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() if name.lower() not in _NO_PLACES}


def _words(text: str) -> list[str]:
    plain = re.sub("[‐-―−]", "-", text.lower())  # phones turn a hyphen into a dash
    joined = re.sub(r"(?<=[0-9])\s+(?=[ap]m\b)", "", plain)
    joined = re.sub(r"(?<=[a-z])\s+-\s+(?=[a-z])", "-", joined)
    return [word for word in re.split(r"[\s,;]+", joined) if word and word not in _FILLERS]


def _time(word: str) -> tuple[int, int] | None:
    found = _TIME.fullmatch(word)
    if found is None:
        if re.fullmatch(r"[0-9]{1,4}([.h][0-9]{0,2})?", word):
            raise _refused(f"{word[:20]} is not clear as a time; it takes hours and minutes.")
        return None
    hour, minute, half = int(found[1] or found[4]), int(found[2] or 0), found[3] or found[5]
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        raise _refused(f"There is no {word[:20]} on a clock.")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, minute


def _days(word: str) -> tuple[int, ...]:
    if word in _GROUPS:
        return _GROUPS[word]
    if word in _DAY:
        return (_DAY[word],)
    first, dash, last = word.partition("-")
    if dash and first in _DAY and last in _DAY:
        length = (_DAY[last] - _DAY[first]) % 7
        return tuple((_DAY[first] + step) % 7 for step in range(length + 1))
    return ()


def _zone(word: str) -> str:
    if found := known_zone(word):
        return found
    if _OFFSET.fullmatch(word):
        raise _refused(f"{word} knows no daylight saving. Name a zone by a place.")
    raise _refused(f'I do not understand "{word[:40]}".{_nearest(word)}')


def _nearest(word: str) -> str:
    cities = {key.rpartition("/")[2]: name for key, name in sorted(_zones().items(), reverse=True)}
    # "new york" comes as two words.
    places = [name for city, name in cities.items() if city == word or (len(word) > 2 and city.startswith(f"{word}_"))]
    close = difflib.get_close_matches(word, [*_zones(), *_DAY, *_GROUPS], n=1, cutoff=0.75)
    meant = places[-1] if places else known_zone(close[0]) or close[0] if close else ""
    return f' Did you mean "{meant}"?' if meant else ""


def _refused(reason: str) -> Refused:
    return Refused(f"{reason} Write e.g. {EXAMPLE}")
