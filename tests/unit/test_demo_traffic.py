"""The demo's applicants, its clock, its scenarios and the table that it trains on."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bot.demo.clock import FastClock, hour_of
from bot.demo.labelled import KEPT_ROWS, LEAST_ROWS, SPAN, LabelledRows
from bot.demo.lending import LEAST_INCOME, TARGET, USUAL, Circumstances, applications, default_probability, loans
from bot.demo.live import LiveDemo
from bot.demo.scenarios import SCENARIOS
from bot.demo.serving.deliveries import Deliveries
from bot.demo.traffic import Pace, tensors
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.profiles import reference_edges, tally_numbers

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_training_table_is_always_the_same_and_knows_no_low_income() -> None:
    pd.testing.assert_frame_equal(loans(300), loans(300))
    table = loans()
    assert table["income"].min() == LEAST_INCOME
    assert 0.12 < (table[TARGET] == "yes").mean() < 0.25
    assert table.notna().all().all()


def test_outcomes_come_by_the_documented_probability() -> None:
    table = loans(20_000)
    probability = default_probability(table)
    likely = probability > 0.5
    assert abs(probability.mean() - (table[TARGET] == "yes").mean()) < 0.01
    assert abs(probability[likely].mean() - (table[TARGET] == "yes")[likely].mean()) < 0.03


def test_drift_in_income_moves_income_and_no_other_column() -> None:
    usual, moved = (applications(random(), 5_000, now) for now in (USUAL, SCENARIOS["income"].at(NOON)))
    assert 0.55 < (moved["income"] < LEAST_INCOME).mean() < 0.65
    for name in ("loan_amount", "age", "employment_years"):
        assert abs(moved[name].mean() - usual[name].mean()) < 0.05 * usual[name].std() + 0.05


def test_a_unit_bug_is_recognised_as_one_and_low_incomes_are_not() -> None:
    table = loans()
    edges = reference_edges(table["income"].to_numpy(float))

    def breaks(now: Circumstances) -> list[str]:
        seen = applications(random(), 1_000, now)["income"].to_numpy(float)
        then = tally_numbers(table["income"].to_numpy(float), edges)
        return [found.what for found in find_profile_breaks("income", then, tally_numbers(seen, edges))]

    assert breaks(SCENARIOS["unit"].at(NOON)) == ["unit"]
    assert breaks(SCENARIOS["income"].at(NOON)) == []
    assert breaks(USUAL) == []


def test_a_changed_concept_leaves_the_inputs_as_they_are() -> None:
    usual, changed = (applications(random(), 4_000, now) for now in (USUAL, SCENARIOS["concept"].at(NOON)))
    pd.testing.assert_frame_equal(usual.drop(columns=TARGET), changed.drop(columns=TARGET))
    owners = usual["housing"] == "own"
    assert (changed[TARGET] == "yes")[owners].mean() > 2 * (usual[TARGET] == "yes")[owners].mean()


def test_seasons_swing_with_the_hour_and_the_weekday() -> None:
    at = SCENARIOS["seasonal"].at
    assert at(NOON.replace(hour=3)).night == pytest.approx(1)
    assert at(NOON.replace(hour=15)).night == pytest.approx(0)
    assert (at(NOON).weekend, at(NOON + timedelta(days=3)).weekend) == (False, True)
    night = applications(random(), 5_000, at(NOON.replace(hour=3)))
    day = applications(random(), 5_000, at(NOON.replace(hour=15)))
    assert (night["channel"] == "phone").mean() > (day["channel"] == "phone").mean() + 0.1


def test_tensors_hold_what_the_protocol_can_carry() -> None:
    found = tensors(applications(random(), 3, USUAL))
    assert {tensor["datatype"] for tensor in found} == {"INT64", "BYTES"}
    assert all(type(value) in (int, str) for tensor in found for value in tensor["data"])
    assert TARGET not in {tensor["name"] for tensor in found}


def test_the_fast_clock_stands_until_it_is_set_going_and_then_an_hour_takes_its_seconds() -> None:
    clock = FastClock(NOON, seconds_per_hour=0.01)
    time.sleep(0.02)
    assert clock.now() == NOON
    clock.go()
    time.sleep(0.02)
    assert clock.now() >= NOON + timedelta(hours=2)
    assert hour_of(NOON + timedelta(minutes=59)) == NOON


@pytest.mark.parametrize(
    ("deliveries", "told"),
    [
        (Deliveries(12_300), "12,300 events taken"),
        (Deliveries(12_300, waiting=40), "12,300 events taken"),
        (Deliveries(12_300, 40, problem="status 503"), "40 wait (status 503)"),
        (Deliveries(1, 0, 200), "200 refused"),
        (Deliveries(1, 2_000, 100, 7, "ConnectError"), "2,000 wait (ConnectError), 100 refused, 7 dropped"),
    ],
)
def test_the_panel_says_when_deliveries_wait_or_are_refused(deliveries: Deliveries, told: str) -> None:
    assert deliveries.in_words == told


class TestLabelledRows:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "loans.csv"

    def filled(self, path: Path, held: list[bool], hours: int = 4) -> LabelledRows:
        made = LabelledRows(path, lambda: held[0])
        for number in range(hours * 4):
            made.add(NOON + number * timedelta(minutes=15), loans(100, seed=number))
        return made

    def test_only_the_last_hours_are_written_whole_and_once_an_hour(self, path: Path) -> None:
        rows = self.filled(path, [False])
        until = NOON + timedelta(hours=4)
        assert rows.publish(until)
        table = pd.read_csv(path)
        assert len(table) == 100 * (SPAN // timedelta(minutes=15) + 1)
        assert set(table.columns) == set(loans(1).columns)
        assert not rows.publish(until + timedelta(minutes=29))
        assert rows.publish(until + timedelta(minutes=30))
        assert [file.name for file in path.parent.iterdir()] == ["loans.csv"]

    def test_where_traffic_is_slow_older_rows_stay_so_that_there_is_a_table_at_all(self, path: Path) -> None:
        rows = LabelledRows(path, lambda: False)
        for number in range(16):
            rows.add(NOON + number * timedelta(minutes=30), loans(100, seed=number))
        assert rows.publish(NOON + timedelta(hours=8))
        assert len(pd.read_csv(path)) == KEPT_ROWS

    def test_nothing_changes_between_a_plan_and_its_end(self, path: Path) -> None:
        path.write_text("as planned")
        held = [True]
        rows = self.filled(path, held)
        assert not rows.publish(NOON + timedelta(hours=4))
        assert path.read_text() == "as planned"
        held[0] = False
        assert rows.publish(NOON + timedelta(hours=4))

    def test_too_few_rows_are_no_table(self, path: Path) -> None:
        rows = LabelledRows(path, lambda: False)
        rows.add(NOON, loans(LEAST_ROWS - 1))
        assert not rows.publish(NOON + timedelta(hours=1))
        assert not path.exists()


def test_a_demo_that_starts_again_goes_on_behind_the_hours_that_have_records(tmp_path: Path) -> None:
    far = datetime(2031, 1, 1, tzinfo=UTC)
    (tmp_path / "traffic.json").write_text('{"hour": "2031-01-01T00:00:00+00:00"}')
    assert LiveDemo(tmp_path, Pace()).clock.now() == far + timedelta(hours=1)
    for broken in ("", "[]", '{"hour": 7}', '{"hour": "soon"}'):
        (tmp_path / "traffic.json").write_text(broken)
        assert LiveDemo(tmp_path, Pace()).clock.now() <= datetime.now(UTC)
