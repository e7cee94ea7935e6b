"""The exact plan of a promotion, and what must still hold when it is carried out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelines.approval import plan_digest
from pipelines.errors import Refused
from pipelines.json_values import from_json, to_json
from pipelines.people import Person
from pipelines.retrain.promotion import Compared, Promotion
from pipelines.retrain.promotion_plan import check_champion, check_promotable, plan_promotion, plan_way_back
from pipelines.retrain.values import (
    GateRule,
    GateVerdict,
    ModelSpec,
    ModelVersion,
    Retrain,
    TrainingOrder,
    TrainingPlan,
    TrainingResult,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SPEC = ModelSpec("churn", "classification", "d", "y", "Ana", "#ml", GateRule("roc_auc"))
SHA = {"shipmate.model_sha256": "a" * 64}
CHALLENGER = ModelVersion("churn", 4, ("challenger",), {"roc_auc": 0.83}, NOW, "churn-1", "", SHA)
CHAMPION = ModelVersion("churn", 3, ("champion",), {"roc_auc": 0.8}, NOW, "churn-0", "", SHA)
TRAINING = TrainingPlan(
    "churn-1", "churn", "classification", "/d.csv", "sha", 9, 2, "y", "builtin", "local", 7, SPEC.gate, 3, {},
    2048, 30, None, 0.0, "U0BEN", "Ben Okafor", "drift", promotion="ask",
)  # fmt: skip
RESULT = TrainingResult(
    "churn-1", {"roc_auc": 0.83}, {}, {"roc_auc": 0.81}, (), None, 80, 20, ("a",), "d", "Linear", 1.0, 9.0,
    model_sha256="a" * 64,
)  # fmt: skip
RUN = Retrain(
    "churn-1",
    TRAINING,
    "registering",
    result=RESULT,
    verdict=GateVerdict(passed=True, checks=(), reason="Fine."),
    version=CHALLENGER,
)
RECENT = Compared("served rows", {}, {"accuracy": 0.7})
BEN = Person("U0BEN", "Ben")


def plan(**more):
    return replace(plan_promotion(RUN, SPEC, CHAMPION, [RECENT], "it follows."), **more)


def test_the_plan_compares_both_on_the_held_out_rows_and_on_recent_ones():
    drawn = plan()
    assert drawn.id == "churn-1.promotion"
    assert (drawn.version, drawn.champion_version, drawn.sha256) == (4, 3, "a" * 64)
    assert drawn.compared == (
        Compared("20 rows held out from training", {"roc_auc": 0.83}, {"roc_auc": 0.81}), RECENT,
    )  # fmt: skip
    assert [(move.alias, move.after) for move in drawn.moves] == [("champion", 4), ("previous", 3)]


def test_a_first_version_moves_one_alias_and_has_no_way_back():
    drawn = plan_promotion(RUN, SPEC, None, [], "it follows.")
    assert [move.alias for move in drawn.moves] == ["champion"]
    assert "no champion before it" in drawn.way_back


def test_a_run_without_a_version_offers_nothing():
    with pytest.raises(Refused, match="registered version is gone"):
        plan_promotion(replace(RUN, version=None), SPEC, CHAMPION, [], "")


def test_a_stored_plan_keeps_its_digest():
    stored = from_json(Promotion, to_json(Promotion(plan())))
    assert plan_digest(stored.plan) == plan_digest(plan())
    assert plan_digest(plan(version=5)) != plan_digest(plan())


@pytest.mark.parametrize(
    ("version", "champion", "reason"),
    [
        (None, CHAMPION, "not in the registry any more"),
        (replace(CHALLENGER, tags={}), CHAMPION, "not the file that was approved"),
        (replace(CHALLENGER, tags={"shipmate.model_sha256": "b" * 64}), CHAMPION, "not the file that was approved"),
        (CHALLENGER, replace(CHAMPION, version=9), "version 3 then, 9 now"),
        (CHALLENGER, None, "version 3 then, none now"),
    ],
)
def test_what_is_no_longer_what_was_shown_is_refused(version, champion, reason):
    with pytest.raises(Refused, match=reason):
        check_promotable(plan(), version, champion)


def test_what_still_holds_passes_also_when_a_killed_process_had_moved_the_alias():
    check_promotable(plan(), CHALLENGER, CHAMPION)
    check_champion(plan(), CHALLENGER)


def test_the_way_back_is_a_plan_of_its_own():
    drawn = plan_way_back("back-1", BEN, SPEC, CHAMPION, CHALLENGER, [], "it follows.")
    assert (drawn.kind, drawn.version, drawn.champion_version, drawn.requester_id) == ("rollback", 3, 4, "U0BEN")
    assert drawn.run_id == ""
    with pytest.raises(Refused, match="registered by hand"):
        plan_way_back("back-1", BEN, SPEC, replace(CHAMPION, tags={}), CHALLENGER, [], "")


@pytest.mark.parametrize(
    ("trigger", "rule", "asked"),
    [("person", "after gate", "after gate"), ("person", "ask", "ask"), ("drift", "after gate", "ask")],
)
def test_drift_always_asks_and_the_catalogue_decides_otherwise(trigger, rule, asked):
    from pipelines.retrain.plan import draw_plan
    from pipelines.retrain.values import TableSummary

    order = TrainingOrder("churn", "U0BEN", "Ben", "#ml", trigger)
    table = TableSummary("/d.csv", 9, 9, ("x", "y"), "sha")
    assert draw_plan("churn-1", order, replace(SPEC, promotion=rule), table, None, []).promotion == asked
