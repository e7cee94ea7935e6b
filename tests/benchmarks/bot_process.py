"""A bot in a process of its own, as in production, for programs that measure it from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.demo.run import CATALOGUE
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

PATIENCE_SECONDS = 60
SHIPMATE = ("-m", "bot", "serve")
PLAIN_BOLT = (str(Path(__file__).with_name("plain_bolt.py")),)


def prepare(folder: Path) -> None:
    """The demo's catalogue and data."""
    write_demo_data(folder / "data")
    (folder / "shipmate.yaml").write_text(CATALOGUE.read_text())


@contextmanager
def running(
    folder: Path,
    sandbox: SlackSandbox,
    program: Sequence[str] = SHIPMATE,
    python: str = sys.executable,
    more: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `program` by `python` with `more` settings, end it afterwards. What it says goes to `folder`/bot.log."""
    with (folder / "bot.log").open("wb") as log:
        settings = environment(folder, sandbox) | dict(more or {})
        process = subprocess.Popen([python, *program], env=settings, stdout=log, stderr=log)
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:  # plain Bolt waits for threads that hang
        process.kill()
        process.wait()


def wait_until_it_answers(space: Workspace, line: str = "/models") -> None:
    """Type `line` until it is acknowledged."""
    ben = space.person("ben")
    began = time.perf_counter()
    while not space.try_type(line, as_=ben, channel="#ml"):
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise SystemExit("the bot did not answer")
        time.sleep(0.05)


def environment(folder: Path, sandbox: SlackSandbox) -> dict[str, str]:
    """Of a bot that has only what it needs."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "SHIPMATE_DATA_DIR": str(folder),
        "SHIPMATE_CATALOGUE_PATH": str(folder / "shipmate.yaml"), "SHIPMATE_HTTP_PORT": "0",
        "SHIPMATE_LOG_LEVEL": "WARNING", "SLACK_API_URL": sandbox.api_url,
        "SLACK_BOT_TOKEN": sandbox.bot_token, "SLACK_APP_TOKEN": sandbox.app_token,
    }  # fmt: skip
