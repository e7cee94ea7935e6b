import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import Refused
from pipelines.retrain import assembly, reading
from pipelines.retrain.columns import OTHER, Column, LeftOut, coerce, detect
from pipelines.retrain.dataset import Dataset, load
from pipelines.retrain.model import TableModel
from pipelines.retrain.values import Problem, TrainingJob

Write = Callable[[str | bytes], str]
ROWS = range(60)


def job(data: str, target: str = "y", problem: Problem = "classification", **changes: Any) -> TrainingJob:
    return TrainingJob("r1", "m", problem, data, target, "builtin", "unused", **changes)


def read(data: str, tmp_path: Path, **changes: Any) -> Dataset:
    return load(job(data, **changes), tmp_path, lambda _rows: None)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str | bytes) -> str:
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_file


def table(header: str, row: Callable[[int], str], rows: range = ROWS) -> str:
    return "\n".join([header, *map(row, rows)]) + "\n"


def plain(index: int) -> str:
    return f"{index},{index % 2}"


PLAIN = table("a,y", plain)

REFUSALS: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, "is empty: it has no header and no rows"),
    "blank": ("\n  \n", {}, "is empty: it has no header and no rows"),
    "header only": ("a,y\n", {}, "has a header and no rows"),
    "no target": (PLAIN, {"target": "yy"}, "no column `yy`, the target. Did you mean `y`\\? It has `a`, `y`"),
    "one class": (table("a,y", lambda i: f"{i},no"), {}, "has one class only, 'no' in every row"),
    "constant number": (
        table("a,y", lambda i: f"{i},2.5"), {"problem": "regression"}, "has the same value, 2.5, in every row"),
    "few rows": (table("a,y", plain, range(49)), {}, "has 49 usable rows; training takes at least 50"),
    "few usable rows": (
        table("a,y", lambda i: f"{i},{i % 2 if i < 40 else ''}"), {}, "has 40 usable rows"),
    "rare class": (
        table("a,y", lambda i: f"{i},{'rare' if i < 3 else 'usual'}"), {}, "class 'rare' of `y` has 3 rows"),
    "empty target": (table("a,y", lambda i: f"{i},"), {}, "The target `y` is empty in every row"),
    "constant features": (table("a,y", lambda i: f"1,{i % 2}"), {}, "No column of `table.csv` is of use"),
    "dropped features": (PLAIN, {"drop_columns": ("a",)}, "No column of `table.csv` is of use"),
    "text for regression": (
        table("a,y", lambda i: f"{i},{'yes' if i % 2 else 'no'}"), {"problem": "regression"},
        "is text \\(such as 'no'\\), and regression takes numbers"),
    "numbers for classes": (
        table("a,y", lambda i: f"{i % 7},{i}.5", range(200)), {}, "more than 100 different values, which are no class"),
    "unknown positive label": (PLAIN, {"positive_label": "yes"}, "`positive_label: yes` is no value of `y`"),
    "duplicate columns": ("a,a,y\n1,2,0\n", {}, "more than one column `a`"),
    "semicolons": ("a;b;y\n1;2;0\n", {}, "separates its fields by semicolons"),
    "tabs": ("a\tb\ty\n1\t2\t0\n", {}, "separates its fields by tabs"),
    "too many fields": (PLAIN + "1,2,3,4\n", {}, "not a well-formed CSV: .*line 62, saw 4"),
    "all rows too long": ("a,y\n" + "1,0,5\n" * 60, {}, "more fields than its header"),
    "open quote": (PLAIN + '"1,0\n', {}, "not a well-formed CSV: EOF inside string"),
    "latin-1": ("a,y\n" + "Köln,1\n" * 60, {}, "is not UTF-8"),
    "utf-16": (PLAIN.encode("utf-16"), {}, "is not UTF-8 but UTF-16"),
    "workbook": (b"PK\x03\x04" + b"x" * 50, {}, "is a workbook or an archive"),
    "binary": (b"\x7fELF\x00\x00" * 20, {}, "neither CSV nor Parquet"),
    "broken parquet": (b"PAR1" + b"x" * 50, {}, "not a well-formed Parquet file"),
    "cut off gzip": (gzip.compress(PLAIN.encode() * 500)[:-20], {}, "damaged or cut off .gz file"),
}  # fmt: skip
REFUSALS["latin-1"] = (b"a,y\n" + "Köln,1\n".encode("latin-1") * 60, {}, "is not UTF-8 \\(byte 0xf6\\)")


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_trained_on_is_refused_in_plain_words(case: str, write: Write, tmp_path: Path) -> None:
    content, changes, sentence = REFUSALS[case]
    with pytest.raises(Refused, match=sentence):
        read(write(content), tmp_path, **changes)


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("/nowhere/at/all.csv", "`all.csv` does not exist"),
        ("/tmp", "is a folder"),
        ("gopher://host/a.csv", "`a.csv` cannot be fetched: Protocol not known"),
        ("memory://none/a.csv?token=secret", "`a.csv` does not exist"),
    ],
)
def test_a_table_that_is_not_there_is_refused_without_showing_its_address(
    uri: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=sentence) as refusal:
        read(uri, tmp_path)
    assert "secret" not in str(refusal.value)


