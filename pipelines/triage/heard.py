"""What GitHub told of by itself: a run or a check that ended, in the few words that its webhook had."""

from dataclasses import dataclass
from datetime import datetime

from pipelines.triage.events import CheckRunEvent, WorkflowRunEvent
from pipelines.triage.history import line_of
from pipelines.triage.values import RunReference


@dataclass(frozen=True, slots=True)
class CheckSaid:
    """What another app than Actions says of its check: all the evidence there is, besides its annotations."""

    app: str
    title: str
    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """`workflow_path` is empty for a check, `number` counts runs of a workflow and is 0 for a check.

    `line` is the branch as far as runs follow each other on it: a fork's branch of the same name is another one.
    `on_default_branch` only where the code is of the default branch itself, not of a fork's branch of the same name
    and not of a pull request.
    """

    reference: RunReference
    number: int
    workflow: str
    workflow_path: str
    conclusion: str
    branch: str
    on_default_branch: bool
    sha: str
    actor: str
    url: str
    pull_requests: tuple[int, ...]
    of_pull_request: bool
    at: datetime
    check: CheckSaid | None = None
    line: str = ""

    @property
    def key(self) -> str:
        run = self.reference
        return f"{run.repository.lower()}:{run.run_id}:{run.attempt}"

    @property
    def name(self) -> str:
        return f"run {self.reference.run_id} of {self.reference.repository}"

    @property
    def series(self) -> str:
        """What the runs of one workflow, and the checks of one name, have in common."""
        return self.workflow_path or self.workflow


def heard(event: WorkflowRunEvent | CheckRunEvent, at: datetime) -> Heard | None:
    """None for what is of no interest: it has not ended, or it is the check of a job, whose run tells more."""
    if not (event.failed or event.passed):
        return None
    return _run(event, at) if isinstance(event, WorkflowRunEvent) else _check(event, at)


def _run(event: WorkflowRunEvent, at: datetime) -> Heard:
    of_pull_request = event.event.startswith("pull_request") or bool(event.pull_requests) or event.from_fork
    default = event.branch == event.default_branch and not event.from_fork
    return Heard(
        event.reference, event.number, event.workflow, event.workflow_path, event.conclusion, event.branch,
        default and not event.event.startswith("pull_request"), event.sha, event.actor, event.url,
        event.pull_requests, of_pull_request, at, line=line_of(event.branch, event.head if event.from_fork else ""),
    )  # fmt: skip


def _check(event: CheckRunEvent, at: datetime) -> Heard | None:
    if event.reference is not None or event.app == "github-actions":
        return None
    # No run has an attempt of 0 or below, so that a check and a run of the same number are two; and a check that its
    # app ends once more is another one, however often GitHub delivers either.
    return Heard(
        RunReference(event.repository, event.check_id, -event.completed_at), 0, event.name, "", event.conclusion,
        event.branch,
        event.branch != "" and event.branch == event.default_branch and not event.pull_requests, event.sha,
        event.actor, event.url, event.pull_requests, bool(event.pull_requests), at,
        CheckSaid(event.app, event.title, event.summary, event.text), line=event.branch,
    )  # fmt: skip
