"""One living message an episode: it rises, it is told once, it goes away by itself; P1 is an issue, P2 a post."""

import pytest
from drifting import HEAVY, HOUR, LIGHT, MEDIUM, SOON, TRAINED
from pydantic import SecretStr

from bot.sandbox.github import GithubSandbox

REPOSITORY = "ours/models"


@pytest.fixture
def watched(watched_ship):
    return watched_ship


@pytest.fixture
def github(watched):
    sandbox = GithubSandbox(REPOSITORY, "a-token", [])
    sandbox.start()
    issues = f"{{repository: {REPOSITORY}, labels: [drift], assignees: [octocat]}}"
    watched.rewrite(
        ("    target: diagnosis\n", f"    target: diagnosis\n    drift: {{github: {issues}}}\n"),
        github_api_url=sandbox.url, github_token=SecretStr("a-token"),
    )  # fmt: skip
    yield sandbox
    watched.ship.stop()
    sandbox.stop()


def issues(github):
    return github.world.store.all("issue")


def test_what_looks_as_before_posts_nothing(watched):
    watched.serve_back(72)
    for _ in range(3):
        watched.pass_hours(1)
    watched.space.wait_until(lambda: not watched.ship.bot.durable.pending(), SOON)
    assert watched.messages() == []
    assert watched.episodes() == []


def test_a_p2_is_a_post_that_can_be_investigated(watched):
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    assert "mean_radius" in card.plain
    assert card.button("Approve retrain") is None
    watched.space.press(card, "Investigate", as_=watched.vera)
    watched.refusal("appears in the thread", watched.vera)
    said = watched.told(card, "Asked for by Vera Novak")
    assert "last 24 hours" in said


def test_a_p1_is_an_issue_that_is_opened_once_commented_and_closed(watched, github):
    watched.serve_back(72, MEDIUM)
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Data drift, P1"), "Issue 1")
    (issue,) = issues(github)
    assert {label["name"] for label in issue["labels"]} == {"model-drift", "drift"}
    assert issue["assignees"] == ["octocat"]
    for shown in (
        "area_error",
        "### Metrics by version",
        "| Precision |",
        "champion | its own test rows |",
        "### What the model goes by",
    ):
        assert shown in issue["body"], shown
    assert "Since about" in issue["body"]
    watched.pass_hours(1)
    watched.becomes(card, "seen 2 times")
    watched.ship.restart()
    watched.calm(card)
    watched.space.wait_until(lambda: issues(github)[0]["state"] == "closed", SOON)
    assert len(issues(github)) == 1
    assert any("Gone since" in comment["body"] for comment in github.world.comments(1))


def test_a_p1_without_github_says_so(watched):
    watched.serve_back(72, MEDIUM)
    watched.pass_hours(1)
    watched.becomes(watched.message("Data drift, P1"), "No GitHub issue")


def test_an_assignee_that_github_does_not_know_is_said_and_the_issue_is_there(watched, github):
    github.world.faults.switch_on("conflict", rf"POST /repos/{REPOSITORY}/issues$")
    watched.serve_back(72, MEDIUM)
    watched.pass_hours(1)
    watched.becomes(watched.message("Data drift, P1"), "would not assign it to octocat")
    assert len(issues(github)) == 1


def test_what_becomes_more_urgent_stays_one_message_from_p2_to_p0(watched):
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    watched.serve_back(72, MEDIUM)
    watched.pass_hours(1)
    watched.becomes(card, "Data drift, P1")
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    urgent = watched.becomes(card, "Retrain tumour?")
    assert urgent.ts == card.ts
    said = watched.told(card, "More urgent: P1 became P0")
    assert "More urgent: P2 became P1" in said
    assert len(watched.messages()) == 1


