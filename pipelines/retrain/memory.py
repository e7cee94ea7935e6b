"""Keeps the training process within its memory, and says so when it cannot.

The resident set is watched rather than the address space limited: Arrow and OpenMP reserve gigabytes of addresses
that they never touch, and fail by aborting when they do not get them.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil

LOOK_EVERY_SECONDS = 0.05
MEGABYTE = 1 << 20


class MemoryWatch:
    """Calls `on_excess` once, from its own thread, as soon as this process holds more than the limit."""

    def __init__(self, limit_mb: int, on_excess: Callable[[], None]) -> None:
        self._limit_mb = limit_mb
        self._on_excess = on_excess
        self._process = psutil.Process()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory-watch", daemon=True)
        self._seen_mb = 0.0

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def peak_mb(self) -> float:
        """The most that this process ever held, from the kernel where it says so, else the most that was seen."""
        return round(max(self._seen_mb, _kernel_peak_mb()), 1)

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_SECONDS):
            held = self._process.memory_info().rss / MEGABYTE
            self._seen_mb = max(self._seen_mb, held)
            if held > self._limit_mb:
                self._on_excess()
                return


def excess_sentence(model: str, limit_mb: int) -> str:
    """What happened, and what to write."""
    enough = -(-limit_mb * 2 // 1024) * 1024
    return (
        f"Training {model} took more than the {limit_mb:,} MB that the catalogue allows, and was stopped. "
        f"Write `memory_limit_mb: {enough}` for {model} in the catalogue, drop columns, or train on fewer rows."
    )


def _kernel_peak_mb() -> float:
    # Not getrusage: a child's ru_maxrss begins with what its parent held when it forked.
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0
