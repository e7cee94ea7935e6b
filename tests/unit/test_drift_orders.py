"""What the order of the rows means: sorted tables, seasons, rows that come in flocks, and numbers that count rows."""

from datetime import UTC, datetime

import numpy as np
import pytest

from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts
from pipelines.drift.examine import examine

START = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
SEEDS = 8


def table(**columns: Column) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(columns, rows, rows)


def by_number(seed: int, rows: int, shift: float = 0, least_first: bool = True) -> Table:
    chance = np.random.default_rng(seed)
    x = np.sort(chance.normal(shift, 1, rows))
    return table(
        x=Numbers(x if least_first else x[::-1]), w=Numbers(chance.normal(size=rows)),
        near=Numbers(x + chance.normal(0, 0.5, rows)), k=Texts(chance.integers(0, 2, rows), ("a", "b")),
    )  # fmt: skip


def by_category(seed: int, rows: int, shares: tuple[float, ...] = (0.5, 0.3, 0.2), shift: float = 0) -> Table:
    chance = np.random.default_rng(seed)
    codes = np.sort(chance.choice(3, rows, p=shares))
    return table(x=Numbers(codes + chance.normal(shift, 1, rows)), k=Texts(codes, ("a", "b", "c")))


def hourly(seed: int, first: int, hours: int, a_time: int, shift: float = 0) -> Table:
    chance = np.random.default_rng(seed)
    hour = np.repeat(np.arange(first, first + hours), a_time)
    load = 50 + 20 * np.sin(2 * np.pi * (hour % 24) / 24) + chance.normal(shift, 3, len(hour))
    return table(
        timestamp=Moments(START + hour * 3_600.0), load=Numbers(load), noise=Numbers(chance.normal(size=len(hour)))
    )


def flocks(seed: int, rows: int) -> Table:
    chance = np.random.default_rng(seed)
    steps, x = chance.normal(size=rows), np.zeros(rows)
    for place in range(1, rows):
        x[place] = 0.9 * x[place - 1] + steps[place]
    return table(x=Numbers(x), w=Numbers(chance.normal(size=rows)))


@pytest.mark.parametrize("shift", [0.5, 1, 2])
@pytest.mark.parametrize("least_first", [True, False])
def test_tables_sorted_by_a_number_show_that_it_moved(shift: float, least_first: bool) -> None:
    verdict = examine(by_number(1, 4_000), by_number(2, 2_000, shift, least_first))
    assert (verdict.kind, set(verdict.affected)) == ("data drift", {"x", "near"})
    assert examine(by_number(1, 4_000), by_number(2, 2_000, 0, least_first)).kind == "no drift"


def test_tables_sorted_by_a_category_show_that_its_mix_and_what_hangs_on_it_moved() -> None:
    reference = by_category(1, 4_000)
    assert examine(reference, by_category(2, 2_000, (0.2, 0.3, 0.5))).affected[0] == "k"
    assert examine(reference, by_category(2, 2_000, shift=0.5)).affected == ("x",)
    assert examine(reference, by_category(2, 2_000)).kind == "no drift"


def test_parts_of_a_sorted_window_do_not_say_that_drift_lasts() -> None:
    assert examine(by_number(1, 4_000), by_number(2, 2_000, 1)).persistence is None


def test_only_the_reference_may_be_sorted() -> None:
    now = by_number(2, 2_000, 0.5)
    shuffled = now.take(np.random.default_rng(3).permutation(2_000))
    assert set(examine(by_number(1, 4_000), shuffled).affected) == {"x", "near"}


def test_a_whole_day_that_moved_is_seen_whatever_its_hours_do() -> None:
    reference = hourly(1, 0, 14 * 24, 10)
    moved = examine(reference, hourly(2, 14 * 24, 24, 40, shift=10))
    assert (moved.kind, moved.affected) == ("data drift", ("load",))
    assert examine(reference, hourly(2, 14 * 24, 7 * 24, 40, shift=5)).affected == ("load",)
    assert examine(reference, hourly(2, 14 * 24, 24, 40)).kind == "no drift"


def test_rows_are_put_in_the_order_of_their_clock() -> None:
    reference, now = hourly(1, 0, 14 * 24, 10), hourly(2, 14 * 24, 24, 40, shift=10)
    shuffled = now.take(np.random.default_rng(3).permutation(now.rows))
    assert examine(reference, shuffled).persistence == examine(reference, now).persistence


def test_rows_that_come_in_flocks_are_fewer_cases_than_rows() -> None:
    found = [
        examine(flocks(seed, 4_000), flocks(seed + 50, rows)).kind for seed in range(SEEDS) for rows in (400, 1_000)
    ]
    assert found.count("no drift") >= 2 * SEEDS - 1


def test_a_month_that_goes_on_is_no_order_by_value() -> None:
    def months(seed: int, first: int, count: int) -> Table:
        chance = np.random.default_rng(seed)
        weather = np.repeat(chance.normal(0, 2, count * 30), 40)
        month = np.repeat(np.arange(first, first + count), 1_200)
        names = tuple(f"2026-{number + 1:02d}" for number in range(12))
        return table(month=Texts(month, names), x=Numbers(weather + chance.normal(size=len(month))))

    verdict = examine(months(1, 0, 6), months(2, 6, 1))
    assert "x" not in verdict.affected


@pytest.mark.parametrize(
    ("name", "first"), [("customer", 0), ("order_no", 50_000), ("epoch", 1_700_000_000), ("row_key", 7)]
)
@pytest.mark.parametrize("shuffled", [True, False])
def test_numbers_of_orders_and_moments_are_no_features(name: str, first: int, shuffled: bool) -> None:
    def numbered(seed: int, start: int) -> Table:
        chance = np.random.default_rng(seed)
        values = np.arange(start, start + 1_000)
        values = chance.permutation(values) if shuffled else values
        return table(**{name: Numbers(values.astype(float)), "x": Numbers(chance.normal(size=1_000))})

    verdict = examine(numbered(1, first), numbered(2, first + 1_000))
    assert verdict.kind == "no drift"
    assert name in verdict.left_out


def test_whole_numbers_with_a_shape_stay_features() -> None:
    def incomes(seed: int, factor: float) -> Table:
        chance = np.random.default_rng(seed)
        return table(income=Numbers(np.floor(chance.lognormal(10.5, 0.4, 1_000) * factor)))

    assert examine(incomes(1, 1), incomes(2, 1.3)).affected == ("income",)


@pytest.mark.parametrize("scale", [1, 1_000])
def test_seconds_since_1970_of_a_usual_name_are_the_clock(scale: int) -> None:
    def seen(seed: int, first: int, hours: int) -> Table:
        rows = hourly(seed, first, hours, 40)
        clock = rows.columns["timestamp"]
        assert isinstance(clock, Moments)
        order = np.random.default_rng(seed).permutation(rows.rows)
        return Table(
            {"event_time": Numbers(clock.seconds * scale), "load": rows.columns["load"]}, rows.rows, rows.rows
        ).take(order)

    night = examine(seen(1, 0, 21 * 24), seen(2, 22 * 24, 6))
    assert night.kind == "no drift"
    assert any("same hours" in note for note in night.notes)
