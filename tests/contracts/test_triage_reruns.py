"""What every memory of re-runs and of people's words keeps, on SQLite and on Postgres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.audit import AuditEntry, faults
from pipelines.evidence.values import Block, Extract, Line
from pipelines.reports import Cause, Evidence, Report
from pipelines.triage.acts import Rerun, RerunPlan
from pipelines.triage.findings import Difference, FailedJob, RunFacts, Triaged, TriageOrder
from pipelines.triage.history import Mark, Reported
from pipelines.triage.values import RunReference

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture
def ledger(database_url):
    made = Ledger(database_url, SystemClock())
    yield made
    made.close()


def rerun(number: int = 0, **more) -> Rerun:
    plan = RerunPlan("Ours/churn", 9_000_000_812, 812, 1, ("test (3.11)", "Für Fälle ☃"))
    return Rerun(f"rerun:ours/churn:9000000812:1:{number}", plan, "ci", "key", "U0BEN", "Ben", NOW, **more)


def entry(action: str) -> AuditEntry:
    return AuditEntry(NOW, "Ana", action, "ours/churn run 812", {"jobs": ["test"]})


def reported(number: int, fingerprint: str = "f1", repository: str = "Ours/churn") -> Reported:
    order = TriageOrder(RunReference(repository, number, 1), "C0CI", "", NOW)
    facts = RunFacts(
        repository, number, 1, "ci", "title", "main", "c0ffee", "ben", "failure", "https://github.com",
        (FailedJob("test", "pytest"),), 1, 0, Difference(), (), ".github/workflows/ci.yml",
    )  # fmt: skip
    cause = Cause("It is off", (Evidence("test", 3, "assert 1 == 2"),), 0.8)
    extract = Extract((Block((Line(3, "assert 1 == 2"),), "ranker", 0.9),), 10, ("test",), "ci", 9, 9)
    return Reported(Triaged(order, facts, Report("off", "test", (cause,), 0.8, fingerprint=fingerprint), extract), NOW)


class TestReruns:
    def test_a_rerun_comes_back_as_it_was_stored_and_the_first_of_an_id_stays(self, ledger):
        assert ledger.reruns.get(rerun().id) is None
        first = ledger.reruns.begin(rerun())
        assert ledger.reruns.begin(replace(rerun(), direct=True)) == first
        assert ledger.reruns.get(first.id) == first
        assert ledger.reruns.unfinished() == [first]

    def test_what_has_ended_is_never_changed_and_its_audit_row_stands_once(self, ledger):
        first = ledger.reruns.begin(rerun())
        started = replace(first, stage="started", begun=2)
        with ThreadPoolExecutor(8) as crowd:
            ends = list(crowd.map(lambda _: ledger.reruns.save(started, entry("re-run started")), range(8)))
        assert ends == [started] * 8
        assert ledger.reruns.save(replace(first, stage="failed"), entry("re-run failed")) == started
        assert ledger.reruns.unfinished() == []
        rows = list(ledger.audit.rows())
        assert [row.entry.action for row in rows] == ["re-run started"]
        assert faults(rows) == []


class TestDoubts:
    def test_the_newest_words_on_failures_like_one_are_told_with_it_and_on_no_other(self, ledger):
        for number in range(1, 6):
            told = ledger.triages.remember(reported(number))
            at = NOW.replace(hour=number)
            ledger.triages.mark(told.key, "wrong", Mark("U0BEN", at, f"1 the mirror was down, {number}"))
        ledger.triages.remember(reported(6))
        other = ledger.triages.remember(reported(7, fingerprint="f2"))
        ledger.triages.mark(other.key, "wrong", Mark("U0BEN", NOW, "0 something else"))
        seen = ledger.triages.sightings("ours/churn", "f1", NOW, but=6)
        assert [mark.words[-1] for mark in seen.doubts] == ["5", "4", "3"]
        assert ledger.triages.sightings("theirs/churn", "f1", NOW, but=6).doubts == ()

    def test_all_that_was_said_is_told_oldest_first_with_its_report(self, ledger):
        assert list(ledger.doubts.all()) == []
        second, first = (ledger.triages.remember(reported(number)) for number in (1, 2))
        ledger.triages.mark(second.key, "wrong", Mark("U0ANA", NOW.replace(hour=8), "0 ☃"))
        ledger.triages.mark(first.key, "wrong", Mark("U0BEN", NOW.replace(hour=7), "1 was down"))
        ledger.triages.mark(first.key, "acknowledged", Mark("U0BEN", NOW))
        told = [(found.key, mark.by, mark.words) for found, mark in ledger.doubts.all()]
        assert told == [(first.key, "U0BEN", "1 was down"), (second.key, "U0ANA", "0 ☃")]
