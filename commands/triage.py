"""/triage: why a run of the CI failed."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.errors import Refused
from pipelines.people import Permission
from pipelines.requests import TypedCommand
from pipelines.triage.desk import TriageDesk

USAGE = "/triage RUN-URL"


@dataclass(frozen=True, slots=True)
class TriageCommand:
    """Find out why a run on GitHub failed: possible causes with the lines that show them, and what to do.

    Usage: /triage RUN-URL
    """

    desk: TriageDesk
    # The report shows logs of any repository that the bot's token sees, which not everybody in Slack may.
    permission: ClassVar[Permission] = Permission.ORDER

    def __call__(self, command: TypedCommand) -> object:
        words = command.text.split()
        if len(words) != 1:
            raise Refused(f"Give the address of one run. Usage: `{USAGE}`")
        return self.desk.order(command.person, command.channel, words[0])
