import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LinearRegression, LogisticRegression

from pipelines.retrain import conformal
from pipelines.retrain.columns import Column
from pipelines.retrain.evaluation import Judge, cross_validate, judge_champion, permutation_importance
from pipelines.retrain.metrics import Predictions, classification_metrics, regression_metrics
from pipelines.retrain.model import TableModel
from pipelines.retrain.sampling import hold_out, representative_rows
from pipelines.retrain.values import Spread

RANDOM = np.random.default_rng(1)
LABELS = ["a", "b", "c"]


def probabilities(rows: int, labels: int) -> Any:
    drawn = RANDOM.random((rows, labels)) + 0.01
    return drawn / drawn.sum(axis=1, keepdims=True)


def test_the_metrics_of_regression_are_those_of_scikit_learn() -> None:
    truth, predicted = RANDOM.normal(size=80), RANDOM.normal(size=80)
    assert regression_metrics(truth, predicted) == pytest.approx(
        {
            "mse": sk.mean_squared_error(truth, predicted), "rmse": sk.root_mean_squared_error(truth, predicted),
            "mae": sk.mean_absolute_error(truth, predicted), "r2": sk.r2_score(truth, predicted),
        }
    )  # fmt: skip


def test_the_metrics_of_two_classes_are_those_of_the_positive_label() -> None:
    truth, given = RANDOM.choice(["no", "yes"], 120), probabilities(120, 2)
    guessed = np.array(["no", "yes"])[given.argmax(axis=1)]
    measured = classification_metrics(truth, Predictions(guessed, given), ["no", "yes"], "yes")
    assert measured == pytest.approx(
        {
            "accuracy": sk.accuracy_score(truth, guessed),
            "precision": sk.precision_score(truth, guessed, pos_label="yes"),
            "recall": sk.recall_score(truth, guessed, pos_label="yes"),
            "f1": sk.f1_score(truth, guessed, pos_label="yes"),
            "roc_auc": sk.roc_auc_score(truth == "yes", given[:, 1]),
            "log_loss": sk.log_loss(truth, given, labels=["no", "yes"]),
        }
    )


def test_the_metrics_of_many_classes_are_macro_averages() -> None:
    truth, given = RANDOM.choice(LABELS, 150), probabilities(150, 3)
    guessed = np.array(LABELS)[given.argmax(axis=1)]
    measured = classification_metrics(truth, Predictions(guessed, given), LABELS, None)
    assert measured == pytest.approx(
        {
            "accuracy": sk.accuracy_score(truth, guessed),
            "precision": sk.precision_score(truth, guessed, average="macro"),
            "recall": sk.recall_score(truth, guessed, average="macro"),
            "f1": sk.f1_score(truth, guessed, average="macro"),
            "roc_auc": sk.roc_auc_score(truth, given, multi_class="ovr", labels=LABELS),
            "log_loss": sk.log_loss(truth, given, labels=LABELS),
        }
    )


def test_without_probabilities_two_metrics_are_missing() -> None:
    measured = classification_metrics(["a", "b"], Predictions(np.array(["a", "a"])), ["a", "b"], None)
    assert set(measured) == {"accuracy", "precision", "recall", "f1"}


def test_a_sure_mistake_costs_much_and_not_everything() -> None:
    given = np.array([[1.0, 0.0], [0.0, 1.0]])
    measured = classification_metrics(["b", "b"], Predictions(np.array(["a", "b"]), given), ["a", "b"], "b")
    assert math.isfinite(measured["log_loss"])
    assert "roc_auc" not in measured


def test_an_answer_that_is_no_known_label_is_a_mistake() -> None:
    measured = classification_metrics(["a", "b"], Predictions(np.array(["a", "what"])), ["a", "b"], None)
    assert measured["accuracy"] == 0.5


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_hold_as_many_rows_as_asked_within_binomial_error(level: float) -> None:
    rows = 4000
    truth = RANDOM.normal(size=rows)
    coverage = conformal.interval_coverage(truth, np.zeros(rows), seed=3, level=level)
    assert coverage is not None
    # Both the quantile and the count vary: twice the variance of a binomial share, five standard errors.
    assert abs(coverage.measured - level) < 5 * math.sqrt(2 * level * (1 - level) / rows)
    assert coverage.half_width == pytest.approx({0.8: 1.2816, 0.9: 1.6449}[level], rel=0.1)


