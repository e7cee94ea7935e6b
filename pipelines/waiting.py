"""What waits for somebody's yes, of every feature: one list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.approval import Approval, ApprovalDesk
from pipelines.people import Person
from pipelines.ports import Clock


@dataclass(frozen=True, slots=True)
class OpenApproval:
    """`act` is the feature's own value of what waits: a retrain, a promotion, a re-run; `link` leads to its card."""

    approval: Approval
    act: object
    link: str


@dataclass(frozen=True, slots=True)
class OpenApprovals:
    """Oldest first; `person` is who looks, because buttons are drawn only for those who may press them."""

    person: Person
    approvals: tuple[OpenApproval, ...]
    now: datetime


FindAct = Callable[[Approval], OpenApproval | None]


@dataclass(frozen=True, slots=True)
class WaitingList:
    """Each of `finders` knows the acts of one feature, and answers None for the gates of the others."""

    approvals: ApprovalDesk
    finders: Sequence[FindAct]
    clock: Clock

    def seen_by(self, person: Person) -> OpenApprovals:
        found = [self._found(approval) for approval in self.approvals.open()]
        return OpenApprovals(person, tuple(one for one in found if one), self.clock.now())

    def link(self, approval_id: str) -> str:
        """Empty where there is no card."""
        approval = self.approvals.get(approval_id)
        found = self._found(approval) if approval else None
        return found.link if found else ""

    def _found(self, approval: Approval) -> OpenApproval | None:
        return next((found for find in self.finders if (found := find(approval))), None)
