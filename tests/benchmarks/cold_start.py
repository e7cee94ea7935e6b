"""From nothing to the first answered command, in a process of its own: seconds, CPU seconds, memory.

.venv/bin/python tests/benchmarks/cold_start.py
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bot.app import registered_manifest
from bot.demo.run import CATALOGUE
from bot.demo_data import write_demo_data
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

RUNS = 5
PATIENCE_SECONDS = 60


def main() -> None:
    """Print a row a run; the first warms the disk."""
    sys.stdout.write(
        "| run | until first answer s | CPU s | RSS MB | RSS after 60 s of rest MB |\n|---|---|---|---|---|\n"
    )
    for run in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            sys.stdout.write(f"| {run + 1} | {' | '.join(once(Path(folder), rest=run == RUNS - 1))} |\n")


def once(folder: Path, rest: bool) -> list[str]:
    write_demo_data(folder / "data")
    (folder / "shipmate.yaml").write_text(CATALOGUE.read_text())
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    space = Workspace(sandbox.url)
    ben = space.person("ben")
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "bot", "serve"], env=environment(folder, sandbox))
    try:
        while not space.try_type("/models", as_=ben, channel="#ml"):
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise SystemExit("the bot did not answer")
            time.sleep(0.05)
        space.wait_for_ephemeral(containing="Champion", as_=ben, channel="#ml")
        seconds = time.perf_counter() - began
        victim = psutil.Process(process.pid)
        used = victim.cpu_times()
        row = [f"{seconds:.2f}", f"{used.user + used.system:.2f}", f"{victim.memory_info().rss / 2**20:.0f}"]
        if rest:
            time.sleep(60)
        return [*row, f"{victim.memory_info().rss / 2**20:.0f}" if rest else ""]
    finally:
        process.terminate()
        process.wait(60)
        sandbox.stop()


def environment(folder: Path, sandbox: SlackSandbox) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "SHIPMATE_DATA_DIR": str(folder),
        "SHIPMATE_CATALOGUE_PATH": str(folder / "shipmate.yaml"), "SHIPMATE_HTTP_PORT": "0",
        "SHIPMATE_LOG_LEVEL": "WARNING", "SLACK_API_URL": sandbox.api_url,
        "SLACK_BOT_TOKEN": sandbox.bot_token, "SLACK_APP_TOKEN": sandbox.app_token,
    }  # fmt: skip


if __name__ == "__main__":
    main()
