"""Columns of dates: the clock of the rows, what goes along with it, and dates that are features like any other."""

from datetime import UTC, datetime

import numpy as np
import pytest

from pipelines.drift.columns import Column, Moments, Numbers, Table
from pipelines.drift.examine import examine
from pipelines.drift.roles import Wish

DAY = 86_400
TODAY = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def table(**columns: Column) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(columns, rows, rows)


def people(seed: int, rows: int, older: float = 0) -> dict[str, Column]:
    chance = np.random.default_rng(seed)
    age = np.clip(chance.normal(40 + older, 12, rows), 18, 90)
    return {
        "birth_date": Moments(TODAY - np.floor(age * 365.25) * DAY), "age": Numbers(age),
        "x": Numbers(chance.normal(size=rows)),
    }  # fmt: skip


def orders(seed: int, first_day: int, days: int, rows: int, takes: float = 2.0) -> dict[str, Column]:
    chance = np.random.default_rng(seed)
    at = np.sort(TODAY + (first_day + chance.uniform(0, days, rows)) * DAY)
    later = chance.exponential(takes * DAY, rows)
    return {"timestamp": Moments(at), "delivered": Moments(at + later), "x": Numbers(chance.normal(size=rows))}


@pytest.mark.parametrize("rows", [400, 1_000])
def test_a_birthday_is_no_clock_and_hides_no_drift(rows: int) -> None:
    verdict = examine(table(**people(1, 4_000)), table(**people(2, rows, older=10)))
    assert verdict.kind == "data drift"
    assert set(verdict.affected) == {"birth_date", "age"}
    [born] = [feature for feature in verdict.features if feature.name == "birth_date"]
    assert born.change.startswith("mean 1985-12-")
    assert "→ 1976-" in born.change
    assert examine(table(**people(1, 4_000)), table(**people(2, rows))).kind == "no drift"


def test_a_date_of_sign_up_leaves_the_tenure_to_be_judged() -> None:
    def members(seed: int, rows: int, share: float = 1.0) -> Table:
        tenure = np.random.default_rng(seed).exponential(400, rows) * share
        return table(signup_date=Moments(TODAY - np.floor(tenure) * DAY), tenure_days=Numbers(np.floor(tenure)))

    assert "tenure_days" in examine(members(1, 4_000), members(2, 1_000, 0.5)).affected
    assert examine(members(1, 4_000), members(2, 1_000)).kind == "no drift"


def test_a_date_that_goes_along_with_the_clock_is_judged_by_the_days_between() -> None:
    reference = table(**orders(1, 0, 28, 4_000))
    assert examine(reference, table(**orders(2, 28, 7, 1_000))).kind == "no drift"
    slow = examine(reference, table(**orders(3, 28, 7, 1_000, takes=4)))
    assert (slow.kind, slow.affected) == ("data drift", ("delivered",))
    assert slow.features[0].change.endswith("days after timestamp")


def test_dates_that_only_go_on_with_time_are_left_out() -> None:
    def exported(seed: int, first_day: int) -> Table:
        columns = orders(seed, first_day, 28, 1_000)
        exported_at = np.full(1_000, TODAY + (first_day + 28) * DAY) + np.arange(1_000) % 7
        return table(**columns, exported_at=Moments(exported_at))

    verdict = examine(exported(1, 0), exported(2, 28))
    assert verdict.kind == "no drift"
    assert "time goes on" in verdict.left_out["exported_at"]


def test_a_clock_of_an_unusual_name_is_known_by_going_on_where_the_reference_ends() -> None:
    def seen(seed: int, first_day: int, level: float = 0) -> Table:
        hours = np.repeat(np.arange(first_day * 24, (first_day + 14) * 24), 10)
        load = 50 + 20 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(seed).normal(level, 3, len(hours))
        return table(picked_up=Moments(TODAY + hours * 3_600.0), load=Numbers(load))

    reference, later = seen(1, 0), seen(2, 14)
    night = later.take(np.flatnonzero(np.arange(later.rows) // 10 % 24 < 6))
    verdict = examine(reference, night)
    assert verdict.kind == "no drift"
    assert any("same hours" in note for note in verdict.notes)


def test_a_date_may_be_named_as_the_clock() -> None:
    columns = people(1, 4_000), people(2, 1_000)
    verdict = examine(table(**columns[0]), table(**columns[1]), wish=Wish(timestamp="birth_date"))
    assert "birth_date" not in {feature.name for feature in verdict.features}


def test_days_come_in_no_other_unit() -> None:
    chance = np.random.default_rng(4)
    then, now = (TODAY + chance.normal(0, 50, rows) * DAY for rows in (2_000, 1_000))
    verdict = examine(table(due=Moments(then)), table(due=Moments(now - 273.15 * DAY)))
    assert (verdict.kind, verdict.affected) == ("data drift", ("due",))
