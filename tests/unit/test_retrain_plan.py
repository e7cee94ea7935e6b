"""From an order to an exact plan."""

from datetime import UTC, datetime

import pytest

from pipelines.approval import plan_digest
from pipelines.errors import Refused
from pipelines.names import find_model
from pipelines.retrain.plan import check_unchanged, choose_data, draw_plan, new_run_id
from pipelines.retrain.values import GateRule, ModelSpec, ModelVersion, TableSummary, TrainingOrder

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SPEC = ModelSpec(
    name="churn", problem="classification", data="/data/churn.csv", target="churned", owner="Ana", channel="C1",
    gate=GateRule("roc_auc", {"roc_auc": 0.7}), data_roots=("s3://lake/churn/",),
)  # fmt: skip
TABLE = TableSummary("/data/churn.csv", 1_000, 50, ("age", "churned"), "sha256:abc")
ORDER = TrainingOrder("churn", "U1", "Ben", "C1")


def champion(version: int) -> ModelVersion:
    return ModelVersion("churn", version, ("champion",), {"roc_auc": 0.8}, NOW, "r", "")


def plan(table=TABLE, holder=None):
    return draw_plan("run-1", ORDER, SPEC, table, holder, [])


def test_an_unknown_model_is_refused_with_the_nearest_name():
    with pytest.raises(Refused, match=r"Did you mean \*churn\*"):
        find_model({"churn": SPEC}, "chrun")


def test_model_names_are_found_in_any_case():
    assert find_model({"churn": SPEC}, "Churn") is SPEC


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, "/data/churn.csv"),
        ("may.csv", "/data/may.csv"),
        ("sub/may.csv", "/data/sub/may.csv"),
        ("/data/sub/may.csv", "/data/sub/may.csv"),
        ("s3://lake/churn/may.parquet", "s3://lake/churn/may.parquet"),
    ],
)
def test_data_may_lie_beside_the_models_own_or_below_a_root(asked, found):
    assert choose_data(SPEC, asked) == found


@pytest.mark.parametrize(
    "asked", ["/etc/passwd", "/data/../etc/passwd", "../secret.csv", "s3://lake/churn/../other/x.csv", "file:///etc/x",
              "s3://lake/churnish/x.csv", "/database/x.csv", "https://evil.example/x.csv"],
)  # fmt: skip
def test_data_from_anywhere_else_is_refused(asked):
    with pytest.raises(Refused, match="lies outside"):
        choose_data(SPEC, asked)


def test_the_clocks_run_of_a_day_has_one_name_and_peoples_runs_have_many():
    nightly = TrainingOrder("churn", "schedule", "the clock", "C1", trigger="schedule")
    assert new_run_id(nightly, NOW) == new_run_id(nightly, NOW) == "churn-nightly-20261123"
    assert new_run_id(ORDER, NOW) != new_run_id(ORDER, NOW)


def test_a_table_without_the_target_is_refused_with_the_nearest_column():
    with pytest.raises(Refused, match="Did you mean `churn`"):
        plan(TableSummary("/data/churn.csv", 10, 5, ("age", "churn"), "v"))


def test_the_same_plan_has_the_same_digest_and_any_change_another():
    assert plan_digest(plan()) == plan_digest(plan())
    assert plan_digest(plan()) != plan_digest(plan(holder=champion(1)))


def test_what_was_approved_must_still_be_there():
    check_unchanged(plan(holder=champion(3)), TABLE, champion(3))
    with pytest.raises(Refused, match=r"data changed.*50 rows then, 60 rows now"):
        check_unchanged(plan(), TableSummary(TABLE.uri, 1_200, 60, TABLE.columns, "sha256:def"), None)
    with pytest.raises(Refused, match=r"champion changed.*version none then, 3 now"):
        check_unchanged(plan(), TABLE, champion(3))
