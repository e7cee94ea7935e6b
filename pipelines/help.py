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


@dataclass(frozen=True, slots=True)
class Greeting:
    """What somebody who opens a conversation with us may begin with; a prompt is what would be typed."""

    title: str
    prompts: tuple[str, ...]
