"""A model watched over weeks of hourly profiles."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.quality import estimate
from pipelines.drift.report import report
from pipelines.drift.values import Performance, Verdict
from pipelines.drift.watch import Watch, judge_windows
from pipelines.drift.windows import Outcomes, Tally, WindowProfile
from pipelines.profiles import (
    Categories,
    Distribution,
    HeldOut,
    ReferenceProfile,
    reference_edges,
    tally_codes,
    tally_numbers,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLANS = ("basic", "pro", "team")
CHANCE = np.random.default_rng(1)
AGES = CHANCE.normal(40, 10, 20_000)
LOADS = 50 + 20 * np.sin(np.linspace(0, 2 * np.pi, 20_000)) + CHANCE.normal(0, 4, 20_000)
PLAN_CODES = CHANCE.choice(3, 20_000, p=[0.6, 0.3, 0.1])
SAID = tally_codes(CHANCE.choice(2, 20_000, p=[0.7, 0.3]), ("0", "1"), ("0", "1"))
REFERENCE = ReferenceProfile(
    "churn", "churn-1", 20_000,
    {
        "age": tally_numbers(AGES, reference_edges(AGES)),
        "load": tally_numbers(LOADS, reference_edges(LOADS)),
        "plan": tally_codes(PLAN_CODES, PLANS, PLANS),
    },
    SAID, SAID,
)  # fmt: skip


def hour(number: int, age: float = 0.0, load: float = 0.0, rows: int = 60, right: float = 0.9) -> WindowProfile:
    """The profile of one hour; load follows the time of the day."""
    chance = np.random.default_rng(number)
    clock = (number % 24) / 24
    ages = chance.normal(40 + age, 10, rows)
    loads = 50 + 20 * np.sin(2 * np.pi * clock) + chance.normal(0, 4, rows) + load
    features: dict[str, Distribution] = {
        "age": tally_numbers(ages, REFERENCE.features["age"].edges),
        "load": tally_numbers(loads, REFERENCE.features["load"].edges),
        "plan": tally_codes(chance.choice(3, rows, p=[0.6, 0.3, 0.1]), PLANS, PLANS),
    }
    prediction = tally_codes(chance.choice(2, rows, p=[0.7, 0.3]), ("0", "1"), ("0", "1"))
    outcomes = Outcomes(rows, int(chance.binomial(rows, right)))
    return WindowProfile("churn", "1", START + number * HOUR, {"a": Tally(rows, features, prediction, None, outcomes)})


def weeks(count: int) -> list[WindowProfile]:
    return [hour(number) for number in range(count * 168)]


def test_an_ordinary_day_is_no_drift() -> None:
    verdict = judge_windows(REFERENCE, weeks(2), START + 14 * 24 * HOUR)
    assert (verdict.kind, verdict.urgency) == ("no drift", None)
    assert verdict.performance is not None
    assert set(verdict.performance.others) == {
        "accuracy of 7 days",
        "accuracy of 14 days",
        "accuracy of 30 days",
        "accuracy of the same hours",
    }


def test_a_night_that_is_always_so_is_no_drift_and_a_hot_night_is() -> None:
    night = Watch(timedelta(hours=6))
    end = START + (28 * 24 + 6) * HOUR
    past = weeks(4)
    usual = judge_windows(REFERENCE, past + [hour(28 * 24 + number) for number in range(6)], end, night)
    assert usual.kind == "no drift"
    hot = judge_windows(REFERENCE, past + [hour(28 * 24 + number, load=35.0) for number in range(6)], end, night)
    assert (hot.kind, hot.affected) == ("data drift", ("load",))
    untold = judge_windows(REFERENCE, [hour(number) for number in range(6)], START + 6 * HOUR, night)
    assert untold.affected == ("load",), "without a past nobody knows what is usual"


def test_the_same_small_hours_of_some_days_are_no_drift_at_any_hour_and_one_odd_day_changes_nothing() -> None:
    few = [hour(number, rows=30) for number in range(10 * 24)]
    odd = [hour(number, load=40.0, rows=300) for number in range(8 * 24, 9 * 24)]
    for past in (few, [*few[: 8 * 24], *odd, *few[9 * 24 :]]):
        flagged = [
            number
            for number in range(9 * 24, 10 * 24)
            if judge_windows(REFERENCE, past[: number + 1], START + (number + 1) * HOUR, Watch(4 * HOUR)).affected
            and number - 3 >= 9 * 24
        ]
        assert flagged == []
    moved = [*few[: 9 * 24], *(hour(number, load=12.0, rows=30) for number in range(9 * 24, 10 * 24))]
    missed = [
        number
        for number in range(9 * 24 + 3, 9 * 24 + 10)  # later it moves towards what the model was trained on
        if judge_windows(REFERENCE, moved[: number + 1], START + (number + 1) * HOUR, Watch(4 * HOUR)).affected
        != ("load",)
    ]
    assert missed == []


def test_the_report_says_what_the_performance_is_held_against() -> None:
    poor = [hour(number, right=0.7) for number in range(2 * 168, 2 * 168 + 24)]
    verdict = judge_windows(REFERENCE, weeks(2) + poor, START + (2 * 168 + 24) * HOUR)
    first, *others = report(verdict).baselines
    assert first.startswith("accuracy 0.9")
    assert first.endswith("now, measured on 1,440 rows")
    assert [name.partition(":")[0] for name in others] == [
        "accuracy of 7 days", "accuracy of 14 days", "accuracy of 30 days", "accuracy of the same hours",
    ]  # fmt: skip


def test_what_lasts_is_more_urgent_than_what_passes() -> None:
    heavy = {"age": 0.9, "load": 0.05, "plan": 0.05}
    calm = weeks(2)
    one_day = calm + [hour(336 + number, age=30) for number in range(24)]
    three_days = calm + [hour(336 + number, age=30) for number in range(72)]
    passing = judge_windows(REFERENCE, one_day, START + 360 * HOUR, importance=heavy)
    lasting = judge_windows(REFERENCE, three_days, START + 408 * HOUR, importance=heavy)
    assert (passing.affected, passing.urgency) == (("age",), "P1")
    assert (lasting.affected, lasting.urgency) == (("age",), "P0")
    assert (passing.persistence, lasting.persistence) != (None, None)


def test_the_bins_that_grew_most_say_where_it_is_worst() -> None:
    hours = weeks(1) + [hour(168 + number, age=30) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 192 * HOUR)
    [worst] = verdict.segments
    assert (worst.features, worst.where.startswith("age above 52")) == (("age",), True)
    assert worst.share_now > 0.9 > 0.2 > worst.share_before
    broken = judge_windows(REFERENCE, weeks(1) + [_in_months(168 + n) for n in range(24)], START + 192 * HOUR)
    assert (broken.kind, broken.segments) == ("schema break", ())


def test_drift_does_not_become_usual_by_lasting() -> None:
    onset = START + 336 * HOUR
    hours = weeks(2) + [hour(336 + number, age=30) for number in range(504)]
    end = onset + 504 * HOUR
    assert judge_windows(REFERENCE, hours, end).affected == ("age",), "nobody said that these days are drift"
    known = judge_windows(REFERENCE, hours, end, drifting=[(onset, end + HOUR)])
    assert (known.kind, known.affected) == ("data drift", ("age",))
    assert judge_windows(REFERENCE, weeks(4), START + 672 * HOUR, drifting=[(onset, end)]).kind == "no drift"


def test_drift_that_grows_slowly_is_seen_though_each_day_is_like_the_days_before() -> None:
    hours = weeks(2) + [hour(336 + number, age=number / 240) for number in range(28 * 24)]
    verdict = judge_windows(REFERENCE, hours, START + 42 * 24 * HOUR)
    assert verdict.affected == ("age",)


def weekends(number: int, off: float = 4.0, more: float = 0.0, right: float = 0.9) -> WindowProfile:
    """Ages are off by so much on weekends, not in the week's mean; three of a hundred more errors then."""
    weekend = number // 24 % 7 >= 5
    return hour(number, age=off * (weekend - 2 / 7) + more, right=right - 0.03 * weekend)


