"""Where people act on a report: judges what they pressed, and starts what a yes allows."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipelines.approval import Approval, ApprovalDesk, ApprovalPolicy, plan_digest
from pipelines.audit import AuditEntry
from pipelines.errors import Refused, Unavailable
from pipelines.people import Permission, Person
from pipelines.ports import Clock, Conversation, Directory, Place
from pipelines.triage.acts import Doubt, DoubtForm, DoubtTaken, Rerun, RerunPlan, Reruns
from pipelines.triage.examining import RedactLines
from pipelines.triage.history import Mark, Reported
from pipelines.triage.ports import CiRuns, TriageHistory
from pipelines.triage.rerun_workflow import RerunWorkflow
from pipelines.triage.values import CiRun, RunReference
from pipelines.waiting import OpenApproval

# Whoever says yes was looking at the report; a day later the branch has moved on.
LIFETIME = timedelta(hours=8)
POLICY = ApprovalPolicy(needed=1, requester_may_approve=True, lifetime=LIFETIME)
GONE = "This report is not in the store any more. `/triage RUN-URL` makes a new one."


@dataclass(frozen=True, slots=True)
class ActRooms:
    """`redact` takes secrets out of what people write."""

    history: TriageHistory
    reruns: Reruns
    runs: CiRuns
    approvals: ApprovalDesk
    conversation: Conversation
    directory: Directory
    clock: Clock
    redact: RedactLines
    workflow: RerunWorkflow


class ActDesk:
    def __init__(self, rooms: ActRooms) -> None:
        self._r = rooms

    # Acknowledge

    def acknowledge(self, person: Person, key: str, place: Place | None) -> None:
        """The first who presses, on the message at `place`, has it; everybody else is told who that is."""
        now = self._r.clock.now()
        entry = self._entry(person, "report acknowledged", self._reported(key, place), {})
        told = self._r.history.mark(key, "acknowledged", Mark(person.id, now), entry)
        if told is None or told.acknowledged is None:
            raise Refused(GONE)
        mark = told.acknowledged
        if mark.by != person.id:
            raise Refused(f"<@{mark.by}> acknowledged this already, {_time(mark.at)}.")
        if abs(mark.at - now) > timedelta(milliseconds=1):
            raise Refused(f"You acknowledged this already, {_time(mark.at)}.")
        self._redraw(key)

    # Re-run

    def ask_rerun(self, person: Person, key: str, place: Place | None) -> None:
        """Have the failed jobs done again: at once where this person may approve, else once somebody does who may."""
        reported = self._reported(key, place)
        run = self._failed_still(reported)
        plan = RerunPlan(run.repository, run.id, run.number, run.attempt, tuple(job.name for job in run.failed_jobs))
        rerun = self._begun(person, reported, plan)
        if person.may(Permission.APPROVE):
            self.approve_rerun(person, rerun.id, plan_digest(plan))
        elif rerun.requester_id != person.id:
            raise Refused(f"{rerun.requester_name} asked for this already; it waits for {self._approvers()}.")
        elif reported.thread:
            self._r.conversation.reply_once(card_key(rerun), reported.thread, rerun)

    def approve_rerun(self, person: Person, rerun_id: str, digest: str) -> Rerun:
        return self._settled(self._r.approvals.approve(rerun_id, person, digest))

    def reject_rerun(self, person: Person, rerun_id: str) -> Rerun:
        return self._settled(self._r.approvals.reject(rerun_id, person))

    def waiting(self, approval: Approval) -> OpenApproval | None:
        """The re-run that this gate stands before, with a link to the report that it was asked for under."""
        rerun = self._r.reruns.get(approval.id)
        if rerun is None:
            return None
        reported = self._r.history.get(rerun.report)
        link = self._r.conversation.link(reported.place) if reported and reported.place else ""
        return OpenApproval(approval, rerun, link)

    def sweep(self) -> None:
        """Begin what was settled, or has expired, and never began: the process that should have was killed."""
        for rerun in self._r.reruns.unfinished():
            approval = self._r.approvals.get(rerun.id)
            if approval and approval.state != "open":
                self._r.workflow.begin(rerun.id)

    def _failed_still(self, reported: Reported) -> CiRun:
        order, facts = reported.triaged.order, reported.triaged.facts
        if not facts.number:
            raise Refused("This is a check of another app, which I cannot have done again. Look for it on its page.")
        run = self._r.runs.run(RunReference(order.reference.repository, order.reference.run_id))
        if run.attempt != facts.attempt:
            raise Refused(f"This run was re-run meanwhile: it is at attempt {run.attempt}. Look at that one.")
        if not run.conclusion:
            raise Refused("This run goes on still. Wait until it has ended.")
        if not run.failed_jobs:
            raise Refused("No job of this run failed by itself, so there is none to re-run. Look at its workflow file.")
        return run

    def _begun(self, person: Person, reported: Reported, plan: RerunPlan) -> Rerun:
        """The re-run of this plan that waits or goes on; a new one where there is none, or the last came to nothing."""
        number = 0
        while (found := self._r.reruns.get(rerun_id := _id(plan, number))) and self._over(found):
            if found.stage == "started":
                raise Refused(f"These jobs were re-run already, as attempt {found.begun}.")
            number += 1
        many = f"{len(plan.jobs)} failed job{'' if len(plan.jobs) == 1 else 's'}"
        approval = self._r.approvals.request(
            approval_id=rerun_id, kind="re-run", subject=f"{plan.repository} run {plan.number}",
            summary=f"Re-run {many} of run #{plan.number} of {plan.repository}, attempt {plan.attempt}", plan=plan,
            requester_id=person.id, requester_name=person.name, policy=POLICY,
        )  # fmt: skip
        return self._r.reruns.begin(
            Rerun(rerun_id, plan, reported.triaged.facts.workflow, reported.key, person.id, person.name,
                  approval.expires_at, direct=person.may(Permission.APPROVE))
        )  # fmt: skip

    def _over(self, rerun: Rerun) -> bool:
        """Whether nothing comes of it any more, also where its work has not noted that yet."""
        approval = self._r.approvals.get(rerun.id)
        return rerun.finished or (approval is not None and approval.state not in ("open", "approved"))

    def _settled(self, approval: Approval) -> Rerun:
        """As it stands between the click and the first step of the work that the click began."""
        rerun = self._r.reruns.get(approval.id)
        if rerun is None:
            raise Refused("This re-run is not in the store any more; nothing was done.")
        if approval.state == "open":
            return rerun
        self._r.workflow.begin(approval.id)
        if rerun.stage != "awaiting approval":
            return rerun
        return replace(
            rerun, stage=approval.state, settled_by=approval.settled_by, settled_at=approval.settled_at
        )  # fmt: skip

    def _approvers(self) -> str:
        return ", ".join(self._r.directory.holders("approver")) or "an approver (none is in the catalogue yet)"

    # Wrong

    def doubt_form(self, key: str) -> DoubtForm:
        return DoubtForm(key, tuple(cause.text for cause in self._reported(key).triaged.report.causes))

    def doubt(self, person: Person, key: str, doubt: Doubt) -> DoubtTaken:
        """Store what this person says of the report; a later word of theirs replaces it."""
        said = " ".join(" ".join(self._r.redact(doubt.said.split("\n"))).split())
        entry = self._entry(person, "report doubted", self._reported(key), {"cause": doubt.cause, "said": said})
        mark = Mark(person.id, self._r.clock.now(), Doubt(doubt.cause, said).written())
        if self._r.history.mark(key, "wrong", mark, entry) is None:
            raise Refused(GONE)
        self._redraw(key)
        return DoubtTaken()

    # What all need

    def _reported(self, key: str, place: Place | None = None) -> Reported:
        found = self._r.history.get(key)
        if found is None:
            raise Refused(GONE)
        # Slack shows a message before it says where: who presses at once knows the place before the store does.
        if found.thread is None and place is not None:
            self._r.history.place(key, place, None)
            return replace(found, place=place)
        return found

    def _redraw(self, key: str) -> None:
        redraw(self._r.conversation, self._r.history, key)

    def _entry(self, person: Person, action: str, told: Reported, detail: dict[str, object]) -> AuditEntry:
        subject = f"{told.triaged.facts.repository} run {told.triaged.facts.number}"
        about: dict[str, object] = {
            "report": told.key, "fingerprint": told.triaged.report.fingerprint, "person": person.id, **detail,
        }  # fmt: skip
        return AuditEntry(self._r.clock.now(), person.name, action, subject, about)


def redraw(conversation: Conversation, history: TriageHistory, key: str) -> None:
    """Show in the report's message how it stands; where Slack is away, the next change shows it."""
    found = history.get(key)
    if found is None or found.place is None:
        return
    with suppress(Unavailable):
        conversation.update(found.place, lambda: history.get(key) or found)


def card_key(rerun: Rerun) -> str:
    return f"{rerun.id}:card"


def _id(plan: RerunPlan, number: int) -> str:
    """One gate a run and attempt, whichever report it is asked for under; another after one that came to nothing."""
    return f"rerun:{plan.repository.lower()}:{plan.run_id}:{plan.attempt}:{number}"


def _time(at: datetime) -> str:
    return f"{at:%H:%M} UTC"
