"""What the bot listens to, as plain tables: made once in bot/app.py, read by the listeners and by the manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pipelines.people import Permission, Person
from pipelines.requests import Click, TypedCommand


class Command(Protocol):
    """Something people can type. Its docstring is its help: a sentence, then a line `Usage: /name …`."""

    permission: ClassVar[Permission]

    def __call__(self, command: TypedCommand) -> object: ...


class ClickHandler(Protocol):
    """Something a button does; `action` is the button's action id, `redraws` says that its card shows the outcome."""

    action: ClassVar[str]

    redraws: ClassVar[bool]

    permission: ClassVar[Permission]

    def __call__(self, click: Click) -> object: ...


class PersonHandler(Protocol):
    """Something that happens to a person, such as opening App Home."""

    permission: ClassVar[Permission]

    def __call__(self, person: Person) -> object: ...


@dataclass(frozen=True, slots=True)
class Registrations:
    """Everything that Slack can bring us."""

    commands: Mapping[str, Command]
    clicks: Sequence[ClickHandler]
    home: PersonHandler
    mention: PersonHandler
