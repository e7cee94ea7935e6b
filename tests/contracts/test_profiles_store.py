"""What every store of profiles keeps, on SQLite and on Postgres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.drift.values import PredictionMade
from pipelines.drift.windows import Outcomes, Tally, WindowProfile
from pipelines.profiles import Categories, Numbers

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def profiles(database_url):
    ledger = Ledger(database_url, SystemClock())
    yield ledger.profiles
    ledger.close()


def tally(rows: int = 10) -> Tally:
    return Tally(rows, {"age": Numbers((30.0,), (rows, 0), mean=20.0), "stadt ☃": Categories({"Köln": rows})})


def window(hour: datetime = NINE, version: str = "7", **tallies: Tally) -> WindowProfile:
    return WindowProfile("churn", version, hour, tallies or {"a": tally()})


def made(number: int, prediction: str = "1") -> PredictionMade:
    return PredictionMade(f"r{number}", "7", NINE, prediction)


class TestProfiles:
    def test_a_window_comes_back_as_it_was_stored(self, profiles):
        stored = window(a=tally(3), b=Tally(outcomes=Outcomes(2, 1, 0.5, {"1": {"0": 1, "1": 1}})))
        assert profiles.add(stored) == 2
        assert list(profiles.windows("churn", NINE, NINE + HOUR)) == [stored]

    def test_the_same_batch_twice_counts_once(self, profiles):
        assert profiles.add(window()) == 1
        assert profiles.add(window()) == 0
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.total.rows == 10

    def test_batches_of_one_hour_add_up_in_any_order(self, profiles):
        profiles.add(window(b=tally(2)))
        profiles.add(window(a=tally(5)))
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.total.rows == 7

    def test_only_the_hours_model_and_version_that_were_asked_for_come(self, profiles):
        for hour in range(4):
            profiles.add(window(NINE + hour * HOUR))
        profiles.add(window(NINE + HOUR, version="8"))
        found = profiles.windows("churn", NINE + HOUR, NINE + 3 * HOUR)
        assert [(one.hour.hour, one.version) for one in found] == [(10, "7"), (10, "8"), (11, "7")]
        assert len(profiles.windows("churn", NINE, NINE + 9 * HOUR, version="8")) == 1
        assert profiles.windows("other", NINE, NINE + 9 * HOUR) == []

    def test_records_are_known_one_by_one_and_their_hours_grow(self, profiles):
        asked: list[list[str]] = []

        def count(ids):
            asked.append(sorted(ids))
            return [window(records=tally(len(ids)))]

        assert [one.total.rows for one in profiles.take("churn", [made(1), made(2)], count)] == [2]
        assert profiles.take("churn", [made(2), made(1)], count) == []
        profiles.take("churn", [made(1), made(3), made(3, "0")], count)
        assert asked == [["r1", "r2"], ["r3"]]
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert (found.total.rows, len(found.tallies)) == (3, 1)
        assert profiles.label("churn", {"r3": "1"}, NINE).met == 1

    def test_what_cannot_be_counted_leaves_nothing_behind(self, profiles):
        def count(ids):
            raise ValueError("other bins")

        with pytest.raises(ValueError, match="other bins"):
            profiles.take("churn", [made(1)], count)
        assert len(profiles.take("churn", [made(1)], lambda ids: [window(records=tally(len(ids)))])) == 1

    def test_a_record_whose_label_came_first_is_taken_and_one_without_an_answer_too(self, profiles):
        profiles.label("churn", {"r1": "1", "r2": "1"}, NINE)
        lost = PredictionMade("r2", "7", NINE, None)
        taken = profiles.take("churn", [made(1), lost], lambda ids: [window(records=tally(len(ids)))])
        assert taken[0].total.rows == 2
        assert profiles.take("churn", [made(1), lost], lambda ids: [window(records=tally(len(ids)))]) == []
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert (found.total.rows, found.total.outcomes.labelled) == (2, 1)

    def test_the_same_records_from_many_at_once_count_once(self, profiles):
        records = [made(number) for number in range(40)]

        def take(part):
            return profiles.take("churn", records[part : part + 10], lambda ids: [window(records=tally(len(ids)))])

        with ThreadPoolExecutor(8) as crowd:
            list(crowd.map(take, list(range(0, 31, 5)) * 4))
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.total.rows == 40

    def test_labels_that_come_one_by_one_are_one_row_of_their_hour(self, profiles):
        profiles.remember("churn", [made(number) for number in range(20)])
        for number in range(20):
            assert profiles.label("churn", {f"r{number}": str(number % 2)}, NINE).met == 1
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert (len(found.tallies), found.total.outcomes) == (
            1,
            Outcomes(20, 10, 10.0, {"1": {"0": 10, "1": 10}}, 10.0),
        )

    def test_late_labels_meet_their_predictions_once(self, profiles):
        profiles.remember("churn", [made(1), made(2, "0"), made(3)])
        later = NINE + timedelta(days=3)
        assert profiles.label("churn", {"r1": "1", "r2": "1", "nobody": "0"}, later).met == 2
        assert profiles.label("churn", {"r1": "0", "r2": "1"}, later).met == 0
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.total.outcomes == Outcomes(2, 1, 1.0, {"1": {"1": 1}, "0": {"1": 1}}, 1.0)

    def test_labels_may_come_before_their_predictions(self, profiles):
        assert profiles.label("churn", {"r1": "1", "r2": "0"}, NINE).met == 0
        profiles.remember("churn", [made(1), made(2), made(3)])
        profiles.remember("churn", [made(1), made(2)])
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert (found.total.outcomes.labelled, found.total.outcomes.right) == (2, 1)

    def test_a_prediction_that_is_remembered_twice_keeps_its_first_answer(self, profiles):
        profiles.remember("churn", [made(1)])
        profiles.remember("churn", [made(1, "0")])
        profiles.label("churn", {"r1": "1"}, NINE)
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.total.outcomes.right == 1

    def test_two_models_do_not_share_their_records(self, profiles):
        profiles.remember("churn", [made(1)])
        assert profiles.label("fraud", {"r1": "1"}, NINE).met == 0

    def test_thousands_of_labels_at_once_are_taken(self, profiles):
        profiles.remember("churn", [made(number) for number in range(3_000)])
        assert profiles.label("churn", {f"r{number}": "1" for number in range(3_000)}, NINE).met == 3_000
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.total.outcomes.labelled == 3_000

    def test_many_writers_of_one_batch_store_it_once(self, profiles):
        with ThreadPoolExecutor(8) as crowd:
            stored = list(crowd.map(lambda _: profiles.add(window()), range(16)))
        assert sum(stored) == 1

    def test_labels_that_race_are_counted_once(self, profiles):
        profiles.remember("churn", [made(number) for number in range(50)])
        labels = {f"r{number}": "1" for number in range(50)}
        with ThreadPoolExecutor(6) as crowd:
            assert sum(crowd.map(lambda _: profiles.label("churn", labels, NINE).met, range(6))) == 50

    def test_the_oldest_records_beyond_the_limit_are_forgotten_of_one_model_and_its_hours_stay(self, profiles):
        for hour in range(4):
            early = [replace(made(number), hour=NINE + hour * HOUR) for number in range(hour * 10, hour * 10 + 10)]
            profiles.take("churn", early, lambda ids: [window(records=tally(len(ids)))])
        profiles.remember("fraud", [made(number) for number in range(30)])
        assert profiles.trim("churn", 15) == 25
        assert profiles.trim("churn", 15) == 0
        labels = {f"r{number}": "1" for number in range(40)}
        assert (profiles.label("churn", labels, NINE).met, profiles.label("fraud", labels, NINE).met) == (15, 30)
        [found] = profiles.windows("churn", NINE, NINE + HOUR)
        assert found.tallies["records"].rows == 40
        again = [replace(made(number), hour=NINE) for number in (0, 39)]
        asked = []
        profiles.take("churn", again, lambda ids: asked.append(sorted(ids)) or [])
        assert asked == [["r0"]], "what was forgotten counts again"

    def test_what_is_old_is_forgotten(self, profiles):
        profiles.add(window())
        profiles.add(window(NINE + HOUR))
        profiles.remember("churn", [made(1)])
        assert profiles.forget(NINE + HOUR) == 1
        assert [one.hour for one in profiles.windows("churn", NINE, NINE + 9 * HOUR)] == [NINE + HOUR]
        assert profiles.label("churn", {"r1": "1"}, NINE + HOUR).met == 0
