"""Failures that nobody asked about: who hears of them, once, on GitHub and in Slack, and what is said when they end."""

import hashlib
import hmac
import json
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML

from bot.sandbox.github import GithubSandbox
from bot.sandbox.github.actions import Job, Order, Step, Workflow

NAME = "ours/churn"
SOON = 60
GREEN = "##[group]Run python -m pytest -q\npython -m pytest -q\n##[endgroup]\n2 passed in 1.31s"
FAILURE = "FAILED tests/test_train.py::test_score - assert 0.71 == 0.82"
OTHER = "FAILED tests/test_serve.py::test_answer - KeyError: 'score'"
CI = {
    "channel": "ci",
    "repositories": {
        "ours/*": {
            "branches": ["*"], "not_authors": ["dependabot*"], "workflows": ["ci", "scan*"], "severity": "medium",
        },
    },
    "teams": {"ml": {"kinds": ["test"], "channel": "ml", "mention": "ben"}},
}  # fmt: skip


def red(failure=FAILURE, more=""):
    return f"""##[group]Run python -m pytest -q
python -m pytest -q
##[endgroup]
F.                                                                       [100%]
=================================== FAILURES ===================================
E       {failure.partition(" - ")[2]}
=========================== short test summary info ============================
{failure}
{more}1 failed, 1 passed in 1.42s
##[error]Process completed with exit code 1."""


class MovedClock:
    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock():
    return MovedClock()


# A scanner's finding behind lines that say nothing.
BANDIT = """Run started
Files scanned: 12
Profile: default
Excluded: none
Report follows.

>> Issue: [B602:subprocess_popen_with_shell_equals_true] subprocess call with shell=True identified, security issue.
   Severity: High   Confidence: High
   Location: churn/train.py:3:8
"""


@dataclass
class Story:
    space: object
    github: GithubSandbox
    ben: object

    def commit(self, branch="main", text="x"):
        files = {"train.py": f"x = {text} {self.github.actions.next_run()}\n".encode()}
        return self.github.world.git.commit_files(branch, files, "Score with fewer trees", "ben")

    def run(self, log, branch="main", sha="", failed=True, workflow="ci.yml", actor="ben", fork=""):
        """The number of a run whose one job printed this; the bot hears of it."""
        end = "failure" if failed else "success"
        steps = (Step("Set up job"), Step("Run pytest", end, log, 3))
        sha = sha or (self.commit_of_fork(fork, branch) if fork else self.commit(branch))
        order = Order(workflow, branch, sha, "Score with fewer trees", actor=actor, fork=fork)
        number = self.github.actions.record(order, [Job("test", steps)])
        self.github.world.hooks.settled()
        return number

    def passes(self, branch="main", sha=""):
        return self.run(GREEN, branch, sha, failed=False)

    def commit_of_fork(self, fork, branch):
        return self.github.world.push_to_fork(fork, branch, {"c.py": b"c\n"}, "Theirs")

    def pull_of_fork(self, fork, branch):
        self.commit_of_fork(fork, branch)
        return self.github.world.open_pull("Their trees", "", f"{fork}:{branch}", "main", fork)["number"]

    def pull(self, branch="fix"):
        self.github.world.git.commit_files(branch, {"b.py": b"b\n"}, "Begin", "ben")
        return self.github.world.open_pull("Fewer trees", "", branch, "main", "ben")["number"]

    def posts(self, channel="#ci"):
        return [seen for seen in self.space.messages(channel, as_=self.ben) if "failed on" in seen.plain]

    def post(self, containing="failed on", channel="#ci"):
        return self.space.wait_for_message(channel, containing=containing, as_=self.ben, seconds=SOON)

    def comments(self, number):
        return [one["body"] for one in self.github.world.comments(number)]

    def comment(self, number, containing):
        def found():
            said = self.comments(number)
            return said[0] if said and containing in said[0] else None

        return self.space.wait_until(found, SOON)

    def issues(self):
        return [one for one in self.github.world.store.all("issue") if not one.get("pull")]

    def issue(self, *, state="open", containing=""):
        def found():
            return next((one for one in self.issues() if one["state"] == state and containing in one["body"]), None)

        return self.space.wait_until(found, SOON)

    def idle(self, ship):
        """Wait until the bot has done all that it was told."""
        self.space.wait_until(lambda: not ship.bot.durable.pending())