def test_label_sets_hold_as_many_rows_as_asked_within_binomial_error() -> None:
    rows = 4000
    given = probabilities(rows, 3)
    codes = np.array([RANDOM.choice(3, p=row) for row in given])
    coverage = conformal.set_coverage(codes, given, seed=3)
    assert coverage is not None
    assert abs(coverage.measured - 0.9) < 5 * math.sqrt(2 * 0.09 / rows)
    assert coverage.mean_set_size is not None
    assert 1 < coverage.mean_set_size <= 3


def test_too_few_rows_measure_no_coverage() -> None:
    assert conformal.interval_coverage(np.arange(10.0), np.zeros(10), seed=1) is None
    assert conformal.quantile_of_scores([1.0, 2.0], 0.9) == math.inf


def test_the_quantile_is_the_one_of_the_paper() -> None:
    # ceil((19 + 1) * 0.9) = 18: the 18th smallest of 19.
    assert conformal.quantile_of_scores(list(range(1, 20)), 0.9) == 18


def test_each_class_is_held_out_in_its_share_and_no_row_twice() -> None:
    target = pd.Series(["rare"] * 5 + ["usual"] * 95)
    train, test = hold_out(target, "classification", seed=1)
    assert sorted([*train, *test]) == list(range(100))
    assert target.iloc[test].value_counts().to_dict() == {"usual": 19, "rare": 1}
    again, _ = hold_out(target, "classification", seed=1)
    assert (again == train).all()
    other, _ = hold_out(target, "classification", seed=2)
    assert (other != train).any()


def test_a_sample_of_a_large_table_keeps_its_rare_classes() -> None:
    target = pd.Series(["usual"] * 990 + ["rare"] * 10)
    rows = representative_rows(target, "classification", most=50, least_a_class=10, seed=1)
    assert (target.iloc[rows] == "rare").sum() == 10
    assert 50 <= len(rows) <= 70
    assert len(representative_rows(target, "regression", most=50, least_a_class=10, seed=1)) == 50
    assert len(representative_rows(target, "regression", most=5000, least_a_class=10, seed=1)) == 1000


def line(rows: int = 200) -> tuple[Any, Any]:
    features = pd.DataFrame({"strong": RANDOM.normal(size=rows), "noise": RANDOM.normal(size=rows)})
    return features, 3 * features["strong"] + RANDOM.normal(scale=0.1, size=rows)


def test_shuffling_what_matters_costs_and_shuffling_noise_does_not() -> None:
    features, target = line()
    fitted = LinearRegression().fit(features, target)
    first, second = permutation_importance(Judge(()), fitted, features, target, seed=1)
    assert (first.feature, second.feature) == ("strong", "noise")
    assert first.mean > 2
    assert abs(second.mean) < 0.05


def test_cross_validation_is_the_mean_and_spread_over_the_folds() -> None:
    features, target = line()
    told: list[int] = []
    measured = cross_validate(
        Judge(()), lambda x, y: LinearRegression().fit(x, y), features, target, folds=4, seed=1, on_fold=told.append
    )
    assert told == [0, 1, 2, 3]
    assert set(measured) == {"mse", "rmse", "mae", "r2"}
    assert measured["rmse"].mean == pytest.approx(0.1, rel=0.3)
    assert isinstance(measured["rmse"], Spread)
    assert 0 < measured["rmse"].deviation < 0.05


def test_a_champion_that_never_saw_a_label_is_judged_all_the_same() -> None:
    features = pd.DataFrame({"x": RANDOM.normal(size=90)})
    target = pd.Series(RANDOM.choice(LABELS, 90), index=features.index)
    two = target != "c"
    fitted = LogisticRegression().fit(features[two], target[two])
    champion = TableModel([Column("x", "number")], "y", fitted, ("a", "b"))
    measured = judge_champion(Judge(LABELS), champion, features, target)
    assert set(measured) == {"accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"}
    assert all(map(math.isfinite, measured.values()))
    with pytest.raises(ValueError, match="missing columns: x"):
        judge_champion(Judge(LABELS), champion, features.rename(columns={"x": "z"}), target)
