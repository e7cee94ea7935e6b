"""Keeps Profiles: hourly tallies, and the records that were taken, whose predictions wait for their labels."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.drift.records import outcome_of
from pipelines.drift.values import PredictionMade
from pipelines.drift.windows import Tally, WindowProfile, added
from pipelines.json_values import from_json, to_json

# Both databases take at most some tens of thousands of values in one statement.
IDS_AT_ONCE = 500
MOST_CLASSES = 50


class ProfileRows:
    """A row a batch and hour. What `add` stores under an id is never changed, so the same batch twice is one; records
    and labels are known one by one, and their hours grow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, window: WindowProfile) -> int:
        with self._database.writing() as connection:
            return sum(_add(connection, window, batch, tally) for batch, tally in window.tallies.items())

    def windows(
        self, model: str, since: datetime, until: datetime, version: str | None = None
    ) -> Sequence[WindowProfile]:
        column = tables.drift_tallies.c
        wanted = (column.model == model) & (column.hour >= since.timestamp()) & (column.hour < until.timestamp())
        if version is not None:
            wanted &= column.version == version
        query = select(column.version, column.hour, column.batch, column.body).where(wanted)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(column.hour, column.version, column.batch)).all()
        found: dict[tuple[float, str], dict[str, Tally]] = {}
        for row in rows:
            found.setdefault((row.hour, row.version), {})[row.batch] = from_json(Tally, json.loads(row.body))
        return [
            WindowProfile(model, name, datetime.fromtimestamp(hour, UTC), tallies)
            for (hour, name), tallies in found.items()
        ]

    def take(
        self, model: str, made: Sequence[PredictionMade], count: Callable[[Collection[str]], Sequence[WindowProfile]]
    ) -> Sequence[WindowProfile]:
        given: dict[str, PredictionMade] = {}
        for each in made:
            given.setdefault(each.record_id, each)
        with self._database.writing() as connection:
            known = _known(connection, model, given)
            fresh = {name: each for name, each in given.items() if name not in known or known[name].version is None}
            if not fresh:
                return []
            windows = count(fresh)
            for window in windows:
                _merge(connection, window)
            _remember(connection, model, fresh, known)
            return windows

    def remember(self, model: str, made: Sequence[PredictionMade]) -> None:
        with self._database.writing() as connection:
            fresh = {each.record_id: each for each in made}
            _remember(connection, model, fresh, _known(connection, model, fresh))

    def label(self, model: str, labels: Mapping[str, str], at: datetime) -> int:
        with self._database.writing() as connection:
            known = _known(connection, model, labels)
            early = [
                {"model": model, "record_id": name, "label": label, "hour": at.timestamp(), "settled": False}
                for name, label in labels.items()
                if name not in known
            ]
            if early:
                connection.execute(tables.drift_outcomes.insert(), early)
            late = [name for name, row in known.items() if row.label is None]
            if late:
                place = tables.drift_outcomes.c
                change = update(tables.drift_outcomes).where(place.model == model, place.record_id == bindparam("key"))
                given = [{"key": name, "given": labels[name]} for name in late]
                connection.execute(change.values(label=bindparam("given")), given)
            return _settle(connection, model, late)

    def forget(self, before: datetime) -> int:
        moment = before.timestamp()
        with self._database.writing() as connection:
            tallies = connection.execute(delete(tables.drift_tallies).where(tables.drift_tallies.c.hour < moment))
            connection.execute(delete(tables.drift_outcomes).where(tables.drift_outcomes.c.hour < moment))
            return tallies.rowcount


def _add(connection: Connection, window: WindowProfile, batch: str, tally: Tally) -> bool:
    return insert_once(
        connection, tables.drift_tallies, model=window.model, version=window.version,
        hour=window.hour.timestamp(), batch=batch, body=json.dumps(to_json(tally), allow_nan=False),
    )  # fmt: skip


def _merge(connection: Connection, window: WindowProfile) -> None:
    """Add to what the hour holds under these ids: whoever calls knows that it is new."""
    column = tables.drift_tallies.c
    for batch, tally in window.tallies.items():
        mine = (
            (column.model == window.model) & (column.version == window.version)
            & (column.hour == window.hour.timestamp()) & (column.batch == batch)
        )  # fmt: skip
        body = connection.execute(select(column.body).where(mine)).scalar()
        if body is None:
            _add(connection, window, batch, _bounded(tally))
            continue
        total = _bounded(added([from_json(Tally, json.loads(body)), tally]))
        change = update(tables.drift_tallies).where(mine)
        connection.execute(change.values(body=json.dumps(to_json(total), allow_nan=False)))


def _bounded(tally: Tally) -> Tally:
    """Numbers are no classes: there the errors say it all."""
    if len(tally.outcomes.confusion) <= MOST_CLASSES:
        return tally
    return replace(tally, outcomes=replace(tally.outcomes, confusion={}))


def _remember(connection: Connection, model: str, made: Mapping[str, PredictionMade], known: Mapping[str, Any]) -> None:
    rows = [_prediction(model, each) for name, each in made.items() if name not in known]
    if rows:
        connection.execute(tables.drift_outcomes.insert(), rows)
    waiting = [made[name] for name, row in known.items() if row.prediction is None and name in made]
    if waiting:
        _complete(connection, model, [_prediction(model, each) for each in waiting])
        _settle(connection, model, [each.record_id for each in waiting])


def _prediction(model: str, made: PredictionMade) -> dict[str, Any]:
    return {
        "model": model, "record_id": made.record_id, "version": made.version, "hour": made.hour.timestamp(),
        "prediction": made.prediction, "settled": False,
    }  # fmt: skip


def _known(connection: Connection, model: str, ids: Iterable[str]) -> dict[str, Any]:
    place, wanted = tables.drift_outcomes.c, list(ids)
    found: dict[str, Any] = {}
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[start : start + IDS_AT_ONCE]
        query = select(place.record_id, place.version, place.hour, place.prediction, place.label, place.settled)
        rows = connection.execute(query.where(place.model == model, place.record_id.in_(some))).all()
        found |= {row.record_id: row for row in rows}
    return found


def _complete(connection: Connection, model: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Give labels that came first the prediction that they belong to."""
    place = tables.drift_outcomes.c
    change = update(tables.drift_outcomes).where(place.model == model, place.record_id == bindparam("key"))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("version", "hour", "prediction")}
    given = [{"key": row["record_id"], **{f"new_{name}": row[name] for name in values}} for row in rows]
    connection.execute(change.values(**values), given)


def _settle(connection: Connection, model: str, ids: Sequence[str]) -> int:
    """Count those of `ids` that have both prediction and label, once; answers how many."""
    ready = {
        name: row
        for name, row in _known(connection, model, ids).items()
        if row.prediction is not None and row.label is not None and not row.settled
    }
    grouped: dict[tuple[str, float], list[str]] = {}
    for name, row in ready.items():
        grouped.setdefault((row.version, row.hour), []).append(name)
    for (version, hour), names in sorted(grouped.items()):
        total = added(Tally(outcomes=outcome_of(ready[name].prediction, ready[name].label)) for name in sorted(names))
        _merge(connection, WindowProfile(model, version, datetime.fromtimestamp(hour, UTC), {"labels": total}))
    if ready:
        place = tables.drift_outcomes.c
        change = update(tables.drift_outcomes).where(place.model == model, place.record_id == bindparam("key"))
        connection.execute(change.values(settled=True), [{"key": name} for name in ready])
    return len(ready)
