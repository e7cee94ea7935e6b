"""What every memory of reports keeps, on SQLite and on Postgres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.evidence.values import Block, Extract, Line
from pipelines.ports import Place
from pipelines.reports import Cause, Evidence, Report
from pipelines.triage.findings import Difference, FailedJob, RunFacts, Triaged, TriageOrder
from pipelines.triage.history import Mark, Passed, Reported, Sightings
from pipelines.triage.values import RunReference

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CI = ".github/workflows/ci.yml"


@pytest.fixture
def history(database_url):
    ledger = Ledger(database_url, SystemClock())
    yield ledger.triages
    ledger.close()


def reported(number: int = 812, fingerprint: str = "f1", at: datetime = NOW, channel: str = "C0CI", **more) -> Reported:
    """A report of run `number`, whose id is 9,000,000,000 more: ids do not fit into 32 bits."""
    order = TriageOrder(RunReference("Ours/churn", 9_000_000_000 + number, 1), channel, "", at)
    facts = RunFacts(
        "Ours/churn", number, 1, "ci", "Für Fälle ☃", more.pop("branch", "main"), "c0ffee", "ben", "failure",
        "https://github.com", (FailedJob("test", "pytest"),), 1, 0, Difference(), (), CI,
    )  # fmt: skip
    cause = Cause("It is off", (Evidence("test", 3, "assert 1 == 2"),), 0.8)
    report = Report("It is off", "test", (cause,), 0.8, fingerprint=fingerprint)
    extract = Extract((Block((Line(3, "assert 1 == 2"),), "ranker", 0.9),), 10, ("test",), "ci", 9, 9)
    return Reported(Triaged(order, facts, report, extract), at, "high", on_default_branch=True, **more)


def passed(number: int = 813, unchanged: bool = False) -> Passed:
    return Passed(number, 1, "https://github.com", NOW + HOUR, unchanged)


class TestTriageHistory:
    def test_a_report_comes_back_as_it_was_stored(self, history):
        stored = reported(seen=Sightings(3, 700, "ci", 1), mention="S0ML", place=Place("C0CI", "1.2"))
        assert history.remember(stored) == stored
        assert history.get(stored.key) == stored
        assert history.get("nothing") is None

    def test_the_first_one_under_a_key_stays(self, history):
        first = history.remember(reported())
        assert history.remember(replace(reported(), severity="low")) == first

    def test_many_writers_of_one_report_store_it_once(self, history):
        with ThreadPoolExecutor(8) as crowd:
            found = list(crowd.map(lambda n: history.remember(replace(reported(), mention=f"U{n}")), range(16)))
        assert len({one.mention for one in found}) == 1

    def test_its_place_is_told_later(self, history):
        key = history.remember(reported()).key
        history.place(key, Place("C0CI", "3.4"))
        assert history.get(key).place == Place("C0CI", "3.4")

    def test_the_first_who_acknowledges_and_the_first_who_orders_a_re_run_are_the_ones(self, history):
        key = history.remember(reported()).key
        for name in ("acknowledged", "rerun"):
            history.mark(key, name, Mark("U0BEN", NOW))
            found = history.mark(key, name, Mark("U0ANA", NOW + HOUR))
            assert getattr(found, name) == Mark("U0BEN", NOW)
        assert history.get(key).wrong == ()

    def test_of_several_at_once_one_acknowledges(self, history):
        key = history.remember(reported()).key
        with ThreadPoolExecutor(8) as crowd:
            marks = crowd.map(lambda n: history.mark(key, "acknowledged", Mark(f"U{n}", NOW)), range(8))
            assert len({found.acknowledged for found in marks}) == 1

    def test_of_wrong_the_last_word_of_each_person_counts(self, history):
        key = history.remember(reported()).key
        history.mark(key, "wrong", Mark("U0BEN", NOW, "no"))
        history.mark(key, "wrong", Mark("U0ANA", NOW + HOUR, "näher ☃"))
        found = history.mark(key, "wrong", Mark("U0BEN", NOW + 2 * HOUR, "it was the cache"))
        assert found.wrong == (Mark("U0ANA", NOW + HOUR, "näher ☃"), Mark("U0BEN", NOW + 2 * HOUR, "it was the cache"))

    def test_what_is_not_there_is_not_marked(self, history):
        assert history.mark("nothing", "wrong", Mark("U0BEN", NOW)) is None
        assert history.passed("nothing", passed()) is None

    def test_the_first_green_run_counts_and_one_of_the_same_commit_outdoes_it(self, history):
        key = history.remember(reported()).key
        assert history.passed(key, passed(813)).passed == passed(813)
        assert history.passed(key, passed(814)).passed == passed(813)
        assert history.passed(key, passed(815, unchanged=True)).flaky
        assert history.passed(key, passed(816)).passed == passed(815, unchanged=True)

    def test_those_under_a_report_are_counted(self, history):
        lead = history.remember(reported())
        for number in range(813, 825):
            history.remember(reported(number, lead=lead.key))
        assert history.get(lead.key).repeats == 12


class TestTriageSightings:
    def sightings(self, history, number=900, fingerprint="f1", at=NOW):
        return history.sightings("OURS/churn", fingerprint, at, 9_000_000_000 + number)

    def test_what_was_never_seen_is_new(self, history):
        history.remember(reported(fingerprint="another"))
        history.remember(reported(900))
        assert self.sightings(history) == Sightings()
        assert history.sightings("theirs/churn", "another", NOW, 1) == Sightings()

    def test_runs_are_counted_once_however_many_channels_they_were_told_in(self, history):
        for channel in ("C0CI", "C0ML", ""):
            history.remember(reported(812, at=NOW - 20 * DAY, channel=channel))
            history.remember(reported(850, at=NOW - 2 * DAY, channel=channel))
            history.remember(reported(860, at=NOW - DAY, channel=channel))
        assert self.sightings(history) == Sightings(2, 812, "ci", 0)

    def test_what_came_later_is_not_counted(self, history):
        history.remember(reported(at=NOW + HOUR))
        assert self.sightings(history) == Sightings()

    def test_a_failure_that_went_away_without_a_change_is_flaky_from_then_on(self, history):
        key = history.remember(reported(at=NOW - DAY)).key
        history.passed(key, passed(unchanged=True))
        assert self.sightings(history).flaky == 1

    def test_no_fingerprint_is_like_no_other(self, history):
        history.remember(reported(fingerprint=""))
        assert self.sightings(history, fingerprint="") == Sightings()

    def test_the_newest_report_with_a_message_of_its_own_stands(self, history):
        def standing(since=NOW - HOUR, channel="C0CI"):
            return history.standing(channel, "ours/CHURN", "f1", since)

        assert standing() is None
        first = history.remember(reported(at=NOW - timedelta(minutes=9)))
        history.remember(reported(813, lead=first.key))
        assert standing() == replace(first, repeats=1)
        assert standing(NOW) is None
        assert standing(channel="C0ML") is None
        history.passed(first.key, passed())
        assert standing() is None

    def test_what_did_not_pass_yet_on_a_branch_is_unresolved(self, history):
        first, second = history.remember(reported()), history.remember(reported(813, at=NOW + HOUR))
        history.remember(reported(814, branch="fix"))
        assert list(history.unresolved("ours/churn", CI, "main")) == [first, second]
        history.passed(first.key, passed())
        assert list(history.unresolved("ours/churn", CI, "main")) == [second]
        assert list(history.unresolved("ours/churn", "another.yml", "main")) == []

    def test_what_is_old_is_forgotten(self, history):
        old, new = history.remember(reported(at=NOW - 9 * DAY)), history.remember(reported(813))
        history.mark(old.key, "wrong", Mark("U0BEN", NOW - 9 * DAY))
        assert history.forget(NOW - DAY) == 1
        assert history.get(old.key) is None
        assert history.get(new.key) == new