ONE_THAT_AGES = {"age": 0.9, "load": 0.05, "plan": 0.05}


@pytest.mark.parametrize("span", [6, 24])
def test_weekends_that_are_always_so_are_no_drift_once_they_are_known(span: int) -> None:
    hours = [weekends(number) for number in range(6 * 168)]
    ends = range(4 * 168, 6 * 168, 11)
    watch = Watch(timedelta(hours=span))
    looks = [judge_windows(REFERENCE, hours, START + end * HOUR, watch, ONE_THAT_AGES) for end in ends]
    assert [look.kind for look in looks].count("no drift") >= len(looks) - 1
    assert "P0" not in {look.urgency for look in looks}


def test_weekends_are_known_though_the_first_ones_were_called_drift() -> None:
    hours = [weekends(number, off=8) for number in range(5 * 168)]
    spans = [(START + (168 * week + 90) * HOUR, START + (168 * week + 178) * HOUR) for week in range(4)]
    verdict = judge_windows(REFERENCE, hours, START + 5 * 168 * HOUR, importance=ONE_THAT_AGES, drifting=spans)
    assert verdict.kind == "no drift"


def test_nights_become_known_though_an_episode_is_open_since_the_first_of_them() -> None:
    hours, since_ever = weeks(1), [(START - 24 * HOUR, datetime.max.replace(tzinfo=UTC))]
    for end in range(5 * 24, 7 * 24, 5):
        night = judge_windows(REFERENCE, hours, START + end * HOUR, Watch(timedelta(hours=6)), drifting=since_ever)
        assert "load" not in night.affected, end


