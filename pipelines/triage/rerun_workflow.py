"""The durable way of a re-run that was settled: `rerun` looks once more, has the jobs done again, and tells of it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pipelines.approval import ApprovalDesk
from pipelines.audit import AuditEntry
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Clock, Conversation
from pipelines.triage.acts import Rerun, RerunEnded, Reruns, RerunStage
from pipelines.triage.history import Mark
from pipelines.triage.ports import CiRuns, TriageHistory
from pipelines.triage.values import RunReference

Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]


@dataclass(frozen=True, slots=True)
class RerunRooms:
    durable: DurableWork
    reruns: Reruns
    approvals: ApprovalDesk
    runs: CiRuns
    history: TriageHistory
    conversation: Conversation
    clock: Clock
    guard: Guard


class RerunWorkflow:
    def __init__(self, rooms: RerunRooms) -> None:
        self._r = rooms
        rooms.durable.register("rerun", rooms.guard(self._rerun, self._broke))

    def begin(self, rerun_id: str) -> None:
        """Go on with what was settled; asked twice, by two clicks or two processes, it is done once."""
        self._r.durable.start("rerun", rerun_id, rerun_id)

    def _rerun(self, rerun_id: str) -> None:
        step = self._r.durable.step
        try:
            if step("settle", self._settle, rerun_id) == "approved":
                # What changed since the plan was made counts; an attempt that we started ourselves does not, because
                # a look that was taken is not taken again.
                step("look", self._look, rerun_id)
                begun = step("act", self._act, rerun_id)
                step("note", self._note, rerun_id, begun)
        except (Refused, Unavailable) as problem:
            step("fail", self._end, rerun_id, "failed", str(problem))
        step("show", self._show, rerun_id)

    def _settle(self, rerun_id: str) -> str:
        rerun, approval = self._found(rerun_id), self._r.approvals.get(rerun_id)
        if approval is None:
            raise Refused("There is no such request any more; nothing was done.")
        if approval.state == "approved":
            self._r.approvals.confirm(rerun_id, rerun.plan)
        stage: RerunStage = "awaiting approval" if approval.state == "open" else approval.state
        settled = replace(rerun, stage=stage, settled_by=approval.settled_by, settled_at=approval.settled_at)
        self._r.reruns.save(settled)
        return stage

    def _look(self, rerun_id: str) -> None:
        """Refused, unless the run stands as it did when the plan was shown."""
        plan = self._found(rerun_id).plan
        run = self._r.runs.run(RunReference(plan.repository, plan.run_id))
        if run.attempt != plan.attempt:
            raise Refused(f"The run was re-run meanwhile: it is at attempt {run.attempt}. Nothing was done.")
        if sorted(job.name for job in run.failed_jobs) != sorted(plan.jobs):
            raise Refused("Other jobs are failed now than the plan names. Nothing was done; ask for it again.")

    def _act(self, rerun_id: str) -> int:
        plan = self._found(rerun_id).plan
        run = self._r.runs.run(RunReference(plan.repository, plan.run_id, plan.attempt))
        return self._r.runs.rerun_failed(run)

    def _note(self, rerun_id: str, begun: int) -> None:
        self._end(rerun_id, "started", "", begun)
        rerun, approval = self._found(rerun_id), self._r.approvals.get(rerun_id)
        by = approval.votes[-1].person_id if approval and approval.votes else rerun.requester_id
        self._r.history.mark(rerun.report, "rerun", Mark(by, rerun.settled_at or self._r.clock.now(), str(begun)))

    def _end(self, rerun_id: str, stage: RerunStage, reason: str, begun: int = 0) -> None:
        rerun, now = self._found(rerun_id), self._r.clock.now()
        plan = rerun.plan
        detail: dict[str, Any] = {
            "approval": rerun.id, "run": plan.run_id, "attempt": plan.attempt, "jobs": list(plan.jobs),
            "begun": begun, "reason": reason,
        }  # fmt: skip
        subject = f"{plan.repository} run {plan.number}"
        entry = AuditEntry(now, rerun.settled_by or rerun.requester_name, f"re-run {stage}", subject, detail)
        self._r.reruns.save(replace(rerun, stage=stage, reason=reason, begun=begun), entry)

    def _show(self, rerun_id: str) -> None:
        """The card of the question, the report's message, and a word in the thread."""
        rerun = self._found(rerun_id)
        reported = self._r.history.get(rerun.report)
        if reported is None or reported.place is None or reported.thread is None:
            return
        place, thread = reported.place, reported.thread
        if not rerun.direct:
            card = self._r.conversation.reply_once(f"{rerun.id}:card", thread, rerun)
            self._r.conversation.update(card, lambda: self._found(rerun_id))
        self._r.conversation.update(place, lambda: self._r.history.get(rerun.report) or reported)
        if rerun.direct or rerun.stage != "expired":
            self._r.conversation.reply_once(f"{rerun.id}:end", thread, RerunEnded(rerun))

    def _broke(self, rerun_id: str, reference: str) -> None:
        self._end(rerun_id, "failed", f"Something broke, reference {reference}.")
        with suppress(Unavailable):
            self._show(rerun_id)

    def _found(self, rerun_id: str) -> Rerun:
        found = self._r.reruns.get(rerun_id)
        if found is None:
            raise Refused("This re-run is not in the store any more; nothing was done.")
        return found
