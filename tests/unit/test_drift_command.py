"""`shipmate drift` with files that are good, odd, broken or not there."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from bot.__main__ import main
from bot.clients import drift_tables
from bot.clients.drift_tables import read_table
from pipelines.drift.columns import Moments, Numbers, Texts, settled
from pipelines.errors import Refused


def rows(seed: int, count: int = 300, shift: float = 0.0) -> str:
    chance = np.random.default_rng(seed)
    lines = [f"{row},{chance.normal(shift):.4f},{'ab'[chance.integers(2)]}" for row in range(count)]
    return "\n".join(["id,amount,plan", *lines]) + "\n"


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.csv"
    path.write_text(rows(1))
    return path


def judge(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict:
    assert main(["drift", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["drift", *map(str, arguments), "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return shown.err


def test_a_moved_column_is_found_with_its_effect_and_q_value(tmp_path: Path, reference: Path, capsys) -> None:
    current = tmp_path / "current.csv.gz"
    current.write_bytes(gzip.compress(rows(2, shift=2.0).encode()))
    found = judge(capsys, "--reference", reference, "--current", current)
    assert (found["verdict"], found["affected"], found["left_out"]["id"][:5]) == ("data drift", ["amount"], "names")
    [amount] = [feature for feature in found["features"] if feature["name"] == "amount"]
    assert amount["effect"] > 0.2
    assert amount["q_value"] < 0.01
    assert amount["drifted"]


def test_people_read_sentences(tmp_path: Path, reference: Path, capsys) -> None:
    assert main(["drift", "--reference", str(reference), "--current", str(reference)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("No drift\n")
    assert "What would change this" in shown


def test_importance_comes_as_json_or_csv(tmp_path: Path, reference: Path, capsys) -> None:
    current, weights, listed = tmp_path / "current.csv", tmp_path / "weights.json", tmp_path / "weights.csv"
    current.write_text(rows(2, 600, shift=3.0))
    weights.write_text('{"amount": 0.9, "plan": 0.1}')
    listed.write_text("feature,importance\namount,0.9\nplan,0.1\n")
    for path in (weights, listed):
        found = judge(capsys, "--reference", reference, "--current", current, "--importance", path)
        assert found["features"][0]["importance"] == pytest.approx(0.9)
        assert found["urgency"] == "P0"
    weights.write_text('{"amount": "much"}')
    assert "no number" in refusal(capsys, "--reference", reference, "--current", current, "--importance", weights)
    weights.write_text("{broken")
    assert "not well-formed" in refusal(capsys, "--reference", reference, "--current", current, "--importance", weights)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n1,2,3\n", "not a well-formed CSV"),
        (b"a,a\n1,2\n", "more than one column `a`"),
        (b"a;b\n1;2\n", "semicolons"),
        (b"a,b\n1,\xff\n", "UTF-8"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"PK\x03\x04rest", "archive"),
        (b"\x1f\x8b\x08broken", "damaged"),
        (b"PAR1broken", "not a well-formed Parquet"),
        (b"amount,\x00\n", "zero bytes"),
    ],
)
def test_a_bad_file_is_refused_in_plain_words(
    content: bytes, words: str, tmp_path: Path, reference: Path, capsys
) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    assert words in refusal(capsys, "--reference", reference, "--current", bad)
    assert "`bad`" in refusal(capsys, "--reference", bad, "--current", reference)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path, reference: Path, capsys) -> None:
    assert "does not exist" in refusal(capsys, "--reference", reference, "--current", tmp_path / "nothing.csv")
    assert "is a folder" in refusal(capsys, "--reference", tmp_path, "--current", reference)


@pytest.mark.parametrize("count", [0, 1])
def test_a_window_of_no_rows_or_one_is_too_few(count: int, tmp_path: Path, reference: Path, capsys) -> None:
    current = tmp_path / "current.csv"
    current.write_text(rows(2, count))
    found = judge(capsys, "--reference", reference, "--current", current)
    assert (found["verdict"], found["judged"]) == ("no drift", False)


def test_numbers_that_turn_into_text_further_down_are_still_read(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(drift_tables, "BLOCK_BYTES", 256)
    path = tmp_path / "mixed.csv"
    path.write_text("amount,day\n" + "1.5,2026-01-01\n" * 500 + "ERR,2026-01-02\n")
    found = read_table(str(path))
    amount = settled(found.columns["amount"])
    assert isinstance(amount, Numbers)
    assert (amount.unreadable, int(amount.present.sum())) == (1, 500)
    assert isinstance(settled(found.columns["day"]), Moments)


def test_a_csv_without_a_header_gets_numbered_columns(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("1.5,2\n2.5,3\n")
    found = read_table(str(path))
    assert (list(found.columns), found.rows) == (["column 1", "column 2"], 2)


def test_a_header_that_only_counts_is_a_header_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "counted.csv"
    path.write_text("0,1,2\n1.5,2,3\n2.5,3,4\n")
    found = read_table(str(path))
    assert (list(found.columns), found.rows) == (["0", "1", "2"], 2)


def test_all_types_of_parquet_are_read_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    stored = pa.table({
        "whole": pa.array([1, None, 2**60], pa.int64()),
        "small": pa.array([1, 2, 3], pa.uint8()),
        "flag": pa.array([True, None, False]),
        "day": pa.array([0, 1, None], pa.date32()),
        "moment": pa.array([0, 1, None], pa.timestamp("ns", "Europe/Berlin")),
        "price": pa.array([1, 2, None], pa.int64()).cast(pa.decimal128(30, 2)),
        "plan": pa.array(["a", None, "b"]).dictionary_encode(),
        "big": pa.array(["a", None, "b"], pa.large_string()),
        "tags": pa.array([["x"], [], None]),
        "nothing": pa.nulls(3),
    })  # fmt: skip
    pyarrow.parquet.write_table(stored, path)
    found = read_table(str(path))
    assert set(found.left_out) == {"tags"}
    kinds = {name: type(column) for name, column in found.columns.items()}
    assert {name for name, kind in kinds.items() if kind is Texts} == {"flag", "plan", "big"}
    assert {name for name, kind in kinds.items() if kind is Moments} == {"day", "moment"}
    assert all(
        int((~column.present).sum()) == (0 if name == "small" else 3 if name == "nothing" else 1)
        for name, column in found.columns.items()
    )
    packed = tmp_path / "rows.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read_table(str(packed)).columns) == list(found.columns)


def test_of_a_large_file_a_random_part_is_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_text("n\n" + "\n".join(map(str, range(30_000))) + "\n")
    found = read_table(str(path), most_cells=2_000)
    values = found.columns["n"].values
    assert (found.rows, found.total_rows) == (2_000, 30_000)
    assert (np.diff(values) > 0).all()
    assert values.mean() == pytest.approx(15_000, rel=0.05)


def test_labels_of_a_file_are_joined(tmp_path: Path, reference: Path, capsys) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("id,label\n" + "\n".join(f"{row},{row % 2}" for row in range(300)) + "\n")
    found = judge(capsys, "--reference", reference, "--current", reference, "--labels", labels)
    assert found["verdict"] == "no drift"
    labels.write_text("label\n1\n")
    assert "no column in common" in refusal(
        capsys, "--reference", reference, "--current", reference, "--labels", labels
    )


def test_heavy_libraries_are_not_loaded_before_the_command_runs() -> None:
    import subprocess

    heavy = "('numpy', 'pyarrow', 'scipy', 'pandas')"
    script = f"import sys, bot.__main__, pipelines.ports; print([m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_a_table_of_nothing_but_text_is_refused_by_no_one(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("word\n" + "one\ntwo\n" * 60)
    assert isinstance(read_table(str(path)).columns["word"], Texts)
    with pytest.raises(Refused):
        read_table(str(tmp_path / "other.csv"))
