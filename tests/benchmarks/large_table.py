"""A retrain of a CSV file of 1 GB: what the bot and its training child need, and what people are told.

    .venv/bin/python tests/benchmarks/large_table.py

Run with a generous and with a tight memory limit of the catalogue.
"""

import csv
import random
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from bot_process import prepare, running, wait_until_it_answers

from bot.app import registered_manifest
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Seen, Workspace

BYTES = 1_000_000_000
LIMITS_MB = (8192, 2048)
PATIENCE_SECONDS = 1500
ENDED = re.compile(r"is the new champion|failed|did not pass|stopped")


class Peaks:
    """The largest resident memory of a process and of its children, in MB."""

    def __init__(self, pid: int) -> None:
        self.bot = self.child = 0.0
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.bot = max(self.bot, self._process.memory_info().rss / 2**20)
            for child in self._process.children(recursive=True):
                try:
                    self.child = max(self.child, child.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue


def main() -> None:
    """Print a row a limit."""
    sys.stdout.write("| limit MB | seconds | bot peak MB | training peak MB | ended with |\n|---|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        write_table(folder / "data" / "churn.csv")
        for limit in LIMITS_MB:
            sys.stdout.write(f"| {limit} | {' | '.join(once(folder, limit))} |\n")
            sys.stdout.flush()


def write_table(path: Path) -> None:
    """The demo's own rows again and again, with a number moved a little, until the file is large enough."""
    with path.open(newline="") as stream:
        head, *rows = list(csv.reader(stream))
    dice = random.Random(7)
    position = head.index("monthly_charges")
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(head)
        while stream.tell() < BYTES:
            for row in rows:
                moved = list(row)
                if moved[position].replace(".", "", 1).isdigit():
                    moved[position] = f"{float(moved[position]) * dice.uniform(0.98, 1.02):.2f}"
                writer.writerow(moved)


def once(folder: Path, limit: int) -> list[str]:
    catalogue = folder / "shipmate.yaml"
    catalogue.write_text(re.sub(r"memory_limit_mb: \d+", f"memory_limit_mb: {limit}", catalogue.read_text()))
    sandbox = SlackSandbox(folder / f"slack-{limit}.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    space = Workspace(sandbox.url)
    ana, ben = space.person("ana"), space.person("ben")
    try:
        with running(folder, sandbox) as process:
            wait_until_it_answers(space)
            peaks = Peaks(process.pid)
            began = time.perf_counter()
            space.type("/retrain churn", as_=ben, channel="#ml")
            card = space.wait_for_message("#ml", containing="Retrain churn?", as_=ben, seconds=120)
            space.press(card, "Approve", as_=ana)
            told = outcome(space)
            seconds = time.perf_counter() - began
            peaks.stop()
            return [f"{seconds:.0f}", f"{peaks.bot:.0f}", f"{peaks.child:.0f}", told]
    finally:
        sandbox.stop()


def outcome(space: Workspace) -> str:
    ben = space.person("ben")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        messages: list[Seen] = space.messages("#ml", as_=ben)
        if ENDED.search(messages[-1].plain):
            return " ".join(messages[-1].plain.split())[:200]
        time.sleep(1)
    return "nothing within the time"


if __name__ == "__main__":
    main()
