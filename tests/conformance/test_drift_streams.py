"""Drift on data that nobody of this project made, and on published generators, through the command itself."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from river.datasets import synth

from bot.__main__ import main
from bot.clients.drift_tables import read_table
from pipelines.drift.columns import Numbers, Table
from pipelines.drift.examine import examine

MOVED = {"car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car"}
WINDOW = 5_000


@pytest.fixture(scope="module")
def drift_data(shipmate_data: Path) -> Path:
    return shipmate_data / "drift"


@pytest.fixture(scope="module")
def car_loan(drift_data: Path) -> tuple[Table, Table, Table]:
    names = ("reference", "analysis", "analysis_target")
    reference, analysis, labels = (read_table(str(drift_data / f"synthetic_car_loan_{name}.csv.gz")) for name in names)
    return reference, analysis, labels


@pytest.fixture(scope="module")
def electricity(drift_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Table:
    with zipfile.ZipFile(drift_data / "Electricity.zip") as packed:
        text = packed.read("Electricity.arff").decode()
    path = tmp_path_factory.mktemp("electricity") / "rows.csv"
    names = "date,day,period,nswprice,nswdemand,vicprice,vicdemand,transfer,class\n"
    path.write_text(names + text.split("@data")[1].strip() + "\n")
    return read_table(str(path))


@pytest.mark.parametrize("start", range(0, 50_000, WINDOW))
@pytest.mark.parametrize("labelled", [False, True])
def test_each_window_of_the_car_loans_is_judged_rightly(car_loan, start: int, labelled: bool) -> None:
    reference, analysis, labels = car_loan
    rows = np.arange(start, start + WINDOW)
    verdict = examine(reference, analysis.take(rows), labels.take(rows) if labelled else None)
    if start < 25_000:
        assert (verdict.kind, verdict.affected) == ("no drift", ())
        return
    assert (verdict.kind, verdict.urgency in ("P0", "P1")) == ("data drift", True)
    assert set(verdict.affected) - {"y_pred_proba", "y_pred"} == MOVED
    measured = verdict.performance if labelled else verdict.estimated
    assert measured is not None
    assert measured.worse
    assert measured.drop == pytest.approx(0.03, abs=0.015)


@pytest.mark.parametrize("start", range(0, 50_000, 5_000))
def test_small_windows_of_the_car_loans_are_told_apart_as_well(car_loan, start: int) -> None:
    reference, analysis, _ = car_loan
    verdict = examine(reference, analysis.take(np.arange(start, start + 1_000)))
    assert verdict.alarming == (start >= 25_000)


@pytest.mark.parametrize(("reference", "current"), [((0, 10_000), (20_000, 30_000)), ((0, 22_656), (22_656, 45_312))])
def test_a_placeholder_in_the_electricity_market_is_a_broken_reference(electricity, reference, current) -> None:
    verdict = examine(electricity.take(np.arange(*reference)), electricity.take(np.arange(*current)))
    assert (verdict.kind, verdict.remedy) == ("schema break", "fix the reference")
    assert set(verdict.affected) == {"vicprice", "vicdemand", "transfer"}
    assert verdict.left_out["date"] == "runs on with the rows, as time does"


def test_insects_in_the_warmth_are_another_swarm(drift_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(drift_data / "Insects_gradual_balanced.zip") as packed:
        text = packed.read("gradual_balanced_24150.csv")
    lines = text.splitlines(keepends=True)
    for name, rows in (("then", lines[:5_000]), ("next", lines[1_000:2_000]), ("late", lines[-5_000:])):
        (tmp_path / f"{name}.csv").write_bytes(b"".join(rows))
    then, following, late = (read_table(str(tmp_path / f"{name}.csv")) for name in ("then", "next", "late"))
    assert not examine(then, following).alarming
    assert examine(then, late).kind == "data drift"


def rows_of(stream, rows: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(list(features.values()), outcome) for features, outcome in stream.take(rows)]
    return np.array([x for x, _ in pairs], float), np.array([float(y) for _, y in pairs])


def stream(features: np.ndarray, outcome: np.ndarray) -> Table:
    columns = {f"x{place}": Numbers(features[:, place]) for place in range(features.shape[1])}
    return Table({**columns, "y": Numbers(outcome)}, len(outcome), len(outcome))


def generator(name: str, variant: int, seed: int):
    if name == "SEA":
        return synth.SEA(variant=variant, noise=0.05, seed=seed)
    return synth.STAGGER(classification_function=variant, seed=seed)


@pytest.mark.parametrize(
    ("name", "before", "after"), [("SEA", 0, 1), ("SEA", 2, 3), ("STAGGER", 0, 1), ("STAGGER", 2, 0)]
)
def test_a_changed_rule_is_concept_drift_and_noticed_within_440_rows(name: str, before: int, after: int) -> None:
    delays = []
    for seed in range(5):
        reference = stream(*rows_of(generator(name, before, seed), 5_000))
        old, new = rows_of(generator(name, before, seed + 50), 1_500), rows_of(generator(name, after, seed + 90), 1_500)
        verdict = examine(reference, stream(*(np.concatenate(both) for both in zip(old, new, strict=True))))
        assert verdict.kind == "concept drift"
        assert verdict.change_point is not None
        delays.append(verdict.change_point.noticed - 1_500)
    assert 0 < np.median(delays) <= 440


@pytest.mark.parametrize("name", ["SEA", "STAGGER"])
def test_an_unchanged_rule_is_no_drift(name: str) -> None:
    for seed in range(5):
        reference, current = (stream(*rows_of(generator(name, 0, start + seed), 5_000)) for start in (0, 50))
        assert examine(reference, current).kind == "no drift"


def test_the_command_judges_the_car_loans_in_one_object(drift_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = str(drift_data / "synthetic_car_loan_")
    asked = ["--reference", base + "reference.csv.gz", "--current", base + "analysis.csv.gz"]
    assert main(["drift", *asked, "--labels", base + "analysis_target.csv.gz", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "data drift"
    assert set(found["affected"]) >= {"car_value", "repaid_loan_on_prev_car"}
    assert all({"name", "effect", "q_value", "drifted"} <= set(feature) for feature in found["features"])
    assert found["performance"]["worse"]
    assert found["segments"]
    assert found["seconds"] > 0


def test_parquet_and_csv_of_the_same_rows_get_the_same_verdict(drift_data: Path, tmp_path: Path) -> None:
    current = drift_data / "synthetic_car_loan_analysis.csv.gz"
    rows = pyarrow.csv.read_csv(str(current))
    pyarrow.parquet.write_table(rows, tmp_path / "rows.parquet")
    reference = read_table(str(drift_data / "synthetic_car_loan_reference.csv.gz"))
    one, other = (
        examine(reference, read_table(str(current))),
        examine(reference, read_table(str(tmp_path / "rows.parquet"))),
    )
    assert (one.kind, one.affected) == (other.kind, other.affected)
