import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from pipelines.drift import statistics
from pipelines.drift.comparison import compare, judge_features
from pipelines.profiles import reference_edges, tally_codes, tally_numbers

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=15)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 10, 49])
@pytest.mark.parametrize("statistic", [0.01, 0.5, 3.0, 20.0, 80.0, 400.0])
def test_the_tail_of_chi_squared_is_scipys(degrees: int, statistic: float) -> None:
    expected = scipy.stats.chi2.sf(statistic, degrees)
    assert statistics.chi_squared_tail(statistic, degrees) == pytest.approx(expected, rel=1e-9)


def test_a_tail_too_small_for_a_float_is_small_and_not_zero() -> None:
    assert 0 < statistics.chi_squared_tail(5_000, 3) < 1e-200
    assert statistics.chi_squared_tail(0, 3) == 1.0
    assert statistics.normal_tail(1.96) == pytest.approx(scipy.stats.norm.sf(1.96))


def test_two_categories_are_pearsons_test() -> None:
    table = np.array([[300, 700], [200, 300]])
    expected = scipy.stats.chi2_contingency(table, correction=False).pvalue
    assert statistics.categories_p(table[0], table[1]) == pytest.approx(expected)
    assert statistics.share_p((300, 1000), (200, 500)) == pytest.approx(expected)


def test_a_rare_event_is_judged_by_fishers_mid_p() -> None:
    exact = scipy.stats.fisher_exact([[0, 100], [4, 96]]).pvalue
    alike = scipy.stats.hypergeom.pmf([0, 4], 200, 4, 100).sum()
    assert statistics.share_p((0, 100), (4, 100)) == pytest.approx(exact - alike / 2, rel=1e-6)
    assert statistics.share_p((0, 0), (4, 100)) == 1.0


def test_q_values_are_scipys() -> None:
    p_values = [0.001, 0.04, 0.03, 0.5, 0.0002, 1.0]
    assert statistics.benjamini_hochberg(p_values) == pytest.approx(scipy.stats.false_discovery_control(p_values))
    assert statistics.benjamini_hochberg([]) == []


def test_the_psi_of_a_known_change_is_its_closed_form() -> None:
    then, now = np.array([5000, 5000]), np.array([4000, 6000])
    noise = 1 / 10_000 + 1 / 10_000
    expected = (0.4 - 0.5) * math.log(0.4 / 0.5) + (0.6 - 0.5) * math.log(0.6 / 0.5) - noise
    assert statistics.psi(then, now) == pytest.approx(expected, abs=1e-4)


def test_the_jensen_shannon_distance_is_scipys() -> None:
    then, now = np.array([30_000, 50_000, 20_000]), np.array([50_000, 20_000, 30_000])
    expected = scipy.spatial.distance.jensenshannon(then, now, base=2)
    assert statistics.jensen_shannon(then, now) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shift", [0.1, 0.3, 1.0])
def test_the_wasserstein_distance_of_a_shift_is_about_the_shift(shift: float) -> None:
    values = np.random.default_rng(1).normal(size=50_000)
    edges = reference_edges(values)
    found = compare(tally_numbers(values, edges), tally_numbers(values + shift, edges)).wasserstein
    assert found == pytest.approx(scipy.stats.wasserstein_distance(values, values + shift) / values.std(), rel=0.1)


@given(COUNTS)
def test_nothing_differs_from_itself(counts: list[int]) -> None:
    assert statistics.psi(counts, counts) == 0.0
    assert statistics.jensen_shannon(counts, counts) == 0.0
    assert statistics.total_variation(counts, counts) == 0.0
    assert statistics.ordered_bins_p(counts, counts) == 1.0
    assert statistics.categories_p(counts, counts) == 1.0


