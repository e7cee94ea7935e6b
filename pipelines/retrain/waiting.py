"""Waiting for a training process: shows its progress, notices a cancel, survives that either side is killed."""

from dataclasses import replace

from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Conversation, Retrains, RunnerState, TrainingRunner
from pipelines.retrain.values import Progress, TrainingJob

POLL_SECONDS = 0.5
SHOW_SECONDS = 1.5  # chat.update is limited to about 50 a minute for the whole workspace
RESTARTS = 1  # a training that vanished (node gone, machine restarted) is begun again once


class Cancelled(Exception):
    """A person ended the run."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


class TrainingWatch:
    def __init__(self, durable: DurableWork, retrains: Retrains, conversation: Conversation) -> None:
        self._durable = durable
        self._retrains = retrains
        self._conversation = conversation

    def until_finished(self, run_id: str, job: TrainingJob, runner: TrainingRunner) -> None:
        """Start the process, or find the one that runs, and wait. Raises Cancelled, or Refused with the reason."""
        if by := self._retrains.cancel_asked_by(run_id):
            raise Cancelled(by)
        runner.start(job)
        restarts, shown, since_shown = 0, Progress("starting", 0.0), SHOW_SECONDS
        while (state := runner.state(job)).phase != "finished":
            if by := self._retrains.cancel_asked_by(run_id):
                raise Cancelled(by)
            if state.phase == "failed":
                raise Refused(state.reason)
            if state.phase in ("absent", "lost"):
                restarts = self._restart(restarts, state, job, runner)
            if state.progress and state.progress != shown and since_shown >= SHOW_SECONDS:
                shown, since_shown = state.progress, 0.0
                self._show(run_id, shown)
            self._durable.pause(POLL_SECONDS)
            since_shown += POLL_SECONDS

    def _restart(self, restarts: int, state: RunnerState, job: TrainingJob, runner: TrainingRunner) -> int:
        if restarts >= RESTARTS:
            raise Refused(f"The training process vanished twice. {state.reason}".strip())
        runner.start(job)
        return restarts + 1

    def _show(self, run_id: str, progress: Progress) -> None:
        retrain = self._retrains.get(run_id)
        place = self._retrains.place(run_id)
        if retrain is None or place is None:
            return
        saved = self._retrains.save(replace(retrain, progress=progress))
        try:
            self._conversation.update(place, lambda: self._retrains.get(run_id) or saved)
        except Unavailable:
            # Progress is a courtesy: training goes on while Slack is away, and the end is told by its own step.
            return
