from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.drift.windows import Outcomes, Tally, WindowProfile, added, merge
from pipelines.json_values import from_json, to_json
from pipelines.profiles import Categories, Numbers, tally_categories, tally_numbers

HOUR = datetime(2026, 11, 23, 9, tzinfo=UTC)
EDGES = (0.0, 1.0)
# Halves add up exactly, so that laws can be checked without tolerance.
VALUES = st.lists(st.integers(-4, 4).map(lambda n: n / 2), max_size=12)
NAMES = st.lists(st.sampled_from(["a", "b", None]), max_size=12)


def tally(values: list[float], names: list[str | None]) -> Tally:
    return Tally(
        len(values),
        {"x": tally_numbers(np.array(values, float), EDGES), "c": tally_categories(names, ["a"])},
        tally_categories(names, ["a"]),
        tally_numbers(np.array(values, float), EDGES),
        Outcomes(len(names), names.count("a"), 0.5 * len(names), {"a": {"b": len(names)}} if names else {}),
    )


TALLIES = st.builds(tally, VALUES, NAMES)
WINDOWS = st.dictionaries(st.sampled_from("pqrs"), TALLIES, max_size=4).map(
    lambda tallies: WindowProfile("churn", "3", HOUR, tallies)
)


@given(WINDOWS, WINDOWS, WINDOWS)
def test_merging_is_associative_commutative_and_idempotent(
    one: WindowProfile, two: WindowProfile, three: WindowProfile
) -> None:
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, one) == one
    assert merge(merge(one, two), two) == merge(one, two)


@given(VALUES, NAMES, VALUES, NAMES)
def test_the_sum_of_two_tallies_is_the_tally_of_all_rows(
    values: list[float], names: list[str | None], more: list[float], others: list[str | None]
) -> None:
    whole = tally(values + more, names + others)
    total = added([tally(values, names), tally(more, others)])
    assert total.rows == whole.rows
    for name in ("x", "c"):
        assert total.features[name].counts == whole.features[name].counts
    assert isinstance(total.confidence, Numbers)
    assert isinstance(whole.confidence, Numbers)
    assert total.confidence.mean == pytest.approx(whole.confidence.mean)
    assert total.confidence.squares == pytest.approx(whole.confidence.squares)
    assert total.outcomes.labelled == whole.outcomes.labelled


@given(WINDOWS)
def test_a_window_survives_its_way_through_json(window: WindowProfile) -> None:
    assert from_json(WindowProfile, to_json(window)) == window


def test_windows_of_different_hours_or_bins_are_not_merged() -> None:
    window = WindowProfile("churn", "3", HOUR)
    with pytest.raises(ValueError, match="one model"):
        merge(window, WindowProfile("churn", "4", HOUR))
    with pytest.raises(ValueError, match="same bins"):
        added([Tally(1, {"x": Numbers((0.0,), (1, 0))}), Tally(1, {"x": Numbers((1.0,), (1, 0))})])
    with pytest.raises(ValueError, match="cannot be merged"):
        added([Tally(1, {"x": Numbers((0.0,), (1, 0))}), Tally(1, {"x": Categories({})})])


def test_nothing_added_is_nothing() -> None:
    assert added([]) == Tally()
    assert np.isnan(added([]).outcomes.accuracy)
