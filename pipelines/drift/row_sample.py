"""Gives the store of rows what is worth its while, within the limits of the catalogue."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from pipelines.drift.ports import Rows
from pipelines.drift.sampling import Asked, Floors, RowLimit
from pipelines.errors import Unavailable

log = logging.getLogger("pipelines.drift")


class RowSample:
    """Keeps some of the records with their features; `limits` are by model, and models without one keep none."""

    def __init__(self, rows: Rows, limits: Mapping[str, RowLimit]) -> None:
        self._rows = rows
        self._limits = {model: limit for model, limit in limits.items() if limit.rows}
        self._floors = Floors()

    def keep(self, model: str, asked: Iterable[Asked], now: datetime) -> None:
        """The records themselves are stored already: where the sample cannot be written, it does without them."""
        limit = self._limits.get(model)
        if limit is None:
            return
        kept = self._floors.above(model, asked, now - limit.age)
        if not kept:
            return
        try:
            self._floors.known[model] = self._rows.keep(model, kept, limit)
        except Unavailable as outage:
            log.warning("rows of %s were not sampled: %s", model, outage)

    def forget(self, now: datetime) -> int:
        """Drop what is too old, and all of models that keep nothing any more."""
        self._floors.known.clear()
        return self._rows.forget({model: now - limit.age for model, limit in self._limits.items()})
