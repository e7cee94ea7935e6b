"""What GitHub's webhooks say, read from payloads that nobody here wrote."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.triage.events import CheckRunEvent, WorkflowRunEvent, read_event, run_of_url, signed_by
from pipelines.triage.values import RunReference

REPOSITORY = {"full_name": "a/b", "id": 1}
OUTSIDE = {"full_name": "../../b", "id": 1}


@pytest.fixture
def payload(shipmate_data: Path) -> Any:
    return lambda name: json.loads((shipmate_data / "github" / name).read_text())


def test_the_signature_is_githubs_own_example() -> None:
    """docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, "Testing"."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed_by("It's a Secret to Everybody", b"Hello, World!", signature)


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        ("s", b"{}", ""),
        ("s", b"{}", "sha256="),
        ("s", b"{}", "sha1=" + hmac.new(b"s", b"{}", hashlib.sha1).hexdigest()),
        ("s", b"{} ", "sha256=" + hmac.new(b"s", b"{}", hashlib.sha256).hexdigest()),
        ("t", b"{}", "sha256=" + hmac.new(b"s", b"{}", hashlib.sha256).hexdigest()),
        ("s", b"{}", "sha256=" + hmac.new(b"s", b"{}", hashlib.sha256).hexdigest().upper()),
        ("s", b"{}", "sha256=\u2603\udce4"),
        ("", b"{}", "sha256=" + hmac.new(b"", b"{}", hashlib.sha256).hexdigest()),
    ],
)
def test_everything_else_is_not_signed(secret: str, body: bytes, signature: str) -> None:
    assert not signed_by(secret, body, signature)


def test_a_run_that_failed_is_read(payload: Any) -> None:
    event = read_event("workflow_run", payload("workflow_run/DERIVED.completed.failure.json"))
    assert isinstance(event, WorkflowRunEvent)
    assert (event.failed, event.passed, event.conclusion) == (True, False, "failure")
    assert event.reference == RunReference("octo-org/octo-repo", 289782451, 1)
    assert (event.workflow_path, event.branch, event.event) == (".github/workflows/test.yml", "master", "push")
    assert event.sha == "3484a3fb816e0859fd6e1cea078d76385ff50625"
    assert not event.from_fork


def test_pull_requests_of_other_repositories_are_not_ours(payload: Any) -> None:
    event = read_event("workflow_run", payload("workflow_run/completed.with-pull-requests.payload.json"))
    assert isinstance(event, WorkflowRunEvent)
    document = payload("workflow_run/completed.with-pull-requests.payload.json")
    ours = document["repository"]["id"]
    wanted = [
        pull["number"] for pull in document["workflow_run"]["pull_requests"] if pull["base"]["repo"]["id"] == ours
    ]
    assert list(event.pull_requests) == wanted


def test_a_run_of_a_fork_is_known_as_such(payload: Any) -> None:
    document = payload("workflow_run/completed.payload.json")
    document["workflow_run"]["head_repository"]["id"] += 1
    event = read_event("workflow_run", document)
    assert isinstance(event, WorkflowRunEvent)
    assert event.from_fork
    document["workflow_run"]["head_repository"] = None
    assert read_event("workflow_run", document).from_fork  # type: ignore[union-attr]


def test_a_check_is_read_and_leads_to_its_run(payload: Any) -> None:
    document = payload("check_run/completed.payload.json")
    event = read_event("check_run", document)
    assert isinstance(event, CheckRunEvent)
    assert (event.name, event.conclusion, event.failed) == ("Octocoders-linter", "success", False)
    assert (event.check_id, event.branch, event.reference) == (128620228, "changes", None)
    document["check_run"] |= {
        "conclusion": "failure", "details_url": "https://github.com/Codertocat/Hello-World/actions/runs/12/job/34",
    }  # fmt: skip
    failed = read_event("check_run", document)
    assert isinstance(failed, CheckRunEvent)
    assert failed.failed
    assert failed.reference == RunReference("Codertocat/Hello-World", 12)


def test_a_check_cannot_point_into_another_repository(payload: Any) -> None:
    document = payload("check_run/completed.payload.json")
    document["check_run"]["details_url"] = "https://evil.example/theirs/secret/actions/runs/12/job/34"
    event = read_event("check_run", document)
    assert isinstance(event, CheckRunEvent)
    assert event.reference is None


def test_every_recorded_run_and_check_is_read(shipmate_data: Path) -> None:
    for kind in ("workflow_run", "check_run"):
        files = sorted((shipmate_data / "github" / kind).glob("*.json"))
        assert files
        for file in files:
            event = read_event(kind, json.loads(file.read_text()))
            assert event is not None
            assert event.sha


def test_other_events_mean_nothing_here(payload: Any) -> None:
    assert read_event("ping", payload("ping/payload.json")) is None


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"action": "completed"}, {"action": "completed", "workflow_run": None, "repository": {}},
        {"action": "completed", "workflow_run": [], "repository": REPOSITORY},
        {"action": "completed", "workflow_run": {"id": "7", "head_sha": "x"}, "repository": REPOSITORY},
        {"action": "completed", "workflow_run": {"id": 7, "head_sha": "x"}, "repository": OUTSIDE},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["workflow_run", "check_run"])
def test_what_github_would_not_send_is_an_error_of_one_kind(name: str, broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_event(name, broken)


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        ("https://github.com/a/b/actions/runs/12", RunReference("a/b", 12)),
        ("https://github.com/a/b.c/actions/runs/12/job/34?pr=1", RunReference("a/b.c", 12)),
        ("http://127.0.0.1:4002/a/b/actions/runs/12/attempts/3", RunReference("a/b", 12, 3)),
        ("https://github.com/a/b/pull/12", None),
        ("", None),
    ],
)
def test_the_address_of_a_run_names_it(url: str, reference: RunReference | None) -> None:
    assert run_of_url(url) == reference
