"""Whole judgements of two tables that are made here; each kind of verdict, and each kind of bad luck."""

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts
from pipelines.drift.examine import examine
from pipelines.drift.report import document, report, sentences
from pipelines.drift.roles import Wish
from pipelines.errors import Refused

if TYPE_CHECKING:
    from pipelines.drift.values import Verdict

ROWS = 2_000
CITIES = ("Berlin", "Lima", "Porto", "Quito")


def texts(values: list[str | None]) -> Texts:
    levels = tuple(dict.fromkeys(value for value in values if value is not None))
    return Texts(np.array([levels.index(value) if value is not None else -1 for value in values], dtype=int), levels)


def table(**columns: Column) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(columns, rows, rows)


def customers(seed: int, rows: int = ROWS, **changed: Column) -> Table:
    """Income, age, a city and a temperature of each; a change replaces a column or adds one."""
    chance = np.random.default_rng(seed)
    columns: dict[str, Column] = {
        "income": Numbers(chance.lognormal(10, 0.5, rows)),
        "age": Numbers(chance.integers(18, 90, rows).astype(float)),
        "city": Texts(chance.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1]), CITIES),
        "temperature": Numbers(chance.normal(18, 5, rows)),
    }
    return table(**(columns | changed))


def numbers(found: Table, name: str) -> np.ndarray:
    column = found.columns[name]
    assert isinstance(column, Numbers)
    return column.values


def without(found: Table, name: str) -> Table:
    return table(**{key: column for key, column in found.columns.items() if key != name})


def test_two_draws_of_the_same_customers_are_no_drift() -> None:
    verdict = examine(customers(1), customers(2))
    assert (verdict.kind, verdict.urgency, verdict.affected) == ("no drift", None, ())
    assert verdict.judged
    assert "4 columns" in verdict.why[0]


def test_a_move_of_one_feature_is_data_drift_and_names_it() -> None:
    now = customers(2)
    verdict = examine(customers(1), customers(2, age=Numbers(numbers(now, "age") + 8)))
    assert (verdict.kind, verdict.affected) == ("data drift", ("age",))
    assert verdict.segments[0].features == ("age",)
    assert verdict.segments[0].share_now > verdict.segments[0].share_before
    assert verdict.persistence is not None
    assert verdict.persistence.lasting


@pytest.mark.parametrize(
    ("name", "convert", "word"),
    [
        ("income", lambda values: values * 100, "100"),
        ("income", lambda values: values / 1000, "1,000"),
        ("temperature", lambda values: values * 1.8 + 32, "Fahrenheit"),
        ("income", lambda values: values * 2.2046226, "pounds"),
        ("temperature", lambda values: -values, "sign"),
        ("income", lambda values: np.where(np.arange(len(values)) % 5 == 0, values * 100, values), "20% of the rows"),
    ],
)
def test_another_unit_is_a_schema_break(name: str, convert, word: str) -> None:
    now = customers(2)
    verdict = examine(customers(1), customers(2, **{name: Numbers(convert(numbers(now, name)))}))
    assert (verdict.kind, verdict.affected, verdict.remedy) == ("schema break", (name,), "fix the source")
    assert word in verdict.breaks[0].detail
    assert "Do not retrain" in report(verdict).recommendation


