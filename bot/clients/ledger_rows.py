"""Keeps Rows: the sample of inference records with their features, whose labels lie beside it in drift_outcomes."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database
from pipelines.drift.sampling import KeptRow, LabelledRow, RowLimit

# So many are let go at once where a limit was lowered by much.
AT_ONCE = 1_000
_row, _outcome = tables.drift_rows.c, tables.drift_outcomes.c


class SampleRows:
    """The limits hold after every write, whoever else writes: each trims what it finds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, model: str, rows: Sequence[KeptRow], limit: RowLimit) -> float:
        values = [
            {
                "model": model, "record_id": row.record_id, "version": row.version, "at": row.at.timestamp(),
                "rank": row.rank, "size": len(row.body), "body": row.body,
            }
            for row in rows
        ]  # fmt: skip
        with self._database.writing() as connection:
            if values:
                dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
                connection.execute(dialect.insert(tables.drift_rows).on_conflict_do_nothing(), values)
            return _trim(connection, model, limit)

    def labelled(self, model: str, version: str) -> Sequence[LabelledRow]:
        together = tables.drift_rows.join(
            tables.drift_outcomes, (_outcome.model == _row.model) & (_outcome.record_id == _row.record_id)
        )
        wanted = select(_row.record_id, _row.at, _row.body, _outcome.prediction, _outcome.label).select_from(together)
        wanted = wanted.where(_row.model == model, _row.version == version)
        wanted = wanted.where(_outcome.label.is_not(None), _outcome.prediction.is_not(None))
        with self._database.reading() as connection:
            found = connection.execute(wanted.order_by(_row.at, _row.record_id)).all()
        return [
            LabelledRow(
                one.record_id, datetime.fromtimestamp(one.at, UTC), json.loads(one.body), one.prediction, one.label
            )
            for one in found
        ]  # fmt: skip

    def forget(self, before: Mapping[str, datetime]) -> int:
        with self._database.writing() as connection:
            gone = connection.execute(delete(tables.drift_rows).where(_row.model.not_in(list(before)))).rowcount
            for model, moment in before.items():
                old = (_row.model == model) & (_row.at < moment.timestamp())
                gone += connection.execute(delete(tables.drift_rows).where(old)).rowcount
        return gone


def _trim(connection: Connection, model: str, limit: RowLimit) -> float:
    """Let go of the lowest ranks until the limits hold; answers the highest of them that went."""
    floor = -math.inf
    while True:
        held = select(func.count(), func.coalesce(func.sum(_row.size), 0)).where(_row.model == model)
        rows, size = connection.execute(held).one()
        rows, size = rows - limit.rows, size - limit.bytes
        if rows <= 0 and size <= 0:
            return floor
        lowest = select(_row.record_id, _row.rank, _row.size).where(_row.model == model).order_by(_row.rank)
        going = []
        for one in connection.execute(lowest.limit(AT_ONCE)).all():
            if rows <= 0 and size <= 0:
                break
            going.append({"gone": one.record_id})
            floor, rows, size = one.rank, rows - 1, size - one.size
        mine = (_row.model == model) & (_row.record_id == bindparam("gone"))
        connection.execute(delete(tables.drift_rows).where(mine), going)
