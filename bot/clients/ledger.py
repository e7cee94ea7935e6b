"""The bot's memory: approvals, the audit trail, retrains, and what was delivered and posted already."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, delete, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_acts import DoubtRows, RerunRows
from bot.clients.ledger_alerts import NotificationRows
from bot.clients.ledger_audit import AuditRows, append_audit
from bot.clients.ledger_database import Database, answers, insert_once
from bot.clients.ledger_digest import FinishedRetrainRows, MarkRows, SubscriptionRows
from bot.clients.ledger_drift import EpisodeRows
from bot.clients.ledger_files import FileMarkRows
from bot.clients.ledger_halves import HalfRows
from bot.clients.ledger_looks import LookRows
from bot.clients.ledger_profiles import ProfileRows
from bot.clients.ledger_promotions import PromotionRows
from bot.clients.ledger_questions import IngestRows, QuestionRows
from bot.clients.ledger_rows import SampleRows
from bot.clients.ledger_served import ServedRows
from bot.clients.ledger_triage import TriageRows
from bot.clients.ledger_usage import UsageRows
from bot.clients.ledger_voice import GreenRows, SpokenRows
from bot.clients.slack import Posting
from pipelines.approval import Approval
from pipelines.audit import AuditEntry
from pipelines.errors import Refused
from pipelines.json_values import from_json, to_json
from pipelines.ports import Clock, Place
from pipelines.retrain.values import Retrain

T = TypeVar("T")


class Ledger:
    """One database, a small store for each port. Connects on first use; SQLite or Postgres by `url`."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._database = Database(url)
        self.approvals = ApprovalRows(self._database)
        self.audit = AuditRows(self._database)
        self.retrains = RetrainRows(self._database)
        self.deliveries = DeliveryRows(self._database, clock)
        self.postings = PostingRows(self._database, clock)
        self.questions = QuestionRows(self._database)
        self.ingests = IngestRows(self._database)
        self.usage = UsageRows(self._database)
        self.digest_subscriptions = SubscriptionRows(self._database)
        self.digest_marks = MarkRows(self._database)
        self.finished_retrains = FinishedRetrainRows(self._database)
        self.profiles = ProfileRows(self._database)
        self.halves = HalfRows(self._database)
        self.triages = TriageRows(self._database)
        self.greens = GreenRows(self._database)
        self.spoken = SpokenRows(self._database)
        self.reruns = RerunRows(self._database)
        self.doubts = DoubtRows(self._database)
        self.promotions = PromotionRows(self._database)
        self.episodes = EpisodeRows(self._database)
        self.notifications = NotificationRows(self._database)
        self.served = ServedRows(self._database)
        self.looks = LookRows(self._database)
        self.record_files = FileMarkRows(self._database)
        self.rows = SampleRows(self._database)

    def together(self) -> AbstractContextManager[None]:
        """What this thread reads and writes meanwhile is one transaction, whichever store it goes to."""
        return self._database.together()

    def answers(self) -> bool:
        """Whether the database can be used at this moment."""
        return answers(self._database)

    def close(self) -> None:
        self._database.close()


