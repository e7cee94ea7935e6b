"""Gives the store of rows what is worth its while, within the limits of the catalogue."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from pipelines.drift.ports import Outcomes, Rows
from pipelines.drift.records import InferenceRecord
from pipelines.drift.sampling import CountedAs, Floors, RowLimit
from pipelines.errors import Unavailable

# A limit may be passed by this share before it is looked at: counting millions takes a moment.
SLACK = 0.02
LEAST_SLACK = 1_000

log = logging.getLogger("pipelines.drift")


class RowSample:
    """Keeps some of the records with their features; `limits` are by model, and models without one keep none."""

    def __init__(self, rows: Rows, limits: Mapping[str, RowLimit]) -> None:
        self._rows = rows
        self._limits = {model: limit for model, limit in limits.items() if limit.rows}
        self._floors = Floors()

    def keep(
        self, model: str, records: Iterable[InferenceRecord], counted: Callable[[InferenceRecord], CountedAs],
        now: datetime,
    ) -> None:  # fmt: skip
        """In the transaction of the records themselves, where there is one."""
        limit = self._limits.get(model)
        if limit is None:
            return
        kept = self._floors.above(model, records, counted, now, limit)
        if kept:
            # Whoever was below stays below until room is made by forgetting.
            floor = self._rows.keep(model, kept, limit)
            self._floors.known[model] = max(floor, self._floors.known.get(model, -math.inf))

    def forget(self, now: datetime) -> int:
        """Drop what is too old, and all of models that keep nothing any more."""
        self._floors.known.clear()
        return self._rows.forget({model: now - limit.age for model, limit in self._limits.items()})


class OutcomeLimit:
    """Has the oldest records forgotten where a model has more of them than the catalogue wants."""

    def __init__(self, outcomes: Outcomes, limits: Mapping[str, RowLimit]) -> None:
        self._outcomes = outcomes
        self._limits = limits
        self._added: dict[str, int] = {}

    def added(self, model: str, rows: int) -> None:
        """So many came. They are stored: where no others can be dropped now, it is done later."""
        limit = self._limits.get(model)
        self._added[model] = self._added.get(model, 0) + rows
        if limit is None or self._added[model] < max(LEAST_SLACK, SLACK * limit.remembered):
            return
        try:
            self._trim(model, limit)
        except Unavailable as outage:
            log.warning("old records of %s were not forgotten: %s", model, outage)

    def trim(self) -> None:
        """Of all models, whoever else stored records of them."""
        for model, limit in self._limits.items():
            self._trim(model, limit)

    def _trim(self, model: str, limit: RowLimit) -> None:
        gone = self._outcomes.trim(model, limit.remembered)
        self._added[model] = 0
        if gone:
            log.info("the oldest %s records of %s were forgotten", f"{gone:,}", model)
