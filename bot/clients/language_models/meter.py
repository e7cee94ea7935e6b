"""Every single call passes here: money set aside, time and tokens measured, booked, counted and traced."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bot.clients.language_models.budget import Budget, Reservation
from bot.clients.language_models.prices import FREE, Price, price_of
from bot.clients.language_models.provider import Fault, Provider, ProviderFault, Request, Tokens
from bot.clients.language_models.tracing import Tracing
from bot.clients.ledger_usage import Spending, Use
from pipelines.errors import Unavailable

log = structlog.get_logger("bot.language_models")

# English has some four bytes a token, other scripts fewer; to set aside a little too much is the safe side.
BYTES_A_TOKEN = 3
# After these the other side may have worked, and may bill it.
PERHAPS_BILLED: frozenset[Fault] = frozenset({"slow", "malformed", "silent"})


class CallMetrics(Protocol):
    def called(self, use: Use, outcome: str) -> None:
        """`outcome` is "ok", "left" (a stream that nobody read to its end) or the kind of fault."""
        ...


@dataclass(slots=True)
class Measured:
    """What a call brought, filled in while it runs. `billed` is known when it has ended, by estimate at least."""

    text: list[str] = field(default_factory=list)
    tokens: Tokens | None = None
    billed: Tokens = field(default_factory=Tokens)


class Meter:
    def __init__(self, budget: Budget, prices: Mapping[str, Price], metrics: CallMetrics, tracing: Tracing) -> None:
        self._budget = budget
        self._prices = prices
        self._metrics = metrics
        self._tracing = tracing

    @contextmanager
    def call(self, provider: Provider, request: Request) -> Iterator[Measured]:
        """Around one call. Raises Declined, before anything leaves, where the budget does not hold it."""
        price = price_of(provider.model, self._prices) or FREE
        most = Tokens(estimate(*request.texts()), request.output_tokens)
        reservation = self._budget.reserve(Spending(most.input + most.output, price.of(most)))
        measured, outcome, began = Measured(), "left", time.perf_counter()
        try:
            with self._tracing.span(provider, request, measured):
                yield measured
            outcome = "ok"
        except ProviderFault as fault:
            outcome = fault.fault
            raise
        finally:
            tokens = measured.billed = _billed(measured, most, outcome)
            use = Use(
                reservation.day, request.feature, provider.name, provider.model, outcome not in ("ok", "left"),
                tokens.input, tokens.output, price.of(tokens), time.perf_counter() - began,
            )  # fmt: skip
            self._book(reservation, use, outcome)

    def cost(self, provider: Provider, tokens: Tokens) -> float:
        return (price_of(provider.model, self._prices) or FREE).of(tokens)

    def _book(self, reservation: Reservation, use: Use, outcome: str) -> None:
        self._metrics.called(use, outcome)
        try:
            self._budget.settle(reservation, use)
        except Unavailable as outage:
            # What was set aside stays spent, so the budget holds; only the books lack a line.
            log.warning("usage was not booked", feature=use.feature, model=use.model, reason=outage.reason)


def estimate(*texts: str) -> int:
    """About how many tokens these are."""
    return sum(len(text.encode(errors="replace")) for text in texts) // BYTES_A_TOKEN + 1


def _billed(measured: Measured, most: Tokens, outcome: str) -> Tokens:
    if measured.tokens is not None:
        return measured.tokens
    written = sum(len(piece.encode(errors="replace")) for piece in measured.text) // BYTES_A_TOKEN
    if outcome in ("ok", "left") or outcome in PERHAPS_BILLED:
        return Tokens(most.input, written)
    return Tokens()
