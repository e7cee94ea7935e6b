"""The audit trail in the bot's memory: each row is chained to the one before."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database
from pipelines.audit import GENESIS, AuditEntry, AuditRow, chain_hash

AUDIT_PAGE = 1_000


class AuditRows:
    """Keeps AuditTrail. Triggers in the database refuse every change of what was written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, entry: AuditEntry) -> AuditRow:
        with self._database.writing() as connection:
            return append_audit(connection, entry)

    def rows(self) -> Iterator[AuditRow]:
        """Read page by page, so that years of it never stand in memory at once."""
        last = 0
        query = select(tables.audit).order_by(tables.audit.c.number).limit(AUDIT_PAGE)
        while True:
            with self._database.reading() as connection:
                page = connection.execute(query.where(tables.audit.c.number > last)).all()
            if not page:
                return
            for row in page:
                yield _audit_row(row)
            last = page[-1].number

    def newest(self, limit: int, about: str = "") -> Sequence[AuditRow]:
        query = select(tables.audit).order_by(tables.audit.c.number.desc()).limit(limit)
        if about:
            searched = (tables.audit.c.actor, tables.audit.c.action, tables.audit.c.subject)
            query = query.where(or_(*(func.lower(one).contains(about.lower(), autoescape=True) for one in searched)))
        with self._database.reading() as connection:
            return [_audit_row(row) for row in connection.execute(query)]


def append_audit(connection: Connection, entry: AuditEntry) -> AuditRow:
    """Chain `entry` to the last row; the caller's transaction must be the only one that writes."""
    newest = select(tables.audit.c.number, tables.audit.c.hash).order_by(tables.audit.c.number.desc()).limit(1)
    last = connection.execute(newest).first()
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    row = AuditRow(number, entry, previous, chain_hash(number, entry, previous))
    connection.execute(
        insert(tables.audit).values(
            number=number, at=entry.at.isoformat(), actor=entry.actor, action=entry.action, subject=entry.subject,
            detail=json.dumps(entry.detail), previous_hash=previous, hash=row.hash,
        )
    )  # fmt: skip
    return row


def _audit_row(row: Row[Any]) -> AuditRow:
    at = datetime.fromisoformat(row.at)
    entry = AuditEntry(at, row.actor, row.action, row.subject, json.loads(row.detail))
    return AuditRow(row.number, entry, row.previous_hash, row.hash)
