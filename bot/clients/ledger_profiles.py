"""Keeps Profiles: hourly tallies, and the records that were taken, whose predictions wait for their labels."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.drift.records import outcome_of
from pipelines.drift.tally_rows import read_tally, write_tally
from pipelines.drift.values import LabelsMet, PredictionMade
from pipelines.drift.windows import Tally, WindowProfile, added

# Both databases take at most some tens of thousands of values in one statement.
IDS_AT_ONCE = 500
TRIMMED_AT_ONCE = 20_000
MOST_CLASSES = 50
LABELS = "labels"
# Some hours of some versions; each is a few kilobytes a feature.
TALLIES_KNOWN = 32

_tally = tables.drift_tallies.c
_this_one = (
    (_tally.model == bindparam("m")) & (_tally.version == bindparam("v"))
    & (_tally.hour == bindparam("h")) & (_tally.batch == bindparam("b"))
)  # fmt: skip
_body_of = select(_tally.body).where(_this_one)
_replaced = update(tables.drift_tallies).where(_this_one).values(body=bindparam("new_body"))
_outcome = tables.drift_outcomes.c
_known_outcomes = select(
    _outcome.record_id, _outcome.version, _outcome.hour, _outcome.prediction, _outcome.label, _outcome.settled
).where(_outcome.model == bindparam("m"), _outcome.record_id.in_(bindparam("ids", expanding=True)))


class ProfileRows:
    """A row a batch and hour. What `add` stores under an id is never changed, so the same batch twice is one; records
    and labels are known one by one, and their hours grow."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = _LastTallies()

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
            found.setdefault((row.hour, row.version), {})[row.batch] = read_tally(row.body)
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
                self._last.merge(connection, window)
            _remember(connection, model, fresh, known, self._last)
            return windows

    def remember(self, model: str, made: Sequence[PredictionMade]) -> None:
        with self._database.writing() as connection:
            fresh = {each.record_id: each for each in made}
            _remember(connection, model, fresh, _known(connection, model, fresh), self._last)

    def label(self, model: str, labels: Mapping[str, str], at: datetime) -> LabelsMet:
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
            met = _settle(connection, model, late, self._last)
        waiting = len(early) + sum(row.prediction is None for row in known.values())
        again = [(row.label, labels[name]) for name, row in known.items() if row.label is not None]
        changed = sum(not outcome_of(first, label).right for first, label in again)
        return LabelsMet(met, waiting, len(again) - changed, changed)

    def last_hours(self, since: datetime) -> Mapping[str, datetime]:
        """The newest hour of each model that has any since."""
        column = tables.drift_tallies.c
        newest = select(column.model, func.max(column.hour)).where(
            column.hour >= since.timestamp(), column.batch != LABELS
        )
        with self._database.reading() as connection:
            rows = connection.execute(newest.group_by(column.model)).all()
        return {model: datetime.fromtimestamp(hour, UTC) for model, hour in rows}

    def labels_waiting(self) -> Mapping[str, int]:
        """By model: labels whose prediction did not come yet."""
        column = tables.drift_outcomes.c
        waiting = select(column.model, func.count()).where(column.version.is_(None), column.label.is_not(None))
        with self._database.reading() as connection:
            rows = connection.execute(waiting.group_by(column.model)).all()
        return {row[0]: row[1] for row in rows}

    def forget(self, before: datetime) -> int:
        moment, outcome = before.timestamp(), tables.drift_outcomes.c
        with self._database.reading() as connection:
            models = connection.execute(select(outcome.model).distinct()).scalars().all()
        with self._database.writing() as connection:
            tallies = connection.execute(delete(tables.drift_tallies).where(tables.drift_tallies.c.hour < moment))
            for model in models:  # as the index has it
                old = (outcome.model == model) & (outcome.hour < moment)
                connection.execute(delete(tables.drift_outcomes).where(old))
            return tallies.rowcount

    def trim(self, model: str, most: int) -> int:
        outcome, gone = tables.drift_outcomes.c, 0
        while True:
            with self._database.writing() as connection:
                held = connection.execute(select(func.count()).where(outcome.model == model)).scalar_one()
                if held <= most:
                    return gone
                # Some at a time: whoever stores records waits for a moment only.
                oldest = select(outcome.record_id).where(outcome.model == model).order_by(outcome.hour)
                going = oldest.limit(min(held - most, TRIMMED_AT_ONCE)).scalar_subquery()
                mine = (outcome.model == model) & outcome.record_id.in_(going)
                gone += connection.execute(delete(tables.drift_outcomes).where(mine)).rowcount


