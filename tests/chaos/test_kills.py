"""kill -9 at random moments of order, approval, training and registration: nothing lost, nothing twice.

`make chaos` kills a hundred times (SHIPMATE_KILLS=100); CI ten times.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.app import registered_manifest
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.clients.mlflow import MlflowRegistry
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace
from pipelines.audit import faults

KILLS = int(os.environ.get("SHIPMATE_KILLS", "10"))
MODEL = "diabetes-progression"
CATALOGUE = Path(__file__).parents[2] / "bot" / "demo" / "shipmate.yaml"


@dataclass
class Victim:
    """The bot as a process of its own, which somebody kills again and again."""

    folder: Path
    sandbox: SlackSandbox
    kills: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "SHIPMATE_DATA_DIR": str(self.folder),
            "SHIPMATE_CATALOGUE_PATH": str(self.folder / "shipmate.yaml"), "SHIPMATE_EXECUTOR_ID": "victim",
            "SHIPMATE_HTTP_PORT": "0", "SLACK_API_URL": self.sandbox.api_url, "SHIPMATE_LOG_FORMAT": "console",
            "SLACK_BOT_TOKEN": self.sandbox.bot_token, "SLACK_APP_TOKEN": self.sandbox.app_token,
        }  # fmt: skip
        with (self.folder / "bot.log").open("ab") as log:
            command = [sys.executable, "-m", "bot", "serve"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1

    def torment(self, dice: random.Random) -> None:
        """Kill at random moments until `over`: one of four while it starts, the others once it listens.

        On a busy machine a start takes longer than the time between two kills, and nothing would ever be done.
        """
        while self.kills < KILLS:
            if dice.random() < 0.75:
                self.wait_until_it_listens()
            if self.over.wait(dice.uniform(0.3, 7.0)):
                return
            self.kill()
            self.start()

    def wait_until_it_listens(self) -> None:
        while not self.sandbox.delivery.sockets.connected and not self.over.wait(0.05):
            pass


@pytest.mark.timeout(3600)
def test_kills_at_random_moments_lose_nothing_and_do_nothing_twice(tmp_path):
    write_demo_data(tmp_path / "data")
    (tmp_path / "shipmate.yaml").write_text(CATALOGUE.read_text())
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    victim = Victim(tmp_path, sandbox)
    victim.start()
    tormentor = threading.Thread(target=victim.torment, args=(random.Random(20261123),), daemon=True)
    tormentor.start()
    space = Workspace(sandbox.url)
    runs = 0
    try:
        while victim.kills < KILLS or runs == 0:
            retrain_once(space, runs)
            runs += 1
        assert_no_card_twice(space)
    finally:
        victim.over.set()
        tormentor.join(240)
        victim.process.terminate()
        victim.process.wait(240)
        space.close()
        sandbox.stop()
    assert victim.kills >= KILLS
    check_nothing_lost_or_doubled(tmp_path, runs)


def retrain_once(space, earlier):
    """One order to its end, by people who try again when Slack says that the app did not respond."""
    ana, ben = space.person("ana"), space.person("ben")
    until(
        lambda: cards(space, ben) > earlier or (space.try_type(f"/retrain {MODEL}", as_=ben, channel="#ml"), False)[1]
    )
    card = [message for message in space.messages("#ml", as_=ben) if is_card(message)][earlier]
    until(lambda: settled(space, card, ana))
    until(
        lambda: (
            "new champion" in space.message(card, as_=ben).plain or "gate did not" in space.message(card, as_=ben).plain
        )
    )
    until(lambda: len(ends(space, card, ben)) == 1)


def assert_no_card_twice(space):
    """A person who was told "operation_timeout" asks again, so there may be more orders than runs, never more cards."""
    shown = [message for message in space.messages("#ml", as_=space.person("ben")) if is_card(message)]
    run_ids = [message.plain.partition("Run ")[2].split()[0] for message in shown]
    assert len(run_ids) == len(set(run_ids))


def settled(space, card, ana):
    now = space.message(card, as_=ana)
    if now.button("Approve") is None:
        return True
    space.try_press(now, "Approve", as_=ana)
    return False


def cards(space, person):
    return len([message for message in space.messages("#ml", as_=person) if is_card(message)])


def is_card(message):
    return "Run " in message.plain and MODEL in message.plain


def ends(space, card, person):
    return [reply for reply in space.thread(card, as_=person) if reply.ts != card.ts]


def until(claim, seconds=600):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "the bot did not get there"
        time.sleep(0.5)


def check_nothing_lost_or_doubled(folder, runs):
    ledger = Ledger(f"sqlite:///{folder / 'shipmate.sqlite'}", SystemClock())
    rows = list(ledger.audit.rows())
    assert faults(rows) == []
    approved = [row.entry.detail["approval"] for row in rows if row.entry.action == "retrain approved"]
    assert len(approved) == len(set(approved)) == runs
    finished = ledger.retrains.recent(limit=10_000)
    assert {run.stage for run in finished if run.run_id in approved} <= {"registered", "gate failed"}
    assert {run.stage for run in finished if run.run_id not in approved} <= {"awaiting approval"}
    registered = [run for run in finished if run.stage == "registered"]
    registry = MlflowRegistry(f"sqlite:///{folder / 'mlflow.sqlite'}", "", str(folder / "mlflow-artifacts"))
    versions = registry.versions(MODEL, limit=10_000)
    assert sorted(version.run_id for version in versions) == sorted(run.run_id for run in registered)
    ledger.close()
