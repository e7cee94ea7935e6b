"""The operations of the API: each has a method, a path as GitHub's own description writes it, and a function."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, invalid

if TYPE_CHECKING:
    from bot.sandbox.github.world import World

# These may hold slashes: file names and names of branches.
WIDE = {"path", "ref", "basehead", "branch"}
MISSING: Any = object()


@dataclass(frozen=True)
class Call:
    """One request. `actor` is the login that the token belongs to."""

    world: "World"
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Document
    actor: str

    def number(self, name: str) -> int:
        text = self.parameters[name]
        if not text.isdecimal():
            raise ApiError(404, "Not Found")
        return int(text)

    def text(self, name: str, otherwise: Any = MISSING, resource: str = "") -> str:
        """A string of the body; 422 when it is missing or something else."""
        value = self.body.get(name, otherwise)
        if value is MISSING or (value == "" and otherwise is MISSING):
            if resource:
                raise invalid(resource, name)
            raise ApiError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        if value is not otherwise and not isinstance(value, str):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r:.80} is not a string.")
        return str(value) if isinstance(value, str) else value

    def texts(self, name: str) -> list[str]:
        value = self.body.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ApiError(
                422, f"Invalid request.\n\nFor 'properties/{name}', {value!r:.80} is not an array of strings."
            )
        return value


Run = Callable[[Call], Answer | Listing]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    run: Run
    pattern: re.Pattern[str]

    @property
    def literal(self) -> int:
        """How much of the path is not a parameter: of two that match, the longer one is meant."""
        return len(re.sub(r"\{\w+\}", "", self.path))


OPERATIONS: list[Operation] = []


def operation(method: str, path: str) -> Callable[[Run], Run]:
    def register(run: Run) -> Run:
        pattern = re.sub(
            r"\\\{(\w+)\\\}", lambda found: f"(?P<{found[1]}>{'.+' if found[1] in WIDE else '[^/]+'})", re.escape(path)
        )
        # A folder may be asked for with nothing behind it: the root.
        pattern = pattern.replace("/(?P<path>.+)", "(?:/(?P<path>.*))?")
        OPERATIONS.append(Operation(method, path, run, re.compile(pattern)))
        return run

    return register


def find(method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
    """Raises ApiError 404, as GitHub does also for a method that a path does not have."""
    matches = [(one, found) for one in OPERATIONS if one.method == method and (found := one.pattern.fullmatch(path))]
    if not matches:
        raise ApiError(404, "Not Found")
    chosen, found = max(matches, key=lambda pair: pair[0].literal)
    return chosen, {name: value or "" for name, value in found.groupdict().items()}
