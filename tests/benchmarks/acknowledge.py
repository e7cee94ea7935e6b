"""200 slash commands at once: how soon each is acknowledged, by Shipmate and by plain Bolt, in one run.

    .venv/bin/python tests/benchmarks/acknowledge.py

Plain Bolt is `App()` as its documentation starts it, with a listener that acknowledges and then works two seconds.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.app import build_bot, registered_manifest
from bot.catalogue import load_catalogue
from bot.config import prepare_environment
from bot.demo.run import CATALOGUE, demo_settings
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

COMMANDS = 200
WORK_SECONDS = 2.0


def main() -> None:
    """Print a row for each of the two."""
    sys.stdout.write("| bot | acknowledged | timed out | median s | slowest s |\n|---|---|---|---|---|\n")
    for name, running in (("Shipmate", shipmate), ("plain Bolt, 2 s of work after ack()", plain_bolt)):
        with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as sandbox:
            seconds = storm(sandbox)
        answered = [second for second in seconds if second is not None]
        slowest = f"{max(answered):.2f}" if answered else "–"
        median = f"{statistics.median(answered):.2f}" if answered else "–"
        sys.stdout.write(f"| {name} | {len(answered)} | {len(seconds) - len(answered)} | {median} | {slowest} |\n")


def storm(sandbox: SlackSandbox) -> list[float | None]:
    """All commands at the same moment; the sandbox's own measure from sending the frame to its ack, None for none."""
    space = Workspace(sandbox.url)
    ben = space.person("ben")
    barrier = threading.Barrier(COMMANDS)

    def once(_number: int) -> float | None:
        barrier.wait()
        began = time.perf_counter()
        return time.perf_counter() - began if space.try_type("/models", as_=ben, channel="#ml") else None

    with ThreadPoolExecutor(COMMANDS) as crowd:
        return list(crowd.map(once, range(COMMANDS)))


@contextmanager
def shipmate(folder: Path) -> Iterator[SlackSandbox]:
    write_demo_data(folder / "data")
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    settings = demo_settings(folder, sandbox, "")
    prepare_environment(settings)
    bot = build_bot(settings, load_catalogue(CATALOGUE, folder))
    bot.start()
    try:
        yield sandbox
    finally:
        bot.stop()
        sandbox.stop()


@contextmanager
def plain_bolt(folder: Path) -> Iterator[SlackSandbox]:
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    app = App(client=WebClient(sandbox.bot_token, base_url=sandbox.api_url))

    @app.command("/models")
    def models(ack):
        ack()
        time.sleep(WORK_SECONDS)

    handler = SocketModeHandler(app, sandbox.app_token)
    handler.connect()
    try:
        yield sandbox
    finally:
        handler.close()
        sandbox.stop()


if __name__ == "__main__":
    main()
