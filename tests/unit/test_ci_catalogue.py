"""The section `ci` of the catalogue: understood, or refused with the line and what to write."""

from pathlib import Path

import pytest

from bot.catalogue import DEMO_CATALOGUE, CatalogueError, load_catalogue
from pipelines.triage.routing import CiRules, CiTeam, Subscription

DEMO = DEMO_CATALOGUE.read_text()
START = DEMO.index("# Failures of the CI")
REST = DEMO[:START] + DEMO[DEMO.index("# What the clock orders.") :]
LINE = len(REST.splitlines()) + 2
DATA = Path("/data")


def loaded(tmp_path, more, rest=REST):
    path = tmp_path / "shipmate.yaml"
    path.write_text(f"{rest}\n{more}\n")
    return load_catalogue(path, DATA).ci


def test_without_a_word_about_it_failures_go_to_the_channel_ci_if_there_is_one(tmp_path):
    assert loaded(tmp_path, "") == CiRules("#ci")
    assert loaded(tmp_path, "", REST.replace("  ci: Builds and tests\n", "")) == CiRules("")


def test_repositories_and_teams_are_understood(tmp_path):
    found = loaded(
        tmp_path,
        'ci:\n  channel: "#ops"\n  repositories:\n    "ours/*": {branches: ["*"], severity: high, issues: false}\n'
        "    theirs/x: {channel: ml, workflows: [ci], authors: [ben], not_authors: [ana]}\n"
        '  teams:\n    sec: {kinds: [secret, container scan], mention: ana}\n    ml: {kinds: [flaky], mention: "@ml"}',
    )
    assert found == CiRules(
        "#ops",
        (
            Subscription("ours/*", ("*",), severity="high", issues=False),
            Subscription("theirs/x", (), ("ben",), ("ana",), ("ci",), channel="#ml"),
        ),
        (
            CiTeam("sec", frozenset({"secret", "container scan"}), "", "ana@shipyard.example"),
            CiTeam("ml", frozenset({"flaky"}), "", "@ml"),
        ),
    )


def test_the_demo_subscribes_to_its_own_repositories():
    found = load_catalogue(DEMO_CATALOGUE, DATA).ci
    assert found.subscription("shipyard/churn").branches == ("*",)
    assert {kind for team in found.teams for kind in team.kinds} >= {"model validation", "sast"}


@pytest.mark.parametrize(
    ("more", "line", "told"),
    [
        ("ci: {chanel: ci}", 0, 'ci.chanel is not known. Did you mean "channel"?'),
        ("ci:\n  channel: cci", 1, 'names "cci", which is not under channels. Did you mean "ci"?'),
        ("ci:\n  repositories:\n    churn: {}", 2, "must be a repository as owner/name"),
        ("ci:\n  repositories:\n    a/b: {severity: bad}", 2, "must be low, medium, high or critical"),
        ("ci:\n  repositories:\n    a/b: {branches: main}", 2, "must be a list"),
        ("ci:\n  repositories:\n    a/b: {branches: [main, main]}", 2, 'names "main" twice'),
        ("ci:\n  repositories:\n    a/b: {authors: [ben], not_authors: [ben]}", 2, 'names "ben", like authors'),
        ("ci:\n  repositories:\n    a/b: {channel: nowhere}", 2, 'names "nowhere"'),
        ("ci:\n  teams:\n    sec: {kinds: [secrets]}", 2, "must be one of lint, test"),
        ("ci:\n  teams:\n    sec: {kinds: []}", 2, "must not be empty"),
        ("ci:\n  teams:\n    sec: {}", 2, "ci.teams.sec.kinds is missing"),
        ("ci:\n  teams:\n    sec: {kinds: [sast], mention: anna}", 2, 'no such person. Did you mean "ana"?'),
        ("ci:\n  teams:\n    Sec: {kinds: [sast]}", 2, "must be a short name"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, more, line, told):
    with pytest.raises(CatalogueError) as mistaken:
        loaded(tmp_path, more)
    assert any(one.line == LINE + line and told in one.text for one in mistaken.value.mistakes), mistaken.value


def test_a_team_without_a_channel_needs_one_somewhere(tmp_path):
    with pytest.raises(CatalogueError, match="has no channel, and neither has ci"):
        loaded(tmp_path, "ci:\n  teams:\n    sec: {kinds: [sast]}", REST.replace("  ci: Builds and tests\n", ""))