class ApprovalRows:
    """Keeps ApprovalStore: each change and its audit row are one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, approval: Approval, entry: AuditEntry) -> Approval:
        with self._database.writing() as connection:
            if insert_once(connection, tables.approvals, id=approval.id, **_approval_columns(approval)):
                append_audit(connection, entry)
                return approval
            return _read_all(connection, _by_id(approval.id), Approval)[0]

    def get(self, approval_id: str) -> Approval | None:
        found = self._read(_by_id(approval_id))
        return found[0] if found else None

    def replace(self, approval: Approval, entry: AuditEntry) -> bool:
        before = (tables.approvals.c.id == approval.id) & (tables.approvals.c.version == approval.version - 1)
        with self._database.writing() as connection:
            changed = connection.execute(update(tables.approvals).where(before).values(**_approval_columns(approval)))
            if changed.rowcount == 1:
                append_audit(connection, entry)
            return changed.rowcount == 1

    def open(self) -> Sequence[Approval]:
        column = tables.approvals.c
        return self._read(select(column.body).where(column.state == "open").order_by(column.opened_at, column.id))

    def settled_since(self, moment: datetime) -> Sequence[Approval]:
        column = tables.approvals.c
        since = select(column.body).where(column.settled_at >= moment.timestamp())
        return self._read(since.order_by(column.settled_at, column.id))

    def _read(self, query: Select[Any]) -> list[Approval]:
        with self._database.reading() as connection:
            return _read_all(connection, query, Approval)


def _by_id(approval_id: str) -> Select[Any]:
    return select(tables.approvals.c.body).where(tables.approvals.c.id == approval_id)


def _approval_columns(approval: Approval) -> dict[str, Any]:
    return {
        "state": approval.state, "opened_at": approval.opened_at.timestamp(), "version": approval.version,
        "settled_at": approval.settled_at.timestamp() if approval.settled_at else None, "body": _body(approval),
    }  # fmt: skip


class RetrainRows:
    """Keeps Retrains. That a model has one unfinished run is a unique index, so no race gets around it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, retrain: Retrain) -> Retrain:
        column = tables.retrains.c
        columns = {"model": retrain.plan.model, "finished": retrain.finished, "body": _body(retrain)}
        with self._database.writing() as connection:
            if insert_once(connection, tables.retrains, run_id=retrain.run_id, **columns):
                return retrain
            same = _read_all(connection, _by_run(retrain.run_id), Retrain)
            running = select(column.body).where(column.model == retrain.plan.model, tables.unfinished)
            return (same or _read_all(connection, running, Retrain))[0]

    def get(self, run_id: str) -> Retrain | None:
        found = self._read(_by_run(run_id))
        return found[0] if found else None

    def save(self, retrain: Retrain) -> Retrain:
        mine = (tables.retrains.c.run_id == retrain.run_id) & tables.unfinished
        values = {"finished": retrain.finished, "body": _body(retrain)}
        with self._database.writing() as connection:
            if connection.execute(update(tables.retrains).where(mine).values(**values)).rowcount == 1:
                return retrain
            stored = _read_all(connection, _by_run(retrain.run_id), Retrain)
        if not stored:
            raise Refused(f"Run {retrain.run_id} is not in the store.")
        return stored[0]

    def recent(self, limit: int = 10, model: str | None = None) -> Sequence[Retrain]:
        query = select(tables.retrains.c.body).order_by(tables.retrains.c.number.desc()).limit(limit)
        return self._read(query.where(tables.retrains.c.model == model) if model else query)

    def unfinished(self) -> Sequence[Retrain]:
        return self._read(select(tables.retrains.c.body).where(tables.unfinished).order_by(tables.retrains.c.number))

    def place(self, run_id: str) -> Place | None:
        with self._database.reading() as connection:
            row = connection.execute(select(tables.places).where(tables.places.c.run_id == run_id)).first()
        return Place(row.channel, row.ts) if row else None

    def remember_place(self, run_id: str, place: Place) -> None:
        values = {"channel": place.channel, "ts": place.ts}
        with self._database.writing() as connection:
            if not insert_once(connection, tables.places, run_id=run_id, **values):
                connection.execute(update(tables.places).where(tables.places.c.run_id == run_id).values(**values))

    def ask_to_cancel(self, run_id: str, person_name: str) -> None:
        """The first who asks is the one who cancelled it."""
        with self._database.writing() as connection:
            insert_once(connection, tables.cancels, run_id=run_id, person_name=person_name)

    def cancel_asked_by(self, run_id: str) -> str | None:
        asked = select(tables.cancels.c.person_name).where(tables.cancels.c.run_id == run_id)
        with self._database.reading() as connection:
            return connection.execute(asked).scalar()

    def _read(self, query: Select[Any]) -> list[Retrain]:
        with self._database.reading() as connection:
            return _read_all(connection, query, Retrain)


def _by_run(run_id: str) -> Select[Any]:
    return select(tables.retrains.c.body).where(tables.retrains.c.run_id == run_id)


class DeliveryRows:
    """What arrived already, so that a repeated event or click is handled once; also after a restart."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def first_time(self, key: str, lifetime: timedelta) -> bool:
        """Whether `key` is new; it counts as known for `lifetime` from now. Of several at once, one is first."""
        now = self._clock.now()
        with self._database.writing() as connection:
            connection.execute(delete(tables.deliveries).where(tables.deliveries.c.expires_at <= now.timestamp()))
            return insert_once(connection, tables.deliveries, key=key, expires_at=(now + lifetime).timestamp())


class PostingRows:
    """Keeps Postings: which messages are about to be posted or were."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def intend(self, key: str, channel: str) -> Posting:
        mine = select(tables.postings).where(tables.postings.c.key == key)
        now = self._clock.now().timestamp()
        with self._database.writing() as connection:
            first_time = insert_once(connection, tables.postings, key=key, intended_at=now, channel=channel)
            row = connection.execute(mine).one()
        place = Place(row.place_channel, row.place_ts) if row.place_ts else None
        return Posting(first_time, place, datetime.fromtimestamp(row.intended_at, UTC))

    def posted(self, key: str, place: Place) -> None:
        mine = update(tables.postings).where(tables.postings.c.key == key)
        with self._database.writing() as connection:
            connection.execute(mine.values(place_channel=place.channel, place_ts=place.ts))


def _body(value: object) -> str:
    return json.dumps(to_json(value), allow_nan=False)


def _read_all(connection: Connection, query: Select[Any], kind: type[T]) -> list[T]:
    return [from_json(kind, json.loads(body)) for body in connection.execute(query).scalars()]
