"""Every operation of the sandbox GitHub, used by the real client, against GitHub's own description of its API."""

import hashlib
import hmac
import json
import re
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from github import Auth, Github, GithubException, InputGitTreeElement
from github_description import Description, match

from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow
from bot.sandbox.github.registry import OPERATIONS
from bot.sandbox.github.server import Exchange

SECRET = "a-webhook-secret"
NAME = "ours/churn"
ANNOTATION = {
    "path": "train.py", "start_line": 3, "end_line": 3, "annotation_level": "failure", "message": "boom",
    "title": "Error",
}  # fmt: skip
FAILED = Job("test", (Step("Set up job"), Step("Run pytest", "failure", "1 failed")), (ANNOTATION,))
PASSED = Job("lint", (Step("Run ruff", "success", "All checks passed!"),))


class Inbox:
    """A webhook receiver that checks each signature."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/github/webhook"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """All that was said on the wire while the real client went once through everything."""
    exchanges: list[Exchange] = []
    workflows = [Workflow("ci.yml", name="ci"), Workflow("train.yml", ("run_id",), "train {run_id}", name="train")]
    sandbox = GithubSandbox(NAME, "a-token", workflows, folder=tmp_path_factory.mktemp("github"))
    sandbox.watch = exchanges.append
    sandbox.tokens["bens-token"] = "ben"
    inbox = Inbox()
    sandbox.start()
    github = client(sandbox.url)
    repository = github.get_repo(NAME)
    hook = repository.create_hook(
        "web", {"url": inbox.url, "content_type": "json", "secret": SECRET}, ["*"], active=True
    )
    use_code(repository)
    use_work(github, repository, client(sandbox.url, "bens-token"))
    use_runs(sandbox, repository)
    use_hooks(sandbox, repository, hook)
    use_wrongly(repository)
    sandbox.world.hooks.settled()
    yield SimpleNamespace(exchanges=exchanges, received=inbox.received, sandbox=sandbox, repository=repository)
    sandbox.stop()
    inbox.close()


def client(url: str, token: str = "a-token") -> Github:
    # The client's own pauses between requests protect GitHub, not the sandbox.
    quick = {"seconds_between_requests": None, "seconds_between_writes": None}
    return Github(auth=Auth.Token(token), base_url=url, retry=None, **quick)


def use_code(repository: Any) -> None:
    repository.create_file("train.py", "a model", "print('hi')\n", branch="main")
    file = repository.get_contents("train.py", ref="main")
    repository.update_file("train.py", "louder", "print('HI')\n", file.sha, branch="main")
    repository.create_file("gone.py", "to be removed", "x = 1\n")
    repository.delete_file("gone.py", "removed", repository.get_contents("gone.py").sha)
    repository.get_contents("")
    main = repository.get_git_ref("heads/main")
    repository.create_git_ref("refs/heads/feature/louder", main.object.sha)
    head = repository.get_git_commit(main.object.sha)
    blob = repository.create_git_blob("print('HI!')\n", "utf-8")
    repository.get_git_blob(blob.sha)
    element = InputGitTreeElement("train.py", "100644", "blob", sha=blob.sha)
    tree = repository.create_git_tree([element], repository.get_git_tree(head.sha, recursive=True))
    commit = repository.create_git_commit("louder still", tree, [head])
    repository.get_git_ref("heads/feature/louder").edit(commit.sha)
    list(repository.get_git_matching_refs("heads/feature"))
    assert {branch.name for branch in repository.get_branches()} == {"main", "feature/louder"}
    assert repository.get_branch("feature/louder").commit.sha == commit.sha
    assert list(repository.get_commits(sha="feature/louder", path="train.py"))
    assert repository.get_commit(commit.sha).files[0].filename == "train.py"
    assert repository.compare("main", "feature/louder").ahead_by == 1


def use_work(github: Any, repository: Any, ben: Any) -> None:
    github.get_user().login  # noqa: B018 - it asks
    github.get_user("ben").name  # noqa: B018
    github.get_rate_limit()
    repository.create_label("ci", "ff0000")
    assert [label.name for label in repository.get_labels()] == ["ci"]
    pull = repository.create_pull(title="Louder", body="Says it louder", head="feature/louder", base="main")
    assert [one.number for one in repository.get_pulls(state="open", head="ours:feature/louder")] == [pull.number]
    assert repository.get_pull(pull.number).mergeable
    assert [file.filename for file in pull.get_files()] == ["train.py"]
    assert list(pull.get_commits())
    assert list(repository.get_commit(pull.head.sha).get_pulls())
    reviewed = ben.get_repo(NAME).get_pull(pull.number)
    reviewed.create_review(body="Fine", event="APPROVE")
    assert [review.state for review in pull.get_reviews()] == ["APPROVED"]
    pull.edit(body="Says it so that one hears it")
    assert not pull.is_merged()
    pull.merge(merge_method="squash")
    assert pull.is_merged()
    issue = repository.create_issue("main is red", "fingerprint 1234", labels=["ci", "new"], assignees=["ben"])
    comment = issue.create_comment("Seen twice")
    comment.edit("Seen three times")
    assert [one.body for one in issue.get_comments()] == ["Seen three times"]
    issue.get_comment(comment.id).delete()
    issue.add_to_labels("flaky")
    issue.set_labels("ci", "flaky")
    issue.remove_from_labels("flaky")
    assert [label.name for label in issue.get_labels()] == ["ci"]
    issue.add_to_assignees("ana")
    issue.remove_from_assignees("ben")
    assert github.search_issues(f'repo:{NAME} is:issue is:open "fingerprint 1234"').totalCount == 1
    issue.edit(title="main was red")
    issue.edit(state="closed", state_reason="completed")
    issue.edit(state="open")
    assert [one.number for one in repository.get_issues(state="open", labels=["ci"])] == [issue.number]
    assert repository.get_issue(issue.number).title == "main was red"
    commit = repository.get_commit("main")
    said = commit.create_comment("about this commit")
    repository.get_comment(said.id).edit("about that commit")
    assert [one.body for one in commit.get_comments()] == ["about that commit"]
    repository.get_comment(said.id).delete()


def use_runs(sandbox: GithubSandbox, repository: Any) -> None:
    sha = repository.get_branch("main").commit.sha
    order = Order("ci.yml", "main", sha, "louder", actor="ben")
    number = sandbox.actions.record(order, [PASSED, FAILED], {"report.txt": b"two"})
    assert [workflow.name for workflow in repository.get_workflows()] == ["ci", "train"]
    workflow = repository.get_workflow("train.yml")
    assert workflow.create_dispatch("main", {"run_id": "7"})
    assert workflow.create_dispatch("main", {"run_id": "8"}, throw=True, return_run_details=True)
    (second, first) = workflow.get_runs(event="workflow_dispatch", branch="main")
    assert second.display_title == "train 8"
    assert first.cancel()
    assert number in {run.id for run in repository.get_workflow_runs(status="failure")}
    run = repository.get_workflow_run(number)
    assert run.rerun_failed_jobs()
    assert run.rerun()
    run = repository.get_workflow_run(number)
    assert run.run_attempt == 3
    assert run.get_attempt(1).conclusion == "failure"
    (lint, test) = run.jobs("latest")
    assert len(list(run.jobs("all"))) == 5
    for url in (test.url, f"{run.url}/attempts/1/jobs"):
        repository.requester.requestJsonAndCheck("GET", url)
    assert urllib.request.urlopen(test.logs_url()).read().endswith(b"1 failed\n")
    for url in (f"{run.url}/logs", f"{run.url}/attempts/2/logs"):
        headers, _ = repository.requester.requestBlobAndCheck("GET", url)
        assert urllib.request.urlopen(headers["location"]).read()[:2] == b"PK"
    repository.requester.requestJsonAndCheck("POST", f"{lint.url}/rerun")
    (artifact,) = run.get_artifacts()
    assert [one.id for one in repository.get_artifacts()] == [artifact.id]
    assert repository.get_artifact(artifact.id).name == "report.txt"
    headers, _ = repository.requester.requestBlobAndCheck("GET", artifact.archive_download_url)
    assert headers["location"].startswith("http://localhost:")
    check = repository.create_check_run("scan", sha, status="in_progress")
    output = {"title": "Scan", "summary": "one finding", "annotations": [ANNOTATION]}
    check.edit(conclusion="failure", output=output)
    assert repository.get_check_run(check.id).conclusion == "failure"
    assert [one.message for one in check.get_annotations()] == ["boom"]
    assert {one.name for one in repository.get_commit(sha).get_check_runs()} == {"scan", "lint", "test"}


def use_hooks(sandbox: GithubSandbox, repository: Any, hook: Any) -> None:
    hook.edit("web", {"url": hook.config["url"], "content_type": "json", "secret": SECRET}, ["*"], active=True)
    hook.ping()
    assert [one.id for one in repository.get_hooks()] == [hook.id]
    assert repository.get_hook(hook.id).active
    sandbox.world.hooks.settled()
    newest = next(iter(repository.get_hook_deliveries(hook.id)))
    assert repository.get_hook_delivery(hook.id, newest.id).response is not None
    repository.requester.requestJsonAndCheck("POST", f"{hook.url}/deliveries/{newest.id}/attempts")
    sandbox.world.hooks.settled()
    other = repository.create_hook("web", {"url": f"{sandbox.url}/nowhere", "content_type": "form"}, ["push"])
    other.delete()
    repository.get_git_ref("heads/feature/louder").delete()


def use_wrongly(repository: Any) -> None:
    """What GitHub refuses, in its own way of saying so."""
    sha = repository.get_branch("main").commit.sha
    readme = repository.get_contents("README.md")
    wrong = [
        (404, lambda: repository.get_contents("nowhere.py")),
        (404, lambda: repository.get_issue(999)),
        (404, lambda: repository.get_branch("nowhere")),
        (404, lambda: repository.get_workflow_run(1)),
        (404, lambda: repository.create_file("a.py", "m", "x", branch="nowhere")),
        (409, lambda: repository.update_file("README.md", "m", "x", "0" * 40)),
        (409, lambda: repository.delete_file("README.md", "m", "0" * 40)),
        (422, lambda: repository.create_file("README.md", "m", "x")),
        (422, lambda: repository.create_git_ref("refs/heads/main", sha)),
        (422, lambda: repository.create_git_ref("refs/heads/x", "0" * 40)),
        (422, lambda: repository.create_pull(title="x", head="nowhere", base="main")),
        (422, lambda: repository.create_label("ci", "ff0000")),
        (422, lambda: repository.get_commit("0" * 40)),
        (422, lambda: repository.create_hook("web", {"url": "http://192.0.2.1/x"})),
        (404, lambda: repository.compare("main", "nowhere")),
        (404, lambda: client(repository.url.partition("/repos")[0]).get_repo("theirs/secret")),
        (401, lambda: client(repository.url.partition("/repos")[0], "stolen").get_repo(NAME)),
    ]  # fmt: skip
    assert readme.sha
    for status, ask in wrong:
        with pytest.raises(GithubException) as refused:
            ask()
        assert refused.value.status == status, refused.value


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_an_operation_is_asked_and_answers_as_github_describes_it(
    told: SimpleNamespace, github_description: Description, operation: Any
) -> None:
    exchanges = [one for one in told.exchanges if match_or_none(one) is operation]
    assert [one for one in exchanges if one.status < 400], "the story above does not use it"
    problems = {problem for one in exchanges for problem in github_description.problems(one)}
    assert problems == set()


def match_or_none(exchange: Exchange) -> Any:
    return match(exchange) if exchange.path.startswith(("/repos/ours/", "/user", "/rate", "/search")) else None


def test_webhooks_are_signed_and_shaped_as_github_describes_them(
    told: SimpleNamespace, github_description: Description
) -> None:
    problems: dict[str, set[str]] = defaultdict(set)
    seen = set()
    for headers, body in told.received:
        wanted = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == wanted
        assert headers["x-github-delivery"]
        payload, event = json.loads(body), headers["x-github-event"]
        seen.add((event, payload.get("action")))
        problems[event] |= set(github_description.webhook_problems(event, payload))
    assert {event: found for event, found in problems.items() if found} == {}
    assert {
        ("ping", None), ("push", None), ("pull_request", "opened"), ("pull_request", "closed"),
        ("issues", "opened"), ("issues", "edited"), ("issues", "closed"), ("issues", "reopened"),
        ("issue_comment", "created"), ("issue_comment", "edited"), ("issue_comment", "deleted"),
        ("commit_comment", "created"), ("check_run", "completed"), ("workflow_job", "completed"),
        ("workflow_run", "requested"), ("workflow_run", "in_progress"), ("workflow_run", "completed"),
    } <= seen  # fmt: skip


def test_a_delivery_that_is_sent_again_keeps_its_id(told: SimpleNamespace) -> None:
    ids = [headers["x-github-delivery"] for headers, _ in told.received]
    assert len(ids) == len(set(ids)) + 1


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A sandbox with one of each thing, for requests that no client of ours would send."""
    sandbox = GithubSandbox(NAME, "a-token", [Workflow("ci.yml", ("x",), name="ci")])
    sandbox.start()
    sha = sandbox.world.git.commit_files("feature", {"a.txt": b"1"}, "work", "ben")
    sandbox.world.open_issue("an issue", None, "ben")
    sandbox.world.open_pull("a pull request", "", "feature", "main", "ben")
    run = sandbox.actions.record(Order("ci.yml", "main", sha, "work"), [FAILED])
    names = defaultdict(lambda: "1") | {
        "owner": "ours", "repo": "churn", "path": "a.txt", "ref": "heads/feature", "basehead": "main...feature",
        "branch": "main", "pull_number": "2", "commit_sha": sha, "tree_sha": sha, "file_sha": sha, "run_id": str(run),
        "archive_format": "zip", "workflow_id": "ci.yml", "username": "ben",
    }  # fmt: skip
    with requests.Session() as session:
        session.headers["Authorization"] = "token a-token"
        yield SimpleNamespace(url=sandbox.url, session=session, names=names)
    sandbox.stop()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_whatever_is_sent_the_answer_is_no_outage(
    hostile: SimpleNamespace, github_description: Description, operation: Any
) -> None:
    described = github_description.operation(operation.method, operation.path) or {}
    schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    names = sorted({name for part in (schema, *schema.get("oneOf", [])) for name in part.get("properties", {})})
    usual = dict.fromkeys(names, "feature")
    bodies = [usual | {name: value} for name in names for value in (7, [[]], {"a": None}, "\u0000--help")] or [None]
    path = re.sub(r"\{(\w+)\}", lambda found: hostile.names[found[1]], operation.path)
    queries = (
        [{"page": "-1", "per_page": "\u0000", "sha": "--help", "since": "x"}] if operation.method == "GET" else [{}]
    )
    for body in bodies:
        for query in queries:
            answer = hostile.session.request(
                operation.method, hostile.url + path, params=query, timeout=20, allow_redirects=False,
                data=None if body is None else json.dumps(body),
            )  # fmt: skip
            assert answer.status_code < 500, (body, answer.text)
