"""What language models were used for, a row a day, feature and model; and what is spent of the day's budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Table, func, select, update

from bot.clients import ledger_tables as tables
from bot.clients.ledger_database import Database, insert_once
from pipelines.digest.values import FeatureUse
from pipelines.usage import FeatureUsage


@dataclass(frozen=True, slots=True)
class Spending:
    tokens: int = 0
    cost_dollars: float = 0.0


@dataclass(frozen=True, slots=True)
class Use:
    """One call. `failed` calls have tokens too, where the other side may have begun to work."""

    day: date
    feature: str
    provider: str
    model: str
    failed: bool
    input_tokens: int
    output_tokens: int
    cost_dollars: float
    seconds: float

    @property
    def spending(self) -> Spending:
        return Spending(self.input_tokens + self.output_tokens, self.cost_dollars)


class UsageRows:
    """All replicas share these rows, and one writes at a time, so that no race gets around a limit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, day: date, wanted: Spending, limit: Spending) -> bool:
        """Set `wanted` aside if it fits below `limit`, whose zeros stand for no limit.

        What is never settled, because the process was killed, stays spent: the other side may have billed it.
        """
        mine = tables.model_days.c.day == day.isoformat()
        with self._database.writing() as connection:
            insert_once(connection, tables.model_days, day=day.isoformat(), tokens=0, cost_dollars=0.0)
            spent = connection.execute(select(tables.model_days).where(mine)).one()
            after = Spending(spent.tokens + wanted.tokens, spent.cost_dollars + wanted.cost_dollars)
            if limit.tokens and after.tokens > limit.tokens:
                return False
            if limit.cost_dollars and after.cost_dollars > limit.cost_dollars:
                return False
            _add(connection, tables.model_days, {"day": day.isoformat()}, tokens=wanted.tokens,
                 cost_dollars=wanted.cost_dollars)  # fmt: skip
        return True

    def settle(self, reserved: Spending, use: Use) -> None:
        """Put what was really used in the place of what was set aside for it."""
        day = use.day.isoformat()
        key = {"day": day, "feature": use.feature, "provider": use.provider, "model": use.model}
        nothing = dict.fromkeys(("calls", "failures", "input_tokens", "output_tokens", "cost_dollars", "seconds"), 0)
        with self._database.writing() as connection:
            insert_once(connection, tables.model_usage, **key, **nothing)
            _add(
                connection, tables.model_usage, key, calls=1, failures=int(use.failed),
                input_tokens=use.input_tokens, output_tokens=use.output_tokens,
                cost_dollars=use.cost_dollars, seconds=use.seconds,
            )  # fmt: skip
            _add(
                connection, tables.model_days, {"day": day}, tokens=use.spending.tokens - reserved.tokens,
                cost_dollars=use.spending.cost_dollars - reserved.cost_dollars,
            )  # fmt: skip

    def spent(self, day: date) -> Spending:
        mine = select(tables.model_days).where(tables.model_days.c.day == day.isoformat())
        with self._database.reading() as connection:
            row = connection.execute(mine).first()
        return Spending(row.tokens, row.cost_dollars) if row else Spending()

    def by_feature(self, first: date, last: date) -> Sequence[FeatureUsage]:
        """The most expensive first."""
        column = tables.model_usage.c
        sums = [func.sum(column[name]).label(name) for name in
                ("calls", "failures", "input_tokens", "output_tokens", "cost_dollars", "seconds")]  # fmt: skip
        query = (
            select(column.feature, *sums)
            .where(column.day.between(first.isoformat(), last.isoformat()))
            .group_by(column.feature)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        # Postgres sums whole numbers as Decimal.
        found = [
            FeatureUsage(
                row.feature, int(row.calls), int(row.failures), int(row.input_tokens), int(row.output_tokens),
                float(row.cost_dollars), float(row.seconds),
            )
            for row in rows
        ]  # fmt: skip
        return sorted(found, key=lambda usage: (-usage.cost_dollars, -usage.tokens, usage.feature))

    def used_between(self, after: datetime, until: datetime) -> Sequence[FeatureUse]:
        """Keeps the digest's LanguageModelUse. The books are kept by the day, so of the span the days in UTC count
        that ended in it: digest after digest tells each day once.
        """
        first, last = after.astimezone(UTC).date(), until.astimezone(UTC).date() - timedelta(days=1)
        if last < first:
            return []
        found = self.by_feature(first, last)
        return [FeatureUse(one.feature, one.calls, one.tokens, one.cost_dollars) for one in found]


def _add(connection: Connection, table: Table, key: dict[str, str], **amounts: float) -> None:
    """Raise columns of the one row under `key`."""
    changed = update(table).values({name: table.c[name] + amount for name, amount in amounts.items()})
    for name, value in key.items():
        changed = changed.where(table.c[name] == value)
    connection.execute(changed)