@pytest.mark.parametrize(
    "convert", [lambda v: v * 1.3, lambda v: v + 4, lambda v: v * 2, lambda v: (v - 18) * 2 + 18, lambda v: v * 1.5]
)
def test_an_honest_change_is_not_taken_for_a_unit(convert) -> None:
    now = customers(2)
    verdict = examine(customers(1), customers(2, temperature=Numbers(convert(numbers(now, "temperature")))))
    assert (verdict.kind, verdict.affected) == ("data drift", ("temperature",))


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (Numbers(np.full(ROWS, 40_000.0)), "constant"),
        (Numbers(np.full(ROWS, np.nan)), "missing"),
        (Numbers(np.where(np.arange(ROWS) % 3 == 0, np.nan, 20_000.0 + np.arange(ROWS))), "missing"),
        (
            Numbers(np.where(np.arange(ROWS) % 4 == 0, -999.0, np.random.default_rng(5).lognormal(10, 0.5, ROWS))),
            "placeholder",
        ),
        (texts(["low", "high"] * (ROWS // 2)), "type"),
        (texts(["ERR" if row % 5 == 0 else str(30_000 + row) for row in range(ROWS)]), "type"),
    ],
)
def test_a_broken_column_is_a_schema_break_of_its_kind(column: Column, what: str) -> None:
    verdict = examine(customers(1), customers(2, income=column))
    assert [(found.name, found.what, found.side) for found in verdict.breaks] == [("income", what, "current")]
    assert verdict.kind == "schema break"


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (Texts(np.zeros(ROWS, int), ("Lima",)), "constant"),
        (
            Texts(
                np.random.default_rng(3).choice(4, ROWS, p=[0.4, 0.3, 0.2, 0.1]), ("BERLIN", "LIMA", "PORTO", "QUITO")
            ),
            "encoding",
        ),
        (Texts(np.random.default_rng(3).choice(4, ROWS), ("1", "2", "3", "4")), "type"),
        (Texts(np.random.default_rng(3).choice(2, ROWS, p=[0.7, 0.3]), ("Lima", "unknown")), "placeholder"),
    ],
)
def test_broken_categories_are_schema_breaks(column: Column, what: str) -> None:
    verdict = examine(customers(1), customers(2, city=column))
    assert [(found.name, found.what) for found in verdict.breaks] == [("city", what)]


def test_a_broken_reference_is_to_be_drawn_anew_and_is_no_reason_to_retrain() -> None:
    verdict = examine(customers(1, income=Numbers(np.full(ROWS, 0.5))), customers(2))
    assert (verdict.kind, verdict.breaks[0].side, verdict.remedy) == ("schema break", "reference", "fix the reference")
    assert verdict.urgency == "P1"


def test_columns_that_are_gone_or_new_are_schema_breaks() -> None:
    gone = examine(customers(1), without(customers(2), "city"))
    assert [(found.name, found.what) for found in gone.breaks] == [("city", "gone")]
    new = examine(customers(1), customers(2, tariff=Numbers(np.arange(ROWS) % 7.0)))
    assert [(found.name, found.what, new.urgency) for found in new.breaks] == [("tariff", "new", "P2")]


def test_the_order_of_columns_means_nothing() -> None:
    now = customers(2)
    turned = table(**dict(reversed(now.columns.items())))
    assert examine(customers(1), turned) == examine(customers(1), now)


def test_a_new_category_is_data_drift_and_its_share_is_told() -> None:
    city = Texts(np.random.default_rng(3).choice(5, ROWS, p=[0.34, 0.26, 0.17, 0.08, 0.15]), (*CITIES, "Oslo"))
    verdict = examine(customers(1), customers(2, city=city))
    assert (verdict.kind, verdict.affected, verdict.remedy) == ("data drift", ("city",), "feature engineering")
    assert verdict.features[0].unseen == pytest.approx(0.15, abs=0.03)


def test_a_few_more_missing_values_are_data_drift() -> None:
    income = numbers(customers(2), "income").copy()
    income[np.random.default_rng(3).random(ROWS) < 0.12] = np.nan
    verdict = examine(customers(1), customers(2, income=Numbers(income)))
    assert (verdict.kind, verdict.affected, verdict.remedy) == ("data drift", ("income",), "fix the source")
    assert verdict.features[0].missing_now == pytest.approx(0.12, abs=0.03)


def test_identifiers_moments_free_text_and_constants_are_left_out_and_said_so() -> None:
    def with_extras(seed: int, start: int) -> Table:
        return customers(
            seed,
            id=Numbers(np.arange(ROWS) + float(start)),
            note=texts([f"call {start + row} back" for row in range(ROWS)]),
            counter=Numbers(np.arange(ROWS) * 2.0 + start),
            day=texts([f"2026-{1 + start // ROWS:02d}-{1 + row % 28:02d}" for row in range(ROWS)]),
            currency=texts(["EUR"] * ROWS),
            nothing=Numbers(np.full(ROWS, np.nan)),
        )

    verdict = examine(with_extras(1, 0), with_extras(2, ROWS))
    assert verdict.kind == "no drift"
    assert set(verdict.left_out) == {"id", "note", "counter", "currency", "nothing"}
    assert {feature.name for feature in verdict.features} == {"income", "age", "city", "temperature"}


