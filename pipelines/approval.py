"""One gate: an exact plan, who may, expiry, and that it settles once.

An open approval is a row, not a sleeping process: it survives everything that the database survives.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from pipelines.audit import AuditEntry
from pipelines.errors import Refused
from pipelines.people import Permission, Person
from pipelines.ports import Clock, Directory

ApprovalState = Literal["open", "approved", "rejected", "expired", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Vote:
    person_id: str
    person_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """`needed` different people must approve; the requester counts only where `requester_may_approve`."""

    needed: int = 1
    requester_may_approve: bool = False
    lifetime: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Approval:
    """A gate before one act. `digest` is that of the exact plan; `id` is the id of what it lets begin."""

    id: str
    kind: str  # the feature that acts: "retrain", "promotion", …
    subject: str
    summary: str  # one line: action and scope
    digest: str
    requester_id: str
    requester_name: str
    policy: ApprovalPolicy
    opened_at: datetime
    expires_at: datetime
    state: ApprovalState = "open"
    votes: tuple[Vote, ...] = ()
    settled_by: str = ""
    settled_at: datetime | None = None
    reason: str = ""
    version: int = 1  # grows with every change: the store replaces only the version that was read


class ApprovalStore(Protocol):
    def add(self, approval: Approval, entry: AuditEntry) -> Approval:
        """Store a new one with its audit row; the stored one when this id exists already."""
        ...

    def get(self, approval_id: str) -> Approval | None: ...

    def replace(self, approval: Approval, entry: AuditEntry) -> bool:
        """Store `approval` if the stored version is the one before it, with its audit row, in one transaction."""
        ...

    def open(self) -> Sequence[Approval]:
        """Oldest first."""
        ...

    def settled_since(self, moment: datetime) -> Sequence[Approval]: ...


def plan_digest(plan: object) -> str:
    """SHA-256 of a plan's canonical JSON: the same plan has the same digest in every process.

    `plan` is a dataclass of JSON-able values.
    """
    fields: dict[str, Any] = asdict(plan)  # type: ignore[call-overload]
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


class ApprovalDesk:
    """Opens and settles approvals; every settlement is written to the audit trail in the same transaction."""

    def __init__(self, store: ApprovalStore, directory: Directory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock

    def request(
        self, *, approval_id: str, kind: str, subject: str, summary: str, plan: object,
        requester_id: str, requester_name: str, policy: ApprovalPolicy,
    ) -> Approval:  # fmt: skip
        """Open the gate for `plan`; asking again with the same id answers the one that exists."""
        now = self._clock.now()
        approval = Approval(
            id=approval_id, kind=kind, subject=subject, summary=summary, digest=plan_digest(plan),
            requester_id=requester_id, requester_name=requester_name, policy=policy,
            opened_at=now, expires_at=now + policy.lifetime,
        )  # fmt: skip
        return self._store.add(approval, self._entry(approval, requester_name, "requested"))

    def approve(self, approval_id: str, person: Person, digest: str | None = None) -> Approval:
        """Count this person's yes. `digest` is that of the plan they saw; another plan is refused."""
        return self._vote(approval_id, person, digest)

    def approve_by_policy(self, approval_id: str, author: str) -> Approval:
        """Let the catalogue say yes; `author` is the approver who wrote that policy. Settled already is fine."""
        approval = self._existing(approval_id)
        if approval.state != "open":
            return approval
        by = f"the policy of {author}"
        settled = replace(
            approval, state="approved", settled_by=by, settled_at=self._clock.now(),
            reason=f"policy `auto` of {author} in the catalogue", version=approval.version + 1,
        )  # fmt: skip
        if self._store.replace(settled, self._entry(settled, by, "approved")):
            return settled
        return self.approve_by_policy(approval_id, author)

    def reject(self, approval_id: str, person: Person, reason: str = "") -> Approval:
        approval = self._open(approval_id, person)
        return self._settle(approval, "rejected", person.name, reason)

    def withdraw(self, approval_id: str, person: Person) -> Approval:
        """The requester, or who may approve, takes the request back."""
        approval = self._existing(approval_id)
        if person.id != approval.requester_id and not person.may(Permission.APPROVE):
            raise Refused(f"Only {approval.requester_name} or an approver can withdraw this request.")
        self._check_open(approval)
        return self._settle(approval, "withdrawn", person.name)

    def expire_due(self) -> list[Approval]:
        """Settle as expired what nobody answered in time."""
        now = self._clock.now()
        due = [approval for approval in self._store.open() if approval.expires_at <= now]
        return [self._settle(approval, "expired", "") for approval in due]

    def confirm(self, approval_id: str, plan: object) -> Approval:
        """Re-check at execution: approved, and for exactly this plan."""
        approval = self._existing(approval_id)
        if approval.state != "approved":
            raise Refused(f"{approval.summary} is {approval.state}, not approved; nothing was done.")
        if approval.digest != plan_digest(plan):
            raise Refused("The plan changed after it was approved; nothing was done. Order it again.")
        return approval

    def get(self, approval_id: str) -> Approval | None:
        return self._store.get(approval_id)

    def open(self) -> Sequence[Approval]:
        return self._store.open()

    def settled_since(self, moment: datetime) -> Sequence[Approval]:
        return self._store.settled_since(moment)

    def _vote(self, approval_id: str, person: Person, digest: str | None) -> Approval:
        while True:
            approval = self._open(approval_id, person)
            if digest is not None and not approval.digest.startswith(digest):
                raise Refused("The plan changed since this card was drawn. Look at the newest card.")
            if person.id == approval.requester_id and not approval.policy.requester_may_approve:
                raise Refused(f"You ordered this yourself, so somebody else has to approve it: {self._approvers()}.")
            if any(vote.person_id == person.id for vote in approval.votes):
                missing = approval.policy.needed - len(approval.votes)
                raise Refused(f"You approved this already; {missing} more needed.")
            counted = self._count(approval, person)
            if self._store.replace(counted, self._entry(counted, person.name, "approved")):
                return counted
            # Somebody was faster: read again and judge again.

    def _count(self, approval: Approval, person: Person) -> Approval:
        now = self._clock.now()
        votes = (*approval.votes, Vote(person.id, person.name, now))
        counted = replace(approval, votes=votes, version=approval.version + 1)
        if len(votes) < approval.policy.needed:
            return counted
        names = " and ".join(vote.person_name for vote in votes)
        return replace(counted, state="approved", settled_by=names, settled_at=now)

    def _settle(self, approval: Approval, state: ApprovalState, name: str, reason: str = "") -> Approval:
        while True:
            settled = replace(
                approval, state=state, settled_by=name, settled_at=self._clock.now(), reason=reason,
                version=approval.version + 1,
            )  # fmt: skip
            if self._store.replace(settled, self._entry(settled, name or "the clock", state)):
                return settled
            approval = self._existing(approval.id)
            if approval.state != "open":
                if state == "expired":
                    return approval
                self._check_open(approval)

    def _open(self, approval_id: str, person: Person) -> Approval:
        approval = self._existing(approval_id)
        if not person.may(Permission.APPROVE):
            raise Refused(f"Approving takes the role approver. You can ask {self._approvers()}.")
        self._check_open(approval)
        return approval

    def _check_open(self, approval: Approval) -> None:
        if approval.state == "open" and approval.expires_at > self._clock.now():
            return
        if approval.state in ("open", "expired"):
            raise Refused("This request has expired; nothing was done. Order it again.")
        by = f" by {approval.settled_by}" if approval.settled_by else ""
        raise Refused(f"This was {approval.state}{by} already.")

    def _existing(self, approval_id: str) -> Approval:
        approval = self._store.get(approval_id)
        if approval is None:
            raise Refused("There is no such request. /approvals lists the open ones.")
        return approval

    def _approvers(self) -> str:
        return ", ".join(self._directory.holders("approver")) or "an approver (none is in the catalogue yet)"

    def _entry(self, approval: Approval, actor: str, action: str) -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(), actor=actor, action=f"{approval.kind} {action}", subject=approval.subject,
            detail={"approval": approval.id, "digest": approval.digest, "state": approval.state,
                    "votes": [vote.person_id for vote in approval.votes], "reason": approval.reason},
        )  # fmt: skip
