"""The message of an episode in all its states: valid Block Kit, and nothing in it does what a column's name says."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.cards import draw, draw_form
from bot.cards.drift_issue import gone_text, issue_comment, issue_text
from bot.sandbox.slack.blockkit import judge_blocks
from pipelines.drift.acting import EditForm, Noted, RejectForm, SnoozeForm
from pipelines.drift.background import VersionRecord
from pipelines.drift.episodes import Episode, Found, Happened, IssueLink, Snooze
from pipelines.drift.plans import AWAITING, NewRows, Proposal, RetrainPlan, RunState
from pipelines.drift.report import DriftReport
from pipelines.drift.showing import EpisodeCard, EpisodeNote
from pipelines.drift.values import ColumnWeight, Onset, WatchSpec
from pipelines.drift.workflow import NoDetails

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
EVIL = "<!channel> @here <https://evil.example|income> *`_~ :white_check_mark: " + "x" * 5_000
REPORT = DriftReport(
    f"Data drift, P0 {EVIL}", EVIL, "P0", (EVIL,) * 40, (EVIL,) * 40, "retrain", EVIL, (EVIL,) * 40, (EVIL,) * 9,
)  # fmt: skip
FOUND = Found("data drift", "P0", "3", timedelta(hours=24), NOW, REPORT)
FEW = NewRows(NOW, 1, 400, NOW + timedelta(hours=3))
PLAN = RetrainPlan("a" * 16, EVIL, "1 row", EVIL, "version 3", (EVIL,) * 3, "beside the bot", "a cent", NOW, EVIL)
EPISODE = Episode("churn-1", "churn", "#ml", NOW, FOUND, "P0", 3, NOW, "12")
WATCH = WatchSpec("churn", "#ml")


def proposed(state: RunState | None, **changes: object) -> Episode:
    return replace(EPISODE, proposal=Proposal(1, run_id="r1", plan=PLAN, state=state), proposals=1, **changes)


STATES = {
    "just found": EPISODE,
    "too few rows": replace(EPISODE, found=replace(FOUND, onset=Onset(NOW), new_rows=FEW)),
    "no labels come in": replace(EPISODE, found=replace(FOUND, new_rows=NewRows(NOW, 0))),
    "awaits records": replace(EPISODE, retrained="4", awaits=True),
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


def test_a_card_without_a_plan_says_what_it_waits_for_and_lets_people_plan_it_now() -> None:
    assert buttons(STATES["too few rows"]) == ["Plan it now", "Investigate", "Snooze"]
    shown = json.dumps(draw(EpisodeCard(STATES["too few rows"], WATCH, snoozed=False)).blocks)
    assert "1 labelled row since about" in shown
    assert "400 are needed" in shown
    assert "2026-03-04 15:00 UTC" in shown
    assert "Since about" in shown
    none = json.dumps(draw(EpisodeCard(STATES["no labels come in"], WATCH, snoozed=False)).blocks)
    assert "0 labelled rows" in none
    assert "No labels come in now" in none
    awaited = json.dumps(draw(EpisodeCard(STATES["awaits records"], WATCH, snoozed=False)).blocks)
    assert "The first records of version 4 are awaited" in awaited


@pytest.mark.parametrize(
    ("rows", "since", "column", "told"),
    [
        (100_000, "", "", "`time_column` in the catalogue"), (100_000, "", "at", "*Edit…* takes only"),
        (100_000, "2026-03-01", "at", ""), (5_000, "", "", ""), (None, "", "", ""),
    ],
)  # fmt: skip
def test_a_plan_whose_table_is_nearly_all_of_before_says_so(rows, since, column, told) -> None:
    asking = RunState(AWAITING, finished=False)
    proposal = Proposal(1, since=since, plan=replace(PLAN, row_count=rows), state=asking)
    found = replace(FOUND, new_rows=NewRows(NOW, 500))
    episode = replace(EPISODE, found=found, proposal=proposal, proposals=1)
    card = draw(EpisodeCard(episode, replace(WATCH, time_column=column), snoozed=False))
    shown = json.dumps(card.blocks, ensure_ascii=False)
    assert judge_blocks(list(card.blocks), "message") == []
    assert ("Of its 100,000 rows at most 500" in shown) == bool(told)
    assert told in shown


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


def test_an_issue_shows_metrics_by_version_and_what_the_model_goes_by_in_tables_that_no_name_can_break() -> None:
    columns = (
        ColumnWeight("income | <b>`x`\n| y", 0.42, 0.31, drifted=True),
        ColumnWeight("age", 0.08, 0.01, drifted=False),
    )
    versions = [
        VersionRecord("4", ("challenger",), {"accuracy": 0.9, "precision": 0.8, "recall": 0.7, "f1": 0.75}, {}),
        VersionRecord("3", ("champion",), {"accuracy": 0.88, "f1": 0.7}, {"accuracy": 0.61}, 1_204),
        VersionRecord("2", (), {}, {}),
    ]
    lines = issue_text(replace(EPISODE, found=replace(FOUND, columns=columns)), versions).splitlines()
    at = lines.index("### Metrics by version")
    assert lines[at + 1 : at + 6] == [
        "| Version | Measured on | Accuracy | Precision | Recall | F1 |",
        "| --- | --- | --- | --- | --- | --- |",
        "| 4 challenger | its own test rows | 0.9 | 0.8 | 0.7 | 0.75 |",
        "| 3 champion | its own test rows | 0.88 |  |  | 0.7 |",
        "| 3 champion | 1,204 rows served | 0.61 |  |  |  |",
    ]
    at = lines.index("### What the model goes by")
    assert [line.count("|") for line in lines[at + 1 : at + 5]] == [5, 5, 5, 5]
    assert "42% | 0.310 | yes" in lines[at + 3]
    assert lines[at + 4] == "| age | 8% | 0.010 | no |"
    bare = issue_text(EPISODE)
    assert "Metrics by version" not in bare
    assert "goes by" not in bare


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