@pytest.mark.parametrize("rows", [0, 1, 2, 49])
def test_a_tiny_window_is_not_guessed_about(rows: int) -> None:
    now = customers(2).take(np.arange(rows))
    wild = table(**(dict(now.columns) | {"age": Numbers(np.full(rows, 1e6))}))
    for verdict in (examine(customers(1), wild), examine(wild, customers(1))):
        assert (verdict.kind, verdict.judged) == ("no drift", False)
        assert "Too few rows" in verdict.why[0]
    assert "Too few rows" in sentences(verdict)[0]


def test_infinite_and_enormous_numbers_are_survived() -> None:
    values = numbers(customers(2), "income").copy()
    values[:5] = [math.inf, -math.inf, 1e308, -1e308, 2.0**70]
    verdict = examine(customers(1), customers(2, income=Numbers(values)))
    assert verdict.kind == "no drift"
    huge = examine(customers(1), customers(2, income=Numbers(np.full(ROWS, 1e300))))
    assert huge.kind == "schema break"
    assert document(huge, 0.1)["verdict"] == "schema break"


def test_tables_without_a_common_column_are_refused() -> None:
    with pytest.raises(Refused, match="no column in common"):
        examine(table(one=Numbers(np.zeros(60))), table(other=Numbers(np.zeros(60))))


def test_a_wish_for_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="no column `churned`"):
        examine(customers(1), customers(2), wish=Wish(target="churned"))


def test_what_a_person_wants_ignored_is_left_out() -> None:
    now = customers(2, age=Numbers(numbers(customers(2), "age") + 9))
    verdict = examine(customers(1), now, wish=Wish(ignore=("age",)))
    assert (verdict.kind, verdict.left_out["age"]) == ("no drift", "was to be ignored")


def test_importance_decides_whether_a_move_is_worth_a_night() -> None:
    now = customers(2, age=Numbers(numbers(customers(2), "age") + 40))
    heavy = examine(customers(1), now, importance={"age": 0.9, "income": 0.1})
    light = examine(customers(1), now, importance={"age": 0.01, "income": 0.99})
    assert (heavy.urgency, light.urgency) == ("P0", "P2")
    assert any("0.90" in sentence or "0.9" in sentence for sentence in heavy.why)


def loans(seed: int, rows: int = ROWS, rule: float = 1.0, income: float = 0.0) -> Table:
    """Two numbers, and an outcome that both decide with some noise; `rule` turns what the second one means."""
    chance = np.random.default_rng(seed)
    one, other = chance.normal(income, 1, rows), chance.normal(size=rows)
    repaid = one + rule * other + chance.normal(0, 0.4, rows) > 0
    return table(income=Numbers(one), debt=Numbers(other), label=Numbers(repaid.astype(float)))


def test_the_same_inputs_with_other_outcomes_are_concept_drift() -> None:
    verdict = examine(loans(1), loans(2, rule=-1.0))
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("concept drift", "P0", "retrain")
    assert set(verdict.affected) == {"income", "debt"}, "no column moved: it is about those where it errs most"
    assert verdict.segments
    assert verdict.segments[0].error_now is not None


def test_a_concept_that_changes_within_the_window_is_dated() -> None:
    early, late = loans(2, 1_000), loans(3, 1_000, rule=-1.0)
    both = table(
        **{name: Numbers(np.concatenate([numbers(early, name), numbers(late, name)])) for name in early.columns}
    )
    verdict = examine(loans(1), both)
    assert verdict.kind == "concept drift"
    assert verdict.change_point is not None
    assert abs(verdict.change_point.row - 1_000) < 60
    assert 1_000 <= verdict.change_point.noticed < 1_200


def test_moved_inputs_with_the_same_rule_are_data_drift_though_labels_are_there() -> None:
    verdict = examine(loans(1), loans(2, income=0.8))
    assert (verdict.kind, verdict.affected) == ("data drift", ("income",))
    assert verdict.concept is not None
    assert not verdict.concept.changed


def test_inputs_that_nobody_has_seen_before_say_nothing_of_the_concept() -> None:
    verdict = examine(loans(1), loans(2, income=12.0))
    assert (verdict.kind, verdict.concept) == ("data drift", None)


