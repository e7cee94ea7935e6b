"""/approvals: what waits for somebody's yes."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.people import Permission
from pipelines.requests import TypedCommand
from pipelines.retrain.desk import RetrainDesk


@dataclass(frozen=True, slots=True)
class ApprovalsCommand:
    """List the open approvals, with their buttons.

    Usage: /approvals
    """

    desk: RetrainDesk
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> object:
        return self.desk.waiting(command.person)
