"""Labels and answers of the model that are broken, in rows and in counts; and what no break should be made of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipelines.drift.columns import Column, Numbers, Table, Texts
from pipelines.drift.examine import examine
from pipelines.drift.output_breaks import find_label_breaks, find_output_profile_breaks
from pipelines.drift.report import report
from pipelines.drift.values import Verdict
from pipelines.drift.watch import judge_windows
from pipelines.drift.windows import Outcomes, Tally, WindowProfile
from pipelines.profiles import Categories, ReferenceProfile, reference_edges, tally_codes, tally_numbers

ROWS = 2_000
CHANCE = np.random.default_rng(8)
START, HOUR = datetime(2026, 3, 2, tzinfo=UTC), timedelta(hours=1)
AGES = CHANCE.normal(40, 10, 20_000)
EDGES = reference_edges(AGES)
SAID = Categories({"0": 14_000, "1": 6_000})
REFERENCE = ReferenceProfile("churn", "churn-1", 20_000, {"age": tally_numbers(AGES, EDGES)}, SAID, SAID)


def table(**columns: Column) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(columns, rows, rows)


def texts(values: list[str]) -> Texts:
    levels = tuple(dict.fromkeys(values))
    return Texts(np.array([levels.index(value) for value in values]), levels)


def numbers(found: Table, name: str) -> np.ndarray:
    column = found.columns[name]
    assert isinstance(column, Numbers)
    return column.values


def without(found: Table, name: str) -> Table:
    return table(**{key: column for key, column in found.columns.items() if key != name})


def loans(seed: int, income: float = 0.0) -> Table:
    """Two numbers, and an outcome that both decide with some noise."""
    chance = np.random.default_rng(seed)
    one, other = chance.normal(income, 1, ROWS), chance.normal(size=ROWS)
    repaid = one + other + chance.normal(0, 0.4, ROWS) > 0
    return table(income=Numbers(one), debt=Numbers(other), label=Numbers(repaid.astype(float)))


def served(rows: Table, wrong: float = 0.0) -> Table:
    """The rows with an answer by the rule itself, of which a share is turned around."""
    said = numbers(rows, "income") + numbers(rows, "debt") > 0
    said ^= np.random.default_rng(9).random(ROWS) < wrong
    return table(**rows.columns, y_pred=Numbers(said.astype(float)))


def hour(number: int) -> WindowProfile:
    """Sixty records whose labels came, nine of ten as predicted."""
    chance = np.random.default_rng(number)
    said = tally_codes(chance.choice(2, 60, p=[0.7, 0.3]), ("0", "1"), ("0", "1"))
    outcomes = Outcomes(60, 54, confusion={"0": {"0": 39, "1": 3}, "1": {"0": 3, "1": 15}})
    tally = Tally(60, {"age": tally_numbers(chance.normal(40, 10, 60), EDGES)}, said, None, outcomes)
    return WindowProfile("churn", "1", START + number * HOUR, {"a": tally})


def weeks(count: int) -> list[WindowProfile]:
    return [hour(number) for number in range(count * 168)]


def scored(rows: Table) -> Table:
    """With the score that belongs to the answers of `served`."""
    sure = 1 / (1 + np.exp(-3 * (numbers(rows, "income") + numbers(rows, "debt"))))
    return table(**served(rows).columns, score=Numbers(sure))


def instead(rows: Table, **changed: Column) -> Table:
    return table(**(dict(rows.columns) | changed))


def spelled(values: np.ndarray) -> Texts:
    return texts(["yes" if value else "no" for value in values])


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (lambda _: Numbers(np.zeros(ROWS)), "constant"),
        (lambda labels: Numbers(2 * labels), "encoding"),
        (lambda labels: Numbers(np.where(CHANCE.random(ROWS) < 0.2, -1.0, labels)), "encoding"),
        (lambda labels: spelled(labels), "type"),
    ],
)
def test_broken_labels_are_a_schema_break_and_never_a_reason_to_retrain(broken, what: str) -> None:
    for rows in (served, lambda found: found):
        now = rows(loans(2))
        verdict = examine(rows(loans(1)), instead(now, label=broken(numbers(now, "label"))))
        assert [(one.name, one.what, one.part) for one in verdict.breaks] == [("label", what, "label")]
        assert (verdict.kind, verdict.urgency, verdict.remedy) == ("schema break", "P1", "fix the source")
        assert (verdict.performance, verdict.concept) == (None, None), "by broken labels nothing is measured"
        assert "Do not retrain" in report(verdict).recommendation


def test_a_broken_target_of_numbers_is_a_schema_break_too() -> None:
    size = CHANCE.uniform(20, 200, 2 * ROWS)
    price = 3 * size + CHANCE.normal(0, 10, 2 * ROWS)
    before = table(size=Numbers(size[:ROWS]), target=Numbers(price[:ROWS]))
    for values, what in ((price[ROWS:] * 1000, "unit"), (np.zeros(ROWS), "constant")):
        verdict = examine(before, table(size=Numbers(size[ROWS:]), target=Numbers(values)))
        assert [(one.what, one.part) for one in verdict.breaks] == [(what, "label")]


def test_labels_that_are_late_or_rare_or_come_in_runs_are_not_broken() -> None:
    rare = Numbers((np.arange(ROWS) % 100 == 0).astype(float))
    assert find_label_breaks("y", rare, Numbers(np.zeros(200))) == [], "two were to be expected"
    assert [one.what for one in find_label_breaks("y", rare, Numbers(np.zeros(ROWS)))] == ["constant"]
    late = np.where(np.arange(ROWS) < 100, numbers(loans(2), "label"), np.nan)
    assert find_label_breaks("y", loans(1).columns["label"], Numbers(late)) == []
    shifts = Numbers(np.repeat(np.arange(20) % 2, 100).astype(float))
    assert find_label_breaks("y", shifts, Numbers(np.ones(80))) == []
    in_order = Numbers(np.repeat([0.0, 1.0], 1_000))
    assert [one.what for one in find_label_breaks("y", in_order, Numbers(np.ones(80)))] == ["constant"]


def test_a_reference_with_one_outcome_is_to_be_drawn_anew() -> None:
    verdict = examine(instead(served(loans(1)), label=Numbers(np.ones(ROWS))), served(loans(2)))
    assert (verdict.breaks[0].side, verdict.remedy) == ("reference", "fix the reference")


def test_inputs_that_moved_far_may_have_one_outcome_unless_the_model_says_otherwise() -> None:
    assert examine(loans(1), loans(2, income=12.0)).kind == "data drift"
    far = instead(served(loans(2, income=12.0)), label=Numbers(np.zeros(ROWS)))
    assert [one.part for one in examine(served(loans(1)), far).breaks] == ["label"]


def test_labels_of_another_name_are_taken_for_the_outcome_that_the_reference_has() -> None:
    reference, now = served(loans(1)), served(loans(2), wrong=0.15)
    for name in ("y_true", "repaid_within_30d"):
        verdict = examine(reference, without(now, "label"), table(**{name: now.columns["label"]}))
        assert verdict.kind == "model decay"
        assert f"The labels' `{name}` was taken for the reference's `label`." in verdict.notes


def test_labels_that_cannot_be_used_are_told_of() -> None:
    now = served(loans(2))
    none = examine(served(loans(1)), instead(now, label=Numbers(np.full(ROWS, np.nan))))
    assert any("`label` could not be used: it is known of 0" in note for note in none.notes)
    two = table(paid=now.columns["label"], settled=now.columns["label"])
    unknown = examine(served(loans(1)), without(now, "label"), two)
    assert any("paid, settled" in note and "--target" in note for note in unknown.notes)
    broken = examine(served(loans(1)), without(now, "label"), table(label=Numbers(np.zeros(ROWS))))
    assert (broken.kind, broken.notes) == ("schema break", ())
    assert not any("--target" in note for note in examine(served(loans(1)), now).notes)


@pytest.mark.parametrize(
    ("column", "broken", "what", "urgency"),
    [
        ("y_pred", lambda _: Numbers(np.zeros(ROWS)), "constant", "P0"),
        ("y_pred", lambda _: Numbers(np.full(ROWS, np.nan)), "missing", "P0"),
        ("y_pred", lambda said: spelled(said), "type", "P0"),
        ("y_pred", lambda said: Numbers(said + 1), "encoding", "P0"),
        ("score", lambda sure: Numbers(sure * 100), "unit", "P1"),
        ("score", lambda sure: Numbers(sure * 255), "unit", "P1"),
        ("score", lambda _: Numbers(np.full(ROWS, 0.5)), "constant", "P1"),
    ],
)
def test_broken_answers_are_a_schema_break(column: str, broken, what: str, urgency: str) -> None:
    for with_labels in (True, False):
        before, now = scored(loans(1)), scored(loans(2))
        if not with_labels:
            before, now = without(before, "label"), without(now, "label")
        verdict = examine(before, instead(now, **{column: broken(numbers(now, column))}))
        assert [(one.name, one.what) for one in verdict.breaks] == [(column, what)]
        assert (verdict.urgency, verdict.remedy) == (urgency, "fix the source")


def test_a_score_of_credit_is_no_score_of_the_model() -> None:
    before, now = (table(score=Numbers(CHANCE.normal(600, 80, ROWS)), age=loans(1).columns["debt"]) for _ in range(2))
    assert {feature.role for feature in examine(before, now).features} == {"feature"}


def test_answers_that_follow_inputs_far_away_are_data_drift_and_no_break() -> None:
    before, now = (without(scored(rows), "label") for rows in (loans(1), loans(2, income=12.0)))
    assert set(numbers(now, "y_pred")) == {1.0}
    verdict = examine(before, now)
    assert (verdict.kind, verdict.breaks, verdict.affected[0]) == ("data drift", (), "income")


def test_other_answers_to_the_same_inputs_are_model_decay_and_worth_an_analysis() -> None:
    before, now = (without(served(loans(seed)), "label") for seed in (1, 2))
    generous = numbers(now, "income") + numbers(now, "debt") > -0.8
    verdict = examine(before, instead(now, y_pred=Numbers(generous.astype(float))))
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("model decay", "P1", "roll back")
    assert verdict.affected == ("y_pred",)
    assert "nothing that it reads has moved" in report(verdict).hypothesis


def test_other_answers_to_inputs_that_moved_together_are_data_drift() -> None:
    def together(seed: int, related: float) -> Table:
        chance = np.random.default_rng(seed)
        one = chance.normal(size=2 * ROWS)
        other = related * one + np.sqrt(1 - related**2) * chance.normal(size=2 * ROWS)
        return table(one=Numbers(one), other=Numbers(other), y_pred=Numbers((one + other > 1.2).astype(float)))

    verdict = examine(together(1, 0.6), together(2, -0.2))
    assert (verdict.kind, verdict.affected) == ("data drift", ("y_pred",))


def day(change, reference=REFERENCE) -> Verdict:
    """A day after two sound weeks, of which each hour is changed."""
    hours = weeks(2) + [change(hour(336 + number)) for number in range(24)]
    return judge_windows(reference, hours, START + 360 * HOUR)


def told(confusion: dict[str, dict[str, int]]):
    """Hours whose labels met their predictions like this."""
    rows = sum(count for row in confusion.values() for count in row.values())
    right = sum(row.get(said, 0) for said, row in confusion.items())

    def change(window: WindowProfile) -> WindowProfile:
        (tally,) = window.tallies.values()
        return replace(window, tallies={"a": replace(tally, outcomes=Outcomes(rows, right, confusion=confusion))})

    return change


def answering(**changed):
    def change(window: WindowProfile) -> WindowProfile:
        (tally,) = window.tallies.values()
        return replace(window, tallies={"a": replace(tally, outcomes=Outcomes(), **changed)})

    return change


@pytest.mark.parametrize(
    ("confusion", "what"),
    [
        ({"0": {"0": 42}, "1": {"0": 18}}, "constant"),
        ({"0": {"0": 40, "2": 2}, "1": {"0": 4, "2": 14}}, "encoding"),
        ({"0": {"no": 40, "yes": 2}, "1": {"no": 4, "yes": 14}}, "encoding"),
    ],
)
def test_broken_labels_of_a_watched_model_are_a_schema_break(confusion, what: str) -> None:
    verdict = day(told(confusion))
    assert [(one.name, one.what, one.part) for one in verdict.breaks] == [("(label)", what, "label")]
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("schema break", "P1", "fix the source")
    assert verdict.performance is None


def test_sound_labels_of_a_watched_model_are_no_break_however_they_spell_a_number() -> None:
    assert day(told({"0": {"0": 39, "1": 3}, "1": {"0": 3, "1": 15}})).kind == "no drift"
    assert day(told({"0": {"0.0": 39, "1.0": 3}, "1": {"0.0": 3, "1.0": 15}})).breaks == ()


def test_broken_answers_of_a_watched_model_are_a_schema_break() -> None:
    stuck = day(answering(prediction=Categories({"0": 60, "1": 0})))
    assert [(one.name, one.what, stuck.urgency) for one in stuck.breaks] == [("(prediction)", "constant", "P0")]
    recoded = day(answering(prediction=Categories({"0": 0, "1": 0}, other=60)))
    assert [(one.name, one.what) for one in recoded.breaks] == [("(prediction)", "encoding")]
    sure = np.random.default_rng(4).beta(8, 1.5, 2_000) / 2 + 0.5
    counted = tally_numbers(sure, ())
    [percent] = find_output_profile_breaks("(confidence)", "score", counted, tally_numbers(sure * 100, ()), moved=False)
    assert (percent.what, percent.part) == ("unit", "score")
    assert (
        find_output_profile_breaks("(confidence)", "score", counted, tally_numbers(sure[:500], ()), moved=False) == []
    )


def test_a_watched_model_that_answers_otherwise_by_itself_has_decayed() -> None:
    verdict = day(answering(prediction=Categories({"0": 24, "1": 36})))
    assert (verdict.kind, verdict.urgency, verdict.affected) == ("model decay", "P1", ("(prediction)",))
