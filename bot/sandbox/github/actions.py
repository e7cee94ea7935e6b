"""Workflows and their runs: dispatched ones work on this machine, others are recorded with what their jobs said."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.children import Child
from bot.sandbox.github import runlogs
from bot.sandbox.github.answers import ApiError, Document, not_found
from bot.sandbox.github.runlogs import Job, Step
from bot.sandbox.github.shapes import number_of
from bot.sandbox.github.store import Store

__all__ = ["Actions", "Annotation", "Job", "Order", "Run", "Step", "Workflow", "WorkflowRun"]

Run = Callable[[Mapping[str, str]], Sequence[str]]
Annotation = Document
MOST_INPUTS = 25
JOB_SECONDS = 6 * 3600
FAILED = ("failure", "timed_out", "cancelled")


@dataclass(frozen=True)
class Workflow:
    """`inputs` are the names that on.workflow_dispatch declares, `run_name` is a format string over them."""

    file: str
    inputs: tuple[str, ...] = ()
    run_name: str = ""
    ref: str = "main"
    name: str = ""


@dataclass(frozen=True)
class Order:
    """A run to record: what it is of. `fork` is the owner of the fork whose branch and commit they are."""

    file: str
    branch: str
    sha: str
    title: str
    event: str = "push"
    actor: str = "octocat"
    fork: str = ""


@dataclass
class WorkflowRun:
    """What tests look at; the whole of it is the document in the store."""

    id: int
    title: str
    cancelled: bool
    document: Document = field(repr=False)


class Actions:
    """`run` translates the inputs of a dispatch into a command for this machine; without it runs stay queued.

    `changed(action, run)` hears of each run that is requested, begun and completed. `again(run, failed_only)`, when
    set, does the jobs of a run once more; without it they end as they did.
    """

    def __init__(
        self, store: Store, now: Callable[[], str], workflows: Sequence[Workflow], run: Run | None,
        environment: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._store = store
        self._now = now
        self.workflows = {workflow.file: workflow for workflow in workflows}
        self._run = run
        self._environment = dict(environment)
        self._children: dict[int, Child] = {}
        self._doing: list[threading.Thread] = []
        self._turn = threading.RLock()
        self.changed: Callable[[str, Document], None] = lambda _action, _run: None
        self.again: Callable[[Document, bool], Sequence[Job]] | None = None

    def workflow(self, name: str) -> Workflow:
        """By file name or number."""
        for workflow in self.workflows.values():
            if name in (workflow.file, str(number_of(workflow.file)), f".github/workflows/{workflow.file}"):
                return workflow
        raise not_found()

    def dispatch(self, file: str, ref: str, sha: str, inputs: Mapping[str, str], actor: str) -> int:
        workflow = self.workflow(file)
        unknown = sorted(set(inputs) - set(workflow.inputs))
        if unknown or len(inputs) > MOST_INPUTS:
            raise ApiError(422, f"Unexpected inputs provided: {unknown}")
        title = workflow.run_name.format(**inputs) or workflow.name or workflow.file
        order = Order(workflow.file, ref, sha, title, "workflow_dispatch", actor)
        with self._turn:
            run = self._begin(order)
            if self._run:
                self._children[run["id"]] = Child(self._run(inputs), self._environment, JOB_SECONDS)
                run["attempts"][-1]["status"] = "in_progress"
                self._store.put("run", run["id"], run)
        return int(run["id"])

    def next_run(self) -> int:
        """A number for a run that will be recorded."""
        return self._store.next_number("run")

    def record(
        self, order: Order, jobs: Sequence[Job], artifacts: Mapping[str, bytes] | None = None, number: int = 0
    ) -> int:
        """A run that has already ended; webhooks tell of it from its request to its end."""
        with self._turn:
            run = self._begin(order, number)
            for name, content in (artifacts or {}).items():
                self._keep_artifact(run, name, content)
            self.changed("requested", run)
            self._perform(run, jobs)
            return int(run["id"])

    def runs(self, file: str = "", event: str = "") -> list[WorkflowRun]:
        """Newest first."""
        documents = self.documents(self.workflow(file).file if file else "")
        return [_seen(run) for run in documents if event in ("", run["event"])]

    def documents(self, file: str = "") -> list[Document]:
        with self._turn:
            found = [self._settled(run) for run in self._store.all("run")]
        return [run for run in found if file in ("", run["file"])][::-1]

    def found(self, number: int) -> Document:
        with self._turn:
            run = self._store.get("run", number)
            if run is None:
                raise not_found()
            return self._settled(run)

    def job(self, number: int) -> tuple[Document, Document]:
        """(run, job)"""
        for run in self.documents():
            for attempt in run["attempts"]:
                for job in attempt["jobs"]:
                    if job["id"] == number:
                        return run, job
        raise not_found()

    def cancel(self, number: int) -> None:
        with self._turn:
            run = self.found(number)
            attempt = run["attempts"][-1]
            if attempt["status"] == "completed":
                raise ApiError(409, "Cannot cancel a workflow run that is completed.")
            if child := self._children.get(number):
                child.end()
            attempt |= {"status": "completed", "conclusion": "cancelled", "updated_at": self._now()}
            self._store.put("run", number, run)

    def rerun(self, number: int, failed_only: bool, job: int = 0) -> None:
        """Another attempt. The jobs that are not done again are those of the attempt before."""
        with self._turn:
            run = self.found(number)
            last = run["attempts"][-1]
            if last["status"] != "completed":
                raise ApiError(403, "This workflow run is already running.")
            if failed_only and last["conclusion"] not in FAILED:
                raise ApiError(403, "This workflow run cannot be retried because no job failed.")
            chosen = [
                one for one in last["jobs"]
                if (job and one["id"] == job) or (not job and (not failed_only or one["conclusion"] in FAILED))
            ]  # fmt: skip
            kept = [one for one in last["jobs"] if one not in chosen] if failed_only or job else []
            names = {one["name"] for one in chosen}
            run["attempts"].append(self._new_attempt("queued") | {"jobs": kept})
            self._store.put("run", number, run)
            self.changed("requested", run)
            if self.again is None:
                self._perform(run, [self._as_before(one) for one in chosen])
                return
            doing = threading.Thread(target=self._do_again, args=(run, failed_only, names), name=f"run-{number}")
            self._doing.append(doing)
            doing.start()

    def settled(self) -> None:
        """Wait until all that is done again is done."""
        for doing in self._doing:
            doing.join()

    def logs_expire(self, number: int) -> None:
        """From now on this run's logs are gone, as after GitHub's days of keeping them."""
        with self._turn:
            run = self.found(number)
            for attempt in run["attempts"]:
                self._store.remove_blob(attempt.get("log", ""))
                for job in attempt["jobs"]:
                    self._store.remove_blob(job["log"])
            self._store.put("run", number, run | {"expired": True})

    def close(self) -> None:
        self.settled()
        with self._turn:
            for child in self._children.values():
                child.close()
            self._children.clear()

    def _begin(self, order: Order, number: int = 0) -> Document:
        workflow = self.workflow(order.file)
        run: Document = {
            "id": number or self.next_run(), "file": workflow.file, "name": workflow.name or workflow.file,
            "title": order.title, "event": order.event, "branch": order.branch, "sha": order.sha, "actor": order.actor,
            "number": self._store.next_number(f"runs of {workflow.file}", 1), "created_at": self._now(),
            "suite": self._store.next_number("suite", 9_000_000_001), "attempts": [self._new_attempt("queued")],
            "expired": False, "fork": order.fork,
        }  # fmt: skip
        self._store.put("run", run["id"], run)
        return run

    def _do_again(self, run: Document, failed_only: bool, names: set[str]) -> None:
        done = self.again(run, failed_only) if self.again else []
        with self._turn:
            self._perform(run, [one for one in done if one.name in names])

    def _new_attempt(self, status: str) -> Document:
        now = self._now()
        return {"status": status, "conclusion": None, "started_at": now, "updated_at": now, "jobs": []}

    def _perform(self, run: Document, jobs: Sequence[Job]) -> None:
        attempt, number = run["attempts"][-1], len(run["attempts"])
        attempt["status"] = "in_progress"
        self.changed("in_progress", run)
        for job in jobs:
            told: Document = runlogs.described(job, self._store.next_number("job", 45_000_000_001), number, self._now())
            self._store.put_blob(told["log"], runlogs.job_log(job, told["started_at"]))
            attempt["jobs"].append(told)
        attempt["log"] = f"run {run['id']} {number}"
        self._store.put_blob(attempt["log"], runlogs.run_archive(jobs, attempt["started_at"]))
        conclusions = [job["conclusion"] for job in attempt["jobs"]]
        conclusion = next((one for one in FAILED if one in conclusions), "success")
        attempt |= {"status": "completed", "conclusion": conclusion, "updated_at": self._now()}
        self._store.put("run", run["id"], run)
        self.changed("completed", run)

    def _as_before(self, job: Document) -> Job:
        log = self._store.blob(job["log"]) or b""
        return runlogs.from_log(job, log)

    def _keep_artifact(self, run: Document, name: str, content: bytes) -> None:
        number = self._store.next_number("artifact", 3_000_000_001)
        archive = runlogs.zipped({name: content})
        self._store.put_blob(f"artifact {number}", archive)
        self._store.put("artifact", number, runlogs.artifact(run, number, name, archive))

    def _settled(self, run: Document) -> Document:
        """The run of a dispatch ends when its process does; looking notices it."""
        attempt, child = run["attempts"][-1], self._children.get(run["id"])
        if child is None or attempt["status"] == "completed":
            return run
        code = child.exit_code()
        if code is None:
            return run
        conclusion = "timed_out" if child.exceeded else "success" if code == 0 else "failure"
        step: Any = Step("Run the workflow", "failure" if conclusion == "timed_out" else conclusion, child.log())
        self._perform(run, [Job("train", (step,), conclusion=conclusion)])
        return run


def _seen(run: Document) -> WorkflowRun:
    return WorkflowRun(run["id"], run["title"], run["attempts"][-1]["conclusion"] == "cancelled", run)
