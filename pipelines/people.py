"""Who a person is to us, and what they may do."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Role(IntEnum):
    """Each role may do all that the roles below it may."""

    VIEWER = 1
    ENGINEER = 2
    APPROVER = 3
    ADMIN = 4

    @property
    def title(self) -> str:
        return self.name.lower()


class Permission(Enum):
    """What a command or click asks for; the value is the lowest role that holds it."""

    LOOK = Role.VIEWER
    ORDER = Role.ENGINEER
    APPROVE = Role.APPROVER
    ADMINISTER = Role.ADMIN


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the workspace; `id` is Slack's user id, or "schedule" for the clock itself."""

    id: str
    name: str
    role: Role = Role.VIEWER

    def may(self, permission: Permission) -> bool:
        return self.role >= permission.value


THE_CLOCK = Person(id="schedule", name="the nightly schedule", role=Role.ENGINEER)
THE_DRIFT_WATCH = Person(id="drift", name="the drift watch", role=Role.ENGINEER)
