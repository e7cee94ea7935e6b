"""From nothing to the first answered command, in a process of its own: seconds, CPU seconds, memory.

    .venv/bin/python tests/benchmarks/cold_start.py .venv-bot/bin/python

The Python that is named runs the bot; .venv-bot (`make bench` makes it) holds exactly what the image `bot` holds, which
is the bot without the trainer. The first start in a folder makes the databases, MLflow's by its own migrations.
"""

import sys
import tempfile
import time
from pathlib import Path

import psutil
from bot_process import prepare, running, wait_until_it_answers

from bot.app import registered_manifest
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Someone, Workspace

FOLDERS = 3
STARTS = ("first", "second", "third")


def main(python: str) -> None:
    """Print a row a start."""
    sys.stdout.write(
        "| start in a folder | until first answer s | CPU s | RSS MB | RSS after 60 s of rest MB |\n"
        "|---|---|---|---|---|\n"
    )
    for number in range(FOLDERS):
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder))
            for start in STARTS:
                rest = number == FOLDERS - 1 and start == STARTS[-1]
                sys.stdout.write(f"| {start} | {' | '.join(once(Path(folder), python, rest))} |\n")


def once(folder: Path, python: str, rest: bool) -> list[str]:
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    space = Workspace(sandbox.url)
    ben = space.person("ben")
    known = len(space.ephemerals(as_=ben, channel="#ml"))
    began = time.perf_counter()
    try:
        with running(folder, sandbox, python=python) as process:
            wait_until_it_answers(space)
            space.wait_until(lambda: answered(space, ben, known), seconds=30)
            return measured(psutil.Process(process.pid), time.perf_counter() - began, rest)
    finally:
        sandbox.stop()


def answered(space: Workspace, ben: Someone, known: int) -> bool:
    """Whether a new answer with the models is there; notices of commands that nobody took came before it."""
    new = space.ephemerals(as_=ben, channel="#ml")[known:]
    return any("Champion" in told.plain for told in new)


def measured(bot: psutil.Process, seconds: float, rest: bool) -> list[str]:
    used = bot.cpu_times()
    row = [f"{seconds:.2f}", f"{used.user + used.system:.2f}", f"{bot.memory_info().rss / 2**20:.0f}"]
    if rest:
        time.sleep(60)
    return [*row, f"{bot.memory_info().rss / 2**20:.0f}" if rest else ""]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sys.executable)
