"""The digest's share of the bot's memory: who subscribed, how far each channel was told, which runs ended."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Row, cast, delete, func, select, true, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.digest.schedule import Rhythm
from pipelines.digest.values import Mark, Subscription
from pipelines.json_values import from_json, to_json
from pipelines.retrain.values import Retrain


class SubscriptionRows:
    """Keeps Subscriptions. A subscription and its mark change in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, subscription: Subscription, now: datetime) -> None:
        channel, body = subscription.channel, json.dumps(to_json(subscription))
        with self._database.writing() as connection:
            if not insert_once(connection, tables.digest_subscriptions, channel=channel, body=body):
                mine = tables.digest_subscriptions.c.channel == channel
                connection.execute(update(tables.digest_subscriptions).where(mine).values(body=body))
            _adopt(connection, channel, subscription.rhythm, now)

    def remove(self, channel: str) -> bool:
        with self._database.writing() as connection:
            mine = tables.digest_subscriptions.c.channel == channel
            gone = connection.execute(delete(tables.digest_subscriptions).where(mine)).rowcount == 1
            connection.execute(delete(tables.digest_marks).where(tables.digest_marks.c.channel == channel))
            return gone

    def all(self) -> Sequence[Subscription]:
        asked = select(tables.digest_subscriptions.c.body).order_by(tables.digest_subscriptions.c.channel)
        with self._database.reading() as connection:
            return [from_json(Subscription, json.loads(body)) for body in connection.execute(asked).scalars()]


class MarkRows:
    """Keeps Marks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def adopt(self, channel: str, rhythm: Rhythm, now: datetime) -> Mark:
        # Read first: it is asked every few seconds and nearly never changes anything.
        with self._database.reading() as connection:
            row = _row(connection, channel)
        if row is not None and row.rhythm == str(rhythm):
            return _mark(row)
        with self._database.writing() as connection:
            return _adopt(connection, channel, rhythm, now)

    def told(self, channel: str, slot: datetime, until: datetime) -> None:
        column = tables.digest_marks.c
        with self._database.writing() as connection:
            for name, moment in (("behind", slot.timestamp()), ("told_until", until.timestamp())):
                earlier = (column.channel == channel) & (column[name] < moment)
                connection.execute(update(tables.digest_marks).where(earlier).values({name: moment}))

    def keep_only(self, channels: Sequence[str]) -> None:
        others = tables.digest_marks.c.channel.not_in(channels) if channels else true()
        with self._database.writing() as connection:
            connection.execute(delete(tables.digest_marks).where(others))


class FinishedRetrainRows:
    """Keeps FinishedRetrains. Reads every row, but only those that match leave the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def finished_between(self, after: datetime, until: datetime) -> Sequence[Retrain]:
        with self._database.reading() as connection:
            ended = _finished_at(connection)
            # Both are ISO 8601 in UTC, whose order is that of time.
            span = (ended > _iso(after)) & (ended <= _iso(until))
            asked = select(tables.retrains.c.body).where(tables.retrains.c.finished, span)
            bodies = connection.execute(asked.order_by(ended, tables.retrains.c.number)).scalars().all()
        return [from_json(Retrain, json.loads(body)) for body in bodies]


def _finished_at(connection: Connection) -> ColumnElement[str]:
    body = tables.retrains.c.body
    on_sqlite = connection.dialect.name == "sqlite"
    found: ColumnElement[str] = (
        func.json_extract(body, "$.finished_at") if on_sqlite else cast(body, JSON)["finished_at"].as_string()
    )
    return found


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _adopt(connection: Connection, channel: str, rhythm: Rhythm, now: datetime) -> Mark:
    at = now.timestamp()
    new = {"rhythm": str(rhythm), "behind": at}
    if not insert_once(connection, tables.digest_marks, channel=channel, told_until=at, **new):
        other = (tables.digest_marks.c.channel == channel) & (tables.digest_marks.c.rhythm != str(rhythm))
        connection.execute(update(tables.digest_marks).where(other).values(**new))
    row = _row(connection, channel)
    return _mark(row) if row is not None else Mark(now, now)


def _row(connection: Connection, channel: str) -> Row[Any] | None:
    return connection.execute(select(tables.digest_marks).where(tables.digest_marks.c.channel == channel)).first()


def _mark(row: Row[Any]) -> Mark:
    return Mark(datetime.fromtimestamp(row.behind, UTC), datetime.fromtimestamp(row.told_until, UTC))
