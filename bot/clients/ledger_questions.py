"""The part of the bot's memory that /ask writes: questions with their answers, feedback, documents on their way in."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, Table, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.ask.ingests import Ingest
from pipelines.ask.questions import Feedback, Question
from pipelines.json_values import from_json, to_json

T = TypeVar("T")


class QuestionRows:
    """Keeps Questions and FeedbackBox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, question: Question) -> None:
        columns = {
            "asked_at": question.asked_at.timestamp(), "channel": question.channel, "thread": question.thread,
            "state": question.state, "body": _body(question),
        }  # fmt: skip
        _put(self._database, tables.questions, {"id": question.id}, columns)

    def get(self, question_id: str) -> Question | None:
        found = self._read(select(tables.questions.c.body).where(tables.questions.c.id == question_id))
        return found[0] if found else None

    def in_thread(self, channel: str, thread: str) -> Sequence[Question]:
        column = tables.questions.c
        asked = select(column.body).where(column.channel == channel, column.thread == thread)
        return self._read(asked.order_by(column.asked_at, column.id))

    def unanswered_since(self, moment: datetime) -> Sequence[Question]:
        column = tables.questions.c
        since = select(column.body).where(column.state == "unknown", column.asked_at >= moment.timestamp())
        return self._read(since.order_by(column.asked_at, column.id))

    def put(self, feedback: Feedback) -> None:
        key = {"question_id": feedback.question.id, "person_id": feedback.person_id}
        columns = {"at": feedback.at.timestamp(), "body": _body(feedback)}
        _put(self._database, tables.question_feedback, key, columns)

    def feedback_since(self, moment: datetime) -> Sequence[Feedback]:
        column = tables.question_feedback.c
        since = select(column.body).where(column.at >= moment.timestamp())
        return _read(self._database, since.order_by(column.at, column.question_id, column.person_id), Feedback)

    def _read(self, query: Select[Any]) -> list[Question]:
        return _read(self._database, query, Question)


class IngestRows:
    """Keeps Ingests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, ingest: Ingest) -> None:
        _put(self._database, tables.ingests, {"id": ingest.id}, {"body": _body(ingest)})

    def get(self, ingest_id: str) -> Ingest | None:
        found = _read(self._database, select(tables.ingests.c.body).where(tables.ingests.c.id == ingest_id), Ingest)
        return found[0] if found else None


def _put(database: Database, table: Table, key: dict[str, Any], columns: dict[str, Any]) -> None:
    """Insert the row, or replace its columns."""
    with database.writing() as connection:
        if not insert_once(connection, table, **key, **columns):
            mine = update(table)
            for name, value in key.items():
                mine = mine.where(table.c[name] == value)
            connection.execute(mine.values(**columns))


def _body(value: object) -> str:
    return json.dumps(to_json(value), allow_nan=False)


def _read(database: Database, query: Select[Any], kind: type[T]) -> list[T]:
    with database.reading() as connection:
        return [from_json(kind, json.loads(body)) for body in connection.execute(query).scalars()]
