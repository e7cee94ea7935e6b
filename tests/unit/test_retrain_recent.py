"""A retrain that takes recent rows alone."""

import pandas as pd
import pytest

from pipelines.errors import Refused
from pipelines.retrain.dataset import load
from pipelines.retrain.plan import parse_day
from pipelines.retrain.recent import recent_rows
from pipelines.retrain.values import TrainingJob

SINCE = "2026-03-01"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-02-28T23:59:59+00:00", "2026-03-01T00:00:00+00:00"),
        ("2026-02-28", "2026-03-01"),
        ("2026-03-01T00:30:00+01:00", "2026-03-01T01:00:00+01:00"),
        (1_772_323_199, 1_772_323_200),
        (1_772_323_199_000, 1_772_323_200_000),
        (pd.Timestamp("2026-02-28"), pd.Timestamp("2026-03-01")),
    ],
)
def test_moments_are_read_as_tables_write_them(before: object, after: object) -> None:
    kept = recent_rows(pd.DataFrame({"at": [before, after], "n": [1, 2]}), "at", SINCE)
    assert kept["n"].tolist() == [2]


def test_rows_without_a_moment_are_not_recent() -> None:
    kept = recent_rows(pd.DataFrame({"at": ["soon", None, "2026-04-01"], "n": [1, 2, 3]}), "at", SINCE)
    assert kept["n"].tolist() == [3]
    with pytest.raises(Refused, match="true and false"):
        recent_rows(pd.DataFrame({"at": [True, False]}), "at", SINCE)


def job(tmp_path, since, column="at"):
    rows = "".join(
        f"2026-{1 + number // 28:02d}-{1 + number % 28:02d},{number % 7},{number % 2}\n" for number in range(112)
    )
    (tmp_path / "table.csv").write_text("at,load,label\n" + rows)
    return TrainingJob(
        run_id="r", model="churn", problem="classification", data=str(tmp_path / "table.csv"), target="label",
        trainer="builtin", workdir=str(tmp_path), since=since, time_column=column,
    )  # fmt: skip


def test_a_training_reads_only_the_rows_since_the_day_and_says_how_many(tmp_path):
    dataset = load(job(tmp_path, SINCE), tmp_path, lambda _rows: None)
    assert len(dataset.target) == 56
    assert "Trained on the 56 of 112 rows since 2026-03-01." in dataset.warnings
    assert len(load(job(tmp_path, ""), tmp_path, lambda _rows: None).target) == 112


def test_no_row_left_and_no_such_column_are_refused_in_words(tmp_path):
    with pytest.raises(Refused, match="None of the 112 rows"):
        load(job(tmp_path, "2027-01-01"), tmp_path, lambda _rows: None)
    with pytest.raises(Refused, match="no column `when`"):
        load(job(tmp_path, SINCE, "when"), tmp_path, lambda _rows: None)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1.3.2026", "2026-03-01; drop table"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="is no day"):
        parse_day(text)
