"""Keeps Episodes: one row an episode, and how much of it Slack has been shown."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_audit import append_audit
from bot.clients.ledger_database import Database, insert_once
from pipelines.audit import AuditEntry
from pipelines.drift.episodes import Episode
from pipelines.json_values import from_json, to_json

_column = tables.drift_episodes.c
_bodies = select(_column.body)


class EpisodeRows:
    """That a model has one open episode is a unique index, so no race gets around it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, episode: Episode) -> Episode:
        values = {"id": episode.id, "model": episode.model, "shown": 0, "told": 0, **_columns(episode)}
        with self._database.writing() as connection:
            if insert_once(connection, tables.drift_episodes, **values):
                return episode
            for query in (_bodies.where(_column.id == episode.id), _open_of(episode.model)):
                if (body := connection.execute(query).scalar()) is not None:
                    return _episode(body)
        return episode

    def get(self, episode_id: str) -> Episode | None:
        found = self._read(_bodies.where(_column.id == episode_id))
        return found[0] if found else None

    def of(self, model: str) -> Episode | None:
        found = self._read(_open_of(model))
        return found[0] if found else None

    def replace(self, episode: Episode, entry: AuditEntry | None = None) -> bool:
        before = (_column.id == episode.id) & (_column.revision == episode.revision - 1)
        with self._database.writing() as connection:
            changes = update(tables.drift_episodes).where(before).values(**_columns(episode))
            changed = connection.execute(changes).rowcount == 1
            if changed and entry:
                append_audit(connection, entry)
            return changed

    def open(self) -> Sequence[Episode]:
        return self._read(_bodies.where(tables.not_ended).order_by(_column.number))

    def unshown(self) -> Sequence[Episode]:
        return self._read(_bodies.where(_column.shown < _column.revision).order_by(_column.number))

    def shown(self, episode_id: str, revision: int, told: int) -> None:
        mine = (_column.id == episode_id) & (_column.shown < revision)
        with self._database.writing() as connection:
            connection.execute(update(tables.drift_episodes).where(mine).values(shown=revision, told=told))

    def told(self, episode_id: str) -> int:
        with self._database.reading() as connection:
            return connection.execute(select(_column.told).where(_column.id == episode_id)).scalar() or 0

    def recent(self, limit: int = 10, model: str | None = None) -> Sequence[Episode]:
        query = _bodies.order_by(_column.number.desc()).limit(limit)
        return self._read(query.where(_column.model == model) if model else query)

    def _read(self, query: Select[Any]) -> list[Episode]:
        with self._database.reading() as connection:
            return [_episode(body) for body in connection.execute(query).scalars()]


def _open_of(model: str) -> Select[Any]:
    return _bodies.where(_column.model == model, tables.not_ended)


def _columns(episode: Episode) -> dict[str, Any]:
    body = json.dumps(to_json(episode), allow_nan=False)
    return {"ended": not episode.open, "revision": episode.revision, "body": body}


def _episode(body: str) -> Episode:
    return from_json(Episode, json.loads(body))
