"""One digest a slot, whoever is running, and whoever is killed: real processes, on SQLite and on Postgres."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy

from bot.app import registered_manifest
from bot.clients.ledger_database import Database
from bot.clients.ledger_tables import digest_marks, postings
from bot.clients.mlflow import MlflowRegistry
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

REPLICA = Path(__file__).with_name("digest_replica.py")
CATALOGUE = Path(__file__).parents[2] / "bot" / "demo" / "shipmate.yaml"
DIGESTS = "\ntime_zone: Europe/Berlin\ndigests:\n  ml: {when: daily 09:00}\n  ops: {when: daily 12:30 Asia/Kathmandu}\n"


@dataclass
class Fleet:
    """Replicas over one database and one workspace; `at` moves the clock of all of them."""

    folder: Path
    database_url: str
    sandbox: SlackSandbox
    space: Workspace
    running: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    def at(self, text: str) -> None:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()
        (self.folder / "clock.new").write_text(moment)
        (self.folder / "clock.new").replace(self.folder / "clock")

    def start(self, *names: str) -> None:
        for name in names:
            (self.folder / name).mkdir(exist_ok=True)
            asked = {"clock": str(self.folder / "clock"), "settings": self.settings(name)}
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [sys.executable, str(REPLICA), json.dumps(asked)], stdout=subprocess.PIPE, stderr=log, text=True
                )
        for name in names:
            said = self.running[name].stdout.readline()
            assert said, f"{name} did not start:\n{(self.folder / f'{name}.log').read_text()[-3000:]}"
            while said != "started\n":
                said = self.running[name].stdout.readline()

    def begin(self, *names: str) -> None:
        """Start them, and let one look at the clock: what is in the catalogue counts from there on."""
        self.start(*names)
        self.wait_for_rows(digest_marks, 2)

    def settings(self, name: str) -> dict[str, str]:
        shared = {
            "slack_bot_token": self.sandbox.bot_token, "slack_app_token": self.sandbox.app_token,
            "slack_api_url": self.sandbox.api_url, "catalogue_path": str(self.folder / "shipmate.yaml"),
            "executor_id": name, "data_dir": str(self.folder / name),
            "mlflow_tracking_uri": f"sqlite:///{self.folder / 'mlflow.sqlite'}", "database_url": self.database_url,
        }  # fmt: skip
        durable = f"sqlite:///{self.folder / 'durable.sqlite'}"
        return shared | ({"durable_database_url": durable} if self.database_url.startswith("sqlite") else {})

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()

    def kill_before_the_answer(self, name: str, slot: str) -> None:
        """Its digest of this slot comes in at Slack, it is killed, and then the digest stands in the channel."""
        came, go_on = threading.Event(), threading.Event()
        faults = self.sandbox.faults
        real = faults.strike

        async def strike(method: str) -> None:
            if method == "chat.postMessage":
                came.set()
                while not go_on.is_set():
                    await asyncio.sleep(0.05)
            await real(method)

        faults.strike = strike
        self.at(slot)
        assert came.wait(120)
        self.kill(name)
        faults.strike = real
        go_on.set()
        self.wait_for(1)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(120)
            process.stdout.close()

    def digests(self, channel: str = "#ml") -> list[str]:
        seen = self.space.messages(channel, as_=self.space.person("ana"))
        return [one.plain for one in seen if one.text.startswith("Digest")]

    def wait_for(self, count: int, channel: str = "#ml") -> None:
        self.space.wait_until(lambda: len(self.digests(channel)) >= count)

    def rows(self, table: sqlalchemy.Table) -> int:
        """How many messages were intended, or channels begun."""
        with closing(Database(self.database_url)) as database, database.reading() as connection:
            found = connection.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table))
            return found.scalar_one()

    def wait_for_rows(self, table: sqlalchemy.Table, count: int) -> None:
        self.space.wait_until(lambda: self.rows(table) >= count)


@pytest.fixture(scope="module")
def empty_registry(tmp_path_factory):
    """A registry's database with its tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("registry") / "mlflow.sqlite"
    MlflowRegistry(f"sqlite:///{path}", "", "").warm()
    return path


