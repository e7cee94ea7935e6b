"""The same when something goes wrong: nothing lost, nothing twice, and silence is never taken for the end."""

import sqlite3
import time
from datetime import timedelta

import pytest
from drifting import HEAVY, HOUR, LIGHT, MODEL, SOON

from pipelines.errors import Refused


def in_millimetres(name, value):
    return value * 1000 if name == "worst_area" else value


@pytest.fixture
def watched(watched_ship):
    return watched_ship


def test_broken_rows_propose_no_retrain(watched):
    watched.serve_back(72, in_millimetres)
    watched.pass_hours(1)
    card = watched.message("Schema break")
    assert "No retrain is proposed" in card.plain
    assert "Fix the source of worst_area" in card.plain
    assert card.button("Approve retrain") is None
    assert card.button("Plan a retrain") is None
    assert "Will retraining help" not in card.plain
    said = watched.told(card, "Will retraining help?")
    assert "Retraining will not help: a model would learn the fault. Fix worst_area first." in said


def test_labels_that_all_became_one_class_propose_no_retrain(watched):
    ids = watched.serve_back(72)
    watched.truth = dict.fromkeys(ids, "benign")
    watched.label(ids)
    watched.pass_hours(1)
    card = watched.message("Schema break")
    assert "(label) is “benign” in every row" in card.plain
    assert "Do not retrain on these rows" in card.plain
    assert card.button("Approve retrain") is None
    with pytest.raises(Refused, match=r"nothing was trained.*Fix the source of \(label\)"):
        watched.ship.bot.drift.desk.refuse_broken_rows(MODEL, 24 * HOUR)


def test_a_plan_is_taken_back_when_the_rows_break(watched):
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Retrain tumour?"), "The retrain that would be done")
    watched.clock.time += 30 * HOUR
    watched.serve_back(24, in_millimetres)
    watched.pass_hours(1)
    broken = watched.becomes(card, "Schema break")
    assert broken.button("Approve retrain") is None
    watched.told(card, "The retrain was withdrawn")
    watched.space.press_raw(card, "Approve retrain", as_=watched.ana)
    watched.refusal("withdrawn", watched.ana)


def test_an_approval_given_before_anybody_looked_again_is_refused_at_execution(watched):
    watched.rewrite(("    target: diagnosis\n", "    target: diagnosis\n    drift: {every: never}\n"))
    watched.serve_back(72, HEAVY)
    watched.ship.bot.drift.workflow.look(MODEL, "first", "somebody")
    card = watched.becomes(watched.message("Retrain tumour?"), "The retrain that would be done")
    watched.clock.time += 30 * HOUR
    watched.serve_back(24, in_millimetres)
    watched.space.press(card, "Approve retrain", as_=watched.ana)
    said = watched.told(card, "The rows of tumour broke meanwhile")
    assert "nothing was trained" in said
    assert not any(run.result for run in watched.ship.bot.ledger.retrains.recent(5, MODEL))


def test_slack_that_is_away_delays_the_message_and_loses_nothing(watched):
    watched.space.switch(fail={"method": "chat.postMessage", "status": 500, "times": 6})
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Retrain tumour?", 60), "The retrain that would be done")
    watched.space.switch(fail={"method": "chat.update", "status": 503, "times": 4})
    watched.space.press(card, "Approve retrain", as_=watched.ana)
    watched.becomes(card, "Approved by Ana Lima", 60)
    assert len(watched.messages()) == 1


def test_a_registry_that_is_away_is_not_the_end_of_drift(watched):
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    lock = sqlite3.connect(watched.ship.folder / "mlflow.sqlite", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        watched.pass_hours(1)
        blind = watched.becomes(card, "Could not look", 60)
        assert "is gone" not in blind.plain
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    again = watched.becomes(card, "seen 2 times", 60)
    assert "Could not look" not in again.plain


def test_records_that_stop_coming_are_not_the_end_of_drift(watched):
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    for _ in range(3):
        watched.pass_hours(30)
        watched.becomes(card, "Too few rows")
    assert "is gone" not in watched.space.message(card, as_=watched.ben).plain
    watched.told(card, "This is not counted as gone")
    assert watched.thread(card).count("Could not look") == 1


def test_a_bot_that_was_stopped_shows_what_it_had_not_shown(watched):
    watched.space.switch(fail={"method": "chat.postMessage", "status": 500, "times": 1_000})
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    watched.space.wait_until(watched.episodes, SOON)
    watched.ship.stop()
    watched.space.switch(fail={"method": "chat.postMessage", "status": 500, "times": 0})
    watched.ship.start()
    watched.becomes(watched.message("Retrain tumour?"), "The retrain that would be done")
    time.sleep(1)  # a second message would come now
    assert len(watched.messages()) == 1


def test_another_run_of_the_model_is_named_and_a_plan_can_be_had_when_it_is_over(watched):
    watched.space.type(f"/retrain {MODEL}", as_=watched.ben, channel="#ml")
    own = watched.message("Ben Okafor asks")
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Data drift, P0"), "has an unfinished run already")
    watched.space.press(own, "Withdraw", as_=watched.ben, confirm=True)
    watched.message("was withdrawn by Ben Okafor")
    watched.space.press(card, "Plan a retrain", as_=watched.ben)
    watched.becomes(card, "The retrain that would be done")


def test_a_request_that_nobody_answers_expires_and_says_so(watched):
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.message("Data drift, P0")
    watched.becomes(card, "The retrain that would be done")
    (asked,) = watched.ship.bot.ledger.approvals.open()
    watched.ship.bot.desk.approvals._clock.now = lambda: asked.expires_at + timedelta(seconds=1)
    watched.ship.bot.desk.workflow.sweep()
    expired = watched.becomes(card, "Expired")
    watched.told(card, "The retrain was expired")
    assert expired.button("Plan a retrain")
