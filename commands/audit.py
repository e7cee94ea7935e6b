"""/audit: who did what, and when."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.audit import AuditPage, AuditTrail
from pipelines.people import Permission
from pipelines.requests import TypedCommand

NEWEST = 20


@dataclass(frozen=True, slots=True)
class AuditCommand:
    """Show who did what and when: approvals, re-runs, snoozes, edits and doubts, newest first.

    Usage: /audit [MODEL or NAME]
    """

    trail: AuditTrail
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> AuditPage:
        about = " ".join(command.text.split())
        return AuditPage(tuple(self.trail.newest(NEWEST, about)), about)
