"""The model server as a process beside the bot, which ends with it."""

import json
import subprocess
import sys
from pathlib import Path

from bot.config import training_environment
from bot.demo.serving.order import ServingOrder
from pipelines.errors import Refused
from pipelines.json_values import to_json

STOP_SECONDS = 5


class ServingProcess:
    """Answers under `url` once it has started; 503 until the model is loaded. Its log is `folder`/serving.log."""

    def __init__(self, order: ServingOrder, folder: Path) -> None:
        self._order = order
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Raises Refused when the process ends at once."""
        with (self._folder / "serving.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.demo.serving"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=training_environment(), text=True,
            )  # fmt: skip
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(to_json(self._order)) + "\n")
        process.stdin.flush()
        told = process.stdout.readline()
        if not told:
            raise Refused(f"The demo's model server did not start. Its log: {self._folder / 'serving.log'}")
        self.url = f"http://127.0.0.1:{json.loads(told)['port']}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