def test_a_weekend_that_is_not_like_the_weekends_before_is_drift() -> None:
    hours = [weekends(number, more=4.0 if number >= 5 * 168 - 48 else 0.0) for number in range(5 * 168)]
    verdict = judge_windows(REFERENCE, hours, START + 5 * 168 * HOUR, importance=ONE_THAT_AGES)
    assert verdict.affected == ("age",)


def test_a_model_that_always_errs_more_on_weekends_is_no_worse_than_usual() -> None:
    def seen(right: float) -> Verdict:
        hours = [weekends(number, 0.0, 0.0, right if number >= 5 * 168 - 24 else 0.95) for number in range(5 * 168)]
        return judge_windows(REFERENCE, hours, START + 5 * 168 * HOUR)

    usual, worse = seen(0.95), seen(0.87)
    assert usual.kind == "no drift"
    assert usual.performance is not None
    assert usual.performance.others["accuracy of the same hours"][0] == pytest.approx(0.92, abs=0.01)
    assert worse.kind == "concept drift"


@pytest.mark.parametrize("end", [7 * 24, 7 * 24 + 4])
def test_a_weekend_that_nobody_knows_yet_is_no_p0_and_three_days_are(end: int) -> None:
    hours = [weekends(number, off=12) for number in range(2 * 168)]
    first = judge_windows(REFERENCE, hours, START + end * HOUR, importance=ONE_THAT_AGES)
    assert (first.affected, first.urgency) == (("age",), "P1")
    assert first.persistence is not None
    assert first.persistence.seasonal
    assert "three weeks of records" in first.why[-1]
    onset = 8 * 24 + end % 24
    lasting = [hour(number, age=12.0 if number >= onset else 0.0) for number in range(onset + 72)]
    third = judge_windows(REFERENCE, lasting, START + (onset + 72) * HOUR, importance=ONE_THAT_AGES)
    assert (third.affected, third.urgency) == (("age",), "P0")


def test_what_no_season_could_be_is_a_p0_before_any_season_is_known() -> None:
    hours = [hour(number, age=90.0 if number >= 12 else 0.0) for number in range(36)]
    for span in (timedelta(hours=4), timedelta(hours=12)):
        verdict = judge_windows(REFERENCE, hours, START + 36 * HOUR, Watch(span), ONE_THAT_AGES)
        assert verdict.urgency == "P0", verdict.why


def test_a_day_with_most_rows_elsewhere_is_a_p0_and_some_hours_of_it_are_not() -> None:
    hours = [hour(number, age=20.0 if number >= 24 else 0.0) for number in range(48)]
    urgencies = [
        judge_windows(REFERENCE, hours, START + end * HOUR, Watch(timedelta(hours=4)), {"age": 1.0}).urgency
        for end in (36, 48)
    ]
    assert urgencies == ["P1", "P0"]


def test_an_evening_is_no_p0_by_being_three_windows_long() -> None:
    hours = [hour(number, age=12.0 if number % 24 >= 12 else 0.0) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 24 * HOUR, Watch(timedelta(hours=4)), ONE_THAT_AGES)
    assert ("age" in verdict.affected, verdict.urgency) == (True, "P1")


