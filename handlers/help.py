"""Mentions and direct messages, until there is something better to say: what Shipmate can do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipelines.help import CommandHelp, Help
from pipelines.people import Permission, Person


@dataclass(frozen=True, slots=True)
class AnswerMention:
    commands: Sequence[CommandHelp]
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, person: Person) -> Help:
        return Help(person, tuple(self.commands))
