"""A small language for the shape of Block Kit documents, and its interpreter.

A rule judges one value at one JSON pointer and yields complaints in the words that Slack uses
(docs.slack.dev/reference/block-kit; `response_metadata.messages` of a refused call).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, isnan
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Complaint:
    """`code` is the error that the call answers; printed, it is the line of response_metadata."""

    text: str
    pointer: str
    code: str = "invalid_blocks"

    def __str__(self) -> str:
        return f"[ERROR] {self.text} [json-pointer:{self.pointer}]"


class Rule(Protocol):
    def judge(self, value: Any, pointer: str, /) -> Iterator[Complaint]: ...


@dataclass(frozen=True, slots=True)
class String:
    most: int = 3_000
    least: int = 0
    choices: frozenset[str] = frozenset()
    starts: tuple[str, ...] = ()

    def judge(self, value: Any, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield Complaint("must provide a string", pointer)
        elif len(value) > self.most:
            yield Complaint(f"must be less than {self.most + 1} characters", pointer)
        elif len(value) < self.least:
            yield Complaint(f"must be more than {self.least - 1} characters", pointer)
        elif self.choices and value not in self.choices:
            yield Complaint(f"must be one of: {', '.join(sorted(self.choices))}", pointer)
        elif self.starts and not value.startswith(self.starts):
            yield Complaint(f"must begin with {' or '.join(self.starts)}", pointer)


def _endless(value: float) -> bool:
    """Python's own test fails on integers that no float can hold, which JSON may bring."""
    return isinstance(value, float) and (isnan(value) or value in (inf, -inf))


@dataclass(frozen=True, slots=True)
class Number:
    """`whole` refuses fractions; numbers that stand in strings are taken where Slack takes them."""

    least: float | None = None
    most: float | None = None
    whole: bool = True
    above: float | None = None

    def judge(self, value: Any, pointer: str) -> Iterator[Complaint]:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or _endless(value):
            yield Complaint("must provide a number", pointer)
        elif self.whole and int(value) != value:
            yield Complaint("must provide an integer", pointer)
        elif self.least is not None and value < self.least:
            yield Complaint(f"must be at least {self.least}", pointer)
        elif self.most is not None and value > self.most:
            yield Complaint(f"must be at most {self.most}", pointer)
        elif self.above is not None and value <= self.above:
            yield Complaint(f"must be more than {self.above}", pointer)


@dataclass(frozen=True, slots=True)
class Flag:
    def judge(self, value: Any, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, bool):
            yield Complaint("must provide a boolean", pointer)


@dataclass(frozen=True, slots=True)
class Anything:
    def judge(self, _value: Any, _pointer: str, /) -> Iterator[Complaint]:
        yield from ()


@dataclass(frozen=True, slots=True)
class Many:
    of: Rule
    most: int = 1_000
    least: int = 0

    def judge(self, value: Any, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, list):
            yield Complaint("must provide an array", pointer)
            return
        if len(value) > self.most:
            yield Complaint(f"no more than {self.most} items allowed", pointer)
            return
        if len(value) < self.least:
            yield Complaint(f"no less than {self.least} items allowed", pointer)
        for index, member in enumerate(value):
            yield from self.of.judge(member, f"{pointer}/{index}")


Extra = Callable[[Mapping[str, Any], str], Iterator[Complaint]]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: its fields by name, which of them are needed, and rules that look at several at once."""

    fields: Mapping[str, Rule]
    needed: tuple[str, ...] = ()
    extra: tuple[Extra, ...] = ()
    open: bool = False  # whether other fields are let pass

    def judge(self, value: Any, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint("must provide an object", pointer)
            return
        for name in self.needed:
            if value.get(name) is None:
                yield Complaint(f"missing required field: {name}", pointer)
        for name, member in value.items():
            rule = self.fields.get(name)
            if rule is None:
                if not self.open:
                    yield Complaint(f"invalid additional property: {name}", pointer)
            elif member is not None:
                yield from rule.judge(member, f"{pointer}/{name}")
        for check in self.extra:
            yield from check(value, pointer)


@dataclass(slots=True)
class Kinds:
    """An object whose `type` says which shape it has. Filled once all shapes are known, because they nest."""

    shapes: dict[str, Rule] = field(default_factory=dict)

    def judge(self, value: Any, pointer: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint("must provide an object", pointer)
            return
        kind = value.get("type")
        if kind is None:
            yield Complaint("missing required field: type", pointer)
        elif not isinstance(kind, str) or kind not in self.shapes:
            yield Complaint(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            yield from self.shapes[kind].judge(value, pointer)

    def only(self, *names: str) -> "Kinds":
        """The same kinds without the others; to be asked for after they are filled."""
        return Kinds({name: self.shapes[name] for name in names})


def exactly_one(*names: str) -> Extra:
    def check(value: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
        given = [name for name in names if value.get(name) is not None]
        if len(given) != 1:
            yield Complaint(f"must provide exactly one of: {', '.join(names)}", pointer)

    return check


def at_least_one(*names: str) -> Extra:
    def check(value: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
        if not any(value.get(name) for name in names):
            yield Complaint(f"must provide at least one of: {', '.join(names)}", pointer)

    return check


def not_above(lower: str, upper: str) -> Extra:
    def check(value: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
        low, high = value.get(lower), value.get(upper)
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            yield Complaint(f"{lower} must not be more than {upper}", f"{pointer}/{lower}")

    return check
