"""Keeps Notifications: what Alertmanager told, one row a state of a group."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.drift.alerts import Notification
from pipelines.json_values import from_json, to_json


class NotificationRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, notification: Notification, at: datetime) -> bool:
        body = json.dumps(to_json(notification), allow_nan=False)
        with self._database.writing() as connection:
            return insert_once(
                connection, tables.alert_notifications, key=notification.key, received_at=at.timestamp(),
                group_key=notification.group_key, firing=notification.firing, body=body,
            )  # fmt: skip

    def since(self, moment: datetime) -> Sequence[Notification]:
        column = tables.alert_notifications.c
        wanted = select(column.body).where(column.received_at >= moment.timestamp())
        with self._database.reading() as connection:
            bodies = connection.execute(wanted.order_by(column.received_at, column.key)).scalars().all()
        return [from_json(Notification, json.loads(body)) for body in bodies]

    def forget(self, before: datetime) -> int:
        old = tables.alert_notifications.c.received_at < before.timestamp()
        with self._database.writing() as connection:
            return connection.execute(delete(tables.alert_notifications).where(old)).rowcount
