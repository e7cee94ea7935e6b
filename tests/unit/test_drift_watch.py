"""A model watched over weeks of hourly profiles; and whether retraining would help."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.retraining import would_retraining_help
from pipelines.drift.values import SchemaBreak, Verdict
from pipelines.drift.watch import Watch, judge_windows
from pipelines.drift.windows import Outcomes, Tally, WindowProfile
from pipelines.errors import Refused
from pipelines.profiles import (
    Categories,
    Distribution,
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
    assert set(verdict.performance.others) == {"accuracy of 7 days", "accuracy of 14 days", "accuracy of 30 days"}


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


def test_hours_may_come_in_any_order_and_with_gaps() -> None:
    hours = [hour(number, age=30 if number >= 336 else 0) for number in range(360) if number % 7]
    end = START + 360 * HOUR
    assert judge_windows(REFERENCE, hours[::-1], end) == judge_windows(REFERENCE, hours, end)
    assert judge_windows(REFERENCE, hours, end).affected == ("age",)


def test_errors_without_moved_inputs_are_model_decay() -> None:
    hours = weeks(2) + [hour(336 + number, right=0.8) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 360 * HOUR)
    assert (verdict.kind, verdict.performance is not None and verdict.performance.worse) == ("model decay", True)


def test_an_empty_window_is_not_judged() -> None:
    verdict = judge_windows(REFERENCE, weeks(1), START + 60 * 24 * HOUR)
    assert (verdict.kind, verdict.judged) == ("no drift", False)
    assert judge_windows(REFERENCE, [], START).judged is False


def test_a_unit_that_changed_shows_in_the_profiles() -> None:
    hours = weeks(2) + [_in_months(336 + number) for number in range(24)]
    verdict = judge_windows(REFERENCE, hours, START + 360 * HOUR)
    assert (verdict.kind, verdict.affected) == ("schema break", ("age",))
    assert "12" in verdict.breaks[0].detail


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


def verdict_of(kind: str) -> Verdict:
    breaks = (SchemaBreak("age", "unit", "current", "came in another unit"),) if kind == "schema break" else ()
    return Verdict(kind, "P1", ("Because.",), (), (), breaks=breaks)


def test_a_challenger_that_errs_less_on_recent_rows_would_help() -> None:
    chance = np.random.default_rng(4)
    champion = (chance.random(1_000) < 0.3).astype(float)
    taught = []

    def challenger(train, test):
        taught.append(set(train) & set(test))
        return (np.random.default_rng(len(test)).random(len(test)) < 0.1).astype(float)

    found = would_retraining_help(verdict_of("concept drift"), champion, challenger)
    assert (found.helps, found.rows) == (True, 1_000)
    assert taught == [set()] * 5, "it is never asked about rows that it learned"
    same = would_retraining_help(verdict_of("data drift"), champion, lambda _, test: champion[test])
    assert not same.helps
    assert "probably not help" in same.why


def test_broken_rows_and_too_few_labels_are_refused() -> None:
    with pytest.raises(Refused, match="learn the fault"):
        would_retraining_help(verdict_of("schema break"), np.zeros(1_000), lambda _, test: np.zeros(len(test)))
    few = np.full(1_000, np.nan)
    few[:150] = 0
    with pytest.raises(Refused, match="Only 150"):
        would_retraining_help(verdict_of("data drift"), few, lambda _, test: np.zeros(len(test)))
