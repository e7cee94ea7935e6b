"""Faults of whole columns: swapped, frozen, turned round, written in another form, or measured otherwise."""

import numpy as np
import pytest

from pipelines.drift.columns import Numbers, Table, Texts
from pipelines.drift.examine import examine
from pipelines.drift.frozen import standstill

ROWS = 1_200


def people(seed: int, rows: int = ROWS) -> dict[str, Numbers | Texts]:
    chance = np.random.default_rng(seed)
    age, income, height = chance.normal(45, 12, rows), chance.lognormal(10, 0.5, rows), chance.normal(170, 9, rows)
    visits = chance.poisson(2, rows).astype(float)
    wealth = (age - 45) / 12 + np.log(income) - 10 + chance.normal(0, 0.3, rows)
    return {
        "age": Numbers(age), "income": Numbers(income), "height": Numbers(height), "visits": Numbers(visits),
        "town": Texts(chance.integers(0, 4, rows), ("Bern", "Graz", "Lyon", "Pisa")),
        "target": Numbers((wealth > 0).astype(float)),
    }  # fmt: skip


def table(columns: dict[str, Numbers | Texts]) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(columns, rows, rows)


def numbers(columns: dict[str, Numbers | Texts], name: str) -> np.ndarray:
    column = columns[name]
    assert isinstance(column, Numbers)
    return column.values


def test_two_columns_that_changed_places_are_a_broken_source_and_name_each_other() -> None:
    now = people(2)
    now["age"], now["height"] = now["height"], now["age"]
    verdict = examine(table(people(1)), table(now))
    assert (verdict.kind, set(verdict.affected)) == ("schema break", {"age", "height"})
    assert {found.what for found in verdict.breaks} == {"swapped"}
    assert "age holds what `height` held." in verdict.why
    assert verdict.remedy == "fix the source"


def test_three_columns_that_moved_on_by_one_are_named_too() -> None:
    now = people(2)
    now["age"], now["height"], now["income"] = now["height"], now["income"], now["age"]
    verdict = examine(table(people(1)), table(now))
    assert (verdict.kind, set(verdict.affected)) == ("schema break", {"age", "height", "income"})


def test_columns_that_moved_without_taking_each_others_place_are_drift() -> None:
    now = people(2)
    now["age"], now["height"] = Numbers(numbers(now, "age") + 25), Numbers(numbers(now, "height") - 30)
    verdict = examine(table({**people(1)}), table(now))
    assert verdict.kind != "schema break"


@pytest.mark.parametrize("name", ["age", "visits", "town"])
def test_a_column_that_stands_still_from_some_row_on_is_broken(name: str) -> None:
    now = people(2)
    column = now[name].take(np.minimum(np.arange(ROWS), 700))
    verdict = examine(table(people(1)), table({**now, name: column}))
    assert (verdict.kind, verdict.affected) == ("schema break", (name,))
    assert "in every" not in verdict.why[0]


@pytest.mark.parametrize("by", ["visits", "town", "target", "age"])
def test_rows_in_some_order_do_not_stand_still(by: str) -> None:
    now = people(2)
    column = now[by]
    order = np.argsort(column.values if isinstance(column, Numbers) else column.codes, kind="stable")
    ordered = {name: each.take(order) for name, each in now.items()}
    assert examine(table(people(1)), table(ordered)).kind == "no drift"


def test_months_in_rows_by_time_do_not_stand_still() -> None:
    month = np.repeat(np.arange(1.0, 13.0), 100)
    assert standstill(Numbers(np.tile(month, 2)), Numbers(month[200:400])) is None
    assert standstill(Numbers(np.zeros(0)), Numbers(np.zeros(0))) is None


def test_dates_that_come_in_another_form_are_broken_and_shown() -> None:
    chance = np.random.default_rng(3)
    sides = []
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        days = np.datetime64("1980-01-01") + chance.integers(0, 9_000, ROWS)
        names = [day.strftime(form) for day in days.tolist()]
        levels = sorted(set(names))
        sides.append(Texts(np.searchsorted(levels, names), tuple(levels)))
    verdict = examine(*(table({**people(seed), "born": born}) for seed, born in enumerate(sides, 1)))
    assert (verdict.kind, verdict.affected) == ("schema break", ("born",))
    assert "was a moment and is text: “" in verdict.why[0]


