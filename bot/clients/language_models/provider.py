"""What the language models have in common behind the port: one request, one answer, one kind of fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

Fault = Literal[
    "rate-limited", "overloaded", "slow", "unreachable", "malformed",  # another try may help
    "forbidden", "no-such-model", "rejected", "silent",  # another try will not
]  # fmt: skip
PASSING: frozenset[Fault] = frozenset({"rate-limited", "overloaded", "slow", "unreachable", "malformed"})


class ProviderFault(Exception):
    """A model gave no answer. `reason` is a clause for people, such as "it did not answer within 30 s"."""

    def __init__(self, fault: Fault, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(fault, reason)
        self.fault = fault
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.fault in PASSING

    @property
    def of_the_request(self) -> bool:
        """Whether the request was at fault, so that it says nothing about the model's health."""
        return self.fault in ("rejected", "silent")


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said: `user` is us, `assistant` the model."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out, redacted already. `schema` is the JSON schema of the answer; None asks for plain text."""

    feature: str
    instructions: str
    turns: tuple[Turn, ...]
    schema: Mapping[str, Any] | None
    output_tokens: int
    timeout_seconds: float

    def after(self, answer: str, complaint: str) -> "Request":
        """The same, with the model's answer and what is wrong with it."""
        return replace(self, turns=(*self.turns, Turn("assistant", answer), Turn("user", complaint)))

    def texts(self) -> tuple[str, ...]:
        """All that is sent as words."""
        return (self.instructions, *(turn.text for turn in self.turns))


@dataclass(frozen=True, slots=True)
class Tokens:
    input: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`tokens` is None where the server did not count. `cut_off`: it ran into the limit of output tokens."""

    text: str
    tokens: Tokens | None
    cut_off: bool = False


class Provider(Protocol):
    """One model of one maker. Every method raises ProviderFault, and nothing else, for trouble with the model."""

    @property
    def name(self) -> str:
        """As in the settings: "openai"."""
        ...

    @property
    def model(self) -> str: ...

    def ask(self, request: Request) -> Answer: ...

    def stream(self, request: Request) -> Iterator[str | Tokens]:
        """Pieces of text as they come; tokens, where the server counts them, last."""
        ...

    def warm(self) -> None:
        """Import what the first call would otherwise wait for; nothing is sent."""
        ...

    def check(self) -> None:
        """Whether the key is accepted and the model exists, at no cost."""
        ...


def fault_of_status(status: int, said: str, model: str, retry_after: float | None = None) -> ProviderFault:
    """The fault behind an HTTP status, worded for people. `said` is the server's own sentence."""
    sentence = " ".join(said.split())[:200]
    if status in (401, 403):
        return ProviderFault("forbidden", f"it refused the key ({status})")
    if status == 404:
        return ProviderFault("no-such-model", f"it knows no model {model} at this address")
    if status == 429:
        return ProviderFault("rate-limited", "it is asked too often, or its quota is used up", retry_after)
    if status in (408, 409, 425) or status >= 500:
        return ProviderFault("overloaded", f"it failed on its side ({status})", retry_after)
    return ProviderFault("rejected", f"it rejected the request ({status}: {sentence})")


def seconds_of(header: str | None) -> float | None:
    """Retry-After in seconds; a date, as RFC 9110 10.2.3 also allows, counts as unknown."""
    try:
        seconds = float(header) if header else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 86_400 else None
