"""The part of the bot's memory that the buttons of a report write: re-runs; and what people said of reports."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import false, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_audit import append_audit
from bot.clients.ledger_database import Database, insert_once
from pipelines.audit import AuditEntry
from pipelines.json_values import from_json, to_json
from pipelines.triage.acts import Rerun
from pipelines.triage.history import Mark, Reported

_row = tables.triage_reruns.c


class RerunRows:
    """Keeps Reruns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, rerun: Rerun) -> Rerun:
        with self._database.writing() as connection:
            values = {"finished": rerun.finished, "body": _body(rerun)}
            if insert_once(connection, tables.triage_reruns, id=rerun.id, **values):
                return rerun
            stored = connection.execute(select(_row.body).where(_row.id == rerun.id)).scalar_one()
        return from_json(Rerun, json.loads(stored))

    def get(self, rerun_id: str) -> Rerun | None:
        with self._database.reading() as connection:
            stored = connection.execute(select(_row.body).where(_row.id == rerun_id)).scalar()
        return from_json(Rerun, json.loads(stored)) if stored else None

    def save(self, rerun: Rerun, entry: AuditEntry | None = None) -> Rerun:
        mine = update(tables.triage_reruns).where(_row.id == rerun.id, _row.finished == false())
        with self._database.writing() as connection:
            changed = connection.execute(mine.values(finished=rerun.finished, body=_body(rerun))).rowcount == 1
            if changed and entry:
                append_audit(connection, entry)
            stored = connection.execute(select(_row.body).where(_row.id == rerun.id)).scalar_one()
        return from_json(Rerun, json.loads(stored))

    def unfinished(self) -> list[Rerun]:
        with self._database.reading() as connection:
            bodies = connection.execute(select(_row.body).where(_row.finished == false()).order_by(_row.id)).scalars()
            return [from_json(Rerun, json.loads(body)) for body in bodies]


class DoubtRows:
    """What people said of reports, for whoever improves the signatures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Iterator[tuple[Reported, Mark]]:
        """Oldest first."""
        report, mark = tables.triage_reports.c, tables.triage_marks.c
        said = select(report.body, mark.by, mark.at, mark.words).join_from(
            tables.triage_reports, tables.triage_marks, report.key == mark.key
        )
        with self._database.reading() as connection:
            rows = connection.execute(said.where(mark.name == "wrong").order_by(mark.at, mark.key, mark.by)).all()
        for row in rows:
            yield (
                from_json(Reported, json.loads(row.body)),
                Mark(row.by, datetime.fromtimestamp(row.at, UTC), row.words),
            )


def _body(rerun: Rerun) -> str:
    return json.dumps(to_json(rerun), allow_nan=False)