def test_without_labels_a_changed_concept_is_not_claimed_and_it_is_said_what_is_missing() -> None:
    verdict = examine(without(loans(1), "label"), without(loans(2, rule=-1.0), "label"))
    assert verdict.kind == "no drift"
    assert any("Labels" in sentence for sentence in verdict.would_change)


def served(rows: Table, wrong: float = 0.0, seed: int = 9) -> Table:
    """The rows with a prediction by the rule itself, of which a share is turned around."""
    chance = np.random.default_rng(seed)
    said = numbers(rows, "income") + numbers(rows, "debt") > 0
    said ^= chance.random(rows.rows) < wrong
    return table(**rows.columns, y_pred=Numbers(said.astype(float)))


def test_a_model_that_errs_more_on_the_same_world_has_decayed() -> None:
    verdict = examine(served(loans(1)), served(loans(2), wrong=0.15))
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("model decay", "P0", "roll back")
    assert verdict.performance is not None
    assert verdict.performance.drop == pytest.approx(0.12, abs=0.04)
    assert verdict.change_point is not None or verdict.segments is not None


def test_a_model_that_errs_where_values_went_missing_is_not_rolled_back() -> None:
    now = loans(2)
    gone = np.random.default_rng(3).random(ROWS) < 0.15
    income = np.where(gone, np.nan, numbers(now, "income"))
    said = np.nan_to_num(income) + numbers(now, "debt") > 0
    rows = table(**(dict(now.columns) | {"income": Numbers(income), "y_pred": Numbers(said.astype(float))}))
    verdict = examine(served(loans(1)), rows)
    assert verdict.performance is not None
    assert (verdict.kind, verdict.affected, verdict.remedy) == ("data drift", ("income",), "fix the source")
    assert examine(without(served(loans(1)), "label"), without(rows, "label")).remedy == "fix the source"


def test_true_and_false_are_one_and_zero_where_labels_and_predictions_meet() -> None:
    def spelled(rows: Table) -> Table:
        said = texts(["True" if value else "False" for value in numbers(rows, "label")])
        return table(**(dict(rows.columns) | {"label": said}))

    same = examine(spelled(served(loans(1))), served(loans(2)))
    assert same.kind == "no drift"
    assert same.performance is not None
    assert same.performance.now > 0.85
    assert examine(spelled(served(loans(1))), spelled(served(loans(2), wrong=0.15))).kind == "model decay"


def frauds(seed: int, shown: float = 3.0, answers: bool = True, blind: float = 0.0) -> Table:
    """One row of a hundred is a fraud, which its amount shows; a model that knows so misses a share of them on top."""
    chance = np.random.default_rng(seed)
    fraud = chance.random(5 * ROWS) < 0.01
    amount = np.where(fraud, chance.normal(shown, 1, 5 * ROWS), chance.normal(0, 1, 5 * ROWS))
    said = (amount > 2.6) & (chance.random(5 * ROWS) >= blind)
    columns = {"amount": amount, "hour": chance.uniform(0, 24, 5 * ROWS), "label": fraud.astype(float)}
    found: dict[str, Column] = {name: Numbers(values) for name, values in columns.items()}
    return table(**found, **({"prediction": Numbers(said.astype(float))} if answers else {}))


def test_a_rare_class_that_shows_no_longer_is_concept_drift_though_the_accuracy_stands() -> None:
    verdict = examine(frauds(1), frauds(2, shown=0.0))
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("concept drift", "P0", "retrain")
    assert verdict.performance is not None
    assert verdict.performance.lost is not None
    assert (verdict.performance.lost.name, verdict.performance.drop < 0.02) == ("1", True)
    untold = examine(frauds(1, answers=False), frauds(2, shown=0.0, answers=False))
    assert (untold.kind, untold.urgency) == ("concept drift", "P0"), "labels alone show it as well"
    assert any("“1”" in sentence for sentence in untold.why)


def test_a_model_that_misses_a_rare_class_in_the_same_world_has_decayed() -> None:
    verdict = examine(frauds(1), frauds(2, blind=0.8))
    assert (verdict.kind, verdict.urgency, verdict.remedy) == ("model decay", "P0", "roll back")
    assert "what is “1”" in verdict.why[-1]