@given(
    COUNTS.flatmap(
        lambda one: st.tuples(st.just(one), st.lists(st.integers(0, 500), min_size=len(one), max_size=len(one)))
    )
)
def test_effects_and_p_values_stay_in_their_ranges(pair: tuple[list[int], list[int]]) -> None:
    then, now = pair
    assert 0 <= statistics.psi(then, now) < math.inf
    assert 0 <= statistics.jensen_shannon(then, now) <= 1
    assert 0 <= statistics.total_variation(then, now) <= 1 + 1e-9
    for p_value in (statistics.ordered_bins_p(then, now), statistics.categories_p(then, now)):
        assert 0 < p_value <= 1


@pytest.mark.parametrize("rows", [60, 500])
def test_chance_looks_significant_as_often_as_it_should(rows: int) -> None:
    chance = np.random.default_rng(2)
    skewed = [0.5, 0.3, 0.1, 0.06, 0.03, 0.01]
    ordered, named = [], []
    for _ in range(3_000):
        ordered.append(
            statistics.ordered_bins_p(chance.multinomial(1000, [0.1] * 10), chance.multinomial(rows, [0.1] * 10))
        )
        named.append(statistics.categories_p(chance.multinomial(1000, skewed), chance.multinomial(rows, skewed)))
    for p_values in (ordered, named):
        for level in (0.05, 0.01):
            assert np.mean(np.array(p_values) < level) <= level + 3 * math.sqrt(level / 3_000)


def window(chance: np.random.Generator, rows: int, moved: set[int], shift: float, variation: float) -> list[np.ndarray]:
    """30 numbers and 20 categories; the moved ones by `shift` standard deviations or `variation` of the rows."""
    columns: list[np.ndarray] = []
    for place in range(50):
        if place < 30:
            draw = (chance.normal, chance.standard_exponential)[place % 2]
            columns.append(draw(size=rows) + (shift if place in moved else 0))
        else:
            levels = 3 + place % 6
            shares = np.arange(levels, 0, -1) / (levels * (levels + 1) / 2)
            if place in moved:
                shares = shares + variation * np.eye(levels)[-1] - variation * np.eye(levels)[0]
            columns.append(chance.choice(levels, rows, p=shares))
    return columns


def flagged(then: list[np.ndarray], now: list[np.ndarray]) -> set[int]:
    compared, kinds = {}, {}
    for place, (one, other) in enumerate(zip(then, now, strict=True)):
        if place < 30:
            edges = reference_edges(one)
            compared[str(place)] = compare(tally_numbers(one, edges), tally_numbers(other, edges))
        else:
            levels = [str(level) for level in range(10)]
            compared[str(place)] = compare(tally_codes(one, levels, levels), tally_codes(other, levels, levels))
        kinds[str(place)] = "number" if place < 30 else "category"
    judged = judge_features(compared, kinds, {}, {}, {}, {})
    return {int(feature.name) for feature in judged if feature.drifted}


def test_windows_without_drift_are_left_in_peace_and_moved_features_are_seen() -> None:
    chance = np.random.default_rng(3)
    alarms, seen, moves = 0, 0, 0
    for _ in range(60):
        then = window(chance, 1000, set(), 0, 0)
        alarms += bool(flagged(then, window(chance, 500, set(), 0, 0)))
        moved = set(chance.choice(50, 8, replace=False).tolist())
        seen += len(moved & flagged(then, window(chance, 500, moved, 0.3, 0.1)))
        moves += 8
    assert alarms <= 2
    assert seen / moves >= 0.95


def test_a_trivial_move_is_no_drift_however_many_rows_make_it_certain() -> None:
    chance = np.random.default_rng(4)
    moved = set(range(0, 30, 4))
    then, now = window(chance, 100_000, set(), 0, 0), window(chance, 100_000, moved, 0.02, 0)
    edges = reference_edges(then[0])
    assert compare(tally_numbers(then[0], edges), tally_numbers(now[0], edges)).value_p < 0.01
    assert flagged(then, now) == set()


def test_numbers_are_not_compared_with_categories() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        compare(tally_numbers(np.zeros(3), (0.0,)), tally_codes(np.zeros(3, int), ["a"], ["a"]))
