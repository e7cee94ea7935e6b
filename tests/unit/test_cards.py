"""Each value has a card that Slack takes, whatever the value holds."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cards import draw
from bot.cards.blocks import Card, progress_bar
from bot.cards.outcomes import Breakdown, Outage, Refusal
from bot.sandbox.slack.blockkit import judge_blocks, judge_view
from bot.sandbox.slack.reading import buttons_of, visible_text
from handlers.home import HomePage
from pipelines.approval import Approval, ApprovalPolicy, Vote
from pipelines.drift.trend import Look, trends
from pipelines.help import CommandHelp, Help
from pipelines.people import Permission, Person, Role
from pipelines.retrain.overview import Home, LastRun, ModelsOverview, Settled
from pipelines.retrain.values import (
    FINAL_STAGES,
    Coverage,
    Ended,
    GateCheck,
    GateRule,
    GateVerdict,
    Importance,
    Joined,
    ModelSpec,
    ModelStatus,
    ModelVersion,
    NotPlanned,
    Ordered,
    Progress,
    Retrain,
    Spread,
    TrainingPlan,
    TrainingResult,
)
from pipelines.waiting import OpenApproval, OpenApprovals

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PROJECT = Path(__file__).parents[2]
ANA = Person("U0ANA", "Ana Lima", Role.ADMIN)
VERA = Person("U0VERA", "Vera Novak", Role.VIEWER)
GATE = GateRule("roc_auc", {"roc_auc": 0.75, "log_loss": 0.55}, tolerance=0.01)
PLAN = TrainingPlan(
    "churn-1", "churn", "classification", "/data/churn.csv", "sha", 50_000, 11, "churned", "builtin", "local", 7, GATE,
    3, {"roc_auc": 0.82, "log_loss": 0.46}, 2048, 30, 0.5, 0.02, "U0BEN", "Ben Okafor", "person", "new prices",
)  # fmt: skip
RESULT = TrainingResult(
    "churn-1", {"roc_auc": 0.83, "log_loss": 0.45, "f1": 0.6}, {"roc_auc": Spread(0.82, 0.01)},
    {"roc_auc": 0.82, "log_loss": 0.46}, tuple(Importance(f"feature {n}", 0.1 / (n + 1), 0.01) for n in range(11)),
    Coverage(0.9, 0.897, None, 1.2), 40_000, 10_000, ("a",), "sha", "Gradient boosting", 29.0, 300.0,
    warnings=("12 rows had no target",),
)  # fmt: skip
VERDICT = GateVerdict(
    passed=True,
    checks=(GateCheck("roc_auc", 0.83, 0.75, passed=True, against="threshold", lower_is_better=False),),
    reason="All thresholds are met.",
)
VERSION = ModelVersion(
    "churn", 4, ("champion",), RESULT.metrics, NOW, "churn-1", "http://mlflow.example/#/models/churn"
)
HOSTILE = "<!channel> <https://evil.example|click> *bold* `code` & \u202e" + "x" * 9_000


def run(stage, **more):
    return Retrain("churn-1", PLAN, stage, settled_by="Ana Lima", settled_at=NOW, **more)


def check(card: Card, surface="message"):
    assert judge_blocks(list(card.blocks), surface) == []
    assert card.text
    return visible_text({"blocks": list(card.blocks)})


def markup(part) -> list[str]:
    """Every text that Slack would read marks in."""
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [text for value in part.values() for text in markup(value)]
    return [text for member in part for text in markup(member)] if isinstance(part, (list, tuple)) else []


def approval(**more) -> Approval:
    return Approval(
        "churn-1", "retrain", "churn", "Retrain churn", "d" * 64, "U0BEN", "Ben Okafor", ApprovalPolicy(), NOW,
        NOW + timedelta(days=1), **more,
    )  # fmt: skip


RUNNING = ("training", "gating", "registering", "publishing")
STAGES = ["awaiting approval", *RUNNING, *sorted(FINAL_STAGES)]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_of_a_retrain_has_a_card(stage):
    shown = run(stage, progress=Progress("searching", 0.4, "candidate 3 of 8"), result=RESULT, verdict=VERDICT,
                version=VERSION, failure="The disk was full." if stage == "failed" else "", started_at=NOW,
                finished_at=NOW + timedelta(seconds=29))  # fmt: skip
    assert "churn" in check(draw(shown))


def test_the_plan_says_what_will_be_done_and_offers_the_three_buttons():
    card = draw(run("awaiting approval"))
    text = check(card)
    for part in (
        "50,000 rows",
        "11 columns",
        "version 3",
        "ROC AUC ≥ 0.75",
        "Log loss ≤ 0.55",
        "2,048 MB",
        "$0.02",
        "new prices",
    ):
        assert part in text
    labels = [button["text"]["text"] for button in buttons_of({"blocks": list(card.blocks)})]
    assert labels == ["Approve retraining churn", "Reject", "Withdraw"]


def test_only_one_button_is_primary_and_danger_asks_first():
    buttons = buttons_of({"blocks": list(draw(run("awaiting approval")).blocks)})
    assert sum(button.get("style") == "primary" for button in buttons) == 1
    assert all("confirm" in button for button in buttons if button.get("style") == "danger")


@pytest.mark.parametrize("stage", sorted(FINAL_STAGES))
def test_a_run_that_has_ended_offers_no_approval(stage):
    labels = [button["text"]["text"] for button in buttons_of({"blocks": list(draw(run(stage)).blocks)})]
    assert not any(label.startswith(("Approve", "Reject", "Cancel")) for label in labels)


def test_the_end_shows_metrics_beside_the_champion_and_where_to_look():
    text = check(draw(run("registered", result=RESULT, verdict=VERDICT, version=VERSION)))
    for part in ("version 4 is the new champion", "ROC AUC", "0.83", "0.82", "▲ 0.01", "Open in MLflow", "89.7%"):
        assert part in text


def test_foreign_text_can_neither_mention_nor_link_nor_overflow():
    plan = replace(PLAN, model=HOSTILE[:200], data=HOSTILE, target=HOSTILE, note=HOSTILE, requester_name=HOSTILE)
    for stage in STAGES:
        hostile = replace(run(stage, failure=HOSTILE), plan=plan, run_id=HOSTILE[:200])
        card = draw(replace(hostile, settled_by=HOSTILE))
        check(card)
        assert not [text for text in markup(card.blocks) if "<!channel>" in text or "<https://evil" in text]


def test_a_workspace_without_the_new_blocks_still_gets_a_card():
    card = draw(run("registered", result=RESULT, verdict=VERDICT, version=VERSION)).without_new_blocks()
    assert "version 4" in check(card)
    assert {block["type"] for block in card.blocks} <= {"section", "actions", "context", "header", "divider"}


def test_a_vote_that_was_not_the_last_is_shown_with_the_buttons_still_there():
    vote = replace(approval(votes=(Vote("U0ANA", "Ana Lima", NOW),)), policy=ApprovalPolicy(needed=2))
    card = draw(Settled(run("awaiting approval"), vote))
    assert "Approved by Ana Lima; 1 more needed" in check(card)
    assert any(button["action_id"] == "retrain.approve" for button in buttons_of({"blocks": list(card.blocks)}))


def test_small_answers_have_cards():
    for value in (Ordered("churn", "churn-1"), Joined(run("training"), "http://x"), NotPlanned("churn", "No data."),
                  Ended(run("registered", version=VERSION, verdict=VERDICT)), Refusal("No."), Outage("MLflow: away"),
                  Breakdown("7f3a")):  # fmt: skip
        check(draw(value))


def test_help_marks_what_the_reader_may_not_do():
    commands = (CommandHelp("/retrain", "Train again", "/retrain MODEL", Permission.ORDER),)
    assert "from engineer on" in check(draw(Help(VERA, commands)))
    assert "from engineer on" not in check(draw(Help(ANA, commands)))


def overview(count=1, **more) -> ModelsOverview:
    spec = ModelSpec("churn", "classification", "d", "t", "Ana Lima", "#ml", GATE, "Who leaves")
    status = ModelStatus(spec, VERSION, None, None, **more)
    return ModelsOverview((status,) * count, NOW + timedelta(days=3))


def test_models_show_champion_metrics_age_and_owner():
    text = check(draw(overview()))
    for part in ("version 4", "ROC AUC 0.83", "3 days old", "Owner Ana Lima"):
        assert part in text


def test_a_registry_that_is_away_is_said_so():
    assert "MLflow: did not answer" in check(draw(overview(unavailable="MLflow: did not answer")))


def waiting(person, count=1) -> OpenApprovals:
    entries = tuple(
        OpenApproval(replace(approval(), id=f"churn-{n}"), run("awaiting approval"), "http://x") for n in range(count)
    )
    return OpenApprovals(person, entries, NOW)


def test_approvals_have_buttons_only_for_those_who_may_press_them():
    assert buttons_of({"blocks": list(draw(waiting(ANA)).blocks)})
    assert not buttons_of({"blocks": list(draw(waiting(VERA)).blocks)})
    assert "Nothing waits" in check(draw(OpenApprovals(ANA, (), NOW)))


@pytest.mark.parametrize("count", [0, 1, 300])
def test_lists_of_any_length_stay_within_slacks_limits(count):
    check(draw(waiting(ANA, count)))
    check(draw(overview(count)))
    runs = tuple(LastRun(run("registered", version=VERSION), "") for _ in range(count))
    home = HomePage(waiting(ANA, count), Home(overview(count), runs))
    assert judge_view({"type": "home", "blocks": list(draw(home).blocks)}) == []
    looks = [
        Look(f"model-{place}", "3", NOW + timedelta(hours=hour), "data drift", "P1", hour / 90, "age <&>", 1, 2)
        for place in range(count)
        for hour in range(3 + count % 7 * 10)
    ]
    page = draw(replace(home, trends=tuple(trends(looks))))
    assert judge_view({"type": "home", "blocks": list(page.blocks)}) == []
    shown = json.dumps(page.without_new_blocks().blocks)
    assert ("model-0" in shown) == (count > 0)
    assert "age <&>" not in shown


@pytest.mark.parametrize(("fraction", "shown"), [(0, "0%"), (0.5, "50%"), (1, "100%"), (7, "100%"), (-1, "0%")])
def test_a_progress_bar_stays_within_its_ends(fraction, shown):
    bar = progress_bar(fraction)
    assert bar.endswith(shown)
    assert len(bar.split()[0]) == 12


def test_a_value_without_a_card_is_our_fault_and_says_so():
    with pytest.raises(TypeError, match="No card is registered for int"):
        draw(7)


def test_the_page_of_the_demo_can_draw_every_emoji_of_the_cards() -> None:
    page = (PROJECT / "bot/sandbox/slack/page/js/emoji.js").read_text()
    known = set(re.findall(r"([a-z0-9_+-]+) [^\x00-\x7f]", page))
    used = {
        (name, file.name)
        for file in (PROJECT / "bot/cards").glob("*.py")
        for name in re.findall(r":([a-z][a-z_]{2,}):", file.read_text())
    }
    assert len(used) > 20
    assert {name for name, _ in used} <= known, sorted(pair for pair in used if pair[0] not in known)
