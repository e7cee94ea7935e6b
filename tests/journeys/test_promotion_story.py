"""A new version has passed the gate. Whether it becomes the champion is a question of its own; so is the way back."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from drifting import ACK_SECONDS

from bot.app import registered_manifest
from bot.demo.run import CATALOGUE
from bot.sandbox.slack import SlackSandbox
from pipelines.audit import faults

MODEL = "diabetes-progression"
TRAINED = 60


class MovableClock:
    """The system's, moved forward by as much as a story needs."""

    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture(scope="module")
def waiting_folder(tmp_path_factory, demo_data, empty_registry, make_ship):
    """Version 1 is the champion, version 2 has passed the gate and waits: trained once, each story has a copy."""
    folder = tmp_path_factory.mktemp("waiting")
    (folder / "data").symlink_to(demo_data)
    shutil.copyfile(empty_registry, folder / "mlflow.sqlite")
    text = CATALOGUE.read_text().replace(f"  {MODEL}:\n", f"  {MODEL}:\n    promotion: ask\n", 1)
    (folder / "shipmate.yaml").write_text(text)
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest(), ack_seconds=ACK_SECONDS)
    sandbox.start()
    ship = make_ship(folder, sandbox)
    ship.start()
    space = ship.workspace
    ana, ben = space.person("ana"), space.person("ben")
    card = trained(space, ana, ben, 1)
    assert "no champion yet" in card.plain
    space.press(card, "Promote version 1", as_=ana)
    space.wait_for_message("#ml", containing="version 1 is the new champion", as_=ben, seconds=20)
    space.wait_until(lambda: len(space.thread(card, as_=ben)) == 2)
    card = trained(space, ana, ben, 2)
    space.wait_until(lambda: len(space.thread(card, as_=ben)) == 1)
    space.close()
    ship.stop()
    sandbox.stop()
    return folder


def trained(space, ana, ben, version):
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", as_=ben, seconds=20)
    assert "somebody is asked whether it becomes the champion" in card.plain
    space.press(card, "Approve", as_=ana)
    asked = space.wait_for_message("#ml", containing=f"Promote version {version} of", as_=ben, seconds=TRAINED)
    assert asked.ts == card.ts
    return asked


@pytest.fixture
def story(waiting_folder, make_ship, tmp_path, clock):
    folder = tmp_path / "ship"
    shutil.copytree(waiting_folder, folder, symlinks=True)
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest(), ack_seconds=ACK_SECONDS)
    sandbox.start()
    ship = make_ship(folder, sandbox, clock)
    ship.start()
    yield ship
    ship.workspace.close()
    ship.stop()
    sandbox.stop()


@pytest.fixture
def people(story):
    space = story.workspace
    return space, space.person("ana"), space.person("ben"), space.person("vera")


def waiting_card(space, person):
    return space.wait_for_message("#ml", containing="Promote version 2 of", as_=person)


def ended(space, person, containing):
    return space.wait_for_message("#ml", containing=containing, as_=person, seconds=30)


def champion(ship):
    return ship.bot.registry.champion(MODEL).version


def copies(ship):
    return sorted((ship.folder / "storage" / "models" / MODEL).glob("model-*.pkl"))


def test_the_plan_shows_both_versions_and_the_yes_moves_the_alias_and_the_copy(story, people):
    space, ana, ben, _ = people
    card = waiting_card(space, ben)
    for told in ("Version 2 against version 1", "not worse than the champion", "champion to version 2", "Way back"):
        assert told in card.plain
    assert "rows held out from training" in card.plain
    before = len(copies(story))
    assert champion(story) == 1
    space.press(card, "Promote version 2", as_=ana)
    done = ended(space, ben, "version 2 is the new champion")
    assert done.ts == card.ts
    assert "Promoted by Ana Lima" in done.plain
    assert champion(story) == 2
    assert len(copies(story)) == before + 1
    written = max((story.folder / "storage" / "metrics" / MODEL).glob("*.json"))
    metrics = json.loads(written.read_text())
    assert (metrics["version"], metrics["approved_by"], metrics["in_place_of"]) == (2, "Ana Lima", 1)
    space.wait_until(lambda: any("new champion" in reply.plain for reply in space.thread(done, as_=ben)))
    rows = list(story.bot.ledger.audit.rows())
    assert [row.entry.action for row in rows][-2:] == ["promotion requested", "promotion approved"]
    assert faults(rows) == []


