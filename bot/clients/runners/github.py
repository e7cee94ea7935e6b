"""Keeps TrainingRunner with a GitHub workflow; progress and results go through the storage.

The workflow takes the inputs `run_id` and `workdir`, has `run-name: train ${{ inputs.run_id }}` and
`concurrency: {group: "train-${{ inputs.run_id }}"}`, so that a run which was asked for twice is done once.
"""

import json
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bot.clients.runners.remote import RemoteFolder
from bot.clients.storage import FsspecStorage
from pipelines.errors import Refused, Unavailable
from pipelines.ports import RunnerState
from pipelines.retrain.values import Progress, TrainingJob, TrainingResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github
    from github.Repository import Repository
    from github.Workflow import Workflow
    from github.WorkflowRun import WorkflowRun

SERVICE = "GitHub"
# GitHub lists a run some seconds after it took the order; after these it lost it.
LISTED_SECONDS = 180
LOOKED_THROUGH = 100
DISPATCH = "github.json"


class GithubRunner:
    """`connect` answers a github.Github; it is called on first use."""

    def __init__(
        self, connect: "Callable[[], Github]", storage: FsspecStorage, copies: Path,
        repository: str, workflow: str, ref: str,
    ) -> None:  # fmt: skip
        self._connect = connect
        self._storage = storage
        self._copies = copies
        self._repository = repository
        self._workflow_name = workflow
        self._ref = ref

    def start(self, job: TrainingJob) -> None:
        folder = self._folder(job)
        if folder.settled():
            return
        if _seconds_since(self._dispatch(job)) < LISTED_SECONDS or self._find(job):
            return
        folder.write_job()
        self._remember(job, None)
        with _Told():
            taken = self._workflow.create_dispatch(
                self._ref, {"run_id": job.run_id, "workdir": job.workdir}, throw=True, return_run_details=True
            )
        # A GitHub Enterprise of before 2026 answers nothing: then the run is found by its name.
        self._remember(job, getattr(taken, "id", None))

    def state(self, job: TrainingJob) -> RunnerState:
        folder = self._folder(job)
        if settled := folder.settled():
            return settled
        dispatch = self._dispatch(job)
        if dispatch is None:
            return RunnerState("absent")
        run = self._find(job)
        if run is None:
            if _seconds_since(dispatch) < LISTED_SECONDS:
                return RunnerState("running", Progress("waiting for GitHub", 0.0))
            return RunnerState("lost", reason="GitHub took the order and shows no workflow run for it.")
        if run.status != "completed":
            return self._going_on(run, folder)
        return folder.settled() or self._ended(run, job)

    def result(self, job: TrainingJob) -> TrainingResult:
        return self._folder(job).result()

    def cancel(self, job: TrainingJob) -> None:
        if self._folder(job).mark_cancelled() and (run := self._find(job)) and run.status != "completed":
            with _Told():
                run.cancel()

    def artefacts(self, job: TrainingJob) -> Path:
        return self._folder(job).artefacts()

    def _folder(self, job: TrainingJob) -> RemoteFolder:
        return RemoteFolder(job, self._storage, self._copies)

    def _find(self, job: TrainingJob) -> "WorkflowRun | None":
        """The workflow run: by the number that GitHub gave us, else the newest one of this name."""
        dispatch = self._dispatch(job)
        if dispatch is None:
            return None
        with _Told():
            if dispatch["run"]:
                return self._repo.get_workflow_run(int(dispatch["run"]))
            for number, run in enumerate(self._workflow.get_runs(event="workflow_dispatch")):
                if run.display_title == f"train {job.run_id}":
                    return run
                if number >= LOOKED_THROUGH:
                    break
        return None

    def _going_on(self, run: "WorkflowRun", folder: RemoteFolder) -> RunnerState:
        told = folder.progress()
        if told.progress is None:
            return RunnerState("running", Progress("waiting for GitHub", 0.0, f"{run.status}: {run.html_url}"))
        return told

    def _ended(self, run: "WorkflowRun", job: TrainingJob) -> RunnerState:
        """Of a workflow run that ended and left neither a result nor a refusal."""
        if run.conclusion == "cancelled":
            return RunnerState("failed", reason=f"The training of {job.model} was cancelled in GitHub: {run.html_url}")
        if run.conclusion == "timed_out":
            return RunnerState("failed", reason=f"The workflow took longer than GitHub allows it: {run.html_url}")
        ended = "without a result" if run.conclusion == "success" else f"as {run.conclusion}"
        return RunnerState("failed", reason=f"The workflow run ended {ended}. Its log: {run.html_url}")

    def _dispatch(self, job: TrainingJob) -> dict[str, Any] | None:
        content = self._storage.read(f"runs/{job.run_id}/{DISPATCH}")
        return json.loads(content) if content else None

    def _remember(self, job: TrainingJob, run: int | None) -> None:
        note = {"at": datetime.now(UTC).isoformat(), "run": run}
        self._storage.write(f"runs/{job.run_id}/{DISPATCH}", json.dumps(note).encode())

    @cached_property
    def _repo(self) -> "Repository":
        if not self._repository:
            raise Refused("No repository for training in GitHub is set. Set SHIPMATE_GITHUB_REPOSITORY.")
        return self._connect().get_repo(self._repository)

    @cached_property
    def _workflow(self) -> "Workflow":
        return self._repo.get_workflow(self._workflow_name)


def connect_github(token: str, api_url: str) -> "Github":
    from github import Auth, Github

    # Our own retries stand a level above, and PyGithub's would order a run twice.
    return Github(auth=Auth.Token(token) if token else None, base_url=api_url, timeout=10, retry=None, lazy=True)


def _seconds_since(dispatch: dict[str, Any] | None) -> float:
    if dispatch is None:
        return float("inf")
    return (datetime.now(UTC) - datetime.fromisoformat(dispatch["at"])).total_seconds()


class _Told:
    """GitHub's errors in plain words."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        from github import GithubException
        from requests import RequestException

        if isinstance(error, GithubException):
            raise _plain(error.status, str(error.message or error.data)[:300]) from error
        if isinstance(error, RequestException):
            raise Unavailable(SERVICE, f"it did not answer ({type(error).__name__})") from error


def _plain(status: int, message: str) -> Exception:
    if status == 403 and "rate limit" in message.lower():
        return Unavailable(SERVICE, "its rate limit is used up")
    if status in (401, 403):
        return Refused(f"GitHub does not let the bot start workflows: {message}. `shipmate doctor` says what to do.")
    if status in (404, 422):
        return Refused(f"GitHub refused the workflow: {message}")
    return Unavailable(SERVICE, f"it answered {status}: {message}")
