"""What became of recent applications, as a table to train on: the pipeline that a bank has beside its model."""

import os
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.demo.clock import HOUR, hour_of

# A table of the last hours; more where these hold too few rows to train on.
HOURS = 6
LEAST_ROWS = 800
MOST_HOURS = 24 * 14


class LabelledRows:
    """Keeps the rows of the last hours, and writes those of the last HOURS to `path` once an hour, whole or not at all.

    `held` says when the table must stay as it is: between a plan and its end.
    """

    def __init__(self, path: Path, held: Callable[[], bool]) -> None:
        self._path = path
        self._held = held
        self._turn = threading.Lock()
        self._rows: deque[tuple[datetime, Any]] = deque()
        self._published: datetime | None = None

    def add(self, moment: datetime, rows: Any) -> None:
        with self._turn:
            self._rows.append((moment, rows))
            while self._rows[0][0] < moment - MOST_HOURS * HOUR:
                self._rows.popleft()

    def publish(self, moment: datetime) -> bool:
        """Write the table unless it is of this hour already; answers whether it did."""
        hour = hour_of(moment)
        if self._published == hour or not self._rows or self._held():
            return False
        import pandas as pd

        with self._turn:
            recent = [rows for at, rows in self._rows if at >= hour - HOURS * HOUR]
        if sum(map(len, recent)) < LEAST_ROWS:
            return False
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        pd.concat(recent, ignore_index=True).to_csv(unfinished, index=False)
        unfinished.replace(self._path)
        self._published = hour
        return True
