"""The message of an episode in all its states: valid Block Kit, and nothing in it does what a column's name says."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.cards import draw, draw_form
from bot.cards.drift_issue import gone_text, issue_comment, issue_text
from bot.sandbox.slack.blockkit import judge_blocks
from pipelines.drift.acting import EditForm, Noted, RejectForm, SnoozeForm
from pipelines.drift.episodes import Episode, Found, Happened, IssueLink, Snooze
from pipelines.drift.plans import AWAITING, Proposal, RetrainPlan, RunState
from pipelines.drift.report import DriftReport
from pipelines.drift.showing import EpisodeCard, EpisodeNote
from pipelines.drift.values import WatchSpec
from pipelines.drift.workflow import NoDetails

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
EVIL = "<!channel> @here <https://evil.example|income> *`_~ :white_check_mark: " + "x" * 5_000
REPORT = DriftReport(
    f"Data drift, P0 {EVIL}", EVIL, "P0", (EVIL,) * 40, (EVIL,) * 40, "retrain", EVIL, (EVIL,) * 40, (EVIL,) * 9,
)  # fmt: skip
FOUND = Found("data drift", "P0", "3", timedelta(hours=24), NOW, REPORT)
PLAN = RetrainPlan("a" * 16, EVIL, "1 row", EVIL, "version 3", (EVIL,) * 3, "beside the bot", "a cent", NOW, EVIL)
EPISODE = Episode("churn-1", "churn", "#ml", NOW, FOUND, "P0", 3, NOW, "12")
WATCH = WatchSpec("churn", "#ml")


def proposed(state: RunState | None, **changes: object) -> Episode:
    return replace(EPISODE, proposal=Proposal(1, run_id="r1", plan=PLAN, state=state), proposals=1, **changes)


STATES = {
    "just found": EPISODE,
    "a plan is drawn": replace(EPISODE, proposal=Proposal(1), proposals=1),
    "no plan": replace(EPISODE, proposal=Proposal(1, refusal=EVIL), proposals=1),
    "asks": proposed(RunState(AWAITING, finished=False)),
    "one of two said yes": proposed(RunState(AWAITING, finished=False, votes=(EVIL[:200],), needed=2)),
    "approved": proposed(RunState("training", finished=False, by=EVIL[:200], at=NOW)),
    "rejected": proposed(RunState("rejected", finished=True, by="Ana", at=NOW, sentence=EVIL)),
    "failed": proposed(RunState("failed", finished=True, by="Ana", at=NOW, sentence=EVIL)),
    "promoted": proposed(RunState("registered", finished=True, by="Ana", at=NOW, promoted="4"), retrained="4"),
    "snoozed": replace(EPISODE, snooze=Snooze(EVIL[:200], NOW + timedelta(hours=4), "P0")),
    "blind": replace(EPISODE, blind=EVIL),
    "issue": replace(EPISODE, issue=IssueLink(7, "https://github.com/ours/models/issues/7", 1)),
    "no issue": replace(EPISODE, issue=IssueLink(0, "", 1, EVIL)),
    "gone": replace(EPISODE, ended_at=NOW + timedelta(hours=9), quiet_since=NOW + timedelta(hours=9), quiet=2),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_valid_short_enough_and_inert(state: str) -> None:
    card = draw(EpisodeCard(STATES[state], WATCH, state == "snoozed", EVIL if state == "just found" else ""))
    assert judge_blocks(list(card.blocks), "message") == []
    shown = json.dumps(card.blocks, ensure_ascii=False)
    assert len(shown) < 20_000
    assert "<!channel>" not in shown
    assert "<https://evil" not in shown
    assert "<!channel>" not in card.text


def buttons(episode: Episode) -> list[str]:
    blocks = draw(EpisodeCard(episode, WATCH, snoozed=False)).blocks
    return [element["text"]["text"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


def test_buttons_are_those_that_can_be_pressed() -> None:
    assert buttons(STATES["asks"]) == ["Approve retrain", "Edit…", "Reject", "Investigate", "Snooze"]
    assert buttons(STATES["approved"]) == ["Investigate", "Snooze"]
    assert buttons(STATES["rejected"]) == ["Plan a retrain", "Investigate", "Snooze"]
    assert buttons(STATES["gone"]) == []
    broken = replace(FOUND, kind="schema break", report=replace(REPORT, remedy="fix the source"))
    assert buttons(proposed(RunState(AWAITING, finished=False), found=broken)) == ["Investigate", "Snooze"]


def test_exactly_one_button_is_primary_and_carries_the_plan_it_approves() -> None:
    blocks = draw(EpisodeCard(STATES["asks"], WATCH, snoozed=False)).blocks
    [primary] = [
        element for block in blocks if block["type"] == "actions" for element in block["elements"]
        if element.get("style") == "primary"
    ]  # fmt: skip
    assert (primary["action_id"], primary["value"]) == ("drift.approve", f"churn-1 1 {'a' * 16}")


@pytest.mark.parametrize("what", ["raised", "blind", "snoozed", "gone", "retrained", "settled", "looked", "edited"])
def test_the_lines_of_the_thread_and_of_the_issue_are_inert(what: str) -> None:
    line = Happened(2, NOW, what, EVIL)  # type: ignore[arg-type]  # a name out of a list
    card = draw(EpisodeNote(STATES["snoozed"], line))
    assert judge_blocks(list(card.blocks), "message") == []
    for shown in (json.dumps(card.blocks), issue_comment(EPISODE, line)):
        assert "<!channel>" not in shown
        assert "](https://evil" not in shown


def test_the_issue_holds_the_analysis_and_steers_nothing() -> None:
    text = issue_text(EPISODE)
    assert "### Affected" in text
    assert "<!channel>" not in text
    assert "(https://evil" not in text
    assert "Gone since 2026-03-04 21:00 UTC" in gone_text(STATES["gone"])
    told = replace(FOUND, report=replace(REPORT, baselines=("accuracy of 7 days: 0.930 before, 0.850 now",)))
    assert "### Performance\n- accuracy of 7 days: 0.930" in issue_text(replace(EPISODE, found=told))


def test_forms_and_small_answers_are_valid() -> None:
    edits = EditForm("churn", "churn-1 1", "x.csv", "2026-03-01", "at", "n"), EditForm("churn", "k", "", "", "", "")
    for form in (*edits, RejectForm("churn", "k"), SnoozeForm("churn", "k")):
        drawn = draw_form(form)
        assert drawn is not None
        assert judge_blocks(drawn["blocks"], "modal") == []
    dated = [block["block_id"] for block in draw_form(EditForm("churn", "k", "", "", "at", ""))["blocks"]]
    assert dated == ["data", "since", "note"]
    for value in (Noted(EVIL), NoDetails("Ben", EVIL)):
        assert judge_blocks(list(draw(value).blocks), "message") == []
