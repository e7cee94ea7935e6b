"""kill -9 at each stage of a drift episode: nothing is lost, nothing is said or done twice."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drifting
import pytest
from drifting import CHANNEL, HEAVY, HOUR, MEDIUM, MODEL, NOON, TOKEN, TRAINED, ClockInFile, Watched

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.clients.mlflow import MlflowRegistry
from pipelines.audit import faults


@dataclass
class Victim:
    """What `Watched` needs of a ship, for a bot in a process of its own."""

    folder: Path
    sandbox: Any
    workspace: Any
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
        self.space.wait_until(self.ship.port_file.exists, 60)
        return int(self.ship.port_file.read_text())

    def look(self) -> None:
        """The schedule of the other process does."""

    def kill(self) -> None:
        self.ship.kill()
        self.ship.start()
        assert self.port

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
    victim = Victim(ship.folder, ship.sandbox, ship.workspace)
    victim.start()
    yield Killed(victim, clock)
    victim.kill()


def test_a_bot_that_is_killed_at_each_stage_ends_the_story_once(killed):
    killed.label(killed.serve_back(72, HEAVY))
    killed.pass_hours(1)
    card = killed.message(MODEL, 60)
    killed.kill()  # while the plan is drawn, and while it is tried whether retraining helps
    killed.becomes(card, "The retrain that would be done", 60)
    killed.becomes(card, "Retraining will probably not help: a challenger", TRAINED)
    killed.kill()
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
    for once in ("Retrain approved by", "waits for its promotion", "is the new champion.", "Gone since"):
        assert said.count(once) == 1, once
    assert [message.ts for message in killed.space.messages(CHANNEL, as_=killed.ben)] == [card.ts]
    killed.ship.kill()
    nothing_twice(killed.ship.folder)
    killed.ship.start()


def test_two_processes_that_look_at_the_same_time_tell_it_once(killed):
    other = Victim(killed.ship.folder, killed.ship.sandbox, killed.ship.workspace, "other")
    other.start()
    try:
        killed.space.wait_until(other.port_file.exists, 60)
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
    assert (actions.count("retrain approved"), actions.count("promotion approved")) == (1, 1)
    assert len(ledger.episodes.recent(10)) == 1
    assert len(ledger.retrains.recent(10)) == 1
    ledger.close()
    registry = MlflowRegistry(f"sqlite:///{folder / 'mlflow.sqlite'}", "", str(folder / "mlflow-artifacts"))
    assert len(registry.versions(MODEL)) == 2
