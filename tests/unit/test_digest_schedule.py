"""When a digest is due, as the clocks on the wall say it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.digest.schedule import DAYS, Rhythm
from pipelines.digest.wording import known_zone, parse_rhythm
from pipelines.errors import Refused

ZONES = (
    "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Kolkata",
    "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo", "Antarctica/Troll", "Asia/Beirut",
    "UTC",
)  # fmt: skip
ALL_DAYS = tuple(range(7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(clock: str, zone: str) -> Rhythm:
    return parse_rhythm(f"daily {clock}", zone)


def slots_of_day(rhythm: Rhythm, day: str) -> list[str]:
    """What fires while the calendar of the rhythm's zone shows `day`, as the clocks there show it."""
    zone = ZoneInfo(rhythm.zone)
    start = datetime.fromisoformat(day).replace(tzinfo=zone)
    end = (start + timedelta(days=1)).astimezone(UTC)
    found = rhythm.slots(start.astimezone(UTC) - timedelta(microseconds=1), end - timedelta(microseconds=1))
    return [f"{slot.astimezone(zone):%H:%M%z}" for slot in found]


@pytest.mark.parametrize(
    ("text", "days", "clock", "zone"),
    [
        ("weekdays 09:00 Europe/Berlin", (0, 1, 2, 3, 4), "09:00", "Europe/Berlin"),
        ("WEEKDAYS 9:00 europe/berlin", (0, 1, 2, 3, 4), "09:00", "Europe/Berlin"),
        ("daily 23:59", ALL_DAYS, "23:59", "America/New_York"),
        ("every day at 7pm", ALL_DAYS, "19:00", "America/New_York"),
        ("mondays 8:00 UTC", (0,), "08:00", "UTC"),
        ("every Monday 8:00 am", (0,), "08:00", "America/New_York"),
        ("mon,thu 8:30", (0, 3), "08:30", "America/New_York"),
        ("mon, thu and sun 8:30", (0, 3, 6), "08:30", "America/New_York"),
        ("Asia/Kathmandu 12am tue", (1,), "00:00", "Asia/Kathmandu"),
        ("sun 12pm", (6,), "12:00", "America/New_York"),
        ("mon–wed 10:15", (0, 1, 2), "10:15", "America/New_York"),
        ("fri - mon 10:15", (0, 4, 5, 6), "10:15", "America/New_York"),
        ("weekends 00:00", (5, 6), "00:00", "America/New_York"),
        ("mon mon monday 10:15", (0,), "10:15", "America/New_York"),
    ],
)
def test_what_people_write_is_understood(text, days, clock, zone):
    rhythm = parse_rhythm(text, "America/New_York")
    assert (rhythm.days, rhythm.clock, rhythm.zone) == (days, clock, zone)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "On which days"),
        ("   ", "On which days"),
        ("09:00", "On which days"),
        ("weekdays", "At what time"),
        ("weekdays 9", "9 is not clear as a time"),
        ("weekdays 9.30", "9.30 is not clear"),
        ("weekdays 24:00", "no 24:00 on a clock"),
        ("weekdays 09:60", "no 09:60 on a clock"),
        ("weekdays 13pm", "no 13pm on a clock"),
        ("weekdays 0am", "no 0am on a clock"),
        ("weekdays 9:00 17:00", "once a day"),
        ("weekdays 9:00 UTC Europe/Berlin", "two time zones"),
        ("weekdays 9:00 Berlin", 'Did you mean "Europe/Berlin"'),
        ("weekdays 9:00 New York", 'Did you mean "America/New_York"'),
        ("weekdays 9:00 +02:00", "knows no daylight saving"),
        ("weekdays 9:00 UTC+2", "knows no daylight saving"),
        ("wekdays 9:00", 'Did you mean "weekdays"'),
        ("weekly 9:00", "I do not understand"),
        ("weekdays 9:00 ../../etc/passwd", "I do not understand"),
        ("weekdays 9:00 localtime", "I do not understand"),
        ("weekdays 9:00 <!channel>", "I do not understand"),
        ("weekdays ９:００", "I do not understand"),
        ("weekdays 9:00 \x00", "I do not understand"),
        ("weekdays 9:00 " * 5_000, "too long"),
    ],
)
def test_what_is_unclear_is_refused_with_what_to_write(text, reason):
    with pytest.raises(Refused) as refusal:
        parse_rhythm(text, "UTC")
    assert reason in str(refusal.value)
    assert str(refusal.value).endswith("Write e.g. weekdays 09:00 Europe/Berlin")
    assert len(str(refusal.value)) < 250


@given(
    days=st.sets(st.integers(0, 6), min_size=1), hour=st.integers(0, 23), minute=st.integers(0, 59),
    zone=st.sampled_from(ZONES),
)  # fmt: skip
def test_the_one_spelling_of_a_rhythm_reads_back_as_itself(days, hour, minute, zone):
    rhythm = Rhythm(tuple(sorted(days)), hour, minute, zone)
    assert parse_rhythm(str(rhythm), "UTC") == rhythm