@pytest.fixture
def fleet(request, tmp_path, empty_registry):
    """On SQLite for a process alone, on Postgres for several."""
    on_postgres = getattr(request, "param", "") == "postgres"
    path = tmp_path / "ledger.sqlite"
    database_url = request.getfixturevalue("fresh_postgres_url") if on_postgres else f"sqlite:///{path}"
    shutil.copyfile(empty_registry, tmp_path / "mlflow.sqlite")
    (tmp_path / "shipmate.yaml").write_text(CATALOGUE.read_text() + DIGESTS)
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    space = Workspace(sandbox.url)
    made = Fleet(tmp_path, database_url, sandbox, space)
    made.at("2026-03-28T07:00:00")
    yield made
    made.stop()
    space.close()
    sandbox.stop()


def two_ticks_more():
    """Long enough for every replica to look at the clock again, and to post if it were to."""
    time.sleep(12)  # two ticks, and some


@pytest.mark.parametrize("fleet", ["postgres"], indirect=True)
def test_two_replicas_post_one_digest_a_slot(fleet):
    fleet.begin("shipmate-0", "shipmate-1")
    fleet.at("2026-03-28T08:00:00")
    fleet.wait_for(1)
    fleet.at("2026-03-29T07:00:00")  # the day on which the clocks are set
    fleet.wait_for(2)
    fleet.wait_for(1, "#ops")
    two_ticks_more()
    assert len(fleet.digests()) == 2
    assert len(fleet.digests("#ops")) == 1
    assert not any("missed" in digest for digest in fleet.digests())


@pytest.mark.parametrize("fleet", ["postgres"], indirect=True)
def test_a_replica_that_is_killed_leaves_the_next_slot_to_the_other(fleet):
    fleet.begin("shipmate-0", "shipmate-1")
    fleet.at("2026-03-28T08:00:00")
    fleet.wait_for(1)
    fleet.kill("shipmate-0")
    fleet.at("2026-03-29T07:00:00")
    fleet.wait_for(2)
    fleet.start("shipmate-0")
    two_ticks_more()
    assert len(fleet.digests()) == 2


def test_a_process_that_is_restarted_around_the_slot_posts_one_digest(fleet):
    fleet.begin("shipmate-0")
    fleet.kill("shipmate-0")
    fleet.at("2026-03-28T08:30:00")
    fleet.start("shipmate-0")
    fleet.wait_for(1)
    fleet.kill("shipmate-0")
    fleet.start("shipmate-0")
    two_ticks_more()
    assert len(fleet.digests()) == 1


def test_a_digest_that_went_out_just_before_the_kill_is_not_posted_again(fleet):
    fleet.begin("shipmate-0")
    fleet.kill_before_the_answer("shipmate-0", "2026-03-28T08:00:00")
    fleet.start("shipmate-0")
    two_ticks_more()
    (digest,) = fleet.digests()
    assert "missed" not in digest


def test_a_digest_that_was_intended_but_did_not_go_out_is_posted_after_the_start(fleet):
    fleet.begin("shipmate-0")
    fleet.space.switch(fail={"method": "chat.postMessage", "drop": True, "times": 10_000})
    fleet.at("2026-03-28T08:00:00")
    fleet.wait_for_rows(postings, 1)
    fleet.kill("shipmate-0")
    fleet.space.switch(fail={"method": "chat.postMessage", "drop": True, "times": 0})
    assert fleet.digests() == []
    fleet.start("shipmate-0")
    fleet.wait_for(1)
    two_ticks_more()
    assert len(fleet.digests()) == 1


def test_a_digest_that_went_out_is_not_called_missed_however_late_the_start(fleet):
    fleet.begin("shipmate-0")
    fleet.kill_before_the_answer("shipmate-0", "2026-03-28T08:00:00")
    fleet.at("2026-03-29T07:00:00")
    fleet.start("shipmate-0")
    fleet.wait_for(2)
    assert not any("missed" in digest for digest in fleet.digests())
