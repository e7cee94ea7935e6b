"""Who hears of a failed run that nobody asked about."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelines.triage.events import CheckRunEvent, WorkflowRunEvent
from pipelines.triage.heard import Heard, heard
from pipelines.triage.routing import CiRules, CiTeam, Destination, Subscription
from pipelines.triage.severity import severity_of
from pipelines.triage.values import RunReference

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
MAIN = Heard(
    RunReference("ours/churn", 7, 1), 12, "ci", ".github/workflows/ci.yml", "failure", "main", on_default_branch=True,
    sha="c0ffee", actor="ben", url="https://github.com", pull_requests=(), of_pull_request=False, at=NOW,
)  # fmt: skip
PULL = replace(MAIN, branch="fix", on_default_branch=False, pull_requests=(3,), of_pull_request=True)
PUSH = replace(MAIN, branch="fix", on_default_branch=False)
QUIET = CiRules("#ci")
ML, SECURITY = CiTeam("ml", frozenset({"training"}), "#ml", "@ml"), CiTeam("sec", frozenset({"secret", "sast"}))
ASKED = CiRules("#ci", (Subscription("ours/*", branches=("main", "release/*"), channel="#ops"),), (ML, SECURITY))
EVENT = WorkflowRunEvent(
    "completed", RunReference("ours/churn", 7, 1), "ci", ".github/workflows/ci.yml", "failure", "push", "main", "main",
    "c0ffee", "ben", "https://github.com", (), from_fork=False, number=12,
)  # fmt: skip
CHECK = CheckRunEvent(
    "completed", "ours/churn", 77, "scan", "scanner", "failure", "main", "c0ffee", "https://scanner.example", None, (),
    "main", "ben", "1 critical", "CVE-1", "",
)  # fmt: skip


def test_without_rules_the_default_branch_is_told_in_ci_and_pull_requests_on_github():
    assert [QUIET.wanted(run) for run in (MAIN, PULL, PUSH)] == [True, True, False]
    assert QUIET.destinations(MAIN, ["test"], "high") == (Destination("#ci"),)
    assert QUIET.destinations(PULL, ["test"], "critical") == ()
    assert [QUIET.comments(run, "low") for run in (MAIN, PULL, PUSH)] == [False, True, False]
    assert not QUIET.issues(MAIN, "critical")


def test_without_a_channel_nothing_is_told_in_slack():
    assert CiRules().destinations(MAIN, ["test"], "high") == ()


def test_a_repository_of_the_catalogue_gets_issues_and_comments_where_its_branches_are_asked_for():
    release = replace(PUSH, branch="release/1")
    assert [ASKED.wanted(run) for run in (MAIN, PULL, PUSH, release)] == [True, True, False, True]
    assert ASKED.destinations(release, ["test"], "low") == (Destination("#ops"),)
    assert [ASKED.comments(run, "low") for run in (MAIN, PULL, PUSH, release)] == [False, True, False, True]
    assert [ASKED.issues(run, "low") for run in (MAIN, PULL, release)] == [True, False, False]


def test_a_team_that_cares_takes_it_and_each_channel_hears_once():
    assert ASKED.destinations(MAIN, ["training"], "low") == (Destination("#ml", "@ml"),)
    assert ASKED.destinations(MAIN, ["sast"], "low") == (Destination("#ops"),)
    both = replace(ASKED, teams=(ML, replace(ML, name="other", mention="@other"), SECURITY))
    assert both.destinations(MAIN, ["training", "secret"], "low") == (Destination("#ml", "@ml"), Destination("#ops"))


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        (Subscription("OURS/churn"), True),
        (Subscription("ours/churn", authors=("ana",)), False),
        (Subscription("ours/churn", authors=("B*",)), True),
        (Subscription("ours/churn", not_authors=("ben",)), False),
        (Subscription("ours/churn", workflows=("nightly",)), False),
        (Subscription("ours/churn", workflows=("CI",)), True),
        (Subscription("ours/churn", workflows=("ci.yml",)), True),
        (Subscription("ours/churn", branches=("release/*",), issues=False), False),
        (Subscription("ours/churn", branches=("release/*",)), True),  # for the issue
    ],
)
def test_filters(wish, wanted):
    assert CiRules("#ci", (wish,)).wanted(MAIN) is wanted


def test_the_first_repository_that_fits_counts():
    rules = CiRules("#ci", (Subscription("ours/churn", channel="#a"), Subscription("*/*", channel="#b")))
    assert rules.destinations(MAIN, [], "low") == (Destination("#a"),)
    other = replace(MAIN, reference=RunReference("theirs/x", 1, 1))
    assert rules.destinations(other, [], "low") == (Destination("#b"),)


def test_what_is_less_severe_than_asked_for_is_not_told():
    rules = CiRules("#ci", (Subscription("ours/*", severity="high"),))
    assert rules.destinations(MAIN, [], "medium") == ()
    assert not rules.comments(PULL, "medium")
    assert not rules.issues(MAIN, "medium")
    assert rules.destinations(MAIN, [], "critical") == (Destination("#ci"),)


def test_severity_is_policy():
    assert severity_of("lint", on_default_branch=False) == "low"
    assert severity_of("test", on_default_branch=False) == "medium"
    assert severity_of("test", on_default_branch=True) == "high"
    assert severity_of("test", on_default_branch=True, flaky=True) == "medium"
    assert severity_of("secret", on_default_branch=True) == "critical"
    assert severity_of("lint", on_default_branch=False, flaky=True) == "low"


def test_a_fork_whose_branch_is_called_main_is_not_the_default_branch():
    assert heard(EVENT, NOW).on_default_branch
    forked = heard(replace(EVENT, from_fork=True, head="eve/churn", event="pull_request"), NOW)
    assert (forked.on_default_branch, forked.of_pull_request) == (False, True)
    assert forked.line == "eve/churn:main"
    assert not heard(replace(EVENT, event="pull_request"), NOW).on_default_branch


def test_what_has_not_ended_or_was_cancelled_is_of_no_interest():
    for change in ({"action": "requested"}, {"conclusion": "cancelled"}, {"conclusion": "skipped"}):
        assert heard(replace(EVENT, **change), NOW) is None


def test_the_check_of_a_job_is_told_by_its_run_and_that_of_another_app_by_itself():
    told = heard(CHECK, NOW)
    assert (told.workflow, told.series, told.check.title, told.on_default_branch) == (
        "scan",
        "scan",
        "1 critical",
        True,
    )
    assert told.key == "ours/churn:77:0"
    assert heard(replace(CHECK, app="github-actions"), NOW) is None
    assert heard(replace(CHECK, reference=RunReference("ours/churn", 7)), NOW) is None
