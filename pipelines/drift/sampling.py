"""Which inference records are kept with their features: a bounded sample in which newer ones are likelier.

Every record has a rank of its own, its moment in units of LASTING plus a Gumbel number drawn by its id, and the
highest ranks stay: exponentially decaying weights (Cormode, Shkapenyuk, Srivastava and Xu 2009, "Forward decay";
Efraimidis and Spirakis 2006). So the sample is the same whatever came first, and a record that comes twice has one
chance. Of a stream of any speed as many rows stay of the last day; the older they are, the fewer.
"""

import hashlib
import heapq
import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from pipelines.drift.records import InferenceRecord, counted_at

LASTING = timedelta(days=7)
# A longer text is no category that a model goes by.
LONGEST_TEXT = 200
_written = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class RowLimit:
    """How much of a model's records is kept; no `rows` is none with their features.

    `remembered` records are known by their ids, so that each counts once and meets its label.
    """

    rows: int = 5_000
    bytes: int = 10_000_000
    age: timedelta = timedelta(days=30)
    remembered: int = 2_000_000


@dataclass(frozen=True, slots=True)
class KeptRow:
    """`body` is the JSON object of the features."""

    record_id: str
    version: str
    at: datetime
    rank: float
    body: str


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """What was asked, what the version said, and what came true; both as texts."""

    record_id: str
    at: datetime
    features: Mapping[str, Any]
    prediction: str
    label: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Numbers of rows: those to train on, and those to be tested on."""

    train: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CountedAs:
    """The registry's version that a record counts for, and the columns it was trained on: no other field is kept."""

    version: str
    columns: Collection[str]


@dataclass
class Floors:
    """The ranks below which the store keeps nothing, by model, as far as is known: they spare it most rows."""

    known: dict[str, float] = field(default_factory=dict)

    def above(
        self, model: str, records: Iterable[InferenceRecord], counted: Callable[[InferenceRecord], CountedAs],
        now: datetime, limit: RowLimit,
    ) -> list[KeptRow]:  # fmt: skip
        """What is worth keeping of `records`, received `now`; only those with an answer can be compared with one."""
        floor, oldest = self.known.get(model, -math.inf), now - limit.age
        found = []
        for one in records:
            at = counted_at(one.at, now)
            if one.prediction is not None and at >= oldest:
                rank = rank_of(model, one.id, at)
                if rank > floor:
                    found.append((rank, at, one))
        if len(found) > limit.rows:
            found = heapq.nlargest(limit.rows, found, key=itemgetter(0))
        return [_row(rank, at, one, counted(one)) for rank, at, one in found]


def rank_of(model: str, record_id: str, at: datetime) -> float:
    """Larger ranks stay longer; the same in every process."""
    digest = hashlib.blake2b(f"{model}/{record_id}".encode(errors="replace"), digest_size=8).digest()
    # 52 bits: with more of them the largest share would round to 1, whose logarithm has none.
    share = ((int.from_bytes(digest, "big") >> 12) + 0.5) / 2**52
    gumbel = -math.log(-math.log(share))
    return at.timestamp() / LASTING.total_seconds() + gumbel


def _row(rank: float, at: datetime, record: InferenceRecord, counted: CountedAs) -> KeptRow:
    known = {name: _plain(record.features.get(name)) for name in counted.columns}
    body = _written({name: value for name, value in known.items() if value is not None})
    return KeptRow(record.id, counted.version, at, rank, body)


def _plain(value: Any) -> Any:
    """A value as JSON knows it; what a model cannot read is missing."""
    if isinstance(value, bool | int | str):
        return value if not isinstance(value, str) or len(value) <= LONGEST_TEXT else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _plain(float(value))
    return value.isoformat() if isinstance(value, date) else None
