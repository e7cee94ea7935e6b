"""The store of drift episodes, on SQLite and on Postgres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.audit import AuditEntry
from pipelines.drift.episodes import Episode, Found
from pipelines.drift.report import DriftReport

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FOUND = Found(
    "data drift", "P1", "3", timedelta(hours=24), NOW,
    DriftReport("Data drift, P1", "Moved.", "P1", ("age",), (), "nothing", "Look.", ("Why.",), ()),
)  # fmt: skip


def episode(name: str = "churn-1", model: str = "churn") -> Episode:
    return Episode(
        id=name, model=model, channel="#ml", opened_at=NOW, found=FOUND, worst="P1", seen=1, looked_at=NOW, slot="12"
    )  # fmt: skip


@pytest.fixture
def store(database_url):
    ledger = Ledger(database_url, SystemClock())
    yield ledger.episodes
    ledger.close()


class TestEpisodes:
    def test_a_model_has_one_open_episode_however_many_begin(self, store, database_url):
        other = Ledger(database_url, SystemClock())
        stores = [store, other.episodes] * 4
        with ThreadPoolExecutor(8) as crowd:
            began = list(crowd.map(lambda pair: pair[1].begin(episode(f"churn-{pair[0]}")), enumerate(stores)))
        other.close()
        assert len({one.id for one in began}) == 1
        assert [one.id for one in store.open()] == [began[0].id]
        assert store.of("churn") == began[0]
        assert store.of("fraud") is None

    def test_of_two_changes_of_one_revision_one_counts(self, store):
        store.begin(episode())
        changed = [replace(episode(), seen=seen, revision=2) for seen in (2, 3)]
        with ThreadPoolExecutor(2) as both:
            assert sorted(both.map(store.replace, changed)) == [False, True]
        kept = store.get("churn-1")
        assert kept is not None
        assert kept.revision == 2

    def test_what_somebody_did_is_audited_where_it_counted_and_nowhere_else(self, store, database_url):
        store.begin(episode())
        entry = AuditEntry(NOW, "Ben", "drift snoozed", "churn", {"span": "1 day"})
        changed = [replace(episode(), seen=seen, revision=2) for seen in (2, 3)]
        with ThreadPoolExecutor(2) as both:
            assert sorted(both.map(lambda one: store.replace(one, entry), changed)) == [False, True]
        ledger = Ledger(database_url, SystemClock())
        assert [row.entry for row in ledger.audit.rows()] == [entry]
        ledger.close()

    def test_a_revision_that_was_never_stored_cannot_be_followed(self, store):
        store.begin(episode())
        kept = episode()
        assert not store.replace(replace(kept, revision=9))

    def test_an_ended_episode_makes_room_for_the_next(self, store):
        store.begin(episode())
        assert store.replace(replace(episode(), ended_at=NOW, revision=2))
        assert store.of("churn") is None
        assert store.begin(episode("churn-2")).id == "churn-2"
        assert [one.id for one in store.recent(10, "churn")] == ["churn-2", "churn-1"]
        assert store.begin(episode()).id == "churn-1", "one that has ended is not begun again"

    def test_what_was_shown_is_remembered_and_never_goes_back(self, store):
        store.begin(episode())
        assert [one.id for one in store.unshown()] == ["churn-1"]
        store.replace(replace(episode(), revision=2))
        store.shown("churn-1", 2, 7)
        store.shown("churn-1", 1, 3)
        assert (store.unshown(), store.told("churn-1"), store.told("nobody")) == ([], 7, 0)
