import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.approval import Approval, ApprovalPolicy, Vote
from pipelines.json_values import from_json, to_json
from pipelines.retrain.values import GateRule, Progress, Retrain, Spread, TrainingPlan, TrainingResult


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Leaf:
    number: float
    label: Literal["a", "b"] = "a"


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...]
    pair: tuple[str, int] = ("x", 1)
    colours: frozenset[Colour] = frozenset()
    best: Leaf | None = None
    when: datetime | None = None
    span: timedelta = timedelta(0)
    loose: Any = None
    by_name: dict[str, Leaf] = field(default_factory=dict)
    sure: bool = False
    count: int | str = 0


def through_json(value: Any) -> Any:
    return from_json(type(value), json.loads(json.dumps(to_json(value), allow_nan=False)))


def test_a_tree_of_values_comes_back_equal() -> None:
    tree = Tree(
        leaves=(Leaf(1.5), Leaf(-2.0, "b")), pair=("y", 3), colours=frozenset({Colour.RED}), best=Leaf(0.0),
        when=datetime(2026, 11, 23, 9, tzinfo=UTC), span=timedelta(hours=3), loose={"any": [1, None]},
        by_name={"one": Leaf(1.0)}, sure=True, count="many",
    )  # fmt: skip
    assert through_json(tree) == tree


def test_an_approval_comes_back_equal() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    vote = Vote("U1", "Ada", now)
    approval = Approval("r1", "retrain", "churn", "Retrain churn", "d", "U2", "Bo", ApprovalPolicy(), now, now,
                        votes=(vote,))  # fmt: skip
    assert through_json(approval) == approval


def test_a_whole_retrain_comes_back_equal() -> None:
    plan = TrainingPlan(
        "r1", "churn", "classification", "churn.csv", "sha", None, 9, "churned", "builtin", "local", 7,
        GateRule("roc_auc", {"roc_auc": 0.8}), 3, {"roc_auc": 0.81}, 2048, 60, None, 0.0, "U1", "Ada", "person",
    )  # fmt: skip
    result = TrainingResult("r1", {"roc_auc": 0.9}, {"roc_auc": Spread(0.9, 0.01)}, None, (), None, 8, 2, ("a",),
                            "sha", "linear", 1.0, 100.0)  # fmt: skip
    retrain = Retrain("r1", plan, "training", Progress("fitting", 0.5), result)
    assert through_json(retrain) == retrain


@given(st.floats())
def test_every_float_survives_even_those_that_json_does_not_know(number: float) -> None:
    back = through_json(Leaf(number)).number
    assert back == number or (math.isnan(back) and math.isnan(number))


@given(st.dictionaries(st.text(), st.floats(allow_nan=False)), st.floats(0, 1))
def test_every_gate_rule_survives(thresholds: dict[str, float], tolerance: float) -> None:
    rule = GateRule("f1", thresholds, tolerance=tolerance)
    assert through_json(rule) == rule


def test_a_field_with_a_default_may_be_missing() -> None:
    assert from_json(Tree, {"leaves": []}) == Tree(leaves=())


def test_a_whole_number_is_a_float_where_a_float_is_asked_for() -> None:
    leaf = from_json(Leaf, {"number": 3})
    assert leaf == Leaf(3.0)
    assert isinstance(leaf.number, float)


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        ({}, r"^\$\.leaves: missing"),
        ([], r"^\$: expected an object"),
        ({"leaves": [], "extra": 1}, r"^\$\.extra: Tree has no such field"),
        ({"leaves": {}}, r"^\$\.leaves: expected a list"),
        ({"leaves": [{"number": "3"}]}, r"^\$\.leaves\[0\]\.number: expected a number, not '3'"),
        ({"leaves": [{"number": True}]}, r"^\$\.leaves\[0\]\.number: expected a number, not True"),
        ({"leaves": [{"number": 1, "label": "c"}]}, r"^\$\.leaves\[0\]\.label: expected one of 'a', 'b', not 'c'"),
        ({"leaves": [], "pair": ["x"]}, r"^\$\.pair: expected 2 members, not 1"),
        ({"leaves": [], "pair": ["x", 1.0]}, r"^\$\.pair\[1\]: expected a whole number"),
        ({"leaves": [], "best": {"number": None}}, r"^\$\.best\.number: expected a number, not None"),
        ({"leaves": [], "when": "yesterday"}, r"^\$\.when: expected a moment in ISO 8601, not 'yesterday'"),
        ({"leaves": [], "by_name": {"a": 1}}, r"^\$\.by_name\.a: expected an object, not 1"),
        ({"leaves": [], "sure": 1}, r"^\$\.sure: expected true or false, not 1"),
        ({"leaves": [], "count": True}, r"^\$\.count: expected"),
        ({"leaves": [], "colours": ["blue"]}, r"^\$\.colours\[0\]: expected one of 'red', not 'blue'"),
        ({"leaves": ["x" * 500]}, r"^\$\.leaves\[0\]: expected an object, not 'x{56}…$"),
    ],
)
def test_a_mistake_is_named_with_its_path(document: Any, mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        from_json(Tree, document)


@pytest.mark.parametrize("value", [Leaf, 3, {"a": 1}, None])
def test_only_dataclass_values_are_written(value: object) -> None:
    with pytest.raises(ValueError, match="is not a dataclass value"):
        to_json(value)


def test_what_has_no_form_in_json_is_named_with_its_path() -> None:
    with pytest.raises(ValueError, match=r"\$\.loose\.a\[0\]: bytes has no form in JSON"):
        to_json(Tree(leaves=(), loose={"a": [b"x"]}))


def test_a_key_that_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="the key 1 is not text"):
        to_json(Tree(leaves=(), loose={1: 2}))
