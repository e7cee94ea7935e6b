"""The front that keeps the port: redaction, then one model after the other, then the offline answer."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from pydantic import BaseModel

from bot.cards.inert import visible
from bot.clients.language_models.bounded import STEP_SECONDS, Deadline, bounded
from bot.clients.language_models.budget import Budget
from bot.clients.language_models.declined import Declined
from bot.clients.language_models.guarded import GuardedProvider
from bot.clients.language_models.meter import estimate
from bot.clients.language_models.offline import OFFLINE
from bot.clients.language_models.provider import Answer, ProviderFault, Request, Tokens, Turn
from bot.clients.language_models.structure import LONGEST_ANSWER, Unreadable, read_answer
from bot.redaction import Redactor
from pipelines.errors import Unavailable
from pipelines.ports import Completion
from pipelines.prompts import Prompt

log = structlog.get_logger("bot.language_models")

V = TypeVar("V", bound=BaseModel)

SERVICE = "the language model"


class AnswerMetrics(Protocol):
    def answered(self, feature: str, source: str) -> None:
        """`source` is the name of the provider, or "offline"."""
        ...


@dataclass(frozen=True, slots=True)
class ChainLimits:
    """`timeout_seconds` is for one call, `deadline_seconds` for all that is done to answer one prompt."""

    timeout_seconds: float = 30.0
    deadline_seconds: float = 90.0
    input_tokens: int = 100_000
    output_tokens: int = 2_000
    at_once: int = 4


class LanguageModelChain:
    """Keeps LanguageModel. Nothing is put back where a secret was taken out: no mapping to secrets exists."""

    def __init__(
        self,
        models: Sequence[GuardedProvider],
        redactor: Redactor,
        budget: Budget,
        metrics: AnswerMetrics,
        limits: ChainLimits,
    ) -> None:
        self._models = models
        self._redactor = redactor
        self._budget = budget
        self._metrics = metrics
        self._limits = limits
        self._slots = threading.BoundedSemaphore(limits.at_once)
        self._stopping = threading.Event()

    @property
    def available(self) -> bool:
        stopped = self._stopping.is_set()
        return not stopped and any(model.admits for model in self._models) and not self._budget.used_up

    def stop(self) -> None:
        """Whoever waits for a model gets the offline answer now."""
        self._stopping.set()

    def complete(self, prompt: Prompt, schema: type[V], offline: Callable[[], V]) -> Completion[V]:
        try:
            completion = self._complete(prompt, schema)
        except Declined as declined:
            log.warning("written without a language model", feature=prompt.feature, reason=str(declined))
            completion = Completion(offline(), OFFLINE, f"Written without a language model: {declined}.")
        self._metrics.answered(prompt.feature, completion.source.partition(" ")[0])
        return completion

    def stream(self, prompt: Prompt) -> Iterator[str]:
        deadline = Deadline(self._limits.deadline_seconds, self._stopping)
        try:
            with self._slot(deadline):
                yield from _bounded_text(self._stream(self._request(prompt, None), deadline))
        except Declined as declined:
            raise Unavailable(SERVICE, str(declined)) from None

    def _complete(self, prompt: Prompt, schema: type[V]) -> Completion[V]:
        request = self._request(prompt, schema)
        deadline = Deadline(self._limits.deadline_seconds, self._stopping)
        with self._slot(deadline):
            try:
                return bounded(lambda: self._walk(request, schema, deadline), deadline)
            except ProviderFault:
                reason = f"nothing came within {self._limits.deadline_seconds:.0f} s"
            except Declined as declined:
                reason = str(declined)
        raise Declined("the bot is stopping" if self._stopping.is_set() else reason)

    def _walk(self, request: Request, schema: type[V], deadline: Deadline) -> Completion[V]:
        """The first answer of the models in their order."""
        faults = []
        for model in self._models:
            try:
                return self._answer(model, request, schema, deadline)
            except ProviderFault as fault:
                faults.append(f"{model.provider.model}: {fault.reason}")
        raise Declined("; ".join(faults))

    def _answer(self, model: GuardedProvider, request: Request, schema: type[V], deadline: Deadline) -> Completion[V]:
        first = model.ask(request, deadline)
        try:
            return _completion(model, read_answer(first.text, schema, first.cut_off), [first])
        except Unreadable as unreadable:
            repairing = request.after(first.text[:LONGEST_ANSWER], str(unreadable))
        second = model.ask(repairing, deadline)
        try:
            return _completion(model, read_answer(second.text, schema, second.cut_off), [first, second])
        except Unreadable:
            raise Declined(f"{model.provider.model}: it answered twice in a form that cannot be read") from None

    def _stream(self, request: Request, deadline: Deadline) -> Iterator[str]:
        faults = []
        for model in self._models:
            shown = False
            try:
                for piece in model.stream(request, deadline):
                    shown = True
                    yield piece
                self._metrics.answered(request.feature, model.provider.name)
                return
            except ProviderFault as fault:
                if shown:
                    raise Declined(f"{model.provider.model}: {fault.reason}") from None
                faults.append(f"{model.provider.model}: {fault.reason}")
        raise Declined("; ".join(faults))

    def _request(self, prompt: Prompt, schema: type[BaseModel] | None) -> Request:
        """Redacted. A prompt that is too long is not cut: what was cut off here would be missed by nobody."""
        if (tokens := estimate(prompt.instructions, prompt.material)) > self._limits.input_tokens:
            raise Declined(
                f"the prompt is too long (about {tokens:,} tokens, the limit is {self._limits.input_tokens:,})"
            )
        return Request(
            prompt.feature, self._redactor.redact(prompt.instructions).text,
            (Turn("user", self._redactor.redact(prompt.material).text),),
            schema.model_json_schema() if schema else None, self._limits.output_tokens, self._limits.timeout_seconds,
        )  # fmt: skip

    @contextmanager
    def _slot(self, deadline: Deadline) -> Iterator[None]:
        while not self._slots.acquire(timeout=STEP_SECONDS):
            if deadline.over:
                raise Declined("too many questions are being answered at the moment")
        try:
            yield
        finally:
            self._slots.release()


def _completion(model: GuardedProvider, value: V, answers: Sequence[Answer]) -> Completion[V]:
    counted = [answer.tokens for answer in answers if answer.tokens]
    tokens = Tokens(sum(each.input for each in counted), sum(each.output for each in counted))
    return Completion(value, model.title, "", tokens.input, tokens.output, model.cost(tokens))


def _bounded_text(pieces: Iterator[str]) -> Iterator[str]:
    """Without characters that nobody sees, and not for ever."""
    left = LONGEST_ANSWER
    for piece in pieces:
        if left <= 0:
            return
        cleaned = visible(piece)[:left]
        left -= len(cleaned)
        yield cleaned
