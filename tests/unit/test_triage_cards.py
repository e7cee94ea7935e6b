"""The report of a failed run is a card that Slack takes, whatever the run said, and nothing in it acts."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.cards import draw
from bot.cards.triage import pages
from bot.redaction import Redactor
from bot.sandbox.slack.blockkit import judge_blocks
from bot.sandbox.slack.reading import visible_text
from bot.triage import web_address
from pipelines.evidence.values import Block, Extract, Line
from pipelines.reports import Cause, Evidence, Report
from pipelines.triage.findings import (
    AlreadyReported,
    ChangedCommit,
    Difference,
    FailedJob,
    NothingFailed,
    NotTriaged,
    RunFacts,
    StillTrying,
    Triaged,
    TriageOrder,
    TriageStarted,
)
from pipelines.triage.history import Mark, Passed, Reported, Sightings
from pipelines.triage.values import NewLine, RunReference, VersionChange

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
ORDER = TriageOrder(RunReference("ours/churn", 7, 1), "C0CI", "U0BEN", NOW)
HOSTILE = (
    "<!channel> @here <https://evil.example|click> https://evil.example ```\n:white_check_mark: \u202e" + "x" * 9_000
)
KEY = "\n".join(
    ["-----BEGIN RSA PRIVATE KEY-----", *["MIIEpAIBAAKCAQEA" + "q" * 48] * 3, "-----END RSA PRIVATE KEY-----"]
)


def triaged(text: str, lines: int = 60, causes: int = 3, logs_read: int = 1) -> Triaged:
    evidence = tuple(Evidence(f"job {number % 2} {text}", number, text) for number in range(1, 13))
    found = tuple(Cause(f"{number} {text}", evidence, 0.82, "log") for number in range(causes))
    difference = Difference(
        6, (ChangedCommit("abc1234", text, text),) * 5, 3, (text,) * 8, 4, workflow_changed=True,
        versions=(VersionChange("package", text, text, ""),) * 8, new_lines=(NewLine(3, text),) * 5,
    )  # fmt: skip
    facts = RunFacts(
        "ours/churn", 8, 2, text, text, text, "c0ffee0123", text, "failure", "https://github.com/ours/churn/actions/runs/7",
        (FailedJob(text, text),) * 10, logs_read, 12, difference, (text,) * 9,
    )  # fmt: skip
    block = Block(tuple(Line(number, text) for number in range(1, lines + 1)), "ranker", 0.9)
    report = Report(text, "test", found, 0.8, (text,) * 9 if causes else (), text, (text,) * 3, (text,), notice=text)
    return Triaged(ORDER, facts, report, Extract((block,), 10, ("test",), "ci", lines, lines))


def reported(value: Triaged, **became) -> Reported:
    said = Mark("U0BEN", NOW, f"1 {value.facts.title}")
    seen = Sightings(3, 812, value.facts.workflow, 1, (said,) * 3)
    told = Reported(value, NOW, "high", seen=seen, mention="S0MLTEAM", repeats=12, wrong=(said,) * 9)
    return replace(told, **{"acknowledged": said, "rerun": said, **became})


def mrkdwn(part) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [text for value in part.values() for text in mrkdwn(value)]
    return [text for member in part for text in mrkdwn(member)] if isinstance(part, (list, tuple)) else []


def cards(value: Triaged):
    return [draw(reported(value)), *(draw(page) for page in pages(value))]


@pytest.mark.parametrize("text", ["assert 0.71 == 0.82", "", "&<>" * 3_000, "`" * 5_000, "船" * 5_000, HOSTILE])
@pytest.mark.parametrize("causes", [0, 1, 3])
def test_slack_takes_the_report_and_its_thread_whatever_the_run_said(text, causes):
    for card in cards(triaged(text, causes=causes)):
        assert judge_blocks(list(card.blocks), "message") == []
        assert sum(len(one) for one in mrkdwn(list(card.blocks))) <= 13_200
        assert card.text


def test_nothing_that_the_run_said_acts():
    for card in cards(triaged(HOSTILE)):
        for text in mrkdwn(list(card.blocks)):
            assert "<!channel>" not in text
            assert "<https://evil.example" not in text
            outside = re.sub(r"`[^`]*`", "", "".join(text.split("```")[::2]))
            assert "evil.example" not in outside
            assert ":white_check_mark:" not in outside
            assert text.count("`") % 2 == 0
            assert "\u202e" not in text


def test_cited_lines_carry_the_numbers_of_their_log():
    text = visible_text({"blocks": list(draw(reported(triaged("assert 0.71 == 0.82"))).blocks)})
    assert "    12 | assert 0.71 == 0.82" not in text  # of twelve citations six are drawn
    assert "     6 | assert 0.71 == 0.82" in text
    assert "(82 % sure)" in text


def test_new_lines_of_several_jobs_stand_under_the_names_of_their_jobs():
    value = triaged("x")
    new = (NewLine(3, "boom", job="test"), NewLine(9, "F401", job="lint"))
    value = replace(value, facts=replace(value.facts, difference=replace(value.facts.difference, new_lines=new)))
    text = visible_text({"blocks": list(draw(reported(value)).blocks)})
    assert "New in the log of the failing step of test: lines 3, in the thread" in text
    assert "New in the log of the failing step of lint: lines 9, in the thread" in text
    thread = "\n".join(visible_text({"blocks": list(draw(page).blocks)}) for page in pages(value))
    assert "== test\n     3 | boom\n== lint\n     9 | F401" in thread


def test_the_card_says_what_was_before_and_what_came_after():
    passed = Passed(813, 2, "https://github.com", NOW, unchanged=True)
    text = visible_text({"blocks": list(draw(reported(triaged("ci"), passed=passed)).blocks)})
    assert "Seen 3 times this week, first in run 812 of ci. It went away without a change before" in text
    assert "Passed on attempt 2 without a change: flaky." in text
    assert "and 12 more runs with the same failure" in text
    assert "flaky (test)" in text
    assert "<!subteam^S0MLTEAM>" in str(draw(reported(triaged("ci"))))
    assert "<!here>" not in str(draw(reported(triaged("ci"), mention="U1> <!here>")))


def test_a_report_of_something_new_says_nothing_of_before():
    text = visible_text({"blocks": list(draw(Reported(triaged("ci"), NOW)).blocks)})
    assert "Seen" not in text
    assert "more run" not in text


def test_a_long_extract_is_laid_out_over_messages_and_what_is_left_out_is_counted():
    found = pages(triaged("y" * 300, lines=1_000))
    matter = [page for page in found if page.title == "The lines that matter"]
    shown = sum(part.count(" | ") for page in matter for part in page.parts)
    assert shown + matter[-1].left_out == 1_000
    assert [page.left_out for page in matter[:-1]] == [0] * (len(matter) - 1)


def test_no_readable_log_is_told_apart_from_a_log_without_a_cause():
    unread = visible_text({"blocks": list(draw(reported(triaged("", causes=0, logs_read=0))).blocks)})
    assert "no log of this run could be read" in unread
    assert "Nothing wrong found" not in unread
    unclear = visible_text({"blocks": list(draw(reported(triaged("", causes=0))).blocks)})
    assert "no line of its log that I read shows why" in unclear


@pytest.mark.parametrize("text", ["run 7 of ours/churn", HOSTILE, ""])
def test_what_is_told_meanwhile_is_a_card_too(text):
    told = (
        TriageStarted(text), StillTrying(text, text, 60), NothingFailed(text, text, "https://github.com"),
        AlreadyReported(text, "https://slack.example/p1"), AlreadyReported(text, ""), NotTriaged(text, text),
    )  # fmt: skip
    for card in map(draw, told):
        assert judge_blocks(list(card.blocks), "message") == []
        assert "<!channel>" not in str(card)


def test_a_key_that_runs_over_lines_is_out_and_every_line_keeps_its_number():
    lines = ["before", *KEY.split("\n"), "after"]
    redacted = Redactor().redact_lines(lines)
    assert len(redacted) == len(lines)
    assert (redacted[0], redacted[-1]) == ("before", "after")
    assert "MIIE" not in "".join(redacted)
    assert Redactor().redact_lines([]) == []


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://github.example.com/api/v3", "https://github.example.com"),
        ("http://127.0.0.1:4001", "http://127.0.0.1:4001"),
    ],
)
def test_where_people_read_runs_follows_from_where_the_api_is(api, web):
    assert web_address(api) == web
