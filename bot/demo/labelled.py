"""What became of recent applications, as a table to train on: the pipeline that a bank has beside its model."""

import os
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.demo.clock import HOUR, hour_of

# What is trained on: young enough that, hours after a change, it holds nothing from before.
SPAN = timedelta(hours=2, minutes=30)
LEAST_ROWS = 500
# Where traffic is slower, as on a busy machine, older rows stay: a table that never came would be that of before.
KEPT_ROWS = 600


class LabelledRows:
    """Writes the rows of the last SPAN to `path` once an hour, at half past, whole or not at all.

    They are no fewer than KEPT_ROWS where there are as many. `held` says when the table must stay as it is: from the
    plan of a run, which is bound to its data, to the run's end.
    """

    def __init__(self, path: Path, held: Callable[[], bool]) -> None:
        self._path = path
        self._held = held
        self._rows: deque[tuple[datetime, Any]] = deque()
        self._count = 0
        self._published: datetime | None = None

    def add(self, moment: datetime, rows: Any) -> None:
        """Rows of this moment with their outcomes, in the order of time."""
        self._rows.append((moment, rows))
        self._count += len(rows)
        while self._rows[0][0] < moment - SPAN and self._count - len(self._rows[0][1]) >= KEPT_ROWS:
            self._count -= len(self._rows.popleft()[1])

    def publish(self, moment: datetime) -> bool:
        """Write the table where it is due; answers whether it did."""
        # Drift is looked for at the full hour, so a plan drawn then is half an hour from the next change.
        hour = hour_of(moment - HOUR / 2)
        if self._published == hour or self._count < LEAST_ROWS or self._held():
            return False
        import pandas as pd

        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        pd.concat([rows for _, rows in self._rows], ignore_index=True).to_csv(unfinished, index=False)
        unfinished.replace(self._path)
        self._published = hour
        return True
