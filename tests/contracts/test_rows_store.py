"""What every sample of rows keeps, on SQLite and on Postgres."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.drift.sampling import KeptRow, LabelledRow, RowLimit
from pipelines.drift.values import PredictionMade

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROOM = RowLimit(rows=5)


@pytest.fixture
def ledger(database_url):
    made = Ledger(database_url, SystemClock())
    yield made
    made.close()


def row(number: int, rank: float | None = None, body: str = '{"stadt \\u2603":"K\\u00f6ln"}') -> KeptRow:
    at = NINE + timedelta(minutes=number)
    return KeptRow(f"r{number}", "7", at, float(number) if rank is None else rank, body)


def predicted(ledger, numbers, model="churn"):
    ledger.profiles.remember(model, [PredictionMade(f"r{number}", "7", NINE, "1") for number in numbers])


def names(ledger, model="churn"):
    return [found.record_id for found in ledger.rows.labelled(model, "7")]


class TestRows:
    def test_a_row_comes_back_with_its_prediction_and_its_label_whichever_came_first(self, ledger):
        ledger.profiles.label("churn", {"r1": "0"}, NINE)
        ledger.rows.keep("churn", [row(1), row(2), row(3)], ROOM)
        predicted(ledger, (1, 2, 3))
        assert ledger.profiles.label("churn", {"r3": "1"}, NINE + 72 * HOUR).met == 1
        assert list(ledger.rows.labelled("churn", "7")) == [
            LabelledRow("r1", NINE + timedelta(minutes=1), {"stadt ☃": "Köln"}, "1", "0"),
            LabelledRow("r3", NINE + timedelta(minutes=3), {"stadt ☃": "Köln"}, "1", "1"),
        ]
        assert ledger.rows.labelled("churn", "8") == ledger.rows.labelled("fraud", "7") == []

    def test_the_highest_ranks_stay_in_any_order_and_twice_is_once(self, ledger):
        predicted(ledger, range(9))
        ledger.profiles.label("churn", {f"r{number}": "1" for number in range(9)}, NINE)
        assert ledger.rows.keep("churn", [row(8), row(0), row(3)], ROOM) == -math.inf
        assert ledger.rows.keep("churn", [row(1), row(1), row(8), row(2), row(4)], ROOM) == 0.0
        assert ledger.rows.keep("churn", [row(7), row(0)], ROOM) == 1.0
        assert names(ledger) == ["r2", "r3", "r4", "r7", "r8"]
        assert ledger.rows.keep("churn", [row(8, body='{"other":1}')], ROOM) == -math.inf
        assert ledger.rows.labelled("churn", "7")[-1].features == {"stadt ☃": "Köln"}

    def test_bytes_are_bounded_as_well_and_models_do_not_share_their_room(self, ledger):
        predicted(ledger, range(20))
        predicted(ledger, range(20), "fraud")
        for model in ("churn", "fraud"):
            ledger.profiles.label(model, {f"r{number}": "1" for number in range(20)}, NINE)
            ledger.rows.keep(model, [row(number, body="[" + "1" * 98 + "]") for number in range(20)], RowLimit(20, 450))
        assert names(ledger) == names(ledger, "fraud") == ["r16", "r17", "r18", "r19"]
        assert ledger.rows.keep("churn", [], RowLimit(20, 10)) == 19.0
        assert (names(ledger), len(names(ledger, "fraud"))) == ([], 4)

    def test_a_limit_that_was_lowered_by_much_holds_after_the_next_write(self, ledger):
        predicted(ledger, range(2_500))
        ledger.profiles.label("churn", {f"r{number}": "1" for number in range(2_500)}, NINE)
        ledger.rows.keep("churn", [row(number) for number in range(2_500)], RowLimit())
        assert ledger.rows.keep("churn", [row(2_499)], RowLimit(rows=3)) == 2_496.0
        assert names(ledger) == ["r2497", "r2498", "r2499"]

    def test_what_is_old_and_models_that_keep_nothing_are_forgotten(self, ledger):
        for model in ("churn", "fraud", "gone"):
            ledger.rows.keep(model, [row(number) for number in range(4)], ROOM)
            predicted(ledger, range(4), model)
            ledger.profiles.label(model, {f"r{number}": "1" for number in range(4)}, NINE)
        assert ledger.rows.forget({"churn": NINE + timedelta(minutes=2), "fraud": NINE}) == 6
        assert [names(ledger, model) for model in ("churn", "fraud", "gone")] == [
            ["r2", "r3"], ["r0", "r1", "r2", "r3"], [],
        ]  # fmt: skip
        assert ledger.rows.forget({}) == 6

    def test_many_writers_at_once_keep_the_same_rows_within_the_limit(self, ledger):
        numbers = range(60)
        predicted(ledger, numbers)
        ledger.profiles.label("churn", {f"r{number}": "1" for number in numbers}, NINE)
        with ThreadPoolExecutor(6) as crowd:
            parts = [[row(number) for number in range(start, 60, 7)] for start in range(7)] * 2
            list(crowd.map(lambda part: ledger.rows.keep("churn", part, ROOM), parts))
        assert names(ledger) == ["r55", "r56", "r57", "r58", "r59"]
