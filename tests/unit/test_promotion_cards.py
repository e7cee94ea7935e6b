"""Promotions and ways back have cards that Slack takes, whatever stands in them, and buttons only while they wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.cards import draw
from bot.sandbox.slack.blockkit import judge_blocks
from bot.sandbox.slack.reading import buttons_of, visible_text
from pipelines.approval import Approval, ApprovalPolicy, Vote, plan_digest
from pipelines.people import Person, Role
from pipelines.retrain.overview import PromotionSettled, Settled
from pipelines.retrain.promotion import (
    PROMOTION_ENDS,
    AliasMove,
    Compared,
    NotOffered,
    Promotion,
    PromotionEnded,
    PromotionOffered,
    PromotionPlan,
    WayBackAsked,
)
from pipelines.retrain.promotion_workflow import RUN_STAGES
from pipelines.retrain.values import FINAL_STAGES, GateRule, ModelVersion, Retrain, TrainingPlan
from pipelines.waiting import OpenApproval, OpenApprovals

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLAN = PromotionPlan(
    id="churn-1.promotion", kind="promotion", model="churn", version=4, sha256="a" * 64, champion_version=3,
    metric="roc_auc",
    compared=(
        Compared("10,000 rows held out", {"f1": 0.6, "roc_auc": 0.83}, {"f1": 0.61, "roc_auc": 0.82}),
        Compared("812 served rows", {}, {"accuracy": 0.7}),
    ),
    verdict="All thresholds are met.", moves=(AliasMove("champion", 3, 4), AliasMove("previous", None, 3)),
    serving="whatever serves it follows.", way_back="Back to version 3.", requester_id="U0BEN",
    requester_name="Ben Okafor", run_id="churn-1",
)  # fmt: skip
TRAINING = TrainingPlan(
    "churn-1", "churn", "classification", "/d.csv", "sha", 9, 2, "y", "builtin", "local", 7, GateRule("roc_auc"), 3, {},
    2048, 30, None, 0.0, "U0BEN", "Ben Okafor", "drift", promotion="ask",
)  # fmt: skip
VERSION = ModelVersion("churn", 4, ("challenger",), {"roc_auc": 0.83}, NOW, "churn-1", "")
BACK = replace(PLAN, kind="rollback", id="churn-back-to-3", run_id="")
HOSTILE = "<!channel> <https://evil.example|click> *bold* `code` & \u202e" + "x" * 9_000
STAGES = ["awaiting approval", "moving", *sorted(PROMOTION_ENDS)]


def run(stage, plan=PLAN, **more):
    promotion = Promotion(plan, stage, settled_by="Ana Lima", settled_at=NOW, **more)
    return Retrain("churn-1", TRAINING, RUN_STAGES[stage], version=VERSION, promotion=promotion)


def checked(value):
    card = draw(value)
    assert judge_blocks(list(card.blocks), "message") == []
    assert card.text
    return visible_text({"blocks": list(card.blocks)}), buttons_of({"blocks": list(card.blocks)})


def markup(part):
    """Every text that Slack would read marks in."""
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [text for value in part.values() for text in markup(value)]
    return [text for member in part for text in markup(member)] if isinstance(part, (list, tuple)) else []


def labels(buttons):
    return [button["text"]["text"] for button in buttons]


def gate(plan=PLAN, **more):
    return Approval(
        plan.id, plan.kind, "churn", "Promote version 4 of churn", plan_digest(plan), "U0BEN", "Ben Okafor",
        ApprovalPolicy(), NOW, NOW + timedelta(days=1), **more,
    )  # fmt: skip


def test_the_plan_on_the_runs_card_says_all_that_is_agreed_to():
    text, buttons = checked(run("awaiting approval"))
    for part in (
        "Promote version 4 of churn?", "0.83", "0.82", "▲ 0.01", "812 served rows", "All thresholds are met",
        "champion to version 4", "previous to version 3", "whatever serves it", "Back to version 3",
    ):  # fmt: skip
        assert part in text
    assert labels(buttons) == ["Promote version 4", "Keep the champion"]
    assert all(button["value"].startswith("churn-1.promotion ") for button in buttons)
    assert "confirm" in buttons[1]
    assert text.index("ROC AUC") < text.index("F1"), "the metric that decides comes first"


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_card_and_only_a_waiting_one_has_its_gate(stage):
    for value in (run(stage), Promotion(BACK, stage, settled_by="Ana Lima", settled_at=NOW)):
        _, buttons = checked(value)
        gates = [button for button in buttons if button["action_id"] in ("promotion.approve", "promotion.keep")]
        assert bool(gates) == (stage == "awaiting approval")
        ways = [button for button in buttons if button["action_id"] == "promotion.back"]
        assert [button["value"] for button in ways] == (["churn 4 3"] if stage == "done" else [])


def test_every_end_of_a_promotion_ends_its_run():
    assert {RUN_STAGES[stage] for stage in PROMOTION_ENDS} <= FINAL_STAGES
    assert RUN_STAGES["awaiting approval"] not in FINAL_STAGES
    assert RUN_STAGES["moving"] not in FINAL_STAGES


def test_a_first_version_has_nobody_to_be_compared_with_and_no_way_back():
    first = replace(PLAN, champion_version=None, compared=(Compared("9 rows", {"roc_auc": 0.8}, {}),), moves=())
    text, _ = checked(run("awaiting approval", first))
    assert "no champion yet" in text
    _, buttons = checked(run("done", first))
    assert labels(buttons) == []


def test_between_click_and_first_step_the_card_shows_what_was_pressed():
    approved = gate(state="approved", settled_by="Ana Lima", settled_at=NOW)
    text, buttons = checked(Settled(run("awaiting approval"), approved))
    assert "Promoting version 4" in text
    assert buttons == []
    text, _ = checked(Settled(run("awaiting approval"), replace(approved, state="rejected")))
    assert "the champion stays" in text


def test_the_approval_of_the_training_is_not_taken_for_that_of_the_promotion():
    trained = replace(gate(state="approved", settled_by="Ana Lima", settled_at=NOW), id="churn-1")
    _, buttons = checked(Settled(run("awaiting approval"), trained))
    assert labels(buttons) == ["Promote version 4", "Keep the champion"]


def test_a_vote_that_was_not_the_last_leaves_the_buttons():
    voted = replace(gate(BACK, votes=(Vote("U0ANA", "Ana Lima", NOW),)), policy=ApprovalPolicy(needed=2))
    text, buttons = checked(PromotionSettled(Promotion(BACK), voted))
    assert "1 more needed" in text
    assert labels(buttons) == ["Go back to version 4", "Reject", "Withdraw"]


def test_open_promotions_are_listed_with_their_own_buttons():
    listed = OpenApprovals(Person("U0ANA", "Ana", Role.ADMIN), (OpenApproval(gate(), Promotion(PLAN), ""),), NOW)
    _, buttons = checked(listed)
    assert labels(buttons) == ["Promote version 4", "Keep the champion"]


def test_small_answers_have_cards():
    for value in (
        PromotionOffered(Promotion(PLAN)), WayBackAsked("churn", 3), NotOffered("churn", "Gone."),
        PromotionEnded(Promotion(BACK, "failed", failure="Gone.")),
    ):  # fmt: skip
        checked(value)


def test_foreign_text_can_neither_mention_nor_link_nor_overflow():
    plan = replace(
        PLAN, model=HOSTILE[:200], verdict=HOSTILE, serving=HOSTILE, way_back=HOSTILE, requester_name=HOSTILE,
        compared=tuple(Compared(HOSTILE[:300], {f"m{n}": n / 7 for n in range(60)}, {}) for _ in range(3)),
    )  # fmt: skip
    for stage in STAGES:
        for value in (run(stage, plan, failure=HOSTILE), Promotion(replace(plan, run_id=""), stage, HOSTILE, NOW)):
            card = draw(value)
            checked(value)
            assert not [text for text in markup(card.blocks) if "<!channel>" in text or "<https://evil" in text]