def test_a_fall_that_is_severe_by_chance_alone_waits_while_a_season_may_explain_it() -> None:
    def seen(right: float) -> Verdict:
        calm = [hour(number) for number in range(96)]
        bad = [_right(hour(96 + number), right) for number in range(24)]
        return judge_windows(REFERENCE, calm + bad, START + 120 * HOUR, Watch(timedelta(hours=12)))

    assert (seen(0.83).kind, seen(0.83).urgency) == ("concept drift", "P1")
    assert seen(0.75).urgency == "P0"


def _right(window: WindowProfile, share: float) -> WindowProfile:
    (tally,) = window.tallies.values()
    outcomes = Outcomes(tally.rows, round(share * tally.rows))
    return replace(window, tallies={"a": replace(tally, outcomes=outcomes)})


def test_hours_may_come_in_any_order_and_with_gaps() -> None:
    hours = [hour(number, age=30 if number >= 336 else 0) for number in range(360) if number % 7]
    end = START + 360 * HOUR
    assert judge_windows(REFERENCE, hours[::-1], end) == judge_windows(REFERENCE, hours, end)
    assert judge_windows(REFERENCE, hours, end).affected == ("age",)


def test_errors_where_nothing_moved_mean_that_the_outcomes_changed() -> None:
    hours = weeks(2) + [hour(336 + number, right=0.8) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 360 * HOUR)
    assert (verdict.kind, verdict.remedy) == ("concept drift", "retrain")
    assert verdict.performance is not None
    assert verdict.performance.worse
    assert "the same inputs probably have other outcomes" in " ".join(verdict.why)


def rare(number: int, found: float) -> WindowProfile:
    """An hour in which two rows of a hundred are “1”, of which the model finds a share; nothing else is ever wrong."""
    chance = np.random.default_rng(number)
    there = int(chance.binomial(60, 0.02))
    hits = int(chance.binomial(there, found))
    confusion = {"0": {"0": 60 - there, "1": there - hits}, "1": {"1": hits}}
    (tally,) = hour(number).tallies.values()
    told = replace(tally, outcomes=Outcomes(60, 60 - there + hits, confusion=confusion))
    return replace(hour(number), tallies={"a": told})


def test_a_rare_class_that_is_no_longer_found_is_seen_though_the_accuracy_hardly_falls() -> None:
    calm = [rare(number, 0.8) for number in range(336)]
    blind = calm + [rare(336 + number, 0.0) for number in range(72)]
    verdict = judge_windows(REFERENCE, blind, START + 408 * HOUR)
    assert (verdict.kind, verdict.urgency) == ("concept drift", "P0")
    assert verdict.performance is not None
    assert verdict.performance.drop < 0.02, "the accuracy alone would not matter"
    assert verdict.performance.lost is not None
    assert (verdict.performance.lost.name, verdict.performance.lost.now) == ("1", 0.0)
    assert "what is “1”" in verdict.why[-1]
    one_day = judge_windows(REFERENCE, blind[:360], START + 360 * HOUR)
    assert one_day.urgency == "P1", "one bad day may pass"
    usual = calm + [rare(336 + number, 0.8) for number in range(72)]
    assert {judge_windows(REFERENCE, usual, START + end * HOUR).kind for end in range(340, 408, 4)} == {"no drift"}


def test_errors_with_other_predictions_for_the_same_inputs_are_model_decay() -> None:
    hours = weeks(2) + [_said_otherwise(hour(336 + number, right=0.6)) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 360 * HOUR)
    assert (verdict.kind, verdict.remedy) == ("model decay", "roll back")


def test_a_model_that_is_sure_and_wrong_about_moved_inputs_has_met_data_drift() -> None:
    sure = np.random.default_rng(4).beta(8, 1.5, 2_000) / 2 + 0.5
    edges = reference_edges(sure)
    counted = tally_numbers(sure, edges)
    told = HeldOut(2_000, 1_800, right_by_confidence=tuple(int(0.9 * count) for count in counted.counts))
    reference = replace(REFERENCE, confidence=counted, held_out=told)

    def confident(window: WindowProfile) -> WindowProfile:
        (tally,) = window.tallies.values()
        return replace(window, tallies={"a": replace(tally, confidence=tally_numbers(sure[:60], edges))})

    hours = [confident(hour(number, *((30.0, 0.0, 60, 0.7) if number >= 336 else ()))) for number in range(408)]
    verdict = judge_windows(reference, hours, START + 408 * HOUR, importance={"age": 1.0})
    assert verdict.estimated is not None
    assert not verdict.estimated.worse
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("data drift", "P0", "retrain")


