import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.json_values import from_json, to_json
from pipelines.profiles import (
    MOST_CATEGORIES,
    Categories,
    Numbers,
    ReferenceProfile,
    merge,
    reference_edges,
    reference_names,
    tally_categories,
    tally_numbers,
)

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, 0.0]), max_size=60).map(np.array)
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "rare", None]), max_size=60)


def test_the_bins_of_the_reference_hold_a_tenth_each() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    tallied = tally_numbers(values, reference_edges(values))
    assert tallied.counts == (100,) * 10
    assert tallied.mean == pytest.approx(values.mean())
    assert tallied.squares / tallied.count == pytest.approx(values.var())
    assert (tallied.minimum, tallied.maximum) == (values.min(), values.max())


@pytest.mark.parametrize("values", [[], [math.nan, math.inf], [3.0] * 20, [0.0, 1.0] * 10])
def test_few_different_values_make_few_bins(values: list[float]) -> None:
    edges = reference_edges(np.array(values, dtype=float))
    tallied = tally_numbers(np.array(values, dtype=float), edges)
    assert len(tallied.counts) == len(edges) + 1
    assert tallied.count + tallied.missing == len(values)


def test_categories_beyond_the_commonest_are_counted_as_others() -> None:
    texts = [f"c{number % 80:02d}" for number in range(800)] + [None] * 5
    tallied = tally_categories(texts, reference_names(texts))
    assert len(tallied.counts) == MOST_CATEGORIES
    assert (tallied.other, tallied.missing, tallied.count) == (300, 5, 800)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_two_windows_of_numbers_add_up_to_one(reference: np.ndarray, one: np.ndarray, other: np.ndarray) -> None:
    edges = reference_edges(reference)
    merged = merge(tally_numbers(one, edges), tally_numbers(other, edges))
    at_once = tally_numbers(np.concatenate([one, other]), edges)
    assert (merged.counts, merged.missing, merged.minimum, merged.maximum) == (
        at_once.counts, at_once.missing, at_once.minimum, at_once.maximum,
    )  # fmt: skip
    assert merged.mean == pytest.approx(at_once.mean, rel=1e-9, abs=1e-6)
    assert merged.squares == pytest.approx(at_once.squares, rel=1e-9, abs=1e-3)


@given(TEXTS, TEXTS, TEXTS)
def test_two_windows_of_categories_add_up_to_one(
    reference: list[str | None], one: list[str | None], other: list[str | None]
) -> None:
    names = reference_names(reference)
    merged = merge(tally_categories(one, names), tally_categories(other, names))
    assert merged == tally_categories(one + other, names)


def test_what_was_counted_in_other_bins_is_not_merged() -> None:
    with pytest.raises(ValueError, match="same bins"):
        merge(Numbers((1.0,), (1, 2)), Numbers((2.0,), (1, 2)))
    with pytest.raises(ValueError, match="same bins"):
        merge(Categories({"a": 1}), Categories({"b": 1}))


def test_a_profile_survives_json_empty_columns_included() -> None:
    profile = ReferenceProfile(
        "m", "r", 3, {"a": Numbers((), (0,)), "b": Categories({"x": 2}, 1)}, Numbers((1.0,), (1, 2)),
        Categories({"yes": 1}), Numbers((0.5,), (1, 1), minimum=0.1, maximum=0.9, mean=0.5, squares=0.3),
    )  # fmt: skip
    written = json.dumps(to_json(profile), allow_nan=False)
    assert from_json(ReferenceProfile, json.loads(written)) == profile
