"""What GitHub's webhooks say: whether it was GitHub, and which run or check ended how."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.triage.values import FAILED, RunReference

OUTPUT_LIMIT = 65_536  # GitHub's own: docs.github.com/rest/checks/runs
_RUN_IN_URL = re.compile(r"/([\w.-]+/[\w.-]+)/actions/runs/(\d+)(?:/attempts/(\d+))?")


@dataclass(frozen=True, slots=True)
class WorkflowRunEvent:
    """A `workflow_run` webhook. `branch` may be empty; `from_fork` when the code is of another repository, `head`."""

    action: str
    reference: RunReference
    workflow: str
    workflow_path: str
    conclusion: str
    event: str
    branch: str
    default_branch: str
    sha: str
    actor: str
    url: str
    pull_requests: tuple[int, ...]
    from_fork: bool
    number: int = 0
    head: str = ""

    @property
    def failed(self) -> bool:
        return self.action == "completed" and self.conclusion in FAILED

    @property
    def passed(self) -> bool:
        return self.action == "completed" and self.conclusion == "success"


@dataclass(frozen=True, slots=True)
class CheckRunEvent:
    """A `check_run` webhook. `reference` is the workflow run it belongs to; None for a check of another app.

    `title`, `summary` and `text` are what the app says of it, cut to `OUTPUT_LIMIT` characters each. An app may end the
    same check again: `completed_at`, in seconds since 1970 or 0, tells the one end from the other.
    """

    action: str
    repository: str
    check_id: int
    name: str
    app: str
    conclusion: str
    branch: str
    sha: str
    url: str
    reference: RunReference | None
    pull_requests: tuple[int, ...]
    default_branch: str = ""
    actor: str = ""
    title: str = ""
    summary: str = ""
    text: str = ""
    completed_at: int = 0

    @property
    def failed(self) -> bool:
        return self.action == "completed" and self.conclusion in FAILED

    @property
    def passed(self) -> bool:
        return self.action == "completed" and self.conclusion == "success"


def signed_by(secret: str, body: bytes, signature: str) -> bool:
    """Whether `signature` (the header X-Hub-Signature-256) is that of the raw body, compared in constant time.

    An empty secret signs nothing. docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    """
    if not secret:
        return False
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode(errors="replace"))


def read_event(name: str, payload: Mapping[str, Any]) -> WorkflowRunEvent | CheckRunEvent | None:
    """None for events that nothing of ours follows from. Raises ValueError for a payload that GitHub would not send."""
    try:
        if name == "workflow_run":
            return _workflow_run(payload)
        if name == "check_run":
            return _check_run(payload)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {name} payload of GitHub: {error!r:.100}") from error
    return None


def run_of_url(url: str) -> RunReference | None:
    """The run that the address of a run, an attempt or a job on GitHub names."""
    found = _RUN_IN_URL.search(url)
    return RunReference(found[1], int(found[2]), int(found[3] or 0)) if found else None


def _workflow_run(payload: Mapping[str, Any]) -> WorkflowRunEvent:
    run, repository = payload["workflow_run"], payload["repository"]
    # Forks that are gone leave nothing here.
    head = run.get("head_repository") or {}
    return WorkflowRunEvent(
        action=str(payload["action"]),
        reference=RunReference(_name(repository), _number(run["id"]), _number(run.get("run_attempt") or 1)),
        workflow=str(run.get("name") or (payload.get("workflow") or {}).get("name") or ""),
        workflow_path=str(run.get("path") or "").partition("@")[0],
        conclusion=str(run.get("conclusion") or ""),
        event=str(run.get("event") or ""),
        branch=str(run.get("head_branch") or ""),
        default_branch=str(repository.get("default_branch") or ""),
        sha=str(run["head_sha"]),
        actor=str((run.get("actor") or payload.get("sender") or {}).get("login") or ""),
        url=str(run.get("html_url") or ""),
        pull_requests=_pulls(run, repository),
        from_fork=head.get("id") != repository["id"],
        number=_number(run.get("run_number") or 0),
        head=str(head.get("full_name") or "gone"),
    )


def _check_run(payload: Mapping[str, Any]) -> CheckRunEvent:
    check, repository = payload["check_run"], payload["repository"]
    suite = check.get("check_suite") or {}
    address = str(check.get("details_url") or check.get("html_url") or "")
    reference = run_of_url(address)
    said = check.get("output") or {}
    told = {name: str(said.get(name) or "")[:OUTPUT_LIMIT] for name in ("title", "summary", "text")}
    mine = reference is not None and reference.repository.lower() == _name(repository).lower()
    return CheckRunEvent(
        action=str(payload["action"]),
        repository=_name(repository),
        check_id=_number(check["id"]),
        name=str(check["name"]),
        app=str((check.get("app") or {}).get("slug") or (check.get("app") or {}).get("name") or ""),
        conclusion=str(check.get("conclusion") or ""),
        branch=str(suite.get("head_branch") or ""),
        sha=str(check["head_sha"]),
        url=str(check.get("html_url") or address),
        reference=reference if mine else None,
        pull_requests=_pulls(check, repository),
        default_branch=str(repository.get("default_branch") or ""),
        actor=str((payload.get("sender") or {}).get("login") or ""),
        completed_at=_seconds(check.get("completed_at")),
        **told,
    )


def _seconds(time: Any) -> int:
    try:
        return int(datetime.fromisoformat(str(time)).timestamp()) if time else 0
    except ValueError as error:
        raise TypeError("completed_at") from error


def _pulls(holder: Mapping[str, Any], repository: Mapping[str, Any]) -> tuple[int, ...]:
    """Those of this repository only: a run of a fork may name pull requests elsewhere."""
    listed = holder.get("pull_requests") or []
    return tuple(_number(pull["number"]) for pull in listed if pull["base"]["repo"]["id"] == repository["id"])


def _name(repository: Mapping[str, Any]) -> str:
    name = repository["full_name"]
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise TypeError("repository.full_name")
    return name


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r:.40} is not a number")
    return value
