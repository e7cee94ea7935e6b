"""/shipmate: help, and what language models cost."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipelines.errors import Refused
from pipelines.help import CommandHelp, Help
from pipelines.people import Permission
from pipelines.ports import ModelUsage
from pipelines.requests import TypedCommand


@dataclass(frozen=True, slots=True)
class HelpCommand:
    """Show what Shipmate can do for you, or what language models were used for.

    Usage: /shipmate [help|usage]
    """

    commands: Sequence[CommandHelp]
    usage: ModelUsage
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> object:
        word = command.text.strip().lower()
        if word in ("", "help"):
            return Help(command.person, tuple(self.commands))
        if word == "usage":
            return self.usage.report()
        names = [known.name.removeprefix("/") for known in self.commands]
        nearest = difflib.get_close_matches(word, [*names, "usage", "help"], n=1)
        hint = f"Did you mean `{_typed(nearest[0])}`? " if nearest else ""
        raise Refused(f"I do not know `/shipmate {word[:60]}`. {hint}Usage: `/shipmate help` or `/shipmate usage`")


def _typed(word: str) -> str:
    return f"/shipmate {word}" if word in ("usage", "help") else f"/{word}"