def _said_otherwise(window: WindowProfile) -> WindowProfile:
    (tally,) = window.tallies.values()
    said = tally_codes(np.random.default_rng(0).choice(2, 60, p=[0.2, 0.8]), ("0", "1"), ("0", "1"))
    return replace(window, tallies={"a": replace(tally, prediction=said)})


def test_labels_that_come_three_days_late_still_tell_of_their_days() -> None:
    def seen_at(day: int) -> Verdict:
        """Days 14 and after are bad; of each only those three days ago have their labels."""
        hours = weeks(2) + [hour(336 + number, right=0.8) for number in range(24 * 6)]
        known = START + (14 + day - 3) * 24 * HOUR
        told = [window if window.hour < known else _unlabelled(window) for window in hours]
        return judge_windows(REFERENCE, told, START + (14 + day) * 24 * HOUR)

    assert seen_at(3).kind == "no drift"
    after = seen_at(4)
    assert (after.kind, after.urgency) == ("concept drift", "P1"), "one bad day may pass"
    assert any("Labels reach to 17 March 00:00" in note for note in after.notes)
    assert seen_at(5).urgency == "P0"


def test_labels_that_stopped_long_ago_say_nothing_of_today() -> None:
    hours = [hour(number) if number < 24 * 7 else _unlabelled(hour(number)) for number in range(24 * 28)]
    verdict = judge_windows(REFERENCE, hours, START + 28 * 24 * HOUR)
    assert verdict.performance is None


def _unlabelled(window: WindowProfile) -> WindowProfile:
    (tally,) = window.tallies.values()
    return replace(window, tallies={"a": replace(tally, outcomes=Outcomes())})


def test_a_new_model_without_a_past_is_measured_by_its_test_rows() -> None:
    held_out = replace(REFERENCE, held_out=HeldOut(2_000, right=1_800))
    day = [hour(number, right=0.7) for number in range(24)]
    assert judge_windows(REFERENCE, day, START + 24 * HOUR).performance is None
    verdict = judge_windows(held_out, day, START + 24 * HOUR)
    assert verdict.performance is not None
    assert verdict.performance.worse
    assert set(verdict.performance.others) == {"accuracy of the test rows"}
    good = judge_windows(held_out, [hour(number) for number in range(24)], START + 24 * HOUR)
    assert good.kind == "no drift"


def test_a_model_of_numbers_is_measured_by_its_distances() -> None:
    ages = REFERENCE.features["age"]
    numbers = replace(REFERENCE, target=ages, prediction=ages)

    def hours_with(error: float) -> list[WindowProfile]:
        calm = [_distant(hour(number), 2.0) for number in range(336)]
        return calm + [_distant(hour(336 + number), error) for number in range(24)]

    same = judge_windows(numbers, hours_with(2.0), START + 360 * HOUR)
    assert same.kind == "no drift"
    assert same.performance is not None
    assert same.performance.metric == "explained deviation"
    assert same.performance.before == pytest.approx(1 - 2 / 8, abs=0.02), "of a mean deviation of 8 years 2 are left"
    worse = judge_windows(numbers, hours_with(4.0), START + 360 * HOUR)
    assert (worse.kind, worse.urgency) == ("concept drift", "P1")
    assert worse.performance is not None
    assert worse.performance.now == pytest.approx(0.5, abs=0.02)


def _distant(window: WindowProfile, error: float) -> WindowProfile:
    (tally,) = window.tallies.values()
    chance = np.random.default_rng(window.hour.toordinal() * 24 + window.hour.hour)
    errors = chance.exponential(error, 60)
    outcomes = Outcomes(60, 0, float(errors.sum()), squared_error=float(np.square(errors).sum()))
    ages = tally_numbers(chance.normal(40, 10, 60), REFERENCE.features["age"].edges)
    return replace(window, tallies={"a": replace(tally, prediction=ages, outcomes=outcomes)})


