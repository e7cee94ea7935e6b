"""The same story when something goes wrong: an answer each time, nothing lost, nothing twice."""

import sqlite3
import time
from datetime import timedelta

import pytest

MODEL = "diabetes-progression"


@pytest.fixture
def people(ship):
    space = ship.workspace
    return space, space.person("ana"), space.person("ben")


def asked_for(space, person, model=MODEL, extra=""):
    space.type(f"/retrain {model} {extra}".strip(), as_=person, channel="#ml")
    return space.wait_for_message("#ml", containing=f"Retrain {model}?", seconds=20, as_=person)


def rewrite(ship, old, new):
    text = ship.catalogue.read_text()
    assert old in text
    ship.catalogue.write_text(text.replace(old, new, 1))
    ship.restart()


def test_slack_that_answers_429_and_500_delays_the_card_but_loses_nothing(people):
    space, ana, ben = people
    space.switch(fail={"method": "chat.postMessage", "status": 500, "times": 2})
    card = asked_for(space, ben)
    space.switch(fail={"method": "chat.update", "status": 429, "times": 2})
    space.press(card, "Approve", as_=ana)
    space.wait_for_message("#ml", containing="version 1 is the new champion", seconds=90, as_=ben)
    assert len(space.messages("#ml", as_=ben)) == 1


def test_slack_that_is_slow_does_not_lead_to_a_second_card(people):
    space, _, ben = people
    space.switch(slow={"method": "chat.postMessage", "seconds": 2})
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing="Retrain", seconds=20, as_=ben)
    space.switch(slow={"method": "chat.postMessage", "seconds": 0})
    time.sleep(1)  # a second card would come now
    assert len(space.messages("#ml", as_=ben)) == 1


def test_a_channel_that_the_bot_is_not_in_leads_to_the_models_own(people):
    space, _, ben = people
    space.type(f"/retrain {MODEL}", as_=ben, channel="#general")
    space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", seconds=20, as_=ben)


def test_the_bots_direct_message_is_a_place_like_any_other(people):
    space, _, ben = people
    space.type(f"/retrain {MODEL}", as_=ben, channel="@bot")
    space.wait_for_message("@bot", containing=f"Retrain {MODEL}?", seconds=20, as_=ben)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"age,bmi,progression\n", "no rows"),
        (b"age,bmi\n1,2\n3,4\n", "no column"),
        (b"\x00\x01\x02binary\xff\xfe" * 50, "not"),
    ],
)
def test_data_that_cannot_be_planned_with_is_refused_before_anybody_is_asked(ship, people, content, reason):
    space, _, ben = people
    folder = ship.folder / "data" / "sub"
    folder.mkdir(exist_ok=True)
    (folder / "mine.csv").write_bytes(content)
    space.type(f"/retrain {MODEL} data=sub/mine.csv", as_=ben, channel="#ml")
    told = space.wait_for_ephemeral(containing="was not retrained", as_=ben, channel="#ml", seconds=20)
    assert reason in told.plain.lower()
    assert not space.messages("#ml", as_=ben)


def test_data_that_cannot_be_trained_on_ends_the_run_with_the_trainers_own_words(ship, people):
    space, ana, ben = people
    folder = ship.folder / "data" / "sub"
    folder.mkdir(exist_ok=True)
    rows = "".join(f"{number},{number % 7},5\n" for number in range(200))
    (folder / "constant.csv").write_text("age,bmi,progression\n" + rows)
    card = asked_for(space, ben, extra="data=sub/constant.csv")
    space.press(card, "Approve", as_=ana)
    done = space.wait_for_message("#ml", containing="did not succeed", seconds=60, as_=ben)
    assert "progression" in done.plain
    assert "same value" in done.plain or "constant" in done.plain
    assert done.button("Order again")


def test_a_gate_that_does_not_pass_registers_nothing_and_says_why(ship, people):
    space, ana, ben = people
    rewrite(ship, "r2: 0.25", "r2: 0.99")
    space.press(asked_for(space, ben), "Approve", as_=ana)
    done = space.wait_for_message("#ml", containing="the gate did not pass", seconds=60, as_=ben)
    assert "✗" in done.plain
    assert ship.bot.registry.versions(MODEL) == []
    assert not (ship.folder / "storage" / "models").exists()


