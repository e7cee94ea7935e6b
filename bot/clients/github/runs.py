"""Keeps CiRuns."""

from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bot.clients.github.connection import Connection, missing
from bot.clients.github.downloads import Gone, fetch, keep, unpacked
from pipelines.errors import Refused
from pipelines.triage.values import GONE, CiAnnotation, CiJob, CiLog, CiRun, CiStep, Conclusion, RunReference

if TYPE_CHECKING:
    from github.WorkflowJob import WorkflowJob
    from github.WorkflowRun import WorkflowRun

MOST_JOBS = 300
MOST_ANNOTATIONS = 50
LOOKED_THROUGH = 50
LOG_LIMIT_BYTES = 1 << 30
EXPIRED = "GitHub does not keep the log of this job any more."


class GithubRuns:
    """`log_limit_bytes` is how much of one log is kept on this machine."""

    def __init__(self, connection: Connection, log_limit_bytes: int = LOG_LIMIT_BYTES) -> None:
        self._connection = connection
        self._log_limit_bytes = log_limit_bytes

    def run(self, reference: RunReference) -> CiRun:
        def ask() -> CiRun:
            run = self._found(reference)
            jobs = islice(self._jobs(run, reference.attempt), MOST_JOBS)
            return _run(reference.repository, run, [_job(job) for job in jobs])

        return self._connection.read(f"run {reference.run_id} in {reference.repository}", ask)

    def log(self, run: CiRun, job: CiJob, folder: Path) -> CiLog:
        """The job's own log; where that is gone, its part of the whole run's archive."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{run.id}-{run.attempt}-{job.id}.log"
        for address in (f"/actions/jobs/{job.id}/logs", f"/actions/runs/{run.id}/attempts/{run.attempt}/logs"):
            try:
                size, left_out = self._connection.read(
                    f"log of {job.name}", partial(self._download, run, address, path, job.name)
                )
            except Gone:
                path.unlink(missing_ok=True)
                continue
            return CiLog(job.name, path, size, left_out)
        return CiLog(job.name, None, reason=EXPIRED)

    def annotations(self, run: CiRun, job: CiJob) -> Sequence[CiAnnotation]:
        def ask() -> list[CiAnnotation]:
            check = self._connection.repository(run.repository).get_check_run(job.id)
            return [
                CiAnnotation(
                    one.path, one.start_line, one.end_line, one.annotation_level or "", one.title or "",
                    one.message or "",
                )
                for one in islice(check.get_annotations(), MOST_ANNOTATIONS)
            ]  # fmt: skip

        return self._connection.read(f"annotations of {job.name}", ask)

    def last_green(self, run: CiRun, branch: str, head: str) -> CiRun | None:
        def ask() -> CiRun | None:
            workflow = self._connection.repository(run.repository).get_workflow(run.workflow_id)
            for one in islice(workflow.get_runs(branch=branch, status="success"), LOOKED_THROUGH):
                # Branches of forks are listed beside ours of the same name.
                mine = _head(one).lower() == head.lower()
                if mine and one.id != run.id and one.created_at <= run.started_at:
                    jobs = [_job(job) for job in islice(one.jobs("latest"), MOST_JOBS)]
                    return _run(run.repository, one, jobs)
            return None

        return self._connection.read(f"runs of {run.workflow_name}", ask)

    def rerun_failed(self, run: CiRun) -> int:
        def ask() -> int:
            from github import GithubException

            current = self._found(RunReference(run.repository, run.id))
            if current.run_attempt > run.attempt:
                return int(current.run_attempt)
            try:
                # PyGithub's own call answers False for a refusal, without the reason.
                current.requester.requestJsonAndCheck("POST", f"{current.url}/rerun-failed-jobs")
            except GithubException:
                # Another one of us may have been faster by a moment.
                again = self._found(RunReference(run.repository, run.id)).run_attempt
                if again > run.attempt:
                    return int(again)
                raise
            return run.attempt + 1

        return self._connection.write(f"the re-run of run {run.id}", ask)

    def _found(self, reference: RunReference) -> "WorkflowRun":
        run = self._connection.repository(reference.repository).get_workflow_run(reference.run_id)
        if not reference.attempt:
            return run
        attempt = run.get_attempt(reference.attempt)
        attempt.complete()
        return attempt

    def _jobs(self, run: "WorkflowRun", attempt: int) -> "Sequence[WorkflowJob]":
        if not attempt:
            return cast("Sequence[WorkflowJob]", run.jobs("latest"))
        from github.PaginatedList import PaginatedList
        from github.WorkflowJob import WorkflowJob

        address = f"{run.jobs_url.partition('/attempts/')[0].removesuffix('/jobs')}/attempts/{attempt}/jobs"
        found = PaginatedList(WorkflowJob, run.requester, address, None, list_item="jobs")
        return cast("Sequence[WorkflowJob]", found)

    def _download(self, run: CiRun, address: str, path: Path, job: str) -> tuple[int, int]:
        from github import GithubException

        repository = self._connection.repository(run.repository)
        try:
            headers, _ = repository.requester.requestBlobAndCheck("GET", f"/repos/{run.repository}{address}")
        except GithubException as error:
            if missing(error):
                raise Gone(str(error.status)) from error
            raise
        if "location" not in headers:
            raise Refused("GitHub answered a log in a way that we do not know.")
        told = keep(fetch(headers["location"]), path, self._log_limit_bytes)
        return unpacked(path, job, self._log_limit_bytes) or told


def _run(repository: str, run: "WorkflowRun", jobs: Sequence[CiJob]) -> CiRun:
    return CiRun(
        repository=repository, id=run.id, attempt=run.run_attempt, number=run.run_number, workflow_id=run.workflow_id,
        workflow_name=run.name or run.path, workflow_path=(run.path or "").partition("@")[0],
        title=run.display_title or "", event=run.event, branch=run.head_branch or "", sha=run.head_sha,
        conclusion=_conclusion(run.conclusion), actor=run.actor.login if run.actor else "", url=run.html_url,
        started_at=run.run_started_at or run.created_at, jobs=tuple(jobs),
        pull_requests=tuple(pull.number for pull in run.pull_requests or [] if pull.base.repo.id == run.repository.id),
        head=_head(run),
    )  # fmt: skip


def _head(run: "WorkflowRun") -> str:
    """Forks that were deleted leave nothing there."""
    return run.head_repository.full_name if run.head_repository else GONE


def _job(job: "WorkflowJob") -> CiJob:
    steps = tuple(
        CiStep(step.number, step.name, _conclusion(step.conclusion), step.started_at, step.completed_at)
        for step in job.steps or []
    )
    return CiJob(
        job.id, job.name, _conclusion(job.conclusion), job.html_url or job.url, steps, job.started_at,
        job.completed_at, ", ".join(job.labels or []),
    )  # fmt: skip


def _conclusion(told: str | None) -> Conclusion:
    return cast("Conclusion", told or "")