def test_drift_that_goes_away_by_itself_ends_its_episode_and_its_plan(watched):
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Retrain tumour?"), "The retrain that would be done")
    gone = watched.calm(card)
    assert gone.button("Approve retrain") is None
    assert "seen once" in watched.told(card, "Gone since")
    watched.told(card, "The retrain was withdrawn")
    watched.space.press_raw(card, "Approve retrain", as_=watched.ana)
    watched.refusal("withdrawn", watched.ana)
    watched.serve_back(72, HEAVY)  # into hours of which some were served as before, so half of a day may be a season
    watched.pass_hours(1)
    again = watched.message("Data drift, P1")
    assert again.ts != card.ts, "what comes back later is an episode of its own"


def test_labels_that_come_three_days_late_make_it_more_urgent(watched):
    now = watched.clock.time
    watched.clock.time = now - 96 * HOUR
    good = watched.serve_back(96)
    watched.clock.time = now - 72 * HOUR
    bad = watched.serve_back(24, LIGHT, wrong=0.3)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    watched.clock.time = now
    watched.serve_back(70, LIGHT)
    watched.label(good)
    watched.label(bad)
    watched.pass_hours(1)
    urgent = watched.becomes(card, "Data drift, P0")
    assert "Accuracy is 0.700, was 1.000" in urgent.plain
    watched.told(card, "became P0")
    watched.becomes(card, "The retrain that would be done")
    answered = watched.becomes(card, "Retraining will probably help: a challenger", TRAINED)
    assert "the champion in 30.0% (480 rows, p < 0.001)" in answered.plain
    assert answered.button("Approve retrain")
    (episode,) = watched.episodes()
    assert episode.proposal.test.answer == "helps", "it stands in the record of the plan"


def test_a_quiet_urgency_is_kept_and_not_posted_until_it_rises(watched):
    watched.rewrite(("    target: diagnosis\n", "    target: diagnosis\n    drift: {quiet: [P2]}\n"))
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    watched.space.wait_until(watched.episodes, SOON)
    watched.space.wait_until(lambda: not watched.ship.bot.ledger.episodes.unshown(), SOON)
    assert watched.messages() == []
    watched.serve_back(72, MEDIUM)
    watched.pass_hours(1)
    watched.message("Data drift, P1")


def test_an_alert_that_comes_twice_is_one_look_and_is_named_in_the_thread(watched):
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    for _ in range(3):
        watched.ship.bot.drift.workflow.look("tumour", "alert-1", "the alert ModelAccuracyLow")
    watched.told(card, "Looked again because of the alert ModelAccuracyLow")
    watched.space.wait_until(lambda: not watched.ship.bot.durable.pending(), SOON)
    assert watched.thread(card).count("ModelAccuracyLow") == 1
    (episode,) = watched.episodes()
    assert episode.seen == 1, "the same window is counted once"


def test_a_retrain_waits_until_there_are_rows_of_the_new_kind_and_then_asks_in_the_same_message(watched):
    watched.label(watched.serve_back(72))
    watched.clock.time += 48 * HOUR
    moved = watched.serve_back(48, HEAVY)
    watched.label(moved[:120])
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Data drift, P0"), "120 labelled rows since about")
    assert "The retrain waits for rows to learn it from" in card.plain
    assert card.button("Approve retrain") is None
    assert card.button("Plan it now")
    watched.ship.restart()
    watched.label(moved[120:])
    watched.pass_hours(1)
    asked = watched.becomes(card, "The retrain that would be done")
    assert "960 labelled rows of the new kind are known" in asked.plain
    assert asked.button("Approve retrain")
    watched.told(card, "960 labelled rows of the new kind now: a retrain is planned")
    assert len(watched.messages()) == 1


def test_a_retrain_that_waits_for_rows_is_planned_at_once_for_whoever_presses(watched):
    watched.label(watched.serve_back(72))
    watched.clock.time += 48 * HOUR
    watched.label(watched.serve_back(48, HEAVY)[:60])
    watched.pass_hours(1)
    card = watched.becomes(watched.message("Data drift, P0"), " 60 labelled rows since about")
    watched.space.press(card, "Plan it now", as_=watched.ana)
    asked = watched.becomes(card, "The retrain that would be done")
    assert "60 labelled rows of the new kind are known" in asked.plain
    assert asked.button("Approve retrain")
