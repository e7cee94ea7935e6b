"""What is written on GitHub: Markdown in which nothing that a run said mentions, links, formats or hides anything."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from markdown_it import MarkdownIt

from bot.cards.triage_github import GithubMarkdown
from pipelines.evidence.values import Block, Extract, Line
from pipelines.reports import Cause, Evidence, Report
from pipelines.triage.findings import Difference, FailedJob, RunFacts, Triaged, TriageOrder
from pipelines.triage.history import Passed, Reported, Sightings
from pipelines.triage.values import RunReference

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
URL = "https://github.com/ours/churn/actions/runs/7"
HOSTILE = (
    "@octocat <img src=x onerror=y> <!-- ![x](https://evil.example/x.png) [click](https://evil.example) ```\n"
    "# Heading\n- [ ] task | a | **bold** `code` ~~gone~~ #12 GH-12 &lt;b&gt; \\@octocat \u202e www.evil.example $x$"
)
TEXTS = GithubMarkdown()


def reported(text: str, causes: int = 2, **became) -> Reported:
    evidence = tuple(Evidence(text, number, text) for number in range(1, 4))
    found = tuple(Cause(f"{number} {text}", evidence, 0.82) for number in range(causes))
    facts = RunFacts(
        "ours/churn", 8, 1, text, text, text, "c0ffee0123", text, "failure", URL, (FailedJob(text, text),), 1, 12,
        Difference(), (),
    )  # fmt: skip
    report = Report(text, "test", found, 0.8, (text, text), text, fingerprint="f")
    extract = Extract((Block((Line(1, text),), "ranker", 0.9),), 10, (text,), "ci", 1, 1)
    order = TriageOrder(RunReference("ours/churn", 7, 1), "", "", NOW)
    return replace(Reported(Triaged(order, facts, report, extract), NOW), **became)


def html(text: str) -> str:
    return MarkdownIt("gfm-like", {"linkify": False}).render(text)


def outside_of_code(text: str) -> str:
    return "".join(part.partition("</code>")[2] for part in f"</code>{text}".split("<code"))


def test_nothing_that_a_run_said_has_an_effect():
    texts = [TEXTS.comment([reported(HOSTILE)]), TEXTS.issue([reported(HOSTILE)]).body]
    texts.append(TEXTS.comment([reported(HOSTILE, passed=Passed(9, 2, URL, NOW, unchanged=True))]))
    for text in texts:
        shown = html(text)
        seen = outside_of_code(shown)
        assert "<img" not in shown
        assert "evil.example" not in seen
        assert "@octocat" not in seen
        assert "<h1" not in shown
        assert "<del" not in shown
        assert "<table" not in shown
        assert 'type="checkbox"' not in shown
        assert "\u202e" not in text
        assert shown.count('href="') == shown.count(f'href="{URL}"')


def test_a_title_is_one_line_that_mentions_nobody():
    title = TEXTS.issue([reported(HOSTILE)]).title
    assert "\n" not in title
    assert "@octocat" not in title
    assert len(title) <= 200


def test_a_comment_has_the_lines_that_show_it_and_what_to_do():
    text = TEXTS.comment([reported("assert 0.71 == 0.82", seen=Sightings(3, 812, "ci", 1))])
    assert "     2 | assert 0.71 == 0.82" in text
    assert "(82 % sure)" in text
    assert f"[run 8]({URL})" in text
    assert "Seen 3 times this week, first in run 812 of ci." in html(text)
    assert "1. assert 0.71" in html(text).replace("<li>", "1. ")


def test_a_failed_and_a_passed_workflow_stand_in_one_comment():
    done = reported("scan", passed=Passed(9, 1, URL, NOW, unchanged=False))
    text = TEXTS.comment([reported("ci"), done])
    assert "### ci failed on" in text
    assert ":white_check_mark: scan: Green again in run 9." in text
    assert "### Green again" not in text
    assert TEXTS.comment([done]).startswith("### Green again")


def test_an_issue_lists_its_newest_runs_and_counts_the_others():
    body = TEXTS.issue([reported("ci")] * 25).body
    assert "Failed in 25 runs" in body
    assert "and 15 earlier" in body


def test_an_address_that_is_none_is_no_link():
    facts = replace(reported("ci").triaged.facts, url="javascript:alert(1)")
    triaged = replace(reported("ci").triaged, facts=facts)
    assert "javascript" not in TEXTS.comment([replace(reported("ci"), triaged=triaged)])
    assert (
        TEXTS.closing(Passed(9, 1, "x) [evil](https://evil.example", NOW, unchanged=False)) == "Green again in run 9."
    )


@pytest.mark.parametrize("text", ["", "x" * 100_000, "`" * 3_000, "\r\n\x00\x1b[31m", "船" * 5_000])
def test_any_text_is_written(text):
    assert len(TEXTS.comment([reported(text)] * 2)) < 60_000
    assert TEXTS.issue([reported(text, causes=0)]).title
