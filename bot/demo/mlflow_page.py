"""MLflow's own page over the demo's registry, as a process beside the bot that ends with it."""

import ctypes
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from bot.config import training_environment

PR_SET_PDEATHSIG = 1  # prctl(2): the kernel ends the child when we are killed, also by kill -9
STOP_SECONDS = 5
LEAN = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # halves its memory; the page needs no jobs


class MlflowPage:
    """`mlflow server` over the SQLite store in `folder`. It takes a few seconds to answer; nothing waits for it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with (self._folder / "mlflow.log").open("ab") as log:
            self._process = self._launch(log)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _launch(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port),
            "--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.sqlite'}", "--workers", "1",
            "--default-artifact-root", str(self._folder / "mlflow-artifacts"),
        ]  # fmt: skip
        environment = training_environment() | LEAN
        return subprocess.Popen(  # noqa: S603
            command, stdout=log, stderr=log, env=environment, preexec_fn=_end_with_parent
        )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
