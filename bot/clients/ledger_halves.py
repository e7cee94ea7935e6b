"""Keeps Halves: requests and responses whose other half has not come yet, of all processes."""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database
from pipelines.drift.events import Half
from pipelines.drift.joining import Pair

# Both databases take at most some tens of thousands of values in one statement.
IDS_AT_ONCE = 500
# Of JSON; as objects some five times that.
OWN_BYTES = 4_000_000

_column = tables.drift_halves.c
_stored = select(_column.model, _column.id, _column.is_request, _column.at, _column.body)
_wanted = (_column.model == bindparam("model")) & _column.id.in_(bindparam("ids", expanding=True))
_of_model = _stored.where(_wanted)
_stored_of = select(_column.id, _column.is_request).where(_wanted)
_drop = delete(tables.drift_halves).where(_column.model == bindparam("m"), _column.id == bindparam("i"))


class HalfRows:
    """One row an id: a second half never waits beside the first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own = _OwnHalves()

    def meet(self, halves: Sequence[Half], received: datetime) -> tuple[Sequence[Pair], int]:
        with self._database.writing() as connection:
            known = {half.key: half for half in self._known(connection, halves)}
            pairs = [
                Pair(known[half.key], half)
                for half in halves
                if half.key in known and known[half.key].is_request != half.is_request
            ]
            fresh = [half for half in halves if half.key not in known]
            if fresh:
                connection.execute(tables.drift_halves.insert(), [_row(half, received) for half in fresh])
                self._own.add(fresh)
            _remove(connection, [pair.first for pair in pairs])
            return pairs, len(fresh)

    def let_go(self, most: int, before: datetime | None = None) -> Sequence[Half]:
        oldest = _stored.order_by(_column.received).limit(most)
        if before is not None:
            oldest = oldest.where(_column.received < before.timestamp())
        with self._database.writing() as connection:
            gone = [_half(row) for row in connection.execute(oldest)]
            _remove(connection, gone)
            return gone

    def waiting(self) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(tables.drift_halves)).scalar_one()

    def _known(self, connection: Connection, halves: Sequence[Half]) -> Iterator[Half]:
        """Those that are stored under these ids, read only where this process has not stored them itself."""
        for model, ids in _ids_by_model(halves):
            elsewhere = []
            for row in connection.execute(_stored_of, {"model": model, "ids": ids}):
                own = self._own.taken((model, row.id))
                if own is not None and own.is_request == row.is_request:
                    yield own
                else:
                    elsewhere.append(row.id)
            if elsewhere:
                yield from map(_half, connection.execute(_of_model, {"model": model, "ids": elsewhere}))


class _OwnHalves:
    """What this process stored last, as it came: most halves meet within milliseconds, and need not be read again."""

    def __init__(self) -> None:
        self._halves: dict[tuple[str, str], Half] = {}
        self._bytes = 0

    def add(self, halves: Sequence[Half]) -> None:
        for half in halves:
            if half.text and half.key not in self._halves:
                self._halves[half.key] = half
                self._bytes += len(half.text)
        while self._bytes > OWN_BYTES:
            self._bytes -= len(self._halves.pop(next(iter(self._halves))).text)

    def taken(self, key: tuple[str, str]) -> Half | None:
        half = self._halves.pop(key, None)
        self._bytes -= len(half.text) if half else 0
        return half


def _ids_by_model(halves: Sequence[Half]) -> Iterator[tuple[str, list[str]]]:
    by_model: dict[str, list[str]] = {}
    for half in halves:
        by_model.setdefault(half.model, []).append(half.id)
    for model, ids in by_model.items():
        for start in range(0, len(ids), IDS_AT_ONCE):
            yield model, ids[start : start + IDS_AT_ONCE]


def _remove(connection: Connection, halves: Collection[Half]) -> None:
    if halves:
        connection.execute(_drop, [{"m": half.model, "i": half.id} for half in halves])


def _row(half: Half, received: datetime) -> dict[str, Any]:
    body = half.text.decode(errors="replace") if half.text else json.dumps(half.body)
    return {
        "model": half.model, "id": half.id, "is_request": half.is_request, "at": half.at.isoformat(),
        "received": received.timestamp(), "body": body,
    }  # fmt: skip


def _half(row: Any) -> Half:
    return Half(row.id, row.model, datetime.fromisoformat(row.at), row.is_request, json.loads(row.body))
