"""Since when it drifts, and how many labelled rows of the new kind there are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipelines.drift.onset import earliest, new_rows, onset_by_errors, onset_by_hours
from pipelines.drift.sampling import LabelledRow
from pipelines.drift.values import Onset, Performance, SchemaBreak
from pipelines.drift.watch import Watch, judge_windows
from pipelines.drift.windows import Outcomes, Tally, WindowProfile
from pipelines.profiles import HeldOut, ReferenceProfile, reference_edges, tally_codes, tally_numbers

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
INCOMES = np.random.default_rng(1).normal(40, 10, 5_000)
EDGES = reference_edges(INCOMES)
SAID = tally_codes(np.random.default_rng(2).choice(2, 5_000, p=[0.7, 0.3]), ("no", "yes"), ("no", "yes"))
REFERENCE = ReferenceProfile(
    "loan", "loan-1", 5_000, {"income": tally_numbers(INCOMES, EDGES)}, SAID, SAID, held_out=HeldOut(1_000, 900)
)


def hour(number: int, moved: float = 0.0, rows: int = 100, right: float = 0.9, labelled: bool = True) -> WindowProfile:
    """`moved` is in standard deviations; by night incomes are a little lower than by day."""
    chance = np.random.default_rng(number)
    night = 2.0 if number % 24 < 6 else 0.0
    incomes = chance.normal(40 - night + 10 * moved, 10, rows)
    outcomes = Outcomes(rows, round(right * rows)) if labelled else Outcomes()
    tally = Tally(rows, {"income": tally_numbers(incomes, EDGES)}, outcomes=outcomes)
    return WindowProfile("loan", "1", START + number * HOUR, {"a": tally})


def looked(hours, until, window=DAY, since=None):
    """`since` is when an episode of it began, as the bot knows: else drift that lasts becomes the usual."""
    known = [(since, until + DAY)] if since else []
    verdict = judge_windows(REFERENCE, hours, until, Watch(window), drifting=known)
    assert verdict.alarming
    return onset_by_hours(REFERENCE, hours, verdict, window, earliest(until, ()))


@pytest.mark.parametrize("lasted", [3, 12, 30, 100])
@pytest.mark.parametrize("earlier", [24, 200])
def test_the_hour_in_which_a_column_moved_is_told_however_long_it_lasts(lasted, earlier) -> None:
    hours = [hour(number) for number in range(earlier)] + [hour(earlier + number, 1.5) for number in range(lasted)]
    found = looked(hours, START + (earlier + lasted) * HOUR, 4 * HOUR, START + earlier * HOUR)
    assert found == Onset(START + earlier * HOUR)


def test_where_all_hours_are_of_the_new_kind_it_began_with_the_first_one() -> None:
    hours = [hour(number, 1.5) for number in range(30)]
    assert looked(hours, START + 30 * HOUR) == Onset(START)


def test_errors_that_became_more_date_what_no_column_shows() -> None:
    hours = [hour(number, right=0.9 if number < 60 else 0.5) for number in range(72)]
    assert looked(hours, START + 72 * HOUR) == Onset(START + 60 * HOUR)


def test_drift_that_ended_is_no_beginning_of_what_comes_after_it() -> None:
    until = START + 60 * HOUR
    assert earliest(until, [(START, START + 20 * HOUR), (START + 30 * HOUR, until + DAY)]) == START + 20 * HOUR
    assert earliest(START + 40 * DAY, [(START, START + 20 * HOUR)]) == START + 26 * DAY
    hours = [hour(number, 2.0 if number < 20 else 0.8 if number >= 50 else 0.0) for number in range(60)]
    verdict = judge_windows(REFERENCE, hours, until, Watch(4 * HOUR))
    assert onset_by_hours(REFERENCE, hours, verdict, 4 * HOUR, START + 20 * HOUR) == Onset(START + 50 * HOUR)


def test_what_nothing_tells_has_no_beginning() -> None:
    hours = [hour(number) for number in range(30)]
    quiet = judge_windows(REFERENCE, hours, START + 30 * HOUR, Watch(DAY))
    assert onset_by_hours(REFERENCE, hours, quiet, DAY, START) is None
    assert onset_by_hours(REFERENCE, [], quiet, DAY, START) is None
    unknown = replace(quiet, kind="schema break", breaks=(SchemaBreak("other", "new", "current", "is new"),))
    assert onset_by_hours(REFERENCE, hours, unknown, DAY, START) is None
    labels = replace(quiet, breaks=(SchemaBreak("(label)", "constant", "current", "is constant", "label"),))
    assert onset_by_hours(REFERENCE, hours, labels, DAY, START) is None
    numbers = replace(quiet, performance=Performance("explained deviation", 0.9, 0.5, 100, 0.0, worse=True))
    assert onset_by_hours(REFERENCE, hours, numbers, DAY, START) is None


def errors(count: int, changed: int, rates=(0.1, 0.6)) -> list[LabelledRow]:
    """A row a minute, with more wrong ones from number `changed` on."""
    chance = np.random.default_rng(5)
    wrong = chance.random(count) < np.where(np.arange(count) < changed, *rates)
    return [
        LabelledRow(str(place), START + place * HOUR / 60, {}, "no", "yes" if one else "no")
        for place, one in enumerate(wrong)
    ]


def test_single_errors_tell_the_minute() -> None:
    found = onset_by_errors(errors(1_200, 850), REFERENCE, START)
    assert found is not None
    assert found.exact
    assert abs(found.at - (START + 850 * HOUR / 60)) <= 10 * HOUR / 60


def test_a_bad_hour_that_is_over_is_no_beginning() -> None:
    blip = [replace(row, label="yes") if 200 <= place < 290 else row for place, row in enumerate(errors(1_200, 900))]
    found = onset_by_errors(blip, REFERENCE, START)
    assert found is not None
    assert abs(found.at - (START + 900 * HOUR / 60)) <= 10 * HOUR / 60
    over = [replace(row, label="yes") if 200 <= place < 290 else row for place, row in enumerate(errors(1_200, 1_200))]
    assert onset_by_errors(over, REFERENCE, START) is None


def test_errors_that_are_few_or_as_many_as_ever_or_long_ago_tell_nothing() -> None:
    assert onset_by_errors([], REFERENCE, START) is None
    assert onset_by_errors(errors(40, 20), REFERENCE, START) is None
    assert onset_by_errors(errors(1_200, 1_200), REFERENCE, START) is None
    assert onset_by_errors(errors(1_200, 0), REFERENCE, START) is None
    assert onset_by_errors(errors(1_200, 300), REFERENCE, START + 10 * HOUR) is None


def test_errors_of_numbers_are_measured_by_their_usual_deviation_and_text_among_them_is_passed_over() -> None:
    numeric = replace(REFERENCE, target=tally_numbers(INCOMES, EDGES), prediction=tally_numbers(INCOMES, EDGES))
    rows = [
        replace(row, prediction="40", label="x" if place % 50 == 0 else str(40 + (30 if place >= 700 else 1)))
        for place, row in enumerate(errors(1_000, 1_000))
    ]
    found = onset_by_errors(rows, numeric, START)
    assert found is not None
    assert abs(found.at - (START + 700 * HOUR / 60)) <= 10 * HOUR / 60


def test_labelled_rows_of_the_new_kind_are_counted_from_the_minute_on() -> None:
    hours = [hour(number) for number in range(48)]
    until = START + 48 * HOUR
    assert new_rows(Onset(START + 40 * HOUR), hours, until).labelled == 800
    half = new_rows(Onset(START + 45.5 * HOUR, exact=True), hours, until)
    assert (half.labelled, half.enough) == (250, False)
    assert half.expected == until + 1.5 * HOUR, "150 rows at a hundred an hour"
    full = new_rows(Onset(START + 44 * HOUR), hours, until)
    assert (full.labelled, full.enough, full.expected) == (400, True, None)


def test_labels_that_come_days_late_are_expected_that_much_later() -> None:
    hours = [hour(number, labelled=number < 48) for number in range(96)]
    until = START + 96 * HOUR
    found = new_rows(Onset(START + 90 * HOUR), hours, until)
    assert found.labelled == 0
    assert found.expected == START + (90 + 48 + 4) * HOUR, "two days after their rows, and four hours of them"


def test_where_no_labels_come_in_nothing_is_counted() -> None:
    bare = [hour(number, labelled=False) for number in range(48)]
    assert new_rows(Onset(START), bare, START + 48 * HOUR) is None
    assert new_rows(Onset(START), [], START) is None
    old = [hour(0), *(hour(number, labelled=False) for number in range(1, 400))]
    assert new_rows(Onset(START), old, START + 400 * HOUR) is None
