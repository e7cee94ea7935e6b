"""What every store of waiting halves keeps, on SQLite and on Postgres, for one process and for two."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.drift.events import Half
from pipelines.drift.intake import Intake
from pipelines.drift.joining import Pair
from pipelines.drift.receiving import LONGEST_WAIT, Delivery, Receiver, Taken
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
SAID = Categories({"0": 70, "1": 30})
PROFILE = ReferenceProfile("churn", "churn-3", 100, {"age": Numbers((30.0,), (50, 50))}, SAID, SAID)
KIND = "org.kubeflow.serving.inference."


def half(number: int, is_request: bool = True, model: str = "churn", at: datetime = NINE) -> Half:
    body = {"instances": [{"age": number, "note": "näher ☃ \ud800 \0"}]} if is_request else {"predictions": [1]}
    return Half(f"e{number}", model, at, is_request, body)


@pytest.fixture
def ledger(database_url):
    made = Ledger(database_url, SystemClock())
    yield made
    made.close()


class TestHalves:
    def test_a_half_waits_for_its_other_half_and_both_are_what_they_were(self, ledger):
        halves = ledger.halves
        first = [half(1), half(2), half(1, model="fraud"), half(3, is_request=False)]
        assert halves.meet(first, NINE) == ([], 4)
        assert halves.waiting() == 4
        pairs, kept = halves.meet([half(1, is_request=False), half(3), half(9)], NINE)
        assert [(pair.first, pair.second) for pair in pairs] == [
            (half(1), half(1, is_request=False)), (half(3, is_request=False), half(3)),
        ]  # fmt: skip
        assert (kept, halves.waiting()) == (1, 3)

    def test_the_same_half_again_changes_nothing(self, ledger):
        ledger.halves.meet([half(1)], NINE)
        assert ledger.halves.meet([half(1, at=NINE + timedelta(hours=1))], NINE) == ([], 0)
        [(pair)], _ = ledger.halves.meet([half(1, is_request=False)], NINE)
        assert pair.first.at == NINE

    def test_those_received_first_are_let_go_first_and_once(self, ledger):
        for number in (3, 1, 2):
            ledger.halves.meet([half(number)], NINE + timedelta(minutes=number))
        assert [one.id for one in ledger.halves.let_go(9, NINE + timedelta(minutes=2))] == ["e1"]
        assert [one.id for one in ledger.halves.let_go(1)] == ["e2"]
        assert [one.id for one in ledger.halves.let_go(9)] == ["e3"]
        assert ledger.halves.let_go(9) == []

    def test_any_moment_a_sender_names_comes_back(self, ledger):
        odd = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
        ledger.halves.meet([half(number, at=at) for number, at in enumerate(odd)], NINE)
        assert [one.at for one in ledger.halves.let_go(9)] == odd

    def test_more_ids_than_one_statement_takes_meet(self, ledger):
        ledger.halves.meet([half(number) for number in range(1_200)], NINE)
        pairs, kept = ledger.halves.meet([half(number, is_request=False) for number in range(1_200)], NINE)
        assert (len(pairs), kept, ledger.halves.waiting()) == (1_200, 0, 0)

    def test_a_body_that_came_by_itself_is_kept_as_it_came(self, ledger):
        ledger.halves.meet([Half("e1", "churn", NINE, is_request=True, body={"a": 1.0}, text=b'{"a":  1e0}')], NINE)
        assert ledger.halves.let_go(1)[0].body == {"a": 1.0}

    def test_what_is_stored_counts_not_what_this_process_remembers(self, ledger):
        own = Half("e1", "churn", NINE, is_request=True, body={"instances": [1]}, text=b'{"instances": [1]}')
        said = half(1, is_request=False)
        ledger.halves.meet([own], NINE)
        ledger.halves.let_go(1)  # as another process would
        assert ledger.halves.meet([said], NINE) == ([], 1)
        assert ledger.halves.meet([own], NINE) == ([Pair(said, own)], 0)

    def test_a_transaction_that_failed_is_not_remembered_as_stored(self, ledger):
        own = Half("e1", "churn", NINE, is_request=True, body={"instances": [1]}, text=b'{"instances": [1]}')

        def failing() -> None:
            with ledger.together():
                ledger.halves.meet([own], NINE)
                raise ValueError("halfway")

        with pytest.raises(ValueError, match="halfway"):
            failing()
        assert ledger.halves.meet([half(1, is_request=False)], NINE) == ([], 1)


class TestTogether:
    def test_what_fails_on_the_way_leaves_nothing_of_any_store(self, ledger):
        def halfway() -> None:
            with ledger.together():
                ledger.halves.meet([half(1)], NINE)
                ledger.deliveries.first_time("a", timedelta(hours=1))
                assert ledger.halves.waiting() == 1  # whoever writes sees it
                raise ValueError("halfway")

        with pytest.raises(ValueError, match="halfway"):
            halfway()
        assert ledger.halves.waiting() == 0
        assert ledger.deliveries.first_time("a", timedelta(hours=1))


class Registry:
    def reference(self, model: str) -> Reference | None:
        return Reference("3", PROFILE)

    def reference_of(self, model: str, version: str) -> Reference | None:
        return None


class Clock:
    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment


def event(number: int, kind: str) -> Delivery:
    body = {"instances": [{"age": 41}]} if kind == "request" else {"predictions": [1]}
    sent = {"Ce-Id": f"e{number}", "Ce-Type": KIND + kind, "Ce-Inferenceservicename": "churn"}
    return Delivery(json.dumps(body).encode(), sent)


def rows(ledger: Ledger) -> int:
    now = datetime.now(UTC)
    hours = ledger.profiles.windows("churn", now - timedelta(days=1), now + timedelta(days=1))
    return sum(hour.total.rows for hour in hours)


class TestReplicas:
    """Receivers of their own over one database, as two processes have."""

    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def replicas(self, ledger, database_url, clock):
        other = Ledger(database_url, SystemClock())
        yield [self.receiver(ledger, clock), self.receiver(other, clock)]
        other.close()

    def receiver(self, ledger, clock) -> Receiver:
        intake = Intake(ledger.profiles, Registry(), clock, {"churn"})
        return Receiver(intake, ledger.halves, ledger.together, clock)

    def test_request_and_response_meet_whichever_process_they_come_to(self, ledger, replicas):
        one, other = replicas
        numbers = range(50)
        one.take([event(number, "request" if number % 2 else "response") for number in numbers])
        answers = other.take([event(number, "response" if number % 2 else "request") for number in numbers])
        assert answers == [Taken(1, answer.waiting) for answer in answers]
        assert (rows(ledger), ledger.halves.waiting()) == (50, 0)

    def test_events_that_are_sent_again_elsewhere_count_once(self, ledger, replicas):
        for receiver in [*replicas, *replicas]:
            receiver.take([event(1, "request"), event(1, "response")])
        assert rows(ledger) == 1

    def test_a_request_without_a_response_counts_once_after_its_wait(self, ledger, replicas, clock):
        one, other = replicas
        one.take([event(1, "request"), event(2, "response")])
        assert (other.tidy(), rows(ledger)) == (0, 0)
        clock.moment += LONGEST_WAIT + timedelta(seconds=1)
        assert (other.tidy(), one.tidy(), rows(ledger)) == (1, 0, 1)
        assert ledger.halves.waiting() == 0
        [hour] = ledger.profiles.windows("churn", clock.moment - timedelta(days=1), clock.moment + timedelta(days=1))
        assert hour.total.prediction is None
        one.take([event(1, "response"), event(1, "request")])
        assert rows(ledger) == 1
