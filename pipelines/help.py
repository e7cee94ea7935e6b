"""What help shows."""

from dataclasses import dataclass

from pipelines.people import Permission, Person


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """One command: all of it comes from the command's own docstring."""

    name: str
    description: str
    usage: str
    permission: Permission


@dataclass(frozen=True, slots=True)
class Help:
    person: Person
    commands: tuple[CommandHelp, ...]