def test_a_far_table_is_copied_and_hashed_like_a_near_one(write: Write, tmp_path: Path) -> None:
    near = read(write(PLAIN), tmp_path)
    with fsspec.open("memory://bucket/far.csv", "wb") as stream:
        stream.write(PLAIN.encode())
    far = read("memory://bucket/far.csv", tmp_path)
    assert far.sha256 == near.sha256
    pd.testing.assert_frame_equal(far.features, near.features)


@pytest.mark.parametrize("packed", [gzip.compress(PLAIN.encode()), b"\xef\xbb\xbf" + PLAIN.encode()])
def test_gzip_and_a_byte_order_mark_are_read(packed: bytes, write: Write, tmp_path: Path) -> None:
    dataset = read(write(packed), tmp_path)
    assert list(dataset.features) == ["a"]
    assert dataset.labels == (0, 1)


def test_parquet_keeps_its_types_and_leaves_lists_out(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "number": [1.5, None] * 30,
            "when": pd.date_range("2026-01-01", periods=60, tz="Europe/Berlin"),
            "kind": pd.Categorical(["a", "b"] * 30),
            "flag": [True, False, None] * 20,
            "many": [[1, 2]] * 60,
            "y": ["in", "out", "out"] * 20,
        }
    )
    frame.to_parquet(tmp_path / "table.parquet")
    dataset = read(str(tmp_path / "table.parquet"), tmp_path)
    kinds = {column.name: column.kind for column in dataset.columns}
    assert kinds == {"number": "number", "when": "date", "kind": "category", "flag": "boolean"}
    assert dataset.warnings == ("`many` was left out: it holds lists or records.",)
    assert dataset.labels == ("in", "out")


def test_mixed_columns_are_told_apart_and_what_is_of_no_use_is_left_out(write: Write, tmp_path: Path) -> None:
    header = "id,plain,thousands,flag,day,german,shade,note,nothing,constant,y"
    shades = ["red", "green", "blue"]

    def row(i: int) -> str:
        return (
            f'{i},{"inf" if i == 3 else i * 0.5},"{i},{500 + i}.5",{"Yes" if i % 3 else "no"},2026-01-{i % 28 + 1:02d},'
            f"{i % 28 + 1:02d}.03.2026,{shades[i % 3] if i % 10 else '?'},note number {i},,7,{i % 2}"
        )

    dataset = read(write(table(header, row)), tmp_path, drop_columns=("absent",))
    kinds = {column.name: column.kind for column in dataset.columns}
    assert kinds == {
        "plain": "number", "thousands": "number", "flag": "boolean", "day": "date", "german": "date",
        "shade": "category",
    }  # fmt: skip
    assert dataset.features["thousands"].iloc[2] == 2502.5
    assert dataset.features["plain"].isna().sum() == 1
    assert dataset.features["shade"].isna().sum() == 6
    assert dataset.features["german"].iloc[0] == (pd.Timestamp("2026-03-01") - pd.Timestamp(0)).days
    told = "\n".join(dataset.warnings)
    assert "`id` was left out: it is an identifier" in told
    assert "`note` was left out: it has 60 different values in 60 rows" in told
    assert "`nothing` was left out: it is empty" in told
    assert "1 values of `plain` are no usable numbers" in told
    assert "the same in every row: `constant`" in told
    assert "`drop_columns` names `absent`" in told


def test_rows_without_a_target_are_left_out_with_a_warning(write: Write, tmp_path: Path) -> None:
    content = table("a,y", lambda i: f"{i},{'inf' if i == 5 else '' if i == 6 else i * 1.5}")
    dataset = read(write(content), tmp_path, problem="regression")
    assert len(dataset.target) == len(dataset.features) == 58
    assert dataset.target.dtype == np.float64
    assert dataset.warnings == ("2 rows without a usable `y` were left out.",)


