"""Who subscribed, how far each channel was told, which runs ended: on SQLite and on Postgres alike."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.ledger import Ledger
from pipelines.digest.values import Mark, Subscription
from pipelines.digest.wording import parse_rhythm

NOW = datetime(2026, 3, 29, 0, 30, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)
WEEKDAYS = parse_rhythm("weekdays 09:00 Europe/Berlin", "UTC")
MONDAYS = parse_rhythm("mondays 8:30 Asia/Kathmandu", "UTC")
ML = Subscription("C0ML", WEEKDAYS, "say", "U0BEN", "Bén ☃ O'Kafor")


class Still:
    def now(self):
        return NOW


@pytest.fixture
def ledger(database_url):
    opened = Ledger(database_url, Still())
    yield opened
    opened.close()


def test_a_subscription_comes_back_as_it_was_put(ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    ledger.digest_subscriptions.put(Subscription("C0CI", MONDAYS, "silent", "U1", "Ana"), NOW)
    assert [one.channel for one in ledger.digest_subscriptions.all()] == ["C0CI", "C0ML"]
    assert ledger.digest_subscriptions.all()[1] == ML


def test_subscribing_again_replaces_what_was_there(ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    ledger.digest_subscriptions.put(replace(ML, quiet="silent", by_name="Ana"), LATER)
    (stored,) = ledger.digest_subscriptions.all()
    assert (stored.quiet, stored.by_name) == ("silent", "Ana")


def test_slots_count_from_the_moment_of_subscribing(ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    mark = ledger.digest_marks.adopt("C0ML", WEEKDAYS, LATER)
    assert (mark.behind, mark.told_until) == (NOW, NOW)


def test_another_rhythm_behind_now_on_but_nothing_is_told_twice_or_left_out(ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    ledger.digest_subscriptions.put(replace(ML, rhythm=MONDAYS), LATER)
    mark = ledger.digest_marks.adopt("C0ML", MONDAYS, LATER + timedelta(hours=1))
    assert (mark.behind, mark.told_until) == (LATER, NOW)


def test_only_another_way_with_quiet_days_leaves_the_slots_as_they_were(ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    ledger.digest_subscriptions.put(replace(ML, quiet="silent"), LATER)
    assert ledger.digest_marks.adopt("C0ML", WEEKDAYS, LATER).behind == NOW


def test_unsubscribing_forgets_how_far_the_channel_was_told(ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    assert ledger.digest_subscriptions.remove("C0ML")
    assert not ledger.digest_subscriptions.remove("C0ML")
    assert list(ledger.digest_subscriptions.all()) == []
    assert ledger.digest_marks.adopt("C0ML", WEEKDAYS, LATER).told_until == LATER


def test_a_mark_moves_forward_and_never_back(ledger):
    ledger.digest_marks.adopt("C0ML", WEEKDAYS, NOW)
    ledger.digest_marks.told("C0ML", LATER, LATER)
    ledger.digest_marks.told("C0ML", NOW, NOW)
    assert ledger.digest_marks.adopt("C0ML", WEEKDAYS, NOW) == Mark(behind=LATER, told_until=LATER)


def test_a_slot_that_was_told_is_not_due_although_its_last_seconds_are_still_to_be_told(ledger):
    ledger.digest_marks.adopt("C0ML", WEEKDAYS, NOW)
    ledger.digest_marks.told("C0ML", LATER, LATER - timedelta(seconds=10))
    mark = ledger.digest_marks.adopt("C0ML", WEEKDAYS, LATER)
    assert mark == Mark(behind=LATER, told_until=LATER - timedelta(seconds=10))


def test_telling_a_channel_that_was_unsubscribed_meanwhile_makes_no_mark(ledger):
    ledger.digest_marks.told("C0ML", LATER, LATER)
    assert ledger.digest_marks.adopt("C0ML", WEEKDAYS, NOW).told_until == NOW


def test_marks_of_other_channels_are_forgotten(ledger):
    for channel in ("C0ML", "C0CI", "C0OPS"):
        ledger.digest_marks.adopt(channel, WEEKDAYS, NOW)
    ledger.digest_marks.keep_only(["C0ML"])
    assert ledger.digest_marks.adopt("C0ML", WEEKDAYS, LATER).told_until == NOW
    assert ledger.digest_marks.adopt("C0CI", WEEKDAYS, LATER).told_until == LATER
    ledger.digest_marks.keep_only([])
    assert ledger.digest_marks.adopt("C0ML", WEEKDAYS, LATER).told_until == LATER


def test_many_at_once_make_one_mark(database_url, ledger):
    others = [Ledger(database_url, Still()) for _ in range(3)]
    moments = [NOW + timedelta(seconds=number) for number in range(24)]
    everybody = [ledger, *others]
    with ThreadPoolExecutor(8) as crowd:
        made = list(
            crowd.map(
                lambda pair: everybody[pair[0] % 4].digest_marks.adopt("C0ML", WEEKDAYS, pair[1]), enumerate(moments)
            )
        )
    assert len({mark.behind for mark in made}) == 1
    for other in others:
        other.close()


def test_everything_is_there_after_a_restart(database_url, ledger):
    ledger.digest_subscriptions.put(ML, NOW)
    ledger.digest_marks.told("C0ML", LATER, LATER)
    ledger.close()
    again = Ledger(database_url, Still())
    assert list(again.digest_subscriptions.all()) == [ML]
    assert again.digest_marks.adopt("C0ML", WEEKDAYS, LATER).told_until == LATER
    again.close()


def ended(ledger, after, until):
    return [run.run_id for run in ledger.finished_retrains.finished_between(after, until)]


def test_runs_are_found_by_when_they_ended_however_long_ago_they_began(ledger, make_retrain):
    moments = {"late": LATER, "then": NOW, "old": NOW - timedelta(days=3), "soon": NOW + timedelta(microseconds=1)}
    for name, moment in moments.items():
        ledger.retrains.begin(make_retrain(run_id=name, model=name, stage="failed", finished_at=moment))
    ledger.retrains.begin(make_retrain(run_id="running", model="running"))
    assert ended(ledger, NOW, LATER) == ["soon", "late"]
    assert ended(ledger, NOW, LATER - timedelta(microseconds=1)) == ["soon"]
    assert ended(ledger, LATER, LATER + timedelta(days=1)) == []
    assert ended(ledger, NOW - timedelta(days=30), LATER) == ["old", "then", "soon", "late"]


def test_a_moment_without_fractions_is_compared_rightly(ledger, make_retrain):
    whole = NOW.replace(microsecond=0)
    ledger.retrains.begin(make_retrain(run_id="a", model="a", stage="failed", finished_at=whole))
    ledger.retrains.begin(make_retrain(run_id="b", model="b", stage="failed", finished_at=NOW))
    assert ended(ledger, whole, LATER) == ["b"]
    assert ended(ledger, whole - timedelta(microseconds=1), whole) == ["a"]