def _add(connection: Connection, window: WindowProfile, batch: str, tally: Tally) -> bool:
    return insert_once(
        connection, tables.drift_tallies, model=window.model, version=window.version,
        hour=window.hour.timestamp(), batch=batch, body=write_tally(tally),
    )  # fmt: skip


class _LastTallies:
    """The tallies that grew last, beside the text they were stored as: what is stored yet need not be read anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[str, Tally]] = {}

    def merge(self, connection: Connection, window: WindowProfile) -> None:
        """Add to what the hour holds under these ids: whoever calls knows that it is new."""
        for batch, tally in window.tallies.items():
            key = (window.model, window.version, window.hour.timestamp(), batch)
            place = dict(zip(("m", "v", "h", "b"), key, strict=True))
            body = connection.execute(_body_of, place).scalar()
            if body is None:
                _add(connection, window, batch, _bounded(tally))
                continue
            # Another process may have added meanwhile, or our transaction may have failed: the text tells.
            text, before = self._known.get(key, ("", None))
            if text != body or before is None:
                before = read_tally(body)
            total = _bounded(added([before, tally]))
            written = write_tally(total)
            connection.execute(_replaced, place | {"new_body": written})
            self._known.pop(key, None)
            self._known[key] = (written, total)
            if len(self._known) > TALLIES_KNOWN:
                self._known.pop(next(iter(self._known)), None)


def _bounded(tally: Tally) -> Tally:
    """Numbers are no classes: there the errors say it all."""
    if len(tally.outcomes.confusion) <= MOST_CLASSES:
        return tally
    return replace(tally, outcomes=replace(tally.outcomes, confusion={}))


def _remember(
    connection: Connection, model: str, made: Mapping[str, PredictionMade], known: Mapping[str, Any],
    last: "_LastTallies",
) -> None:  # fmt: skip
    rows = [_prediction(model, each) for name, each in made.items() if name not in known]
    if rows:
        connection.execute(tables.drift_outcomes.insert(), rows)
    waiting = [made[name] for name, row in known.items() if row.prediction is None and name in made]
    if waiting:
        _complete(connection, model, [_prediction(model, each) for each in waiting])
        _settle(connection, model, [each.record_id for each in waiting], last)


def _prediction(model: str, made: PredictionMade) -> dict[str, Any]:
    return {
        "model": model, "record_id": made.record_id, "version": made.version, "hour": made.hour.timestamp(),
        "prediction": made.prediction, "settled": False,
    }  # fmt: skip


def _known(connection: Connection, model: str, ids: Iterable[str]) -> dict[str, Any]:
    wanted = list(ids)
    found: dict[str, Any] = {}
    for start in range(0, len(wanted), IDS_AT_ONCE):
        rows = connection.execute(_known_outcomes, {"m": model, "ids": wanted[start : start + IDS_AT_ONCE]})
        found |= {row.record_id: row for row in rows}
    return found


def _complete(connection: Connection, model: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Give labels that came first the prediction that they belong to."""
    place = tables.drift_outcomes.c
    change = update(tables.drift_outcomes).where(place.model == model, place.record_id == bindparam("key"))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("version", "hour", "prediction")}
    given = [{"key": row["record_id"], **{f"new_{name}": row[name] for name in values}} for row in rows]
    connection.execute(change.values(**values), given)


def _settle(connection: Connection, model: str, ids: Sequence[str], last: "_LastTallies") -> int:
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
        last.merge(connection, WindowProfile(model, version, datetime.fromtimestamp(hour, UTC), {LABELS: total}))
    if ready:
        place = tables.drift_outcomes.c
        change = update(tables.drift_outcomes).where(place.model == model, place.record_id == bindparam("key"))
        connection.execute(change.values(settled=True), [{"key": name} for name in ready])
    return len(ready)
