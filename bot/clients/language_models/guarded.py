"""One model with its guards: circuit breaker, retries, time limits, meter."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import stamina

from bot.clients.language_models.bounded import Deadline, bounded, bounded_stream
from bot.clients.language_models.breaker import Breaker
from bot.clients.language_models.meter import Meter
from bot.clients.language_models.provider import Answer, Provider, ProviderFault, Request, Tokens

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long one model is asked. Waits grow from `first_wait_seconds` and carry as much jitter."""

    attempts: int = 3
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0
    # Whoever asks us to wait longer is not waited for: the next model is asked, and the breaker remembers.
    longest_retry_after_seconds: float = 15.0
    # After so many failed answers in a row the model is left alone for so long.
    failures: int = 3
    open_seconds: float = 30.0
    now: Callable[[], float] = time.monotonic


PATIENCE = Patience()


class GuardedProvider:
    """Raises ProviderFault where the model gave nothing, Declined where the budget does not hold the call."""

    def __init__(self, provider: Provider, meter: Meter, patience: Patience) -> None:
        self.provider = provider
        self._meter = meter
        self._breaker = Breaker(patience.failures, patience.open_seconds, patience.now)
        self._patience = patience

    @property
    def title(self) -> str:
        return f"{self.provider.name} {self.provider.model}"

    @property
    def admits(self) -> bool:
        return self._breaker.admits

    def cost(self, tokens: Tokens) -> float:
        return self._meter.cost(self.provider, tokens)

    def ask(self, request: Request, deadline: Deadline) -> Answer:
        with self._judged():
            return self._retried(lambda: self._ask_once(request, deadline), deadline)

    def stream(self, request: Request, deadline: Deadline) -> Iterator[str]:
        """Tried again only until the first piece has come: what was shown cannot be taken back."""
        with self._judged():
            first, pieces = self._retried(lambda: self._begun(request, deadline), deadline)
            yield first
            yield from pieces

    def _ask_once(self, request: Request, deadline: Deadline) -> Answer:
        with self._meter.call(self.provider, request) as measured:
            answer = bounded(lambda: self.provider.ask(request), deadline.sooner(request.timeout_seconds))
            measured.text.append(answer.text)
            measured.tokens = answer.tokens
        return replace(answer, tokens=measured.billed)

    def _begun(self, request: Request, deadline: Deadline) -> tuple[str, Iterator[str]]:
        pieces = self._stream_once(request, deadline)
        first = next(pieces, None)
        if first is None:
            raise ProviderFault("malformed", "its answer was empty")
        return first, pieces

    def _stream_once(self, request: Request, deadline: Deadline) -> Generator[str, None, None]:
        with self._meter.call(self.provider, request) as measured:
            pieces = bounded_stream(lambda: self.provider.stream(request), request.timeout_seconds, deadline)
            try:
                for piece in pieces:
                    if isinstance(piece, Tokens):
                        measured.tokens = piece
                    else:
                        measured.text.append(piece)
                        yield piece
            finally:
                pieces.close()

    def _retried(self, call: Callable[[], R], deadline: Deadline) -> R:
        for attempt in stamina.retry_context(
            on=lambda error: self._wait_before_next(error, deadline),
            attempts=self._patience.attempts,
            timeout=None,
            wait_initial=self._patience.first_wait_seconds,
            wait_jitter=self._patience.first_wait_seconds,
            wait_max=self._patience.longest_wait_seconds,
        ):
            with attempt:
                return call()
        raise ProviderFault("slow", "it did not answer in time")

    def _wait_before_next(self, error: Exception, deadline: Deadline) -> bool | float:
        """False ends the tries, True waits as long as usual, a number so many seconds."""
        if not isinstance(error, ProviderFault) or not error.passing or deadline.over:
            return False
        if error.retry_after_seconds is None:
            return True
        patient = min(self._patience.longest_retry_after_seconds, deadline.remaining_seconds)
        return error.retry_after_seconds if error.retry_after_seconds <= patient else False

    @contextmanager
    def _judged(self) -> Iterator[None]:
        if not self._breaker.enter():
            raise ProviderFault("unreachable", "it failed again and again, and is left alone for a while")
        try:
            yield
        except ProviderFault as fault:
            if fault.of_the_request:
                self._breaker.succeeded()
            else:
                self._breaker.failed(fault.retry_after_seconds)
            raise
        self._breaker.succeeded()
