"""Keeps Promotions: promotions of runs, and ways back to an earlier version."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.errors import Refused
from pipelines.json_values import from_json, to_json
from pipelines.ports import Place
from pipelines.retrain.promotion import Promotion, PromotionKind


class PromotionRows:
    """That a model has one unfinished promotion and one unfinished way back is a unique index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, promotion: Promotion) -> Promotion:
        plan = promotion.plan
        values = {"model": plan.model, "kind": plan.kind, "finished": promotion.finished, "body": _body(promotion)}
        with self._database.writing() as connection:
            if insert_once(connection, tables.promotions, id=plan.id, **values):
                return promotion
            bodies = connection.execute(_by_id(plan.id)).scalars().all()
            bodies = bodies or connection.execute(_waiting(plan.model, plan.kind)).scalars().all()
        return from_json(Promotion, json.loads(bodies[0]))

    def get(self, promotion_id: str) -> Promotion | None:
        found = self._read(_by_id(promotion_id))
        return found[0] if found else None

    def save(self, promotion: Promotion) -> Promotion:
        mine = (tables.promotions.c.id == promotion.plan.id) & tables.waiting_promotion
        values = {"finished": promotion.finished, "body": _body(promotion)}
        with self._database.writing() as connection:
            if connection.execute(update(tables.promotions).where(mine).values(**values)).rowcount == 1:
                return promotion
        stored = self.get(promotion.plan.id)
        if stored is None:
            raise Refused(f"Promotion {promotion.plan.id} is not in the store.")
        return stored

    def unfinished(self) -> Sequence[Promotion]:
        column = tables.promotions.c
        return self._read(select(column.body).where(tables.waiting_promotion).order_by(column.number))

    def waiting(self, model: str, kind: PromotionKind) -> Promotion | None:
        found = self._read(_waiting(model, kind))
        return found[0] if found else None

    def place(self, promotion_id: str) -> Place | None:
        column = tables.promotions.c
        with self._database.reading() as connection:
            row = connection.execute(select(column.channel, column.ts).where(column.id == promotion_id)).first()
        return Place(row.channel, row.ts) if row and row.ts else None

    def remember_place(self, promotion_id: str, place: Place) -> None:
        mine = update(tables.promotions).where(tables.promotions.c.id == promotion_id)
        with self._database.writing() as connection:
            connection.execute(mine.values(channel=place.channel, ts=place.ts))

    def _read(self, query: Select[Any]) -> list[Promotion]:
        with self._database.reading() as connection:
            return [from_json(Promotion, json.loads(body)) for body in connection.execute(query).scalars()]


def _by_id(promotion_id: str) -> Select[Any]:
    return select(tables.promotions.c.body).where(tables.promotions.c.id == promotion_id)


def _waiting(model: str, kind: str) -> Select[Any]:
    column = tables.promotions.c
    return select(column.body).where(column.model == model, column.kind == kind, tables.waiting_promotion)


def _body(promotion: Promotion) -> str:
    return json.dumps(to_json(promotion), allow_nan=False)