def test_rare_classes_raise_no_false_alarm() -> None:
    kinds = [examine(frauds(seed), frauds(100 + seed)).kind for seed in range(12)]
    assert set(kinds) == {"no drift"}


def test_late_labels_are_joined_by_id_in_any_order_twice_and_with_gaps() -> None:
    now = served(loans(2), wrong=0.15)
    ids = Numbers(np.arange(ROWS) + 100.0)
    rows = table(**{name: column for name, column in now.columns.items() if name != "label"}, id=ids)
    some = np.random.default_rng(4).permutation(ROWS)[:1_500]
    some = np.concatenate([some, some[:10]])
    labels = table(label=now.columns["label"].take(some), id=ids.take(some))
    verdict = examine(served(loans(1)), rows, labels)
    assert verdict.kind == "model decay"
    assert verdict.performance is not None
    assert verdict.performance.rows == 1_500


def test_labels_may_be_those_of_both_tables() -> None:
    before, now = loans(1), loans(2, rule=-1.0)
    both = np.concatenate([numbers(before, "label"), numbers(now, "label")])
    verdict = examine(without(before, "label"), without(now, "label"), table(label=Numbers(both)))
    assert verdict.kind == "concept drift"
    ids = Numbers(np.arange(2.0 * ROWS) + 5)
    first, second = np.arange(ROWS), np.arange(ROWS, 2 * ROWS)
    verdict = examine(
        table(**without(before, "label").columns, id=ids.take(first)),
        table(**without(now, "label").columns, id=ids.take(second)),
        table(id=ids, label=Numbers(both)),
    )
    assert verdict.kind == "concept drift"


def test_where_only_the_current_rows_have_labels_their_own_beginning_is_the_measure() -> None:
    early, late = loans(2, 1_200), loans(3, 800, rule=-1.0)
    names = early.columns
    now = table(**{name: Numbers(np.concatenate([numbers(early, name), numbers(late, name)])) for name in names})
    changed = examine(without(loans(1), "label"), now)
    assert changed.kind == "concept drift"
    assert changed.change_point is not None
    assert abs(changed.change_point.row - 1_200) < 60
    assert examine(without(loans(1), "label"), loans(4)).kind == "no drift"


def test_predictions_do_not_hide_a_change_where_only_the_current_rows_have_labels() -> None:
    early, late = served(loans(2, 1_200)), served(loans(3, 800, rule=-1.0))
    now = table(
        **{name: Numbers(np.concatenate([numbers(early, name), numbers(late, name)])) for name in early.columns}
    )
    changed = examine(without(served(loans(1)), "label"), now)
    assert (changed.kind, changed.urgency) == ("concept drift", "P0")
    assert changed.change_point is not None
    assert abs(changed.change_point.row - 1_200) < 60
    failing = served(loans(3, 800), wrong=0.3)
    worse = table(
        **{name: Numbers(np.concatenate([numbers(early, name), numbers(failing, name)])) for name in early.columns}
    )
    decayed = examine(without(served(loans(1)), "label"), worse)
    assert (decayed.kind, decayed.remedy) == ("model decay", "roll back")
    assert decayed.change_point is not None
    assert abs(decayed.change_point.row - 1_200) < 60
    assert examine(without(served(loans(1)), "label"), served(loans(4))).kind == "no drift"


def sure(rows: Table, steepness: float = 4.0) -> Table:
    """With the probability of the answer 1, as one who is right about the noise would give it."""
    known = 1 / (1 + np.exp(-steepness * (numbers(rows, "income") + numbers(rows, "debt"))))
    return table(**served(rows).columns, y_pred_proba=Numbers(known))


def test_accuracy_far_below_what_the_scores_promise_is_told_and_no_more_than_an_analysis() -> None:
    reference = without(sure(loans(1)), "label")
    verdict = examine(reference, sure(loans(2, rule=-1.0)))
    assert (verdict.kind, verdict.urgency) == ("concept drift", "P1")
    assert verdict.performance is not None
    assert verdict.performance.claimed
    assert "not known" in verdict.why[-1]
    for steepness in (1.0, 4.0, 50.0):
        calm = examine(without(sure(loans(1), steepness), "label"), sure(loans(3), steepness))
        assert calm.kind == "no drift", "over-confident by some points are many sound models"


