import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import Refused
from pipelines.retrain.gate import champion_limit, judge
from pipelines.retrain.values import GateRule, TrainingResult

NUMBERS = st.floats(-1e6, 1e6)


def result(metrics: dict[str, float], champion: dict[str, float] | None = None) -> TrainingResult:
    return TrainingResult("r", metrics, {}, champion, (), None, 80, 20, ("a",), "sha", "linear", 1.0, 100.0)


@pytest.mark.parametrize(
    ("metric", "value", "limit", "passed"),
    [
        ("roc_auc", 0.81, 0.80, True),
        ("roc_auc", 0.80, 0.80, True),
        ("roc_auc", 0.79, 0.80, False),
        ("rmse", 54.0, 55.0, True),
        ("rmse", 55.0, 55.0, True),
        ("rmse", 56.0, 55.0, False),
        ("log_loss", 0.7, 0.5, False),
        ("r2", -0.1, -0.2, True),
        ("mae", math.nan, 55.0, False),
        ("mae", math.inf, 55.0, False),
        ("f1", math.nan, 0.0, False),
    ],
)
def test_a_threshold_is_a_floor_or_for_errors_a_ceiling(metric: str, value: float, limit: float, passed: bool) -> None:
    verdict = judge(GateRule(metric, {metric: limit}), result({metric: value}))
    assert verdict.passed is passed
    assert verdict.checks[0].lower_is_better is (metric in ("rmse", "log_loss", "mae"))


@pytest.mark.parametrize(
    ("metric", "value", "champion", "tolerance", "passed"),
    [
        ("roc_auc", 0.90, 0.90, 0.0, True),
        ("roc_auc", 0.89, 0.90, 0.0, False),
        ("roc_auc", 0.89, 0.90, 0.02, True),
        ("rmse", 50.0, 50.0, 0.0, True),
        ("rmse", 51.0, 50.0, 0.01, False),
        ("rmse", 50.4, 50.0, 0.01, True),
        ("r2", -0.21, -0.2, 0.1, True),
        ("r2", -0.23, -0.2, 0.1, False),
        ("roc_auc", 0.9, math.nan, 0.5, False),
        ("roc_auc", math.nan, 0.9, 0.5, False),
    ],
)
def test_the_champion_may_be_missed_by_the_tolerance_only(
    metric: str, value: float, champion: float, tolerance: float, passed: bool
) -> None:
    verdict = judge(GateRule(metric, tolerance=tolerance), result({metric: value}, {metric: champion}))
    assert verdict.passed is passed
    assert verdict.checks[0].against == "champion"


def test_a_rounding_of_the_last_digit_is_not_worse() -> None:
    assert judge(GateRule("roc_auc"), result({"roc_auc": 0.9 - 1e-13}, {"roc_auc": 0.9})).passed


def test_without_a_champion_there_is_nothing_to_be_worse_than() -> None:
    verdict = judge(GateRule("roc_auc", {"roc_auc": 0.8}), result({"roc_auc": 0.85}))
    assert verdict.passed
    assert verdict.reason == "The threshold is met, and there is no champion yet."


def test_a_champion_that_could_not_be_judged_fails_and_says_what_to_write() -> None:
    verdict = judge(GateRule("roc_auc"), result({"roc_auc": 0.99}, {}))
    assert not verdict.passed
    assert "not_worse_than_champion: false" in verdict.reason


def test_the_champion_is_not_asked_where_the_rule_does_not_ask() -> None:
    rule = GateRule("roc_auc", not_worse_than_champion=False)
    verdict = judge(rule, result({"roc_auc": 0.5}, {"roc_auc": 0.9}))
    assert verdict.passed
    assert verdict.reason.startswith("Nothing to hold it against")


def test_a_missing_metric_fails_with_a_reason() -> None:
    verdict = judge(GateRule("roc_auc", {"log_loss": 0.4}), result({"roc_auc": 0.9}))
    assert not verdict.passed
    assert verdict.reason == "Log_loss was not measured."


def test_every_failure_is_in_the_reason() -> None:
    rule = GateRule("roc_auc", {"roc_auc": 0.9, "f1": 0.8, "log_loss": 0.3})
    verdict = judge(rule, result({"roc_auc": 0.85, "f1": 0.9, "log_loss": 0.35}, {"roc_auc": 0.88}))
    assert not verdict.passed
    assert verdict.reason == (
        "Roc_auc is 0.85, at least 0.9 is asked for; log_loss is 0.35, at most 0.3 is asked for; "
        "roc_auc is 0.85, the champion asks for at least 0.88."
    )


@pytest.mark.parametrize("rule", [GateRule("aucroc"), GateRule("f1", {"speed": 1.0})])
def test_a_metric_that_nobody_measures_is_refused(rule: GateRule) -> None:
    with pytest.raises(Refused, match="which nobody measures"):
        judge(rule, result({"f1": 1.0}))


@given(NUMBERS, NUMBERS, st.floats(0, 1))
def test_more_tolerance_never_turns_a_yes_into_a_no(value: float, champion: float, tolerance: float) -> None:
    for metric in ("rmse", "r2"):
        held = result({metric: value}, {metric: champion})
        if judge(GateRule(metric), held).passed:
            assert judge(GateRule(metric, tolerance=tolerance), held).passed


@given(NUMBERS, st.floats(0, 1))
def test_the_champion_itself_is_never_worse_than_the_champion(champion: float, tolerance: float) -> None:
    for metric in ("rmse", "r2"):
        assert judge(GateRule(metric, tolerance=tolerance), result({metric: champion}, {metric: champion})).passed
    assert champion_limit("rmse", champion, tolerance) >= champion
    assert champion_limit("r2", champion, tolerance) <= champion