def test_whoever_keeps_the_champion_ends_it_and_the_version_stays_the_challenger(story, people):
    space, ana, ben, _ = people
    before = len(copies(story))
    space.press(waiting_card(space, ben), "Keep the champion", as_=ana, confirm=True)
    done = ended(space, ben, "Ana Lima keeps the champion")
    assert "the champion stays" in done.plain
    assert done.button("Promote") is None
    assert champion(story) == 1
    assert "challenger" in story.bot.registry.version(MODEL, 2).aliases
    assert len(copies(story)) == before
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", as_=ben, seconds=20)


def test_an_unanswered_promotion_expires_and_is_never_a_yes(story, people, clock):
    space, ana, ben, _ = people
    card = waiting_card(space, ben)
    clock.ahead = timedelta(hours=25)
    story.bot.desk.workflow.sweep()
    done = ended(space, ben, "the champion stays")
    assert "Nobody answered in time" in done.plain
    space.press_raw(card, "Promote version 2", as_=ana)
    space.wait_for_ephemeral(containing="expired", as_=ana, channel="#ml")
    assert champion(story) == 1


def test_of_two_who_press_at_once_one_counts(story, people):
    space, ana, ben, _ = people
    card = waiting_card(space, ben)
    before = len(copies(story))
    labels = ["Promote version 2", "Keep the champion", "Promote version 2", "Keep the champion"]
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda label: space.press_raw(card, label, as_=ana), labels))
    space.wait_until(lambda: story.bot.ledger.promotions.unfinished() == [], seconds=20)
    settled = [row for row in story.bot.ledger.audit.rows() if row.entry.action.startswith("promotion ")]
    assert len([row for row in settled if row.entry.action != "promotion requested"]) == 2, "version 1's and this one"
    promoted = settled[-1].entry.action == "promotion approved"
    assert champion(story) == (2 if promoted else 1)
    assert len(copies(story)) == before + promoted


def test_who_is_no_approver_or_ordered_it_is_told_so_privately(people):
    space, ana, ben, vera = people
    card = waiting_card(space, ben)
    for person in (ben, vera):
        space.press(card, "Promote version 2", as_=person)
        space.wait_for_ephemeral(containing="takes the role approver", as_=person, channel="#ml")
    assert space.message(card, as_=ana).button("Promote version 2")


def test_a_champion_that_moved_meanwhile_is_not_replaced(story, people):
    space, ana, ben, _ = people
    before = len(copies(story))
    other = story.bot.registry.register(other_run(story), other_run(story).result, some_files(story), {})
    story.bot.registry.assign(MODEL, "champion", other.version)
    space.press(waiting_card(space, ben), "Promote version 2", as_=ana)
    done = ended(space, ben, "the champion stays")
    assert "The champion changed after this plan was drawn up (version 1 then, 3 now)" in done.plain
    assert champion(story) == 3
    assert len(copies(story)) == before


def test_a_version_whose_file_was_exchanged_is_not_promoted(story, people):
    space, ana, ben, _ = people
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{story.folder / 'mlflow.sqlite'}")
    client.set_model_version_tag(MODEL, "2", "shipmate.model_sha256", "0" * 64)
    space.press(waiting_card(space, ben), "Promote version 2", as_=ana)
    assert "is not the file that was approved" in ended(space, ben, "the champion stays").plain
    assert champion(story) == 1


def test_a_version_that_was_deleted_is_not_promoted(story, people):
    space, ana, ben, _ = people
    from mlflow import MlflowClient

    MlflowClient(f"sqlite:///{story.folder / 'mlflow.sqlite'}").delete_model_version(MODEL, "2")
    space.press(waiting_card(space, ben), "Promote version 2", as_=ana)
    assert "is not in the registry any more" in ended(space, ben, "the champion stays").plain
    assert champion(story) == 1


def test_a_waiting_promotion_is_listed_and_can_be_answered_there(story, people):
    space, ana, ben, _ = people
    space.type("/approvals", as_=ana, channel="#ops")
    listed = space.wait_for_ephemeral(containing=f"Promote version 2 of {MODEL}", as_=ana, channel="#ops")
    space.press(listed, "Promote version 2", as_=ana)
    ended(space, ben, "version 2 is the new champion")
    assert champion(story) == 2


