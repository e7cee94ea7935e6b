"""Keeps FileMarks: how far each file of records and labels was read."""

import json
from collections.abc import Mapping

from sqlalchemy import select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.drift.folders import FileMark, Kind
from pipelines.json_values import from_json, to_json


class FileMarkRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, model: str, kind: Kind) -> Mapping[str, FileMark]:
        column = tables.record_files.c
        with self._database.reading() as connection:
            wanted = select(column.uri, column.body).where(column.model == model, column.kind == kind)
            rows = connection.execute(wanted).all()
        return {row.uri: from_json(FileMark, json.loads(row.body)) for row in rows}

    def put(self, model: str, kind: Kind, mark: FileMark) -> None:
        body = json.dumps(to_json(mark))
        column = tables.record_files.c
        with self._database.writing() as connection:
            if not insert_once(connection, tables.record_files, model=model, kind=kind, uri=mark.uri, body=body):
                mine = (column.model == model) & (column.kind == kind) & (column.uri == mark.uri)
                connection.execute(update(tables.record_files).where(mine).values(body=body))
