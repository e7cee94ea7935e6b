"""/shipmate: help."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipelines.errors import Refused
from pipelines.help import CommandHelp, Help
from pipelines.people import Permission
from pipelines.requests import TypedCommand


@dataclass(frozen=True, slots=True)
class HelpCommand:
    """Show what Shipmate can do for you.

    Usage: /shipmate help
    """

    commands: Sequence[CommandHelp]
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> object:
        word = command.text.strip().lower()
        if word in ("", "help"):
            return Help(command.person, tuple(self.commands))
        names = [known.name.removeprefix("/") for known in self.commands]
        nearest = difflib.get_close_matches(word, names, n=1)
        hint = f"Did you mean `/{nearest[0]}`? " if nearest else ""
        raise Refused(f"I do not know `/shipmate {word[:60]}`. {hint}Usage: `/shipmate help`")
