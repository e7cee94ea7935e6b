"""The day's budget: set aside before a call, settled after it, shared by all replicas through the bot's database."""

from dataclasses import dataclass
from datetime import date, timedelta

from bot.clients.language_models.declined import Declined
from bot.clients.ledger_usage import Spending, UsageRows, Use
from pipelines.errors import Unavailable
from pipelines.ports import Clock
from pipelines.usage import DailyBudget, UsageReport


@dataclass(frozen=True, slots=True)
class Reservation:
    day: date
    spending: Spending


class Budget:
    """Keeps ModelUsage. Limits of 0 stand for none; a day is a day in UTC."""

    def __init__(self, rows: UsageRows, clock: Clock, limit: Spending, models: tuple[str, ...]) -> None:
        self._rows = rows
        self._clock = clock
        self._limit = limit
        self._models = models

    def reserve(self, wanted: Spending) -> Reservation:
        """Raises Declined when the budget does not hold it, or cannot be looked up."""
        day = self._today()
        try:
            fits = self._rows.reserve(day, wanted, self._limit)
        except Unavailable as outage:
            raise Declined(f"the budget cannot be looked up, because {outage.reason} ({outage.service})") from outage
        if not fits:
            raise Declined(
                f"today's budget is used up ({self._in_words()}). It begins anew at midnight UTC; "
                "`/shipmate usage` shows what used it"
            )
        return Reservation(day, wanted)

    def settle(self, reservation: Reservation, use: Use) -> None:
        self._rows.settle(reservation.spending, use)

    @property
    def used_up(self) -> bool:
        """True also while it cannot be looked up."""
        try:
            return self._today_of().used_up
        except Unavailable:
            return True

    def report(self, days: int = 7) -> UsageReport:
        today = self._today()
        recent = self._rows.by_feature(today - timedelta(days=days - 1), today)
        return UsageReport(
            self._models, tuple(self._rows.by_feature(today, today)), tuple(recent), days, self._today_of()
        )

    def _today_of(self) -> DailyBudget:
        spent = self._rows.spent(self._today())
        return DailyBudget(spent.tokens, self._limit.tokens, spent.cost_dollars, self._limit.cost_dollars)

    def _today(self) -> date:
        return self._clock.now().date()

    def _in_words(self) -> str:
        parts = []
        if self._limit.tokens:
            parts.append(f"{self._limit.tokens:,} tokens")
        if self._limit.cost_dollars:
            parts.append(f"${self._limit.cost_dollars:,.2f}")
        return " or ".join(parts)
