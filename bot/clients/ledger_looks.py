"""Keeps Looks: what each look at a model found, in figures."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.drift.trend import Look
from pipelines.json_values import from_json, to_json


class LookRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, look: Look) -> None:
        body = json.dumps(to_json(look), allow_nan=False)
        with self._database.writing() as connection:
            insert_once(connection, tables.drift_looks, model=look.model, at=look.at.timestamp(), body=body)

    def between(self, after: datetime, until: datetime) -> Sequence[Look]:
        column = tables.drift_looks.c
        wanted = select(column.body).where(column.at > after.timestamp(), column.at <= until.timestamp())
        with self._database.reading() as connection:
            bodies = connection.execute(wanted.order_by(column.at, column.model)).scalars().all()
        return [from_json(Look, json.loads(body)) for body in bodies]

    def forget(self, before: datetime) -> int:
        """Drop what is older; answers how many."""
        old = tables.drift_looks.c.at < before.timestamp()
        with self._database.writing() as connection:
            return connection.execute(delete(tables.drift_looks).where(old)).rowcount
