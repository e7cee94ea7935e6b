"""200 slash commands at once: how soon each is acknowledged, by Shipmate and by plain Bolt, in one run.

    .venv/bin/python tests/benchmarks/acknowledge.py

Each bot is a process of its own. The workspace sends all commands from one turn of its event loop and notes when the
acknowledgement of each comes back, so the time is that of the bot and the wire, with the commands' work beside it.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bot_process import PLAIN_BOLT, SHIPMATE, prepare, running, wait_until_it_answers

from bot.app import registered_manifest
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace

COMMANDS = 200
ROUNDS = 3
REST_SECONDS = 6.0  # until the work behind the last round is done


def main() -> None:
    """Print a row a bot and round."""
    sys.stdout.write("| bot | round | acknowledged | timed out | median s | slowest s |\n|---|---|---|---|---|---|\n")
    for name, program in (("Shipmate", SHIPMATE), ("plain Bolt, 2 s of work after ack()", PLAIN_BOLT)):
        with tempfile.TemporaryDirectory() as folder:
            for number, seconds in enumerate(storms(Path(folder), program), start=1):
                answered = [second for second in seconds if second is not None]
                median = f"{statistics.median(answered):.2f}" if answered else "–"
                slowest = f"{max(answered):.2f}" if answered else "–"
                missed = len(seconds) - len(answered)
                sys.stdout.write(f"| {name} | {number} | {len(answered)} | {missed} | {median} | {slowest} |\n")


def storms(folder: Path, program: tuple[str, ...]) -> list[list[float | None]]:
    prepare(folder)
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest())
    sandbox.start()
    try:
        with running(folder, sandbox, program):
            wait_until_it_answers(Workspace(sandbox.url))
            return [storm(sandbox) for _ in range(ROUNDS)]
    finally:
        sandbox.stop()


def storm(sandbox: SlackSandbox) -> list[float | None]:
    """Seconds from a frame to its acknowledgement; None where Slack would have given up after three."""
    time.sleep(REST_SECONDS)
    channel = next(found["id"] for found in sandbox.world.channels.values() if found.get("name") == "ml")

    async def once() -> float | None:
        began = time.perf_counter()
        answer = await sandbox.acts.command("U0BEN", channel, "/models")
        return time.perf_counter() - began if answer["ok"] else None

    found: list[float | None] = sandbox.on_loop(lambda: asyncio.gather(*(once() for _ in range(COMMANDS))))
    return found


if __name__ == "__main__":
    main()
