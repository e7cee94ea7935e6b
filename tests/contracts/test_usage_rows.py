"""The books of the language models, on SQLite and on Postgres: no race gets around a limit."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.clients.ledger import Ledger
from bot.clients.ledger_usage import Spending, Use

TODAY = date(2026, 11, 23)


class Clock:
    def now(self):
        return datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def replicas(database_url):
    opened = [Ledger(database_url, Clock()) for _ in range(2)]
    yield [ledger.usage for ledger in opened]
    for ledger in opened:
        ledger.close()


def used(feature="ask", tokens=(100, 10), cost=0.5, failed=False, day=TODAY, model="m"):
    return Use(day, feature, "openai", model, failed, *tokens, cost, 1.5)


class TestBudget:
    def test_of_many_at_once_only_as_many_fit_as_fit(self, replicas):
        with ThreadPoolExecutor(16) as pool:
            fits = list(
                pool.map(
                    lambda number: replicas[number % 2].reserve(TODAY, Spending(100, 0), Spending(1_000, 0)), range(40)
                )
            )
        assert fits.count(True) == 10
        assert replicas[0].spent(TODAY) == Spending(1_000, 0)

    def test_the_limit_in_dollars_holds_beside_the_one_in_tokens(self, replicas):
        ours, theirs = replicas
        assert ours.reserve(TODAY, Spending(1, 0.75), Spending(1_000, 1.0))
        assert not theirs.reserve(TODAY, Spending(1, 0.75), Spending(1_000, 1.0))
        assert theirs.reserve(TODAY, Spending(1, 0.25), Spending(1_000, 1.0))

    def test_no_limit_is_no_limit(self, replicas):
        assert replicas[0].reserve(TODAY, Spending(10**10, 1e6), Spending())

    def test_what_was_not_used_is_given_back(self, replicas):
        ours, theirs = replicas
        assert ours.reserve(TODAY, Spending(1_000, 1.0), Spending(1_000, 1.0))
        assert not theirs.reserve(TODAY, Spending(1_000, 1.0), Spending(1_000, 1.0))
        ours.settle(Spending(1_000, 1.0), used(tokens=(0, 0), cost=0.0, failed=True))
        assert theirs.reserve(TODAY, Spending(1_000, 1.0), Spending(1_000, 1.0))

    def test_what_was_reserved_yesterday_is_settled_yesterday(self, replicas):
        yesterday = date(2026, 11, 22)
        ours, _ = replicas
        assert ours.reserve(yesterday, Spending(500, 1.0), Spending())
        ours.settle(Spending(500, 1.0), used(day=yesterday))
        assert ours.spent(yesterday) == Spending(110, 0.5)
        assert ours.spent(TODAY) == Spending()


class TestBooks:
    def test_calls_of_two_replicas_are_added_up(self, replicas):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: settle(replicas[number % 2], used(failed=number % 4 == 0)), range(20)))
        (row,) = replicas[0].by_feature(TODAY, TODAY)
        assert (row.calls, row.failures, row.input_tokens, row.output_tokens) == (20, 5, 2_000, 200)
        assert row.cost_dollars == pytest.approx(10.0)
        assert row.seconds == pytest.approx(30.0)

    def test_models_of_one_feature_are_one_row_the_dearest_first(self, replicas):
        ours, _ = replicas
        settle(ours, used("ask", model="a"))
        settle(ours, used("ask", model="b"))
        settle(ours, used("triage", cost=5.0))
        settle(ours, used("drift", cost=0.0, day=date(2026, 11, 20)))
        assert [row.feature for row in ours.by_feature(date(2026, 11, 17), TODAY)] == ["triage", "ask", "drift"]
        assert [row.feature for row in ours.by_feature(TODAY, TODAY)] == ["triage", "ask"]

    def test_digest_after_digest_tells_each_day_once(self, replicas):
        ours, _ = replicas
        for day in (21, 22, 23):
            settle(ours, used("ask", day=date(2026, 11, day)))
        nine = [datetime(2026, 11, day, 9, tzinfo=UTC) for day in (21, 22, 23, 24)]
        told = [ours.used_between(*span) for span in itertools.pairwise(nine)]
        assert [[(use.feature, use.calls, use.tokens) for use in uses] for uses in told] == [[("ask", 1, 110)]] * 3
        assert list(ours.used_between(nine[0], nine[0] + timedelta(hours=8))) == []

    def test_an_empty_book_is_empty(self, replicas):
        assert list(replicas[0].by_feature(TODAY, TODAY)) == []


def settle(rows, use):
    assert rows.reserve(use.day, use.spending, Spending())
    rows.settle(use.spending, use)