def test_labels_that_fit_no_row_or_not_their_number_are_refused() -> None:
    now = without(served(loans(2)), "label")
    with pytest.raises(Refused, match="no column in common"):
        examine(served(loans(1)), now, table(label=Numbers(np.zeros(10))))
    rows = table(**now.columns, id=Numbers(np.arange(float(ROWS))))
    with pytest.raises(Refused, match="none in common"):
        examine(served(loans(1)), rows, table(id=Numbers(np.arange(9.0) + 1e6), label=Numbers(np.zeros(9))))


def hourly(seed: int, first_day: int, days: int, hours: range = range(24), level: float = 0.0) -> Table:
    """Forty rows an hour; load and customers follow the clock."""
    chance = np.random.default_rng(seed)
    start = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    moments = np.array(
        [
            start + (first_day + day) * 86_400 + hour * 3_600 + minute * 90
            for day in range(days)
            for hour in hours
            for minute in range(40)
        ]
    )
    clock = (moments % 86_400) / 86_400
    load = 50 + 20 * np.sin(2 * np.pi * clock) + chance.normal(0, 4, len(moments)) + level
    return table(timestamp=Moments(moments), load=Numbers(load), noise=Numbers(chance.normal(size=len(moments))))


def test_a_night_is_compared_with_nights() -> None:
    reference = hourly(1, 0, 21)
    night = examine(reference, hourly(2, 22, 1, range(6)))
    assert night.kind == "no drift"
    assert any("same hours" in note for note in night.notes)
    hot = examine(reference, hourly(3, 22, 1, range(6), level=8))
    assert (hot.kind, hot.affected) == ("data drift", ("load",))


def test_a_weekday_that_stands_still_within_a_day_is_no_fault() -> None:
    chance = np.random.default_rng(6)
    days = np.repeat(np.arange(28) % 7, 100)
    names = [("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day] for day in days]
    reference = table(day=Numbers(days.astype(float)), name=texts(list(names)), load=Numbers(chance.normal(size=2_800)))
    today = table(day=Numbers(np.full(100, 3.0)), name=texts(["thu"] * 100), load=Numbers(chance.normal(size=100)))
    assert examine(reference, today).kind == "no drift"


def test_a_reference_that_swings_by_itself_allows_the_swing() -> None:
    chance = np.random.default_rng(5)
    weeks = np.repeat(chance.normal(0, 1, 30), 200)
    reference = table(load=Numbers(weeks + chance.normal(0, 1, 6_000)), other=Numbers(chance.normal(size=6_000)))
    usual = table(load=Numbers(chance.normal(0.8, 1, 200)), other=Numbers(chance.normal(size=200)))
    beyond = table(load=Numbers(chance.normal(8, 1, 200)), other=Numbers(chance.normal(size=200)))
    assert examine(reference, usual).kind == "no drift"
    assert examine(reference, beyond).affected == ("load",)


def test_regression_targets_are_judged_by_their_residuals() -> None:
    def prices(seed: int, slope: float) -> Table:
        chance = np.random.default_rng(seed)
        size = chance.uniform(20, 200, ROWS)
        return table(size=Numbers(size), target=Numbers(slope * size + chance.normal(0, 10, ROWS)))

    assert examine(prices(1, 3.0), prices(2, 3.0)).kind == "no drift"
    assert examine(prices(1, 3.0), prices(2, 4.0)).kind == "concept drift"


def test_every_verdict_has_a_whole_report() -> None:
    found: list[Verdict] = [
        examine(customers(1), customers(2)),
        examine(customers(1), without(customers(2), "city")),
        examine(customers(1), customers(2, age=Numbers(numbers(customers(2), "age") + 8))),
        examine(loans(1), loans(2, rule=-1.0)),
        examine(served(loans(1)), served(loans(2), wrong=0.15)),
    ]
    assert {verdict.kind for verdict in found} == {
        "no drift",
        "schema break",
        "data drift",
        "concept drift",
        "model decay",
    }
    for verdict in found:
        told = report(verdict)
        assert told.hypothesis.endswith(".")
        assert told.recommendation.endswith(".")
        assert verdict.why
        assert all(sentence.endswith((".", ").")) for sentence in (*told.why, *told.would_change))
