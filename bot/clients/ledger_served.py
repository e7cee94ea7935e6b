"""Keeps ServedNames: what serving calls the versions of a model."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.drift.served import ServedName


class ServedRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def seen(self, model: str, served: ServedName, at: datetime) -> None:
        values = {"version": served.version, "how": served.how, "seen_at": at.timestamp()}
        column = tables.served_versions.c
        with self._database.writing() as connection:
            if not insert_once(connection, tables.served_versions, model=model, name=served.name, **values):
                mine = (column.model == model) & (column.name == served.name)
                connection.execute(update(tables.served_versions).where(mine).values(**values))

    def since(self, model: str, moment: datetime) -> Sequence[ServedName]:
        column = tables.served_versions.c
        wanted = select(column.name, column.version, column.how).where(
            column.model == model, column.seen_at >= moment.timestamp()
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(column.name)).all()
        return [ServedName(row.name, row.version, row.how) for row in rows]

    def forget(self, before: datetime) -> int:
        """Drop names that were not seen since; answers how many."""
        old = tables.served_versions.c.seen_at < before.timestamp()
        with self._database.writing() as connection:
            return connection.execute(delete(tables.served_versions).where(old)).rowcount
