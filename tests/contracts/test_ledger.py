"""What the bot's memory promises, on SQLite and on Postgres alike."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from bot.clients.ledger import Ledger
from bot.clients.ledger_database import BUSY_SECONDS, Database
from pipelines.approval import ApprovalDesk, ApprovalPolicy, plan_digest
from pipelines.audit import AuditEntry, faults
from pipelines.errors import Refused, Unavailable
from pipelines.people import Person, Role
from pipelines.ports import Place
from pipelines.retrain.values import Progress

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class HandSetClock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time


class Approvers:
    def person(self, user_id):
        return Person(user_id, user_id, Role.APPROVER)

    def holders(self, role_title):
        return ["Ana"]


@pytest.fixture
def clock():
    return HandSetClock()


@pytest.fixture
def ledger(database_url, clock):
    opened = Ledger(database_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def desk(ledger, clock):
    return ApprovalDesk(ledger.approvals, Approvers(), clock)


def entry(number=1):
    return AuditEntry(NOW, "Ana Lima", "retrain approved", "churn", {"number": number, "why": "ältere ☃ \x00"})


def at_once(count, act):
    """Run `act(number)` in as many threads; answers what each returned or raised."""

    def attempt(number):
        try:
            return act(number)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(attempt, range(count)))


class TestApprovals:
    def request(self, desk, plan, needed=1):
        return desk.request(
            approval_id="churn-1", kind="retrain", subject="churn", summary="Retrain churn", plan=plan,
            requester_id="U9", requester_name="Ben", policy=ApprovalPolicy(needed=needed),
        )  # fmt: skip

    def test_a_stored_approval_comes_back_the_same(self, ledger, desk, make_retrain):
        asked = self.request(desk, make_retrain().plan)
        assert ledger.approvals.get("churn-1") == asked
        assert list(ledger.approvals.open()) == [asked]

    def test_adding_an_id_again_answers_the_stored_one_and_writes_no_second_audit_row(self, ledger, desk, make_retrain):
        first = self.request(desk, make_retrain().plan)
        assert self.request(desk, make_retrain(model="other").plan) == first
        assert len(list(ledger.audit.rows())) == 1

    def test_twenty_people_who_approve_at_once_settle_it_once(self, ledger, desk, make_retrain):
        plan = make_retrain().plan
        self.request(desk, plan)
        outcomes = at_once(20, lambda n: desk.approve("churn-1", Person(f"U{n + 20}", f"P{n}", Role.APPROVER)))
        settled = [outcome for outcome in outcomes if not isinstance(outcome, Refused)]
        assert len(settled) == 1
        assert settled[0].digest == plan_digest(plan)
        assert [row.entry.action for row in ledger.audit.rows()] == ["retrain requested", "retrain approved"]
        assert ledger.approvals.open() == []
        assert ledger.approvals.settled_since(NOW) == settled

    def test_two_needed_votes_at_once_are_both_counted(self, ledger, desk, make_retrain):
        self.request(desk, make_retrain().plan, needed=2)
        at_once(2, lambda n: desk.approve("churn-1", Person(f"U{n + 20}", f"P{n}", Role.APPROVER)))
        stored = ledger.approvals.get("churn-1")
        assert stored.state == "approved"
        assert len(stored.votes) == 2

    def test_a_stale_version_is_not_stored_and_not_audited(self, ledger, desk, make_retrain):
        asked = self.request(desk, make_retrain().plan)
        assert not ledger.approvals.replace(replace(asked, version=7), entry())
        assert len(list(ledger.audit.rows())) == 1

    def test_what_was_settled_earlier_is_not_listed_as_settled_since(self, ledger, desk, clock, make_retrain):
        self.request(desk, make_retrain().plan)
        desk.approve("churn-1", Person("U20", "Ana", Role.APPROVER))
        assert ledger.approvals.settled_since(NOW + timedelta(seconds=1)) == []


class TestAuditTrail:
    def test_rows_come_back_as_they_were_chained(self, ledger):
        appended = [ledger.audit.append(entry(number)) for number in range(3)]
        assert list(ledger.audit.rows()) == appended
        assert faults(appended) == []

    def test_an_empty_trail_has_no_rows(self, ledger):
        assert list(ledger.audit.rows()) == []

    def test_the_newest_come_first_and_can_be_asked_for_by_what_they_are_about(self, ledger):
        known = entry(0)
        for number, actor in enumerate(("Ana Lima", "100 % Ben_", "ana")):
            ledger.audit.append(replace(known, actor=actor, detail={"n": number}))
        assert [row.number for row in ledger.audit.newest(2)] == [3, 2]
        assert [row.number for row in ledger.audit.newest(9, "ANA")] == [3, 1]
        assert [row.number for row in ledger.audit.newest(9, "% ben_")] == [2]
        assert [row.number for row in ledger.audit.newest(9, known.subject)] == [3, 2, 1]
        assert ledger.audit.newest(9, "%") == ledger.audit.newest(9, "100 %")
        assert ledger.audit.newest(9, "nobody") == []

    def test_twenty_threads_append_a_chain_without_gaps(self, ledger):
        at_once(20, lambda number: ledger.audit.append(entry(number)))
        rows = list(ledger.audit.rows())
        assert len(rows) == 20
        assert faults(rows) == []

    def test_two_processes_append_a_chain_without_gaps(self, database_url, ledger):
        script = (
            "import sys\nfrom bot.clients.clock import SystemClock\nfrom bot.clients.ledger import Ledger\n"
            "from pipelines.audit import AuditEntry\nclock = SystemClock()\nledger = Ledger(sys.argv[1], clock)\n"
            "for n in range(40): ledger.audit.append(AuditEntry(clock.now(), 'a', 'b', 'c', {'n': n}))\n"
        )
        both = [subprocess.Popen([sys.executable, "-c", script, database_url]) for _ in range(2)]
        assert [process.wait(240) for process in both] == [0, 0]
        rows = list(ledger.audit.rows())
        assert len(rows) == 80
        assert faults(rows) == []

    @pytest.mark.parametrize("change", ["UPDATE {}audit SET actor = 'x'", "DELETE FROM {}audit"])
    def test_the_database_refuses_to_change_or_delete_a_row(self, database_url, ledger, change):
        ledger.audit.append(entry())
        database = Database(database_url)
        prefix = "shipmate." if database_url.startswith("postgres") else ""
        with pytest.raises(DBAPIError, match="only ever appended to"), database.writing() as connection:
            connection.execute(text(change.format(prefix)))
        database.close()
        assert faults(ledger.audit.rows()) == []


class TestRetrains:
    def test_a_stored_run_comes_back_the_same(self, ledger, make_retrain):
        run = make_retrain(progress=Progress("fitting", 0.5, "3 of 6"))
        ledger.retrains.begin(run)
        assert ledger.retrains.get("churn-1") == run
        assert ledger.retrains.get("nobody") is None

    def test_of_twenty_runs_of_one_model_that_begin_at_once_one_does(self, ledger, make_retrain):
        begun = at_once(20, lambda number: ledger.retrains.begin(make_retrain(f"churn-{number}")))
        assert len({run.run_id for run in begun}) == 1
        assert list(ledger.retrains.unfinished()) == [begun[0]]

    def test_a_model_may_run_again_once_its_run_has_finished(self, ledger, make_retrain):
        ledger.retrains.begin(make_retrain("churn-1"))
        ledger.retrains.save(make_retrain("churn-1", stage="registered"))
        assert ledger.retrains.begin(make_retrain("churn-2")).run_id == "churn-2"

    def test_beginning_the_same_run_again_answers_its_stored_state(self, ledger, make_retrain):
        ledger.retrains.begin(make_retrain("churn-1"))
        ended = ledger.retrains.save(make_retrain("churn-1", stage="failed", failure="no data"))
        assert ledger.retrains.begin(make_retrain("churn-1")) == ended

    def test_two_models_run_beside_each_other(self, ledger, make_retrain):
        ledger.retrains.begin(make_retrain("churn-1"))
        ledger.retrains.begin(make_retrain("tumour-1", model="tumour"))
        assert [run.run_id for run in ledger.retrains.unfinished()] == ["churn-1", "tumour-1"]

    def test_a_finished_run_is_never_changed_again(self, ledger, make_retrain):
        ledger.retrains.begin(make_retrain())
        ended = ledger.retrains.save(make_retrain(stage="cancelled"))
        assert ledger.retrains.save(make_retrain(stage="training")) == ended
        assert ledger.retrains.get("churn-1") == ended

    def test_saving_a_run_that_never_began_is_refused(self, ledger, make_retrain):
        with pytest.raises(Refused, match="not in the store"):
            ledger.retrains.save(make_retrain())

    def test_recent_runs_are_listed_newest_first(self, ledger, make_retrain):
        for number in range(3):
            ledger.retrains.begin(make_retrain(f"churn-{number}"))
            ledger.retrains.save(make_retrain(f"churn-{number}", stage="registered"))
        ledger.retrains.begin(make_retrain("tumour-1", model="tumour"))
        assert [run.run_id for run in ledger.retrains.recent(2)] == ["tumour-1", "churn-2"]
        assert [run.run_id for run in ledger.retrains.recent(2, "churn")] == ["churn-2", "churn-1"]

    def test_the_place_of_a_card_is_remembered_and_may_move(self, ledger):
        assert ledger.retrains.place("churn-1") is None
        ledger.retrains.remember_place("churn-1", Place("C1", "1.0"))
        ledger.retrains.remember_place("churn-1", Place("C2", "2.0"))
        assert ledger.retrains.place("churn-1") == Place("C2", "2.0")

    def test_the_first_who_cancels_is_remembered(self, ledger):
        assert ledger.retrains.cancel_asked_by("churn-1") is None
        ledger.retrains.ask_to_cancel("churn-1", "Ana")
        ledger.retrains.ask_to_cancel("churn-1", "Ben")
        assert ledger.retrains.cancel_asked_by("churn-1") == "Ana"


class TestDeliveries:
    def test_only_the_first_of_twenty_at_once_is_first(self, ledger):
        hour = timedelta(hours=1)
        assert sum(at_once(20, lambda _: ledger.deliveries.first_time("event:1", hour))) == 1

    def test_a_key_is_new_again_after_its_lifetime(self, ledger, clock):
        assert ledger.deliveries.first_time("event:1", timedelta(minutes=5))
        clock.time += timedelta(minutes=4)
        assert not ledger.deliveries.first_time("event:1", timedelta(minutes=5))
        clock.time += timedelta(minutes=1)
        assert ledger.deliveries.first_time("event:1", timedelta(minutes=5))

    def test_keys_are_known_after_a_restart(self, database_url, ledger, clock):
        ledger.deliveries.first_time("event:1", timedelta(hours=1))
        again = Ledger(database_url, clock)
        assert not again.deliveries.first_time("event:1", timedelta(hours=1))
        again.close()


class TestPostings:
    def test_the_first_intent_is_first_and_later_ones_know_when_it_was(self, ledger, clock):
        assert ledger.postings.intend("card:1", "#ml").first_time
        clock.time += timedelta(minutes=1)
        later = ledger.postings.intend("card:1", "#ml")
        assert (later.first_time, later.place, later.intended_at) == (False, None, NOW)

    def test_a_posted_message_keeps_its_place(self, ledger):
        ledger.postings.intend("card:1", "#ml")
        ledger.postings.posted("card:1", Place("C1", "1.5"))
        assert ledger.postings.intend("card:1", "#ml").place == Place("C1", "1.5")


class TestWhenTheDatabaseIsInTrouble:
    def test_a_working_one_answers(self, ledger):
        assert ledger.answers()

    def test_two_ledgers_that_start_at_once_make_the_tables_once(self, database_url, clock):
        ledgers = [Ledger(database_url, clock) for _ in range(8)]
        assert all(at_once(8, lambda number: ledgers[number].answers()))
        for each in ledgers:
            each.close()

    def test_a_database_of_a_newer_version_is_refused(self, database_url, clock):
        first = Database(database_url)
        prefix = "shipmate." if database_url.startswith("postgres") else ""
        with first.writing() as connection:
            connection.execute(text(f"UPDATE {prefix}schema_version SET version = 99"))
        first.close()
        older = Ledger(database_url, clock)
        with pytest.raises(Refused, match="newer Shipmate"):
            older.audit.append(entry())
        older.close()


class TestSqliteInTrouble:
    def test_a_locked_file_is_told_as_unavailable(self, tmp_path, clock, monkeypatch):
        monkeypatch.setattr("bot.clients.ledger_database.BUSY_SECONDS", 0.2)
        ledger = Ledger(f"sqlite:///{tmp_path / 'l.sqlite'}", clock)
        assert ledger.answers()
        other = sqlite3.connect(tmp_path / "l.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked by another process"):
            ledger.audit.append(entry())
        other.execute("ROLLBACK")
        other.close()
        assert ledger.audit.append(entry()).number == 1
        ledger.close()

    def test_a_full_disk_is_told_as_unavailable_and_leaves_nothing_half_written(self, tmp_path, clock, make_retrain):
        url = f"sqlite:///{tmp_path / 'l.sqlite'}"
        ledger = Ledger(url, clock)
        assert ledger.answers()
        engine = ledger.audit._database.engine
        engine.dispose()
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count=1"))
        long = replace(entry(), detail={"long": "x" * 400_000})
        with pytest.raises(Unavailable, match="the disk is full"):
            ledger.audit.append(long)
        assert faults(ledger.audit.rows()) == []
        ledger.close()

    @pytest.mark.parametrize("content", [b"this is no database, but text of some length " * 40])
    def test_another_file_is_told_as_what_it_is(self, tmp_path, clock, content):
        (tmp_path / "l.sqlite").write_bytes(content)
        ledger = Ledger(f"sqlite:///{tmp_path / 'l.sqlite'}", clock)
        with pytest.raises(Unavailable, match="no SQLite database"):
            ledger.audit.append(entry())
        assert not ledger.answers()
        ledger.close()

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path, clock):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(Unavailable, match="cannot be made"):
            Ledger(f"sqlite:///{tmp_path / 'file' / 'l.sqlite'}", clock).audit.append(entry())


class TestPostgresInTrouble:
    def test_a_lost_connection_is_told_and_the_next_call_works(self, fresh_postgres_url, clock):
        ledger = Ledger(fresh_postgres_url, clock)
        ledger.audit.append(entry())
        database = ledger.audit._database
        with pytest.raises(Unavailable, match="does not answer"), database.writing() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert ledger.audit.append(entry()).number == 2
        ledger.close()

    def test_a_server_that_is_down_is_told(self, clock):
        ledger = Ledger("postgresql://nobody@127.0.0.1:1/none", clock)
        with pytest.raises(Unavailable, match="does not answer"):
            ledger.audit.append(entry())
        assert not ledger.answers()

    def test_a_writer_that_hangs_is_told_after_a_while(self, fresh_postgres_url, clock):
        ledger = Ledger(fresh_postgres_url, clock)
        assert ledger.answers()
        assert BUSY_SECONDS < 10
        hanging = Database(fresh_postgres_url)
        with hanging.writing(), pytest.raises(Unavailable, match="locked by another process"):
            ledger.audit.append(entry())
        hanging.close()
        ledger.close()