def said_to(ship, payload, event="check_run"):
    body = json.dumps(payload).encode()
    signed = "sha256=" + hmac.new(b"a-secret", body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": event, "X-Hub-Signature-256": signed, "Content-Type": "application/json"}
    address = f"http://127.0.0.1:{ship.bot.server.port}/webhooks/github"
    with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
        return json.load(answer)["triage"]


@pytest.fixture
def story(ship):
    workflows = [Workflow("ci.yml", name="ci"), Workflow("docs.yml", name="docs")]
    github = GithubSandbox(NAME, "a-token", workflows)
    github.start()
    ship.restart(
        github_api_url=github.url, github_token=SecretStr("a-token"), github_webhook_secret=SecretStr("a-secret")
    )
    made = Story(ship.workspace, github, ship.workspace.person("ben"))
    hear(ship, made)
    yield made
    ship.stop()
    github.stop()


def hear(ship, story):
    """Webhooks go to the bot where it is now."""
    world = story.github.world
    for hook in world.store.all("hook"):
        world.store.remove("hook", hook["id"])
    world.hooks.add(
        f"http://127.0.0.1:{ship.bot.server.port}/webhooks/github", "a-secret", ["workflow_run", "check_run"]
    )


@pytest.fixture
def asked(ship, story):
    """The same, in a repository that the catalogue names."""
    yaml = YAML(typ="safe")
    written = yaml.load(ship.catalogue.read_text())
    with ship.catalogue.open("w") as file:
        yaml.dump(written | {"ci": CI}, file)
    ship.restart()
    hear(ship, story)
    return story


def test_a_pull_request_gets_one_comment_that_later_runs_edit_and_slack_stays_quiet(ship, story):
    number = story.pull()
    story.run(red(), "fix")
    first = story.comment(number, FAILURE)
    assert "ci failed on `fix`" in first
    (written,) = story.github.world.comments(number)
    story.run(red(), "fix")
    story.idle(ship)
    assert story.github.world.comments(number) == [written]  # the same failure again is nothing new
    story.run(red(OTHER), "fix")
    second = story.comment(number, "test_answer")
    assert FAILURE not in second
    story.passes("fix")
    assert "Green again" in story.comment(number, "Green again")
    theirs = story.pull_of_fork("eve", "fix")  # of the same name as ours, and GitHub's run names no pull request
    story.run(red(), "fix", fork="eve")
    assert story.comment(theirs, FAILURE)
    assert [len(story.comments(one)) for one in (number, theirs)] == [1, 1]
    assert "Green again" in story.comment(number, "Green again")
    assert story.posts() == []
    assert story.issues() == []


def test_what_nobody_subscribed_to_is_told_of_the_default_branch_alone(ship, story):
    story.run(red(), "somewhere")
    story.run(red(OTHER))
    story.post("test_answer")
    story.idle(ship)
    assert len(story.posts()) == 1
    assert story.issues() == []


def test_a_failure_of_main_is_one_issue_seen_again_and_closed_when_it_is_green(ship, asked):
    asked.run(red())
    issue = asked.issue(containing=FAILURE)
    assert issue["title"].startswith("ci fails on main: ")
    asked.run(red())
    again = asked.issue(containing="Failed in 2 runs")
    assert again["number"] == issue["number"]
    report = asked.post("and 1 more run", channel="#ml")
    assert f"<@{asked.ben.id}>" in json.dumps(report.raw)
    asked.passes()
    closed = asked.issue(state="closed")
    assert closed["number"] == issue["number"]
    assert "Green again in" in asked.comments(issue["number"])[-1]
    asked.post("Green again in run", channel="#ml")
    asked.run(red())
    assert asked.issue(containing="Failed in 3 runs")["number"] == issue["number"]
    asked.idle(ship)
    assert len(asked.issues()) == 1
    newest = asked.posts("#ml")[-1]
    assert "Seen 2 times this week, first in run 1 of ci." in newest.plain
    assert asked.posts("#ci") == []


def test_filters_of_branch_author_workflow_and_severity_keep_it_quiet(ship, asked):
    asked.run(red(), actor="dependabot[bot]")
    asked.run(red(), workflow="docs.yml")
    asked.run("##[group]Run ruff check .\nruff check .\n##[endgroup]\nsrc/a.py:1:1: F401 `os` imported but unused\n"
              "Found 1 error.\n##[error]Process completed with exit code 1.", "lint")  # fmt: skip
    asked.idle(ship)
    assert asked.posts("#ci") + asked.posts("#ml") == []
    assert asked.issues() == []
    asked.run(red(), "lint")
    asked.post(FAILURE, channel="#ml")


def test_what_fails_and_then_passes_without_a_change_is_flaky_and_so_is_its_like_from_then_on(ship, asked):
    asked.passes()
    number = asked.run(red())
    asked.post(FAILURE, channel="#ml")
    assert asked.issue(), "what passes before anybody spoke of it gets no issue at all"
    asked.github.actions.again = lambda _run, _failed: [Job("test", (Step("Run pytest", "success", GREEN, 3),))]
    asked.github.actions.rerun(number, failed_only=True)
    asked.github.actions.settled()
    report = asked.post("Passed on attempt 2 without a change: flaky.", channel="#ml")
    assert "flaky (test)" in report.plain
    assert asked.issue(state="closed")
    asked.run(red())
    again = asked.post("It went away without a change before", channel="#ml")
    assert "flaky (test)" in again.plain
    assert len(asked.posts("#ml")) == 2


def test_fifty_failures_in_a_minute_are_five_messages_one_comment_and_an_issue_each(ship, asked):
    """Eight different failures over three branches with two commits each, in turn."""
    number = asked.pull("fix")
    branches = ("main", "fix", "other")
    words = ("alpha", "bravo", "carol", "delta", "echo", "fox", "golf", "hotel")
    shas = [[asked.commit(branch) for branch in branches] for _ in range(2)]
    runs = [(words[turn % 8], turn % 8 % 3, turn // 8 % 2) for turn in range(50)]
    for word, branch, commit in runs:
        log = red(f"FAILED tests/test_{word}.py::test_{word} - assert '{word}' == 'x{word}'")
        asked.run(log, branches[branch], shas[commit][branch])

    def threads():
        """Of each message in the channel the failures that stand in its thread, where any do."""
        told = [asked.space.thread(post, as_=asked.ben) for post in asked.posts("#ml")]
        found = [[reply for reply in replies if "failed on" in reply.plain] for replies in told]
        return [replies for replies in found if replies]

    def counted():
        """How many runs each failure is said to have had, once they are as many as there were."""
        said = [seen.plain for seen in (*asked.posts("#ml"), *(reply for replies in threads() for reply in replies))]
        more = {
            word: re.search(r"and (\d+) more run", text) for text in said for word in words if f"test_{word}.py" in text
        }
        found = {word: int(match[1]) + 1 if match else 1 for word, match in more.items()}
        return found if sum(found.values()) == len(runs) else None

    assert asked.space.wait_until(counted, 180) == Counter(word for word, _, _ in runs)
    of_main = {word: sum(one == word for one, _, _ in runs) for word in words[::3]}
    for word, count in of_main.items():
        assert f"test_{word}" in asked.issue(containing=f"test_{word}.py")["body"]
        asked.space.wait_until(
            lambda: f"Failed in {count} runs" in asked.issue(containing=f"test_{word}.py")["body"],  # noqa: B023
            SOON,
        )
    last = next(word for word, branch, _ in reversed(runs) if branches[branch] == "fix")
    asked.comment(number, f"test_{last}")
    asked.idle(ship)
    assert len(asked.posts("#ml")) == 5
    (others,) = threads()  # all in one
    assert len(others) == 3
    assert len(asked.issues()) == len(of_main)
    assert len(asked.comments(number)) == 1


def test_many_different_failures_at_once_stand_in_the_thread_of_the_first(ship, asked):
    words = ("alpha", "bravo", "carol", "delta", "echo", "fox", "golf", "hotel")
    for word in words:
        asked.run(red(f"FAILED tests/test_{word}.py::test_{word} - assert '{word}' == 'x{word}'"), f"branch-{word}")
    asked.idle(ship)
    posts = asked.posts("#ml")
    assert len(posts) == 5
    threads = [reply.plain for post in posts for reply in asked.space.thread(post, as_=asked.ben)]
    assert all(any(f"test_{word}" in text for text in [*threads, *(one.plain for one in posts)]) for word in words)
    first = min(posts, key=lambda post: post.ts)
    # Its own failure passes, and the storm goes on: what comes now belongs into the same thread.
    asked.passes(next(f"branch-{word}" for word in words if f"test_{word}" in first.plain))
    asked.run(red("FAILED tests/test_india.py::test_india - assert 'india' == 'xindia'"), "branch-india")
    asked.idle(ship)
    assert len(asked.posts("#ml")) == 5
    assert "Green again in run" in asked.space.message(first, as_=asked.ben).plain
    replies = asked.space.thread(first, as_=asked.ben)
    late = next(one for one in replies if "failed on" in one.plain and "test_india" in one.plain)
    assert all(
        "test_india" not in one.plain
        for post in posts
        if post.ts != first.ts
        for one in asked.space.thread(post, as_=asked.ben)
    )
    # A reply has no thread of its own, so the question before its re-run stands in that of the first as well.
    asked.space.press(late, "Re-run failed jobs", as_=asked.ben, confirm=True)
    question = asked.space.wait_until(
        lambda: next((one for one in asked.space.thread(first, as_=asked.ben) if "Ben Okafor asks" in one.plain), None)
    )
    assert question.raw["thread_ts"] == first.ts


def test_the_same_delivery_three_times_is_one_report(ship, asked):
    asked.run(red())
    asked.post(FAILURE, channel="#ml")
    hooks = asked.github.world.hooks
    (hook,) = asked.github.world.store.all("hook")
    (told,) = [
        one for one in hooks.deliveries(hook["id"]) if (one["event"], one["action"]) == ("workflow_run", "completed")
    ]
    for _ in range(3):
        hooks.redeliver(hook["id"], told["id"])
    hooks.settled()
    asked.idle(ship)
    assert len(asked.posts("#ml")) == 1
    assert "more run" not in asked.posts("#ml")[0].plain
    assert "Failed in 1 run:" in asked.issues()[0]["body"].replace("*", "")


def test_github_is_down_for_ten_minutes_slack_hears_of_it_and_the_rest_is_caught_up(ship, asked, clock):
    asked.github.world.faults.switch_on("unavailable", times=100_000)
    asked.run(red())
    away = asked.space.wait_for_message("#ci", containing="GitHub cannot be asked why", as_=asked.ben, seconds=SOON)
    assert "ci failed on main" in away.plain
    clock.ahead += timedelta(minutes=10)
    asked.run(red())
    asked.github.world.faults.switch_off()
    asked.post("and 1 more run", channel="#ml")
    asked.issue(containing="Failed in 2 runs")
    asked.idle(ship)
    assert len(asked.space.messages("#ci", as_=asked.ben)) == 1
    assert len(asked.posts("#ml")) == 1


def test_a_failure_that_github_refuses_to_explain_is_told_once_and_not_passed_over(ship, asked):
    asked.github.world.faults.switch_on("forbidden", where="/logs", times=100_000)
    asked.run(red())
    told = asked.space.wait_for_message("#ci", containing="I cannot report why", as_=asked.ben, seconds=SOON)
    assert "ci failed on main" in told.plain
    asked.idle(ship)
    assert len(asked.space.messages("#ci", as_=asked.ben)) == 1


def test_where_only_writing_to_github_fails_slack_is_told_regardless(ship, asked):
    asked.github.world.faults.switch_on("unavailable", where="(POST|GET) .*/issues", times=100_000)
    asked.run(red())
    asked.post(FAILURE, channel="#ml")
    assert asked.issues() == []
    asked.github.world.faults.switch_off()
    asked.issue(containing=FAILURE)


def test_a_bot_that_is_restarted_in_the_middle_says_everything_once(ship, asked):
    number = asked.pull()
    asked.github.world.faults.switch_on("unavailable", times=100_000)
    asked.run(red(), "fix")
    asked.space.wait_for_message("#ci", containing="cannot be asked why", as_=asked.ben, seconds=SOON)
    ship.restart()
    asked.github.world.faults.switch_off()
    asked.comment(number, FAILURE)
    asked.post(FAILURE, channel="#ml")
    asked.idle(ship)
    assert len(asked.comments(number)) == 1
    assert len(asked.posts("#ml")) == 1


def test_a_green_run_that_is_heard_of_before_its_failure_was_looked_at_leaves_nothing_open(ship, asked):
    asked.github.world.faults.switch_on("unavailable", times=100_000)
    asked.run(red())
    asked.passes()
    asked.github.world.faults.switch_off()
    asked.post("Green again in run", channel="#ml")
    asked.idle(ship)
    assert asked.issues() == []


def scan(story):
    """A failed check of a scanner, as GitHub tells of it."""
    return {
        "id": 777, "name": "scan/images", "head_sha": story.commit(), "conclusion": "failure", "status": "completed",
        "details_url": "https://scanner.example/777", "html_url": f"{story.github.url}/{NAME}/runs/777",
        "app": {"slug": "scanner"}, "check_suite": {"head_branch": "main"}, "pull_requests": [],
        "completed_at": "2026-01-05T10:10:00Z",
        "output": {"title": "1 critical vulnerability", "summary": "CVE-2024-3094 in xz 5.6.0 (CRITICAL)",
                   "text": "trivy: Total: 1 (CRITICAL: 1)\n│ xz │ CVE-2024-3094 │ CRITICAL │ 5.6.0 │ 5.6.1 │"},
    }  # fmt: skip


def check_payload(story, check):
    repository = story.github.world.repository()
    return {"action": "completed", "check_run": check, "repository": repository, "sender": {"login": "ben"}}


def test_a_check_of_another_app_is_reported_from_its_own_words(ship, asked):
    check = scan(asked)
    payload = check_payload(asked, check)
    assert said_to(ship, payload)
    report = asked.post("scan/images failed on main")
    assert "CVE-2024-3094" in report.plain
    issue = asked.issue(containing="CVE-2024-3094")
    passed = payload | {"check_run": check | {"id": 778, "conclusion": "success"}}
    assert not said_to(ship, passed)
    assert asked.issue(state="closed")["number"] == issue["number"]
    assert not said_to(ship, payload | {"check_run": check | {"app": {"slug": "github-actions"}}})


def test_what_an_app_says_late_in_its_text_and_its_annotations_are_analysed(ship, asked):
    check = scan(asked) | {"output": {"title": "Scan", "summary": "Finished in 12 s.", "text": BANDIT}}
    assert said_to(ship, check_payload(asked, check))
    report = asked.post("scan/images failed on main")
    assert "B602" in report.plain
    assert "Kind\nsast" in report.plain


def test_a_check_that_its_app_ends_again_is_closed_and_fails_anew(ship, asked):
    """The same id: some apps update their check in place."""
    failed = scan(asked)
    assert said_to(ship, check_payload(asked, failed))
    number = asked.issue(containing="CVE-2024-3094")["number"]
    said_to(ship, check_payload(asked, failed | {"conclusion": "success", "completed_at": "2026-01-05T10:20:00Z"}))
    assert asked.issue(state="closed")["number"] == number
    again = failed | {"completed_at": "2026-01-05T10:30:00Z"}
    for _ in range(3):
        assert said_to(ship, check_payload(asked, again))
    assert asked.issue(containing="CVE-2024-3094")
    asked.idle(ship)
    assert len([one for one in asked.issues() if one["state"] == "open"]) == 1


def test_what_a_log_says_has_no_effect_on_github(ship, asked):
    number = asked.pull()
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    hostile = f"FAILED tests/test_a.py::test_a - @octocat <img src=x> ![x](https://evil.example/x) ``` #1 token={key}"
    asked.run(red(hostile), "fix")
    said = asked.comment(number, "test_a")
    outside = "".join(said.split("```")[::2])
    assert key not in said
    assert "@octocat" not in outside
    assert "<img" not in outside
    assert "evil.example" not in outside
    assert said.count("```") % 2 == 0
