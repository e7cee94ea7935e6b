"""The story that the bot is for: asked, planned, approved, trained, gated, registered, told."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

TRAINED = 60


@pytest.fixture
def people(ship):
    space = ship.workspace
    return space, space.person("ana"), space.person("ben"), space.person("vera")


def asked_for(space, person, model="diabetes-progression", extra=""):
    space.type(f"/retrain {model} {extra}".strip(), as_=person, channel="#ml")
    return space.wait_for_message("#ml", containing=f"Retrain {model}?", seconds=20, as_=person)


def ended(space, person, containing):
    return space.wait_for_message("#ml", containing=containing, seconds=TRAINED, as_=person)


def test_an_engineer_asks_a_lead_approves_and_the_better_model_is_registered(ship, people):
    space, ana, ben, _ = people
    card = asked_for(space, ben)
    assert "442 rows" in card.plain
    assert "R²" in card.plain
    space.press(card, "Approve", as_=ana)
    done = ended(space, ben, "version 1 is the new champion")
    assert "Approved by Ana Lima" in done.plain
    assert done.ts == card.ts
    published = list((ship.folder / "storage" / "models" / "diabetes-progression").glob("model-*.pkl"))
    metrics = list((ship.folder / "storage" / "metrics" / "diabetes-progression").glob("metrics-*.json"))
    assert len(published) == len(metrics) == 1
    assert json.loads(metrics[0].read_text())["approved_by"] == "Ana Lima"
    space.wait_until(lambda: any("new champion" in reply.plain for reply in space.thread(done, as_=ben)))


def test_the_second_run_is_compared_with_the_champion_on_the_same_rows(people):
    space, ana, ben, _ = people
    space.press(asked_for(space, ben), "Approve", as_=ana)
    ended(space, ben, "version 1 is the new champion")
    card = asked_for(space, ben)
    assert "version 1" in card.plain
    space.press(card, "Approve", as_=ana)
    done = ended(space, ben, "version 2 is the new champion")
    assert "Champion" in done.plain


def test_nobody_approves_their_own_retrain(people):
    space, ana, _, _ = people
    card = asked_for(space, ana)
    space.press(card, "Approve", as_=ana)
    refusal = space.wait_for_ephemeral(containing="somebody else has to approve", as_=ana, channel="#ml")
    assert "You ordered this yourself" in refusal.plain


def test_an_engineer_who_presses_approve_is_told_privately_who_may(people):
    space, ana, ben, vera = people
    card = asked_for(space, ben)
    for person in (ben, vera):
        space.press(card, "Approve", as_=person)
        space.wait_for_ephemeral(containing="takes the role approver", as_=person, channel="#ml")
    assert not space.ephemerals(as_=ana, channel="#ml")
    assert space.message(card, as_=ana).button("Approve")


def test_a_viewer_cannot_order(people):
    space, _, _, vera = people
    space.type("/retrain churn", as_=vera, channel="#ml")
    refusal = space.wait_for_ephemeral(containing="takes the role engineer", as_=vera, channel="#ml")
    assert "Ben Okafor" in refusal.plain or "Ana Lima" in refusal.plain


def test_an_unknown_model_is_refused_with_the_nearest_name(people):
    space, _, ben, _ = people
    space.type("/retrain chrun", as_=ben, channel="#ml")
    space.wait_for_ephemeral(containing="Did you mean churn", as_=ben, channel="#ml")


def test_data_from_elsewhere_is_refused(people):
    space, _, ben, _ = people
    space.type("/retrain churn data=/etc/passwd", as_=ben, channel="#ml")
    space.wait_for_ephemeral(containing="lies outside the places", as_=ben, channel="#ml")


def test_two_orders_of_one_model_are_one_run_and_the_second_is_joined(people):
    space, ana, ben, _ = people
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda who: space.type("/retrain tumour", as_=who, channel="#ml"), (ana, ben)))
    space.wait_until(lambda: any(
        "has an unfinished run" in told.plain for who in (ana, ben) for told in space.ephemerals(as_=who, channel="#ml")
    ), seconds=20)  # fmt: skip
    space.wait_for_message("#ml", containing="Retrain tumour?", as_=ana, seconds=20)
    cards = [message for message in space.messages("#ml", as_=ana) if "Retrain tumour?" in message.plain]
    assert len(cards) == 1


def test_approve_pressed_by_two_people_at_once_settles_once(ship, people):
    space, ana, ben, _ = people
    card = asked_for(space, ben, "tumour")
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: space.press(card, "Approve", as_=ana), range(4)))
    ended(space, ben, "version 1 is the new champion")
    rows = [row for row in ship.bot.ledger.audit.rows() if row.entry.action == "retrain approved"]
    assert len(rows) == 1


def test_rejecting_ends_it_and_takes_the_buttons_away(people):
    space, ana, ben, _ = people
    card = asked_for(space, ben)
    space.press(card, "Reject", as_=ana, confirm=True)
    done = ended(space, ben, "was rejected by Ana Lima")
    assert done.button("Approve") is None
    space.press_raw(card, "Approve", as_=ana)
    space.wait_for_ephemeral(containing="was rejected by Ana Lima already", as_=ana, channel="#ml")


def test_the_requester_may_withdraw(people):
    space, _, ben, _ = people
    card = asked_for(space, ben)
    space.press(card, "Withdraw", as_=ben, confirm=True)
    assert "withdrawn by Ben Okafor" in ended(space, ben, "was withdrawn").plain


def test_a_running_training_can_be_cancelled(people):
    space, ana, ben, _ = people
    card = asked_for(space, ben, "churn")
    space.press(card, "Approve", as_=ana)
    space.wait_until(lambda: space.message(card, as_=ben).button("Cancel"), seconds=20)
    space.press(space.message(card, as_=ben), "Cancel", as_=ben, confirm=True)
    done = ended(space, ben, "was cancelled by Ben Okafor")
    assert done.button("Order again")


def test_a_bot_that_was_stopped_while_training_ends_the_run_after_its_start(ship, people):
    space, ana, ben, _ = people
    card = asked_for(space, ben, "tumour")
    space.press(card, "Approve", as_=ana)
    space.wait_until(lambda: "Retraining tumour" in space.message(card, as_=ben).plain, seconds=20)
    ship.restart()
    done = ended(space, ben, "version 1 is the new champion")
    assert done.ts == card.ts
    space.wait_until(lambda: space.thread(done, as_=ben))
    assert len([reply for reply in space.thread(done, as_=ben) if "new champion" in reply.plain]) == 1


def test_data_that_changed_after_the_plan_is_not_trained_on(ship, people):
    space, ana, ben, _ = people
    own = ship.folder / "data" / "diabetes-progression.csv"
    original = own.read_bytes()
    card = asked_for(space, ben)
    try:
        own.write_bytes(original + original.splitlines(keepends=True)[-1])
        space.press(card, "Approve", as_=ana)
        assert "The data changed" in ended(space, ben, "did not succeed").plain
    finally:
        own.write_bytes(original)


def test_open_approvals_are_listed_with_buttons_only_for_those_who_may(people):
    space, ana, ben, _ = people
    asked_for(space, ben)
    space.type("/approvals", as_=ben, channel="#ops")
    assert space.wait_for_ephemeral(containing="Retrain diabetes", as_=ben, channel="#ops").button("Approve") is None
    space.type("/approvals", as_=ana, channel="#ops")
    listed = space.wait_for_ephemeral(containing="Retrain diabetes", as_=ana, channel="#ops")
    space.press(listed, "Approve", as_=ana)
    ended(space, ben, "version 1 is the new champion")


def test_home_shows_approvals_models_and_last_runs_and_its_buttons_work(people):
    space, ana, ben, _ = people
    asked_for(space, ben)
    home = space.wait_until(lambda: space.home(as_=ana), seconds=10)
    assert "Open approvals" in home.plain
    assert "churn" in home.plain
    space.press(home, "Approve", as_=ana)
    ended(space, ben, "version 1 is the new champion")


def test_help_shows_every_command_and_models_shows_every_model(people):
    space, _, _, vera = people
    space.type("/shipmate help", as_=vera, channel="#ml")
    shown = space.wait_for_ephemeral(containing="What Shipmate can do", as_=vera, channel="#ml").plain
    assert all(word in shown for word in ("/retrain MODEL", "/models", "/approvals", "from engineer on"))
    space.type("/models", as_=vera, channel="#ml")
    listed = space.wait_for_ephemeral(containing="Champion: none yet", as_=vera, channel="#ml").plain
    assert all(name in listed for name in ("diabetes-progression", "tumour", "churn"))


def test_whoever_asks_what_language_models_cost_is_told_that_there_is_none(people):
    space, _, _, vera = people
    space.type("/shipmate usage", as_=vera, channel="#ml")
    answer = space.wait_for_ephemeral(containing="No language model is configured", as_=vera, channel="#ml")
    assert "signatures, statistics and extraction" in answer.plain
