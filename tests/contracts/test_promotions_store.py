"""What the memory of promotions promises, on SQLite and on Postgres alike."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.errors import Refused
from pipelines.ports import Place
from pipelines.retrain.promotion import AliasMove, Compared, Promotion, PromotionPlan

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def promotion(name="p1", model="churn", kind="promotion", **more):
    plan = PromotionPlan(
        id=name, kind=kind, model=model, version=4, sha256="a" * 64, champion_version=3, metric="roc_auc",
        compared=(Compared("rows", {"roc_auc": 0.83, "log_loss": float("inf")}, {}),), verdict="Fine ☃.",
        moves=(AliasMove("champion", 3, 4),), serving="it follows.", way_back="Back to 3.", requester_id="U1",
        requester_name="Ben",
    )  # fmt: skip
    return Promotion(plan, **more)


@pytest.fixture
def store(database_url):
    ledger = Ledger(database_url, SystemClock())
    yield ledger.promotions
    ledger.close()


class TestPromotions:
    def test_a_stored_promotion_comes_back_the_same(self, store):
        assert store.begin(promotion()) == promotion()
        assert store.get("p1") == promotion()
        assert store.unfinished() == [promotion()]
        assert store.waiting("churn", "promotion") == promotion()

    def test_what_is_not_there_is_nothing(self, store):
        assert store.get("p1") is None
        assert store.waiting("churn", "rollback") is None
        assert store.place("p1") is None
        with pytest.raises(Refused):
            store.save(promotion())

    def test_a_second_one_of_the_model_and_kind_is_answered_with_the_first(self, store):
        store.begin(promotion("p1"))
        assert store.begin(promotion("p2")).plan.id == "p1"
        assert store.begin(promotion("p3", kind="rollback")).plan.id == "p3"
        assert store.begin(promotion("p4", model="tumour")).plan.id == "p4"
        store.save(promotion("p1", stage="done"))
        assert store.begin(promotion("p5")).plan.id == "p5"

    def test_a_finished_one_is_not_changed_again(self, store):
        store.begin(promotion())
        done = replace(promotion(stage="done"), settled_by="Ana", finished_at=NOW)
        assert store.save(done) == done
        assert store.save(promotion(stage="failed")) == done
        assert store.begin(promotion()) == done
        assert store.unfinished() == []

    def test_the_card_of_a_way_back_is_found_again(self, store):
        store.begin(promotion())
        store.remember_place("p1", Place("C1", "1.2"))
        assert store.place("p1") == Place("C1", "1.2")

    def test_of_many_at_once_one_begins(self, store):
        with ThreadPoolExecutor(8) as crowd:
            begun = list(crowd.map(lambda number: store.begin(promotion(f"p{number}")).plan.id, range(8)))
        assert len(set(begun)) == 1
