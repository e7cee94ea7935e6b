"""kill -9 at each stage of a drift episode: nothing is lost, nothing is said or done twice."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drifting
import pytest
from drifting import CHANNEL, HEAVY, HOUR, MEDIUM, MODEL, NOON, TOKEN, TRAINED, ClockInFile, Watched, choice, text

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.clients.mlflow import MlflowRegistry
from bot.sandbox.github import GithubSandbox
from bot.sandbox.slack.workspace import Seen
from pipelines.audit import faults

REPOSITORY = "ours/models"


@dataclass
class Victim:
    """What `Watched` needs of a ship, for a bot in a process of its own."""

    folder: Path
    sandbox: Any
    workspace: Any
    github: GithubSandbox
    name: str = "victim"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def port_file(self) -> Path:
        return self.folder / f"port-{self.name}"

    def start(self) -> None:
        self.port_file.unlink(missing_ok=True)
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "SHIPMATE_DATA_DIR": str(self.folder),
            "SHIPMATE_CATALOGUE_PATH": str(self.folder / "shipmate.yaml"), "SHIPMATE_EXECUTOR_ID": self.name,
            "SHIPMATE_HTTP_PORT": "0", "SHIPMATE_HTTP_BEARER_TOKENS": TOKEN, "SLACK_API_URL": self.sandbox.api_url,
            "GITHUB_TOKEN": "a-token", "SHIPMATE_GITHUB_API_URL": self.github.url,
            "SLACK_BOT_TOKEN": self.sandbox.bot_token, "SLACK_APP_TOKEN": self.sandbox.app_token,
        }  # fmt: skip
        with (self.folder / "bot.log").open("ab") as log:
            command = [sys.executable, drifting.__file__, str(self.folder)]
            root = Path(__file__).parents[2]
            self.process = subprocess.Popen(
                command, env=environment | {"PYTHONPATH": str(root)}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Killed(Watched):
    @property
    def port(self) -> int:
        self.space.wait_until(self.ship.port_file.exists, 120)
        return int(self.ship.port_file.read_text())

    def look(self) -> None:
        """The schedule of the other process does."""

    def kill(self) -> None:
        self.ship.kill()
        self.ship.start()
        assert self.port

    def asked_by_form(self, seen: Seen, label: str) -> Seen:
        """The form behind a button, which is pressed again where the bot was not there yet."""

        def opened() -> Seen | None:
            form = self.space.modal(as_=self.ana)
            if form is None:
                self.space.try_press(self.space.message(seen, as_=self.ana), label, as_=self.ana)
            return form or self.space.modal(as_=self.ana)

        return self.space.wait_until(opened, 60)

    def stored(self) -> Any:
        """The episode as it stands in the database, whatever Slack shows of it."""
        place = f"file:{self.ship.folder / 'shipmate.sqlite'}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=60)) as connection:
            rows = connection.execute("SELECT body FROM drift_episodes ORDER BY number DESC LIMIT 1").fetchall()
        return json.loads(rows[0][0]) if rows else None

    def until_stored(self, holds: Callable[[Any], bool]) -> None:
        def now() -> bool:
            episode = self.stored()
            return episode is not None and holds(episode)

        self.space.wait_until(now, 60)

    def until_settled(self, find: Any, label: str) -> None:
        """Press until it counts, as people do whom Slack tells that the app did not respond."""

        def pressed() -> bool:
            card = find()
            if card.button(label) is None:
                return True
            self.space.try_press(card, label, as_=self.ana)
            return False

        self.space.wait_until(pressed, 60)


@pytest.fixture
def killed(watched_ship):
    ship = watched_ship.ship
    ship.stop()
    clock = ClockInFile(ship.folder / "clock")
    clock.time = NOON
    github = GithubSandbox(REPOSITORY, "a-token", [])
    github.start()
    about = f"    target: diagnosis\n    drift: {{github: {{repository: {REPOSITORY}}}}}\n"
    ship.catalogue.write_text(ship.catalogue.read_text().replace("    target: diagnosis\n", about, 1))
    victim = Victim(ship.folder, ship.sandbox, ship.workspace, github)
    victim.start()
    yield Killed(victim, clock)
    victim.kill()
    github.stop()


@pytest.mark.timeout(600)
def test_a_bot_that_is_killed_at_each_stage_ends_the_story_once(killed):
    killed.serve_back(72, MEDIUM)
    killed.pass_hours(1)
    killed.until_stored(lambda episode: episode["found"]["urgency"] == "P1")
    killed.kill()  # while its message is posted and its issue is opened
    card = killed.becomes(killed.message("Data drift, P1", 60), "Issue 1", 60)
    form = killed.asked_by_form(card, "Snooze")
    killed.space.submit(form, {"span": {"pick": choice("1 day")}}, as_=killed.ana)
    killed.until_stored(lambda episode: episode["snooze"] is not None)
    killed.kill()  # while the snooze is shown
    killed.told(card, "Snoozed by Ana Lima until", 60)
    killed.label(killed.serve_back(72, HEAVY))
    killed.clock.time += HOUR
    killed.until_stored(lambda episode: episode["proposals"] == 1)
    killed.kill()  # while the plan is drawn, and while it is tried whether retraining helps
    killed.becomes(card, "The retrain that would be done", 60)
    killed.becomes(card, "Retraining will probably not help: a challenger", TRAINED)
    form = killed.asked_by_form(card, "Edit…")
    killed.space.submit(form, {"data": {"text": text("")}, "note": {"text": text("With a note")}}, as_=killed.ana)
    killed.until_stored(lambda episode: episode["proposals"] == 2)
    killed.kill()  # while another plan is drawn
    killed.told(card, "A new plan stands in the message above", 60)
    killed.becomes(card, "With a note", 60)
    killed.until_settled(lambda: killed.space.message(card, as_=killed.ana), "Approve retrain")
    killed.kill()
    killed.told(card, "Retrain approved by Ana Lima", 60)
    killed.space.wait_until(lambda: run_card(killed, card), 60)
    killed.kill()
    killed.told(card, "waits for its promotion", TRAINED)
    killed.kill()
    killed.until_settled(lambda: run_card(killed, card), "Promote version 2")
    killed.kill()
    killed.told(card, "Version 2 is the new champion", 60)
    killed.clock.time += 30 * HOUR
    killed.serve_back(24)
    killed.clock.time += HOUR
    killed.becomes(card, "not seen in the last look", 60)
    killed.kill()
    killed.clock.time += HOUR
    killed.becomes(card, "Drift of tumour is gone", 60)
    said = killed.told(card, "Gone since")
    for once in (
        "Snoozed by Ana Lima", "More urgent: P1 became P0", "A new plan stands", "Retrain approved by",
        "waits for its promotion", "is the new champion.", "Gone since",
    ):  # fmt: skip
        assert said.count(once) == 1, once
    assert [message.ts for message in killed.space.messages(CHANNEL, as_=killed.ben)] == [card.ts]
    (issue,) = killed.ship.github.world.store.all("issue")
    killed.space.wait_until(lambda: killed.ship.github.world.store.all("issue")[0]["state"] == "closed", 60)
    told = [comment["body"] for comment in killed.ship.github.world.comments(issue["number"])]
    assert sum("More urgent: P1 became P0" in one for one in told) == 1
    killed.ship.kill()
    nothing_twice(killed.ship.folder)
    killed.ship.start()


def test_two_processes_that_look_at_the_same_time_tell_it_once(killed):
    other = Victim(killed.ship.folder, killed.ship.sandbox, killed.ship.workspace, killed.ship.github, "other")
    other.start()
    try:
        killed.space.wait_until(other.port_file.exists, 120)
        killed.serve_back(72, MEDIUM)
        killed.clock.time += HOUR
        card = killed.message("Data drift, P1", 60)
        killed.serve_back(72, HEAVY)
        killed.clock.time += HOUR
        asked = killed.becomes(card, "The retrain that would be done", 60)
        killed.until_settled(lambda: killed.space.message(asked, as_=killed.ana), "Approve retrain")
        said = killed.told(card, "waits for its promotion", TRAINED)
        for once in ("More urgent: P1 became P0", "Retrain approved by Ana Lima", "waits for its promotion"):
            assert said.count(once) == 1, once
        assert [message.ts for message in killed.space.messages(CHANNEL, as_=killed.ben)] == [card.ts]
    finally:
        other.kill()


def run_card(killed, card):
    cards = [reply for reply in killed.space.thread(card, as_=killed.ana) if "Run tumour-drift-" in reply.plain]
    assert len(cards) <= 1
    return cards[0] if cards else None


def nothing_twice(folder):
    ledger = Ledger(f"sqlite:///{folder / 'shipmate.sqlite'}", SystemClock())
    rows = list(ledger.audit.rows())
    assert faults(rows) == []
    actions = [row.entry.action for row in rows]
    for once in ("drift snoozed", "drift plan edited", "retrain withdrawn", "retrain approved", "promotion approved"):
        assert actions.count(once) == 1, once
    assert len(ledger.episodes.recent(10)) == 1
    assert [run.stage for run in ledger.retrains.recent(10)] == ["registered", "withdrawn"]
    ledger.close()
    registry = MlflowRegistry(f"sqlite:///{folder / 'mlflow.sqlite'}", "", str(folder / "mlflow-artifacts"))
    assert len(registry.versions(MODEL)) == 2