def test_an_order_while_a_promotion_waits_is_shown_that_one_and_nothing_can_be_cancelled(story, people):
    space, _, ben, _ = people
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    told = space.wait_for_ephemeral(containing="has an unfinished run", as_=ben, channel="#ml", seconds=20)
    assert "awaiting promotion" in told.plain


def test_the_way_back_has_a_plan_and_an_approval_of_its_own(story, people, clock):
    space, ana, ben, vera = people
    space.press(waiting_card(space, ben), "Promote version 2", as_=ana)
    done = ended(space, ben, "version 2 is the new champion")
    before = copies(story)
    clock.ahead = timedelta(minutes=1)  # copies are named by their second
    space.press(done, "Back to version 1", as_=vera)
    space.wait_for_ephemeral(containing="takes the role engineer", as_=vera, channel="#ml")
    space.press(done, "Back to version 1", as_=ben)
    card = space.wait_for_message("#ml", containing=f"Back to version 1 of {MODEL}?", as_=ben, seconds=20)
    assert "Version 1 was the champion before" in card.plain
    space.press(card, "Go back to version 1", as_=ana)
    ended(space, ben, f"{MODEL} is back at version 1")
    assert champion(story) == 1
    (restored,) = set(copies(story)) - set(before)
    assert restored.name > max(copy.name for copy in before), "the newest copy is the champion's"
    assert restored.read_bytes() == before[0].read_bytes()
    space.type(f"/models {MODEL}", as_=ben, channel="#ml")
    shown = space.wait_for_ephemeral(containing="Before it: version 2", as_=ben, channel="#ml")
    space.press(shown, "Back to version 2", as_=ben)
    again = space.wait_for_message("#ml", containing=f"Back to version 2 of {MODEL}?", as_=ben, seconds=20)
    space.press(again, "Withdraw", as_=ben, confirm=True)
    ended(space, ben, f"Back to version 2 of {MODEL} was withdrawn by Ben Okafor")
    assert champion(story) == 1


def test_an_old_cards_way_back_is_refused_once_the_champion_is_another(story, people):
    space, ana, ben, _ = people
    space.press(waiting_card(space, ben), "Promote version 2", as_=ana)
    done = ended(space, ben, "version 2 is the new champion")
    story.bot.registry.assign(MODEL, "champion", 1)
    space.press(done, "Back to version 1", as_=ben)
    told = space.wait_for_ephemeral(containing="stays as it is", as_=ben, channel="#ml")
    assert "is version 1 by now, not version 2" in told.plain


@pytest.mark.parametrize("moment", ["publish", "previous", "champion"])
def test_stopped_at_any_step_the_promotion_ends_once_after_the_next_start(story, people, monkeypatch, moment):
    space, ana, ben, _ = people
    before = len(copies(story))
    reached = threading.Event()
    halt_at(monkeypatch, story, moment, reached)
    space.press(waiting_card(space, ben), "Promote version 2", as_=ana)
    assert reached.wait(120)
    monkeypatch.undo()
    story.restart()
    done = ended(space, ben, "version 2 is the new champion")
    assert champion(story) == 2
    assert story.bot.registry.version(MODEL, 1).aliases == ("previous",)
    assert len(copies(story)) == before + 1
    space.wait_until(lambda: [one for one in space.thread(done, as_=ben) if "is the new champion" in one.plain])
    ends = [one for one in space.thread(done, as_=ben) if "version 2 is the new champion" in one.plain]
    assert len(ends) == 1


def halt_at(monkeypatch, story, moment, reached):
    """The process goes down in the middle of a step: after the copy, or after an alias was moved."""
    from pipelines.durable.workflow import Stopping

    owner, name = (story.bot.registry, "assign") if moment != "publish" else (story.bot.ledger.promotions, "save")
    real = getattr(owner, name)

    def halting(*arguments):
        answer = real(*arguments)
        moved = arguments[1] if moment != "publish" else ("publish" if arguments[0].published else "")
        if moved == moment:
            reached.set()
            raise Stopping
        return answer

    monkeypatch.setattr(owner, name, halting)


def other_run(story):
    from dataclasses import replace

    last = story.bot.ledger.retrains.recent(1, MODEL)[0]
    return replace(last, run_id="by-hand")


def some_files(story):
    folder = story.folder / "by-hand"
    folder.mkdir(exist_ok=True)
    (folder / "model.pkl").write_bytes(b"another")
    return folder