def test_days_in_words():
    assert parse_rhythm("weekdays 9:00", "UTC").days_in_words == "weekdays"
    assert parse_rhythm("sat,sun 9:00", "UTC").days_in_words == "weekends"
    assert parse_rhythm("fri 9:00", "UTC").days_in_words == "Fridays"
    assert parse_rhythm("mon,thu,fri 9:00", "UTC").days_in_words == "Mondays, Thursdays and Fridays"


def test_the_same_wall_time_is_another_moment_in_summer_and_in_winter():
    rhythm = daily("09:00", "Europe/Berlin")
    assert rhythm.next_after(at("2026-01-10T00:00")) == at("2026-01-10T08:00")
    assert rhythm.next_after(at("2026-07-10T00:00")) == at("2026-07-10T07:00")


@pytest.mark.parametrize(
    ("zone", "day", "clock", "fires"),
    [
        ("Europe/Berlin", "2026-03-29", "02:30", "03:30+0200"),  # 02:00 to 03:00 do not exist
        ("Europe/Berlin", "2026-03-29", "02:00", "03:00+0200"),
        ("Europe/Berlin", "2026-03-29", "03:00", "03:00+0200"),
        ("Europe/Berlin", "2026-10-25", "02:30", "02:30+0200"),  # comes twice; the first counts
        ("Europe/Berlin", "2026-10-25", "03:00", "03:00+0100"),
        ("America/New_York", "2026-03-08", "02:30", "03:30-0400"),
        ("America/New_York", "2026-11-01", "01:30", "01:30-0400"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "01:45+1100"),  # set back by half an hour
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "02:45+1100"),
        ("America/St_Johns", "2026-03-08", "02:30", "03:30-0230"),
        ("Pacific/Chatham", "2026-09-27", "03:00", "04:00+1345"),  # 02:45 to 03:45 do not exist
        ("Asia/Kathmandu", "2026-06-01", "09:00", "09:00+0545"),
        ("Africa/Casablanca", "2026-02-15", "02:30", "02:30+0100"),  # the hour of Ramadan comes twice
        ("Antarctica/Troll", "2026-03-29", "02:00", "04:00+0200"),  # two hours at once; 01:00 to 03:00 do not exist
    ],
)
def test_a_day_on_which_the_clocks_are_set_has_exactly_one_slot(zone, day, clock, fires):
    assert slots_of_day(daily(clock, zone), day) == [fires]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["00:00", "00:30", "01:30", "02:00", "02:30", "03:15", "12:00", "23:59"])
def test_a_year_has_as_many_slots_as_days_in_every_zone(zone, clock):
    rhythm = daily(clock, zone)
    slots = rhythm.slots(at("2025-12-30T00:00"), at("2027-01-03T00:00"))
    local = [slot.astimezone(ZoneInfo(zone)) for slot in slots]
    in_the_year = [moment for moment in local if moment.year == 2026]
    assert len({moment.date() for moment in in_the_year}) == len(in_the_year) == 365
    assert slots == sorted(set(slots))


def test_a_day_that_a_zone_leaves_out_adds_no_second_digest():
    # Samoa went to the other side of the date line: after the 29th of December 2011 came the 31st.
    slots = daily("09:00", "Pacific/Apia").slots(at("2011-12-29T12:00"), at("2012-01-01T12:00"))
    assert [f"{slot.astimezone(ZoneInfo('Pacific/Apia')):%d}" for slot in slots] == ["29", "31", "01"]


@given(
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.sets(st.integers(0, 6), min_size=1), minutes=st.integers(0, 24 * 60 - 1), zone=st.sampled_from(ZONES),
)  # fmt: skip
def test_neighbouring_slots_follow_one_another_without_one_between(moment, days, minutes, zone):
    rhythm = Rhythm(tuple(sorted(days)), minutes // 60, minutes % 60, zone)
    before, after = rhythm.last_until(moment), rhythm.next_after(moment)
    assert before <= moment < after
    assert rhythm.slots(before, after) == [after]
    assert rhythm.slots(moment, moment) == []


def test_only_the_named_days_of_the_zones_own_calendar_count():
    # Monday 08:00 in Auckland is still Sunday in UTC.
    rhythm = parse_rhythm("mondays 08:00", "Pacific/Auckland")
    slot = rhythm.next_after(at("2026-06-10T00:00"))
    assert slot == at("2026-06-14T20:00")
    assert DAYS[slot.weekday()] == "sunday"


def test_zones_are_known_however_they_are_capitalised():
    assert known_zone("eUROPE/bERLIN") == "Europe/Berlin"
    assert known_zone("") is None
    assert known_zone("/etc/localtime") is None
