"""What every memory of reports keeps, on SQLite and on Postgres."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.audit import AuditEntry
from pipelines.evidence.values import Block, Extract, Line
from pipelines.ports import Place
from pipelines.reports import Cause, Evidence, Report
from pipelines.triage.findings import Difference, FailedJob, RunFacts, Triaged, TriageOrder
from pipelines.triage.history import Green, Mark, Passed, Reported, Sightings, line_of
from pipelines.triage.places import GithubPlace, Said
from pipelines.triage.values import RunReference

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CI = ".github/workflows/ci.yml"


@pytest.fixture
def ledger(database_url):
    made = Ledger(database_url, SystemClock())
    yield made
    made.close()


@pytest.fixture
def history(ledger):
    return ledger.triages


@pytest.fixture
def greens(ledger):
    return ledger.greens


@pytest.fixture
def spoken(ledger):
    return ledger.spoken


def reported(number: int = 812, fingerprint: str = "f1", at: datetime = NOW, channel: str = "C0CI", **more) -> Reported:
    """A report of run `number`, whose id is 9,000,000,000 more: ids do not fit into 32 bits."""
    order = TriageOrder(RunReference("Ours/churn", 9_000_000_000 + number, 1), channel, "", at)
    facts = RunFacts(
        "Ours/churn", number, 1, "ci", "Für Fälle ☃", more.pop("branch", "main"), "c0ffee", "ben", "failure",
        "https://github.com", (FailedJob("test", "pytest"),), 1, more.pop("pull_request", 0), Difference(), (), CI,
    )  # fmt: skip
    cause = Cause("It is off", (Evidence("test", 3, "assert 1 == 2"),), 0.8)
    report = Report("It is off", "test", (cause,), 0.8, fingerprint=fingerprint)
    extract = Extract((Block((Line(3, "assert 1 == 2"),), "ranker", 0.9),), 10, ("test",), "ci", 9, 9)
    return Reported(Triaged(order, facts, report, extract), at, "high", on_default_branch=True, **more)


def passed(number: int = 813, unchanged: bool = False) -> Passed:
    return Passed(number, 1, "https://github.com", NOW + HOUR, unchanged)


def green(number: int = 900, sha: str = "abc", branch: str = "main", at: datetime = NOW, attempt: int = 1) -> Green:
    return Green("ours/churn", 9_000_000_000 + number, attempt, number, CI, branch, sha, "https://github.com", at)


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
        assert history.get(key).thread == history.get(key).place == Place("C0CI", "3.4")
        history.place(key, Place("C0CI", "5.6"), Place("C0CI", "3.4"))
        assert history.get(key).place == Place("C0CI", "5.6")
        assert history.get(key).thread == Place("C0CI", "3.4")

    def test_the_first_who_acknowledges_and_the_first_who_orders_a_re_run_are_the_ones(self, history):
        key = history.remember(reported()).key
        for name in ("acknowledged", "rerun"):
            history.mark(key, name, Mark("U0BEN", NOW))
            found = history.mark(key, name, Mark("U0ANA", NOW + HOUR))
            assert getattr(found, name) == Mark("U0BEN", NOW)
        assert history.get(key).wrong == ()

    def test_of_several_at_once_one_acknowledges_and_stands_in_the_audit_trail(self, history, database_url):
        key = history.remember(reported()).key

        def acknowledge(number):
            entry = AuditEntry(NOW, f"U{number}", "report acknowledged", "ours/churn run 8")
            return history.mark(key, "acknowledged", Mark(f"U{number}", NOW), entry)

        with ThreadPoolExecutor(8) as crowd:
            (first,) = {found.acknowledged for found in crowd.map(acknowledge, range(8))}
        ledger = Ledger(database_url, SystemClock())
        assert [row.entry.actor for row in ledger.audit.rows()] == [first.by]
        ledger.close()

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

    def test_the_reports_with_a_message_of_their_own_lead_until_they_pass(self, history):
        def leads(since=NOW - HOUR, channel="C0CI"):
            return list(history.leads(channel, since))

        assert leads() == []
        second = history.remember(reported(814, at=NOW))
        first = history.remember(reported(at=NOW - timedelta(minutes=9)))
        history.remember(reported(813, lead=first.key))
        assert leads() == [replace(first, repeats=1), second]
        assert leads(NOW) == [second]
        assert leads(channel="C0ML") == []
        history.passed(second.key, passed())
        assert leads() == [replace(first, repeats=1)]

    def test_what_did_not_pass_yet_on_a_branch_or_commit_is_unresolved(self, history):
        first, second = history.remember(reported()), history.remember(reported(813, at=NOW + HOUR))
        fix = history.remember(reported(814, at=NOW + 2 * HOUR, branch="fix"))
        assert list(history.unresolved(green(sha="abc"))) == [first, second]
        assert list(history.unresolved(green(sha="c0ffee"))) == [first, second, fix]
        history.passed(first.key, passed())
        assert list(history.unresolved(green(sha="abc"))) == [second]
        # That it went well without a change is worth knowing even where it went well with one.
        assert [one.key for one in history.unresolved(green(sha="c0ffee"))] == [first.key, second.key, fix.key]
        assert list(history.unresolved(replace(green(), series="another.yml"))) == []
        assert list(history.unresolved(replace(green(), repository="theirs/churn"))) == []

    def test_what_a_fork_makes_of_its_branch_says_nothing_of_ours(self, history):
        ours = history.remember(reported())
        theirs = history.remember(reported(813, line=line_of("main", "eve/churn")))
        assert list(history.unresolved(green(sha="c0ffee", branch=line_of("main", "eve/churn")))) == [theirs]
        assert list(history.unresolved(green(sha="abc"))) == [ours]
        assert green(sha="c0ffee", branch=line_of("main", "eve/churn")).after(ours) is None
        assert green(sha="c0ffee", branch=line_of("main", "eve/churn")).after(theirs).unchanged

    def test_github_is_told_of_reports_that_name_no_channel(self, history):
        history.remember(reported())
        first = history.remember(reported(813, channel=""))
        second = history.remember(reported(814, "f2", at=NOW + HOUR, channel=""))
        third = history.remember(reported(815, channel="", pull_request=7, at=NOW + HOUR, branch="fix"))
        issue = GithubPlace("issue", "OURS/churn", series=CI, sameness="f1")
        assert [one.key for one in history.at_place(issue)] == [first.key, third.key]
        assert list(history.at_place(replace(issue, sameness="f2"))) == [second]
        assert list(history.at_place(GithubPlace("pull request", "ours/churn", number=7))) == [third]
        assert list(history.at_place(GithubPlace("commit", "ours/churn", sha="c0ffee"))) == [first, second]
        assert list(history.at_place(GithubPlace("commit", "ours/churn", sha="abc"))) == []

    def test_what_is_old_is_forgotten(self, history):
        old, new = history.remember(reported(at=NOW - 9 * DAY)), history.remember(reported(813))
        history.mark(old.key, "wrong", Mark("U0BEN", NOW - 9 * DAY))
        assert history.forget(NOW - DAY) == 1
        assert history.get(old.key) is None
        assert history.get(new.key) == new


class TestGreens:
    def test_a_later_run_of_the_branch_is_what_came_after(self, greens):
        for one in (green(800), green(812, branch="fix"), green(814), green(813), green(813)):
            greens.note(one)
        found = greens.after(reported())
        assert (found.number, found.unchanged) in ((813, False), (814, False))

    def test_one_of_the_same_commit_outdoes_it(self, greens):
        greens.note(green(813))
        greens.note(green(815, sha="c0ffee", branch="another"))
        assert greens.after(reported()).unchanged

    def test_a_later_attempt_of_the_same_run_counts_and_an_earlier_one_does_not(self, greens):
        greens.note(green(812, sha="c0ffee", attempt=1))
        assert greens.after(reported()) is None
        greens.note(green(812, sha="c0ffee", attempt=2))
        assert greens.after(reported()).attempt == 2

    def test_that_the_same_commit_passed_before_says_nothing_of_later(self, greens):
        greens.note(green(811, sha="c0ffee", at=NOW - HOUR))
        assert greens.after(reported()) is None


class TestSpoken:
    LATER = NOW + timedelta(minutes=3)

    def test_one_at_a_time_has_the_turn_until_it_is_given_back(self, spoken):
        assert spoken.take("here", "a", NOW, self.LATER)
        assert spoken.take("here", "a", NOW, self.LATER)
        assert not spoken.take("here", "b", NOW, self.LATER)
        assert spoken.take("there", "b", NOW, self.LATER)
        spoken.give("here", "b")
        assert not spoken.take("here", "b", NOW, self.LATER)
        spoken.give("here", "a")
        assert spoken.take("here", "b", NOW, self.LATER)

    def test_the_turn_of_one_that_was_killed_ends(self, spoken):
        assert spoken.take("here", "a", NOW, self.LATER)
        assert spoken.take("here", "b", self.LATER, self.LATER + HOUR)

    def test_of_many_at_once_one_has_the_turn(self, spoken):
        with ThreadPoolExecutor(8) as crowd:
            assert sum(crowd.map(lambda n: spoken.take("here", f"h{n}", NOW, self.LATER), range(16))) == 1

    def test_what_was_said_is_known_and_holding_the_turn_is_not_saying(self, spoken):
        spoken.take("here", "a", NOW, self.LATER)
        assert spoken.said("here") is None
        spoken.say("here", Said("open 1", "https://github.com"))
        assert not spoken.take("here", "b", NOW, self.LATER)
        spoken.say("here", Said("open ☃", "https://github.com/2"))
        assert spoken.said("here") == Said("open ☃", "https://github.com/2")
