"""/approvals: what waits for somebody's yes."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.people import Permission
from pipelines.requests import TypedCommand
from pipelines.waiting import OpenApprovals, WaitingList


@dataclass(frozen=True, slots=True)
class ApprovalsCommand:
    """List the open approvals, with their buttons.

    Usage: /approvals
    """

    waiting: WaitingList
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> OpenApprovals:
        return self.waiting.seen_by(command.person)
