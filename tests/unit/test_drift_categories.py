"""Columns of many categories, and of categories that nobody has seen: calm where nothing changed, seen where it did."""

import json

import numpy as np
import pytest

from pipelines.drift.columns import Texts
from pipelines.drift.comparison import Comparison, compare, judge_features
from pipelines.drift.pairing import make_pair
from pipelines.json_values import from_json
from pipelines.profiles import Categories, reference_categories, reference_names, tally_categories, tally_codes

ROWS, PAIRS = 2_000, 20


def drawn(seed: int, levels: int, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng([seed, levels]).integers(0, levels, rows)


def names_of(levels: int) -> tuple[str, ...]:
    return tuple(f"c{place}" for place in range(levels + 1))


def by_rows(then: np.ndarray, now: np.ndarray, levels: int) -> Comparison:
    pair = make_pair("town", Texts(then, names_of(levels)), Texts(now, names_of(levels)))
    return compare(pair.reference, pair.current, named_by_both=True)


def by_profile(then: np.ndarray, now: np.ndarray, levels: int) -> Comparison:
    names = names_of(levels)
    reference = reference_categories([names[code] for code in then])
    return compare(reference, tally_codes(now, names, list(reference.counts)))


def by_old_profile(then: np.ndarray, now: np.ndarray, levels: int) -> Comparison:
    """Earlier versions chose the names on the rows that they counted."""
    names = names_of(levels)
    texts = [names[code] for code in then]
    reference = tally_categories(texts, reference_names(texts))
    return compare(reference, tally_codes(now, names, list(reference.counts)))


def drifted(found: Comparison) -> bool:
    return judge_features({"town": found}, {"town": "category"}, {}, {}, {}, {})[0].drifted


@pytest.mark.parametrize("judge", [by_rows, by_profile, by_old_profile])
@pytest.mark.parametrize("levels", [45, 60, 100, 200, 1_000])
def test_many_categories_that_did_not_change_are_no_drift(judge, levels: int) -> None:
    found = [judge(drawn(seed, levels), drawn(seed + 500, levels), levels) for seed in range(PAIRS)]
    assert sum(map(drifted, found)) <= 1


@pytest.mark.parametrize("judge", [by_rows, by_profile])
def test_one_category_of_many_that_takes_a_tenth_of_the_rows_is_seen(judge) -> None:
    then, now = drawn(1, 60), drawn(2, 60)
    now[: ROWS // 10] = 7
    assert drifted(judge(then, now, 60))


def test_names_of_many_categories_are_chosen_on_other_rows_than_the_counted() -> None:
    many = reference_categories([f"c{code}" for code in drawn(1, 100)])
    assert many.named_apart
    assert many.count == pytest.approx(ROWS / 2, rel=0.1)
    assert many.other / many.count == pytest.approx(0.5, abs=0.05)
    assert many == reference_categories([f"c{code}" for code in drawn(1, 100)])
    few = reference_categories(["a", "b", "a", None])
    assert few == Categories({"a": 2, "b": 1}, 0, 1)


def test_a_distribution_that_an_earlier_version_stored_can_be_read() -> None:
    stored = json.loads('{"counts": {"a": 3}, "other": 2, "missing": 1}')
    assert from_json(Categories, stored) == Categories({"a": 3}, 2, 1)


@pytest.mark.parametrize(("unseen", "of"), [(12, 360), (43, 1_400), (16, 200), (40, 500)])
def test_a_category_that_nobody_has_seen_is_not_pooled_away(unseen: int, of: int) -> None:
    known = of - unseen
    now = Categories({"a": round(known * 0.6), "b": round(known * 0.3), "c": round(known * 0.1)}, unseen)
    found = compare(Categories({"a": 12_000, "b": 6_000, "c": 2_000}), now)
    assert found.value_p < 1e-6
    assert found.unseen == pytest.approx(unseen / of, rel=0.02)
    assert drifted(found)


def test_rare_categories_that_a_small_reference_missed_are_no_news() -> None:
    shares = 1 / np.arange(1, 301)
    alarms = 0
    for seed in range(PAIRS):
        chance = np.random.default_rng([3, seed])
        then, now = (chance.choice(300, rows, p=shares / shares.sum()) for rows in (1_000, ROWS))
        found = by_rows(then, now, 300)
        assert by_profile(then, now, 300).value_p > 1e-6
        alarms += drifted(found)
    assert alarms <= 1


def test_a_few_strange_rows_are_no_drift() -> None:
    found = compare(Categories({"a": 12_000, "b": 8_000}), Categories({"a": 590, "b": 400}, 8))
    assert found.unseen == pytest.approx(0.008, rel=0.01)
    assert not drifted(found)
