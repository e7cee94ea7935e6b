"""Workflows and their runs."""

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.children import Child
from bot.sandbox.github.answers import ApiError

Document = dict[str, Any]
Run = Callable[[Mapping[str, str]], Sequence[str]]
MOST_INPUTS = 25
JOB_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Workflow:
    """`inputs` are the names that on.workflow_dispatch declares, `run_name` is a format string over them."""

    file: str
    inputs: tuple[str, ...]
    run_name: str
    ref: str = "main"


@dataclass
class WorkflowRun:
    id: int
    workflow: Workflow
    title: str
    created_at: str
    child: Child | None
    cancelled: bool = False


class Actions:
    """`run` translates the inputs of a dispatch into a command for this machine; without it runs stay queued."""

    def __init__(
        self, repository: str, workflows: Sequence[Workflow], run: Run | None, environment: Mapping[str, str]
    ) -> None:
        self.repository = repository
        self._workflows = {workflow.file: workflow for workflow in workflows}
        self._run = run
        self._environment = dict(environment)
        self._runs: dict[int, WorkflowRun] = {}
        self._numbers = itertools.count(15_000_000_001)
        self._turn = threading.RLock()

    def dispatch(self, file: str, ref: str, inputs: Mapping[str, str]) -> int:
        workflow = self._workflow(file)
        if ref != workflow.ref:
            raise ApiError(422, f"No ref found for: {ref}")
        unknown = sorted(set(inputs) - set(workflow.inputs))
        if unknown or len(inputs) > MOST_INPUTS:
            raise ApiError(422, f"Unexpected inputs provided: {unknown}")
        with self._turn:
            number = next(self._numbers)
            child = Child(self._run(inputs), self._environment, JOB_SECONDS) if self._run else None
            created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            title = workflow.run_name.format(**inputs)
            self._runs[number] = WorkflowRun(number, workflow, title, created, child)
            return number

    def runs(self, file: str, event: str = "") -> list[WorkflowRun]:
        """Newest first."""
        workflow = self._workflow(file)
        with self._turn:
            chosen = [run for run in self._runs.values() if run.workflow == workflow]
        return chosen[::-1] if event in ("", "workflow_dispatch") else []

    def found(self, number: int) -> WorkflowRun:
        with self._turn:
            if number not in self._runs:
                raise ApiError(404, "Not Found")
            return self._runs[number]

    def cancel(self, number: int) -> None:
        run = self.found(number)
        if _state(run)[0] == "completed":
            raise ApiError(409, "Cannot cancel a workflow run that is completed.")
        run.cancelled = True
        if run.child:
            run.child.end()

    def described(self, run: WorkflowRun, base: str) -> Document:
        status, conclusion = _state(run)
        url = f"{base}/repos/{self.repository}/actions/runs/{run.id}"
        return {
            "id": run.id, "name": run.workflow.file, "display_title": run.title, "event": "workflow_dispatch",
            "status": status, "conclusion": conclusion, "head_branch": run.workflow.ref, "run_attempt": 1,
            "url": url, "cancel_url": f"{url}/cancel", "html_url": f"{base}/{self.repository}/actions/runs/{run.id}",
            "logs_url": f"{url}/logs", "jobs_url": f"{url}/jobs",
            "path": f".github/workflows/{run.workflow.file}",
            "created_at": run.created_at, "updated_at": run.created_at,
        }  # fmt: skip

    def close(self) -> None:
        with self._turn:
            for run in self._runs.values():
                if run.child:
                    run.child.close()
            self._runs.clear()

    def _workflow(self, file: str) -> Workflow:
        if file not in self._workflows:
            raise ApiError(404, "Not Found")
        return self._workflows[file]


def _state(run: WorkflowRun) -> tuple[str, str | None]:
    """GitHub's `status` and `conclusion`."""
    if run.child is None:
        return ("completed", "cancelled") if run.cancelled else ("queued", None)
    code = run.child.exit_code()
    if code is None:
        return "in_progress", None
    if run.cancelled:
        return "completed", "cancelled"
    if run.child.exceeded:
        return "completed", "timed_out"
    return "completed", "success" if code == 0 else "failure"
