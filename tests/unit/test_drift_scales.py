"""Other units though the rows moved as well or have few values, and a few rows that lie far off."""

import numpy as np
import pytest

from pipelines.drift.columns import Column, Numbers, Table
from pipelines.drift.comparison import compare
from pipelines.drift.examine import examine
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.units import find_conversion
from pipelines.profiles import reference_edges, tally_numbers

ROWS = 2_000


def drawn(seed: int, law: str, rows: int = ROWS) -> np.ndarray:
    chance = np.random.default_rng(seed)
    laws = {
        "normal": lambda: chance.normal(size=rows), "lognormal": lambda: chance.lognormal(0, 2, rows),
        "cauchy": lambda: chance.standard_cauchy(rows), "zeros": lambda: (chance.random(rows) < 0.02) * 1e4,
    }  # fmt: skip
    return laws[law]()


def table(**columns: np.ndarray) -> Table:
    named: dict[str, Column] = {name: Numbers(values.astype(float)) for name, values in columns.items()}
    rows = len(next(iter(columns.values())))
    return Table(named, rows, rows)


def profiled(then: np.ndarray, now: np.ndarray):
    edges = reference_edges(then)
    return tally_numbers(then, edges), tally_numbers(now, edges)


@pytest.mark.parametrize("moved", [0.1, 0.15, 0.2])
@pytest.mark.parametrize("factor", [100, 1_000, 0.001])
def test_another_unit_is_told_though_the_rows_moved_too(moved: float, factor: float) -> None:
    then = np.random.default_rng(1).lognormal(3, 0.5, ROWS)
    now = np.random.default_rng(2).lognormal(3 + moved, 0.5, ROWS) * factor
    found = find_conversion(then, now)
    assert found is not None
    assert found[0].factor == pytest.approx(factor)
    [broken] = find_profile_breaks("price", *profiled(then, now))
    assert (broken.what, broken.detail.split(": ")[1]) == ("unit", found[0].name)


@pytest.mark.parametrize(("factor", "name"), [(10, "× 10"), (7, "× 7"), (0.01, "÷ 100")])
def test_a_few_values_in_another_unit_are_known_by_the_values(factor: float, name: str) -> None:
    then, now = (np.random.default_rng(seed).integers(1, 6, ROWS).astype(float) for seed in (1, 2))
    verdict = examine(table(stars=then), table(stars=now * factor))
    assert (verdict.kind, verdict.remedy) == ("schema break", "fix the source")
    assert verdict.breaks[0].detail.endswith(name)


@pytest.mark.parametrize(
    "change",
    [
        lambda stars: np.minimum(stars + 2, 5), lambda stars: stars + 5, lambda stars: np.where(stars < 5, 1, 10),
        lambda stars: (stars > 2).astype(float),
    ],
)  # fmt: skip
def test_a_few_other_values_are_no_other_unit(change) -> None:
    then, now = (np.random.default_rng(seed).integers(1, 6, ROWS).astype(float) for seed in (1, 2))
    assert find_conversion(then, change(now)) is None


@pytest.mark.parametrize("rows", [600, ROWS])
@pytest.mark.parametrize("where", [50, -30])
def test_a_few_rows_far_off_are_drift(rows: int, where: float) -> None:
    then, now = drawn(1, "normal", 5_000), drawn(2, "normal", rows)
    now[::33] = where
    now += np.random.default_rng(3).normal(0, 0.01, rows)
    verdict = examine(table(x=then, w=drawn(4, "normal", 5_000)), table(x=now, w=drawn(5, "normal", rows)))
    assert (verdict.kind, verdict.affected) == ("data drift", ("x",))


@pytest.mark.parametrize("law", ["normal", "lognormal", "cauchy", "zeros"])
@pytest.mark.parametrize("rows", [100, 500, ROWS])
def test_tails_that_were_always_heavy_are_no_drift(law: str, rows: int) -> None:
    found = [compare(*profiled(drawn(seed, law), drawn(seed + 900, law, rows))) for seed in range(100)]
    assert sum(each.value_p < 0.01 and each.strength >= 1 for each in found) <= 4


def test_one_row_beyond_all_bounds_is_no_drift() -> None:
    then, now = drawn(1, "normal"), drawn(2, "normal")
    now[7] = 1e9
    assert compare(*profiled(then, now)).value_p > 0.01