def test_without_labels_the_accuracy_is_estimated_from_how_sure_the_model_is() -> None:
    chance = np.random.default_rng(3)
    sure = chance.beta(8, 1.5, 4_000) / 2 + 0.5
    right = chance.random(4_000) < sure
    edges = reference_edges(sure)
    places = np.searchsorted(edges, sure, side="left")
    told = HeldOut(
        4_000, int(right.sum()), right_by_confidence=tuple(np.bincount(places[right], minlength=10).tolist())
    )
    reference = replace(REFERENCE, confidence=tally_numbers(sure, edges), held_out=told)

    def estimated(values: np.ndarray) -> Performance:
        found = estimate(reference, Tally(len(values), confidence=tally_numbers(values, edges)))
        assert found is not None
        return found

    same = estimated(chance.beta(8, 1.5, 2_000) / 2 + 0.5)
    assert (same.worse, same.estimated) == (False, True)
    assert same.before == pytest.approx(right.mean(), abs=0.01)
    unsure = chance.beta(2, 2, 2_000) / 2 + 0.5
    found = estimated(unsure)
    assert found.worse
    assert unsure.mean() < found.now < right.mean() - 0.03, "less sure than ever before counts as the least sure"
    assert estimate(replace(reference, held_out=None), Tally(0)) is None


def test_an_empty_window_is_not_judged() -> None:
    verdict = judge_windows(REFERENCE, weeks(1), START + 60 * 24 * HOUR)
    assert (verdict.kind, verdict.judged) == ("no drift", False)
    assert judge_windows(REFERENCE, [], START).judged is False


def test_a_unit_that_changed_shows_in_the_profiles() -> None:
    hours = weeks(2) + [_in_months(336 + number) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 360 * HOUR)
    assert (verdict.kind, verdict.affected) == ("schema break", ("age",))
    assert "12" in verdict.breaks[0].detail


def test_a_unit_that_changed_an_hour_ago_is_not_taken_for_drift() -> None:
    hours = weeks(2) + [hour(336 + number) for number in range(22)] + [_in_months(358), _in_months(359)]
    verdict = judge_windows(REFERENCE, hours, START + 360 * HOUR)
    assert (verdict.kind, verdict.affected, verdict.remedy) == ("schema break", ("age",), "fix the source")
    one = judge_windows(REFERENCE, [*hours[:-2], hour(358), _in_months(359)], START + 360 * HOUR)
    assert one.kind != "schema break", "sixty rows beside sixty sound ones tell no unit"


def test_no_newest_hour_of_ordinary_weeks_is_taken_for_another_unit() -> None:
    hours = weeks(4)
    ends = [START + number * HOUR for number in range(24, 672, 7)]
    assert {judge_windows(REFERENCE, hours, end).kind for end in ends} == {"no drift"}


def _in_months(number: int) -> WindowProfile:
    found = hour(number)
    ages = np.random.default_rng(number).normal(40, 10, 60) * 12
    tally = found.tallies["a"]
    features = {**tally.features, "age": tally_numbers(ages, REFERENCE.features["age"].edges)}
    return WindowProfile("churn", "1", found.hour, {"a": Tally(60, features, tally.prediction, None, tally.outcomes)})


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.full(500, 40.0), "constant"),
        (np.full(500, np.nan), "missing"),
        (np.random.default_rng(3).normal(40, 10, 500) * 1000, "unit"),
        (np.random.default_rng(3).normal(40, 10, 500) * 1.8 + 32, "unit"),
        (np.random.default_rng(3).normal(48, 10, 500), None),
        (np.random.default_rng(3).normal(40, 20, 500), None),
        (np.full(10, 40.0), None),
    ],
)
def test_breaks_are_seen_in_profiles_alone(values: np.ndarray, what: str | None) -> None:
    then = REFERENCE.features["age"]
    found = find_profile_breaks("age", then, tally_numbers(values, then.edges))
    assert [each.what for each in found] == ([what] if what else [])


def test_categories_that_all_changed_or_froze_are_seen_in_profiles_alone() -> None:
    then = Categories({"basic": 600, "pro": 300, "team": 100})
    [unknown] = find_profile_breaks("plan", then, Categories({"basic": 0, "pro": 0, "team": 0}, other=200))
    [frozen] = find_profile_breaks("plan", then, Categories({"basic": 200, "pro": 0, "team": 0}))
    assert (unknown.what, frozen.what) == ("encoding", "constant")
    assert find_profile_breaks("plan", then, Categories({"basic": 120, "pro": 60, "team": 20})) == []
