from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from bot import demo_data
from bot.app import registered_manifest
from bot.demo.run import demo_settings
from bot.sandbox.slack import SlackSandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("demo") / "data"
    demo_data.write_demo_data(made)
    return made


def test_the_tables_are_written_whole_and_only_once(folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert set(before) == {"diabetes-progression.csv", "tumour.csv", "churn.csv", "loan-default.csv"}
    demo_data.write_demo_data(folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "rows", "target"),
    [
        ("diabetes-progression", 442, "progression"),
        ("tumour", 569, "diagnosis"),
        ("churn", 50_000, "churned"),
        ("loan-default", 6_000, "defaulted"),
    ],
)
def test_each_table_has_its_rows_and_its_target(folder: Path, name: str, rows: int, target: str) -> None:
    table = pd.read_csv(folder / f"{name}.csv")
    assert len(table) == rows
    assert table[target].notna().all()
    assert not table.columns.duplicated().any()


def test_churn_has_mixed_types_and_missing_values(folder: Path) -> None:
    table = pd.read_csv(folder / "churn.csv")
    assert set(table["churned"]) == {"yes", "no"}
    assert table["customer_id"].is_unique
    assert 0.01 < table["monthly_charges"].isna().mean() < 0.03
    assert 0.02 < table["payment_method"].isna().mean() < 0.04
    assert 0.25 < (table["churned"] == "yes").mean() < 0.35


def test_the_same_seed_writes_the_same_customers() -> None:
    pd.testing.assert_frame_equal(demo_data.churn(200), demo_data.churn(200))
    assert not demo_data.churn(200).equals(demo_data.churn(200, seed=1))


def test_the_best_that_any_model_can_reach_is_as_documented() -> None:
    random = np.random.default_rng(demo_data.SEED)
    customers = demo_data._customers(random, demo_data.CUSTOMERS)
    probability = demo_data.churn_probability(customers)
    cancelled = random.random(demo_data.CUSTOMERS) < probability
    written = {f"{roc_auc_score(cancelled, probability):.3f}", f"{log_loss(cancelled, probability):.3f}"}
    assert all(number in (demo_data.__doc__ or "") for number in written)
    assert (cancelled == (demo_data.churn()["churned"] == "yes")).all()


def test_a_demo_registers_nothing_in_the_registry_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", port=0, app=registered_manifest())
    settings = demo_settings(tmp_path, sandbox, "http://127.0.0.1:5000")
    sandbox.stop()
    assert settings.mlflow_tracking_uri == f"sqlite:///{tmp_path / 'mlflow.sqlite'}"