def test_a_table_read_in_pieces_is_the_same_as_one_read_whole(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The categories are sorted, so that each piece brings new ones.
    content = table("a,kind,y", lambda i: f"{i if i % 9 else ''},k{i // 500},{i % 2}", range(4000))
    whole = read(write(content), tmp_path)
    monkeypatch.setattr(reading, "MOST_ROWS_A_PIECE", 1000)
    pieces = read(write(content), tmp_path)
    pd.testing.assert_frame_equal(pieces.features, whole.features)
    pd.testing.assert_series_equal(pieces.target, whole.target)
    assert pieces.columns == whole.columns
    assert pieces.columns[1].levels == tuple(f"k{n}" for n in range(8))


def test_a_column_that_changes_its_mind_half_way_is_left_out(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS_A_PIECE", 1000)
    content = table("a,b,y", lambda i: f"{i if i < 1500 else 'many'},{i % 5},{i % 2}", range(2000))
    dataset = read(write(content), tmp_path)
    assert list(dataset.features) == ["b"]
    assert dataset.warnings == ("`a` was left out: it starts as numbers and holds other things from row 1,001 on.",)


def test_text_with_endlessly_many_values_is_left_out_while_reading(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS_A_PIECE", 1000)
    monkeypatch.setattr(assembly, "MOST_DISTINCT", 300)
    content = table("a,b,y", lambda i: f"w{i % 400 if i < 1000 else i},{i % 5},{i % 2}", range(2000))
    dataset = read(write(content), tmp_path)
    assert list(dataset.features) == ["b"]
    assert dataset.warnings == ("`a` was left out: it has more than 300 different values.",)


def test_of_many_categories_the_commonest_are_told_apart(write: Write, tmp_path: Path) -> None:
    content = table("a,b,y", lambda i: f"w{i % 300 if i % 2 else i % 100},{i % 5},{i % 3}", range(1200))
    dataset = read(write(content), tmp_path)
    column = next(column for column in dataset.columns if column.name == "a")
    assert len(column.levels) <= 255
    assert (OTHER in column.levels) == (dataset.features["a"] == OTHER).any()
    assert dataset.features["a"].notna().all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3] * 10, "number"),
        ([1.5, None] * 10, "number"),
        (["1", " 2 ", "3.5"] * 10, "number"),
        (["yes", "No"] * 10, "boolean"),
        ([True, False] * 10, "boolean"),
        (["2026-01-01", "2026-02-03T10:00:00Z"] * 10, "date"),
        (["2024", "2025"] * 10, "number"),
        (["31.12.2025", "01.01.2026"] * 10, "date"),
        (["a", "b"] * 10, "category"),
        ([1, "x"] * 10, "category"),
        ([f"text {i}" for i in range(30)], "left out"),
        ([None] * 5, "left out"),
        (["n/a", "-"] * 5, "left out"),
    ],
)
def test_the_kind_of_a_column_is_detected(values: list[Any], expected: str) -> None:
    found = detect("c", pd.Series(values))
    assert ("left out" if isinstance(found, LeftOut) else found.kind) == expected


KINDS = st.sampled_from(["number", "boolean", "date", "category"])
ANYTHING = st.lists(
    st.none() | st.text(max_size=12) | st.integers() | st.floats() | st.booleans() | st.dates().map(str),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(KINDS, ANYTHING)
def test_whatever_comes_becomes_a_finite_number_a_known_category_or_missing(kind: Any, values: list[Any]) -> None:
    column = Column("c", kind, ("a", "b") if kind == "category" else ())
    made = coerce(column, pd.Series(values, dtype=object))
    assert len(made) == len(values)
    if kind == "category":
        assert list(made.cat.categories) == ["a", "b"]
    else:
        assert np.isfinite(made.dropna()).all()


@settings(deadline=None, max_examples=40)
@given(KINDS, ANYTHING)
def test_preparing_what_is_prepared_changes_nothing(kind: Any, values: list[Any]) -> None:
    column = Column("c", kind, ("a", "b", OTHER) if kind == "category" else ())
    once = coerce(column, pd.Series(values, dtype=object))
    pd.testing.assert_series_equal(coerce(column, once), once)


def test_a_model_names_the_columns_that_it_misses() -> None:
    model = TableModel([Column("a", "number"), Column("b", "number")], "y", estimator=None)
    with pytest.raises(ValueError, match="missing columns: b"):
        model.prepare(pd.DataFrame({"a": [1]}))