def test_a_column_measured_otherwise_is_drift_and_no_changed_concept() -> None:
    now = people(2)
    now["age"] = Numbers(numbers(now, "age") + 9)
    verdict = examine(table(people(1)), table(now))
    assert (verdict.kind, verdict.affected) == ("data drift", ("age",))
    assert verdict.concept is not None
    assert verdict.concept.displaced == ("age",)
    assert any("the outcomes did not follow" in sentence for sentence in verdict.why)


def test_another_rule_on_inputs_that_moved_as_well_is_still_concept_drift() -> None:
    now = people(2)
    age = numbers(now, "age") + 9
    now["age"], now["target"] = Numbers(age), Numbers((age < 54).astype(float))
    assert examine(table(people(1)), table(now)).kind == "concept drift"


def test_labels_turned_round_are_to_be_looked_at_before_anything_is_trained() -> None:
    now = people(2)
    now["target"] = Numbers(1 - numbers(now, "target"))
    verdict = examine(table(people(1)), table(now))
    assert (verdict.kind, verdict.remedy) == ("concept drift", "fix the source")
    assert any("With “0” and “1” exchanged the outcomes are as they were" in sentence for sentence in verdict.why)
    assert any("retraining would be the remedy" in sentence for sentence in verdict.would_change)


def test_another_rule_is_not_taken_for_labels_turned_round() -> None:
    now = people(2)
    now["target"] = Numbers((numbers(now, "height") > 170).astype(float))
    verdict = examine(table(people(1)), table(now))
    assert (verdict.kind, verdict.remedy) == ("concept drift", "retrain")
    assert verdict.concept is not None
    assert verdict.concept.exchanged == ""


@pytest.mark.parametrize("factor", [0.4536, -1.0])
def test_values_that_left_their_range_for_that_of_a_gentle_unit_are_a_unit(factor: float) -> None:
    chance = np.random.default_rng(4)
    then, now = chance.gamma(9, 5, 170), chance.gamma(9, 5, 170)
    tight = (20 + then / 9, 20 + now / 9) if factor > 0 else (then, now)
    sides = [
        {**people(seed, 170), "weight": Numbers(values)} for seed, values in ((1, tight[0]), (2, tight[1] * factor))
    ]
    verdict = examine(table(sides[0]), table(sides[1]))
    assert (verdict.kind, verdict.affected) == ("schema break", ("weight",))
    assert verdict.breaks[0].what == "unit"


def test_a_column_that_is_measured_otherwise_in_the_later_half_is_no_changed_concept() -> None:
    now = people(2)
    now["age"] = Numbers(numbers(now, "age") + 14.0 * (np.arange(ROWS) > ROWS // 2))
    verdict = examine(table(people(1)), table(now))
    assert (verdict.kind, verdict.affected) == ("data drift", ("age",))


def test_rows_that_were_sent_again_count_once() -> None:
    few = people(2, 240)
    again = {name: column.take(np.tile(np.arange(240), 5)) for name, column in few.items()}
    verdict = examine(table(people(1)), table(again))
    assert (verdict.kind, verdict.rows_now) == ("no drift", 240)
    assert "960 of the 1,200 current rows repeat another one and were not counted" in verdict.notes
    assert examine(table(people(1)), table(few)).features == verdict.features


def test_rows_that_repeat_by_nature_all_count() -> None:
    chance = np.random.default_rng(5)
    sides = [table({"dice": Numbers(chance.integers(1, 7, ROWS).astype(float))}) for _ in range(2)]
    verdict = examine(*sides)
    assert (verdict.rows_now, verdict.notes) == (ROWS, ())


@pytest.mark.parametrize("name", ["__index_level_0__", "Unnamed: 0"])
def test_an_index_that_pandas_wrote_is_no_feature_on_either_side(name: str) -> None:
    index = Numbers(np.arange(0.0, ROWS) * 7 % 5)
    verdict = examine(table(people(1)), table({**people(2), name: index}))
    assert (verdict.kind, verdict.left_out[name]) == ("no drift", "is an index that was written with the rows")
