"""Changes that look harmless and break something: each fails for its own reason, in a log that was really printed."""

import hashlib
from functools import cache
from pathlib import Path

import pytest

from bot.demo.repository import KINDS, REPOSITORY, WORKFLOWS, DemoRepository
from bot.demo.repository.tools import ACCESS_KEY, read_yaml
from bot.sandbox.github import GithubSandbox
from pipelines.evidence.analysing import analyse
from pipelines.evidence.reporting import kind_of

# kind: job, step, and what its log must say
WORDS = {
    "test": ("test", "Test", "FAILED tests/test_features.py::test_bands_begin_where_the_report_says"),
    "lint": ("test", "Lint", "F841 Local variable `quarter` is assigned to but never used"),
    "dependency": ("test", "Install", "ResolutionImpossible"),
    "bandit": ("security", "Bandit", "Issue: [B602:subprocess_popen_with_shell_equals_true]"),
    "trivy": ("image", "Scan", "│ libexpat1        │ CVE-2024-45491 │ CRITICAL │ fixed"),
    "training": ("train", "Train", "GATE FAILED: roc_auc 0.6706 is below the minimum of 0.8000"),
    "gitleaks": ("security", "Secrets", "File:        churn/warehouse.py\n"),
    "pip-audit": ("security", "Dependencies", "requests 2.31.0  GHSA-9hjg-9r4m-mvj7 2.32.4"),
    "manifest": ("manifests", "Validate", "additional properties 'minReplica' not allowed"),
    "timeout": ("train", "Train", "##[error]The action 'Train' has timed out after 12 minutes."),
    "flaky": ("test", "Test", "TimeoutError: the feature store did not answer within 1000 ms"),
}


KIND_READ = {
    "test": "test", "lint": "lint", "dependency": "dependency", "bandit": "sast", "trivy": "container scan",
    "training": "model validation", "flaky": "test", "gitleaks": "secret", "pip-audit": "sca", "manifest": "deployment",
    "timeout": "timeout",
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    folder = tmp_path_factory.mktemp("github")
    running = GithubSandbox(REPOSITORY, "a-token", WORKFLOWS, folder=folder)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def repository(sandbox, tmp_path_factory):
    demo = DemoRepository(sandbox, tmp_path_factory.mktemp("runner"))
    demo.seed()
    demo.seed()
    return demo


@pytest.fixture(scope="module")
def push(repository):
    """Pushes a kind once: each of them takes a runner's seconds."""
    return cache(repository.push_broken_change)


def jobs_of(sandbox, number):
    return {job["name"]: job for job in sandbox.actions.found(number)["attempts"][-1]["jobs"]}


def log_of(sandbox, job):
    return sandbox.world.store.blob(job["log"]).decode()


def test_main_has_a_history_and_is_green_without_being_run_twice(sandbox, repository):
    commits = sandbox.world.git.commits("main")
    assert [commit.author["name"] for commit in commits] == ["ben", "ana", "ben", "ana", "shipyard"]
    number = repository.ensure_green()
    assert repository.ensure_green() == number
    jobs = jobs_of(sandbox, number)
    assert {name: job["conclusion"] for name, job in jobs.items()} == dict.fromkeys(
        ("test", "security", "image", "manifests", "train"), "success"
    )
    log = log_of(sandbox, jobs["test"])
    assert "5 passed" in log
    assert "Successfully installed feature-store-client-3.2.0 protobuf-5.29.6" in log
    assert "GATE PASSED" in log_of(sandbox, jobs["train"])
    assert "Total: 0 (CRITICAL: 0)" in log_of(sandbox, jobs["image"])
    security = log_of(sandbox, jobs["security"])
    assert "INF no leaks found" in security
    assert "No known vulnerabilities found" in security
    assert "Valid: 1, Invalid: 0, Errors: 0, Skipped: 1" in log_of(sandbox, jobs["manifests"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_change_fails_for_its_own_reason_and_nowhere_else(sandbox, push, kind):
    pushed = push(kind)
    job_name, step_name, words = WORDS[kind]
    jobs = jobs_of(sandbox, pushed.run_id)
    assert [name for name, job in jobs.items() if job["conclusion"] == "failure"] == [job_name]
    failed = [step["name"] for step in jobs[job_name]["steps"] if step["conclusion"] == "failure"]
    assert failed == [step_name]
    log = log_of(sandbox, jobs[job_name])
    said = "\n".join(line.partition(" ")[2] for line in log.splitlines())
    assert words in f"{said}\n"
    assert ("##[error]Process completed with exit code 1." in log) == (kind != "timeout")
    assert ACCESS_KEY not in log
    assert "/tmp/" not in log.replace("/tmp/churn-models", "")
    assert kind_of(analyse([(job_name, log.encode())])) == KIND_READ[kind]
    pull = sandbox.world.pull(pushed.pull_request)
    assert pull["pull"]["head"] == pushed.branch
    assert sandbox.world.ends(pull)[0] == pushed.sha


def test_a_flaky_change_passes_when_it_is_done_again_without_a_change(sandbox, push):
    pushed = push("flaky")
    sandbox.actions.rerun(pushed.run_id, failed_only=True)
    sandbox.actions.settled()
    run = sandbox.actions.found(pushed.run_id)
    assert [attempt["conclusion"] for attempt in run["attempts"]] == ["failure", "success"]
    assert run["sha"] == pushed.sha


def test_a_failing_change_fails_again_when_it_is_done_again(sandbox, push):
    pushed = push("training")
    sandbox.actions.rerun(pushed.run_id, failed_only=True)
    sandbox.actions.settled()
    assert sandbox.actions.found(pushed.run_id)["attempts"][-1]["conclusion"] == "failure"


def test_the_same_change_may_be_pushed_twice_and_the_kinds_come_in_turn(sandbox, repository, push):
    push("test")
    expected = repository.kinds[len(sandbox.world.pulls()) % len(repository.kinds)]
    first = push(expected)
    second = repository.push_broken_change(expected)
    assert second.branch == f"{first.branch}-2"
    assert second.pull_request > first.pull_request
    following = repository.kinds[len(sandbox.world.pulls()) % len(repository.kinds)]
    assert repository.push_next().kind == following


def test_an_unknown_kind_is_told(repository):
    with pytest.raises(ValueError, match="no change of the kind earthquake"):
        repository.push_broken_change("earthquake")


def test_what_bandit_was_recorded_on_is_the_file_that_is_pushed():
    recorded, change = read_yaml("recordings.yaml")["bandit"], read_yaml("changes.yaml")["bandit"]
    content = change["new_files"][recorded["flagged"]]
    assert hashlib.sha256(content.encode()).hexdigest() == recorded["sha256"]


def test_the_pages_show_it_all(sandbox, push):
    import urllib.request

    pushed = push("test")
    paths = ["", "/commits", "/pulls", "/issues", "/actions", f"/pull/{pushed.pull_request}", f"/commit/{pushed.sha}",
             f"/actions/runs/{pushed.run_id}", "/blob/main/churn/train.py"]  # fmt: skip
    shown = {path: urllib.request.urlopen(f"{sandbox.url}/{REPOSITORY}{path}").read().decode() for path in paths}
    assert "Call customers new for a whole quarter" in shown["/pulls"]
    assert "if months &lt;= 3:" in shown[f"/pull/{pushed.pull_request}"]
    assert "FAILED tests/test_features.py" in shown[f"/actions/runs/{pushed.run_id}"]
    assert all("<script" not in page for page in shown.values())
    assert Path(pushed.url).name == str(pushed.pull_request)
