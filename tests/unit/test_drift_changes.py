import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.drift import boosting
from pipelines.drift.changes import Adwin, first_change, first_excess


@given(st.lists(st.floats(0, 1), max_size=300))
def test_adwin_keeps_count_of_what_is_in_its_window(values: list[float]) -> None:
    window = Adwin()
    for value in values:
        window.update(value)
    kept = values[len(values) - window.width :]
    assert window.total == pytest.approx(sum(kept), abs=1e-9)


def test_adwins_memory_grows_with_the_logarithm_of_the_window() -> None:
    window = Adwin()
    for value in np.random.default_rng(1).integers(0, 2, 20_000):
        window.update(float(value))
    assert window.width == 20_000
    assert len(window._buckets) < 100


def test_adwin_finds_where_errors_became_more_and_nothing_where_they_did_not() -> None:
    chance = np.random.default_rng(2)
    before, after = chance.random(2_000) < 0.1, chance.random(2_000) < 0.3
    found = first_change(np.concatenate([before, after]).astype(float))
    assert found is not None
    assert 2_000 <= found.noticed <= 2_300
    assert abs(found.row - 2_000) < 300
    assert found.before == pytest.approx(0.1, abs=0.03)
    assert first_change((chance.random(5_000) < 0.1).astype(float)) is None
    assert first_change(np.concatenate([after, before]).astype(float)) is None, "fewer errors are no decay"


def test_an_excess_is_noticed_soon_and_dated_well() -> None:
    chance = np.random.default_rng(3)
    errors = np.concatenate([chance.random(1_000) < 0.1, chance.random(1_000) < 0.25]).astype(float)
    found = first_excess(errors, np.full(2_000, 0.1), [])
    assert found is not None
    assert 1_000 < found.point.noticed < 1_350
    assert abs(found.point.row - 1_000) < 120


def test_an_excess_in_one_stratum_is_noticed_where_the_whole_hides_it() -> None:
    chance = np.random.default_rng(4)
    rows = 4_000
    small = chance.random(rows) < 0.05
    rate = np.where(small & (np.arange(rows) >= 2_000), 0.7, 0.2)
    errors = (chance.random(rows) < rate).astype(float)
    expected = np.full(rows, 0.2)
    alone, split = (
        first_excess(errors, expected, []),
        first_excess(errors, expected, [(small, expected), (~small, expected)]),
    )
    assert split is not None
    assert alone is None or split.point.noticed < alone.point.noticed


def test_chance_alone_is_no_excess() -> None:
    chance = np.random.default_rng(5)
    for _ in range(40):
        expected = chance.uniform(0.02, 0.4, 5_000)
        errors = (chance.random(5_000) < expected).astype(float)
        assert first_excess(errors, expected, [(expected < 0.1, expected), (expected >= 0.1, expected)]) is None
    assert first_excess(np.zeros(0), np.zeros(0), []) is None


def test_boosting_learns_what_only_two_features_together_tell() -> None:
    chance = np.random.default_rng(6)
    bins = chance.integers(0, 2, (3_000, 5)).astype(np.uint8)
    target = bins[:, 0] ^ bins[:, 1]
    model = boosting.fit(bins[:2_000], target[:2_000], 2, "classification")
    assert (model.raw(bins[2_000:]).argmax(axis=1) == target[2_000:]).mean() > 0.98
    assert model.probabilities(bins[:5]).sum(axis=1) == pytest.approx(1.0)


def test_boosting_fits_numbers_and_does_without_any_feature_that_tells() -> None:
    chance = np.random.default_rng(7)
    bins = chance.integers(0, 32, (2_000, 2)).astype(np.uint8)
    target = bins[:, 0] * 2.0 + 5
    model = boosting.fit(bins, target, 1, "regression")
    assert np.abs(model.raw(bins)[:, 0] - target).mean() < 1.0
    constant = boosting.fit(np.zeros((50, 1), np.uint8), np.full(50, 3.0), 1, "regression")
    assert constant.raw(np.zeros((2, 1), np.uint8))[:, 0] == pytest.approx(3.0)