def test_a_registry_that_is_locked_for_a_while_delays_the_end_but_loses_nothing(ship, people):
    space, ana, ben = people
    space.press(asked_for(space, ben), "Approve", as_=ana)
    space.wait_until(lambda: "Retraining" in space.messages("#ml", as_=ben)[0].plain, seconds=20)
    lock = sqlite3.connect(ship.folder / "mlflow.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    time.sleep(14)  # longer than anybody waits for a lock
    lock.execute("ROLLBACK")
    lock.close()
    space.wait_for_message("#ml", containing="version 1 is the new champion", seconds=90, as_=ben)
    assert len(ship.bot.registry.versions(MODEL)) == 1


def test_slack_that_is_away_for_the_whole_run_does_not_fail_it(ship, people):
    space, ana, ben = people
    card = asked_for(space, ben)
    space.switch(fail={"method": "chat.update", "status": 500, "times": 100_000})
    space.press(card, "Approve", as_=ana)
    space.wait_until(lambda: ship.bot.registry.champion(MODEL), seconds=90)
    space.switch(fail={"method": "chat.update", "status": 500, "times": 0})
    space.wait_for_message("#ml", containing="version 1 is the new champion", seconds=60, as_=ben)


def test_a_request_that_nobody_answers_expires(ship, people):
    space, ana, ben = people
    card = asked_for(space, ben)
    later = ship.bot.ledger.approvals.get(space_run(card)).expires_at + timedelta(seconds=1)
    ship.bot.desk.approvals._clock.now = lambda: later
    ship.bot.desk.workflow.sweep()
    done = space.wait_for_message("#ml", containing="expired without an answer", seconds=20, as_=ben)
    assert done.button("Approve") is None
    space.press_raw(card, "Approve", as_=ana)
    space.wait_for_ephemeral(containing="expired", as_=ana, channel="#ml")


def space_run(card):
    return card.button("Approve")["value"].split()[0]


def test_the_clock_orders_once_a_day_whoever_asks_how_often(ship, people):
    space, ana, ben = people
    for _ in range(3):
        ship.bot.desk.order_nightly(MODEL)
    card = space.wait_for_message("#ml", containing="the nightly schedule asks", seconds=20, as_=ben)
    assert len(space.messages("#ml", as_=ben)) == 1
    space.press(card, "Approve", as_=ana)
    space.wait_for_message("#ml", containing="version 1 is the new champion", seconds=60, as_=ben)


def test_two_approvals_take_two_people(ship, people):
    space, ana, ben = people
    rewrite(ship, "approver: [ana]", "approver: [ana, vera]")
    rewrite(ship, f"  {MODEL}:\n", f"  {MODEL}:\n    approval: {{needed: 2}}\n")
    card = asked_for(space, ben)
    space.press(card, "Approve", as_=ana)
    space.wait_until(lambda: "1 more needed" in space.message(card, as_=ben).plain, seconds=10)
    assert space.message(card, as_=ben).button("Approve")
    space.press(space.message(card, as_=ben), "Approve", as_=space.person("vera"))
    done = space.wait_for_message("#ml", containing="version 1 is the new champion", seconds=60, as_=ben)
    assert "Approved by Ana Lima and Vera Novak" in done.plain


def test_an_unknown_command_and_unknown_clicks_are_acknowledged(ship, people):
    space, _, ben = people
    manifest = {**ship.sandbox.world.app.manifest}
    features = manifest["features"]
    commands = [*features["slash_commands"], {"command": "/later", "description": "not yet"}]
    ship.sandbox.install({**manifest, "features": {**features, "slash_commands": commands}})
    space.type("/later", as_=ben, channel="#ml")
    space.wait_for_ephemeral(containing="I do not know /later", as_=ben, channel="#ml")


def test_a_mention_and_a_direct_message_are_answered_in_their_thread(people):
    space, _, ben = people
    space.say("<@U0SHIPMATE> what can you do?", as_=ben, channel="#ml")
    asked = space.messages("#ml", as_=ben)[0]
    space.wait_until(lambda: space.thread(asked, as_=ben))
    assert "/retrain MODEL" in space.thread(asked, as_=ben)[0].plain
