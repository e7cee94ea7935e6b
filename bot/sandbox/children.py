"""Processes that stand for a pod or a workflow run: started on this machine, ended with all that they started."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress


class Child:
    """`seconds` is how long it may run, `grace_seconds` how long SIGTERM is given before SIGKILL."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], seconds: float, grace_seconds: float = 5.0
    ) -> None:
        self.started_at = time.time()
        self._deadline = time.monotonic() + seconds
        self._grace_seconds = grace_seconds
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self.exceeded = False
        self._process = subprocess.Popen(  # noqa: S603
            list(command), env=dict(environment), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip

    def exit_code(self) -> int | None:
        """None while it runs; looking ends what ran too long."""
        if self._process.poll() is None and time.monotonic() > self._deadline and not self.exceeded:
            self.exceeded = True
            self.end()
        return self._process.poll()

    def log(self) -> str:
        self._log.flush()
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")

    def end(self) -> None:
        """Returns at once; it is gone after the grace period at the latest."""
        self._signal(signal.SIGTERM)
        killer = threading.Timer(self._grace_seconds, self._signal, (signal.SIGKILL,))
        killer.daemon = True
        killer.start()

    def close(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)
