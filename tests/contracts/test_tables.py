"""What looking at a table promises, for files and for a bucket; each refusal is a sentence."""

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.tables import FileTables, _count_rows
from pipelines.errors import Refused

CSV = b'age,city,churned\n34,Bonn,yes\n51,"K\xc3\xb6ln,\nS\xc3\xbcd",no\n,,\n\n60,"say ""hi""",yes'


@pytest.fixture(params=["file", "s3"])
def put(request, tmp_path, monkeypatch):
    """Lays content where it can be read; answers its address and the tables that read there."""
    if request.param == "file":
        return lambda name, content: (_write(tmp_path / name, content), FileTables())
    endpoint = request.getfixturevalue("s3_endpoint")
    storage = request.getfixturevalue("bucket")
    tables = FileTables({"s3": {"endpoint_url": endpoint, "key": "k", "secret": "s", "use_listings_cache": False}})
    return lambda name, content: (storage.write(name, content), tables)


def _write(path, content):
    path.write_bytes(content)
    return str(path)


class TestTables:
    def test_a_csv_tells_its_columns_and_rows(self, put):
        uri, tables = put("churn.csv", CSV)
        seen = tables.describe(uri)
        assert (seen.columns, seen.rows, seen.bytes) == (("age", "city", "churned"), 4, len(CSV))
        assert seen.uri == uri

    def test_a_compressed_csv_is_read_like_a_plain_one(self, put):
        uri, tables = put("churn.csv.gz", gzip.compress(CSV))
        assert tables.describe(uri).rows == 4

    def test_parquet_tells_its_columns_and_rows(self, put):
        uri, tables = put("churn.parquet", parquet({"age": [1, 2, 3], "churned": ["a", "b", "c"]}))
        seen = tables.describe(uri)
        assert (seen.columns, seen.rows) == (("age", "churned"), 3)

    def test_the_version_changes_with_the_content_alone(self, put):
        uri, tables = put("churn.csv", CSV)
        first = tables.describe(uri).version
        assert tables.describe(uri).version == first
        uri, tables = put("churn.csv", CSV.replace(b"34", b"35"))
        assert tables.describe(uri).version != first

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("empty.csv", b"", "is empty"),
            ("blank.csv", b" \n\n  \n", "is empty"),
            ("header.csv", b"a,b\n", "a header and no rows"),
            ("header2.csv", b"a,b", "a header and no rows"),
            ("bom.csv", b"\xef\xbb\xbfa,b\n\n \n".replace(b" ", b""), "a header and no rows"),
            ("zeros.csv", b"a,b\n1,\x00\n", "zero bytes"),
            ("latin.csv", "a,b\nKöln,2\n".encode("latin-1"), r"not UTF-8 \(byte 0xf6\)"),
            ("cut.csv", b"a,b\nK\xc3", "not UTF-8"),
            ("wide.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
            ("twice.csv", b"a,b,a\n1,2,3\n", "more than one column `a`"),
            ("german.csv", b"a;b\n1;2\n", "semicolons"),
            ("table.xlsx", b"PK\x03\x04rest", "a workbook or an archive"),
            ("cut.csv.gz", gzip.compress(CSV * 100)[:60], "damaged or cut off"),
            ("broken.parquet", b"PAR1 and then nothing", "not a well-formed Parquet"),
            ("long.csv", b"a" * 3_000_000, "header of more than 1 MB"),
        ],
    )
    def test_what_is_no_table_is_refused_in_plain_words(self, put, name, content, sentence):
        uri, tables = put(name, content)
        with pytest.raises(Refused, match=sentence):
            tables.describe(uri)

    def test_duplicate_and_missing_rows_are_refused_in_parquet_too(self, put):
        uri, tables = put("none.parquet", parquet({"a": []}))
        with pytest.raises(Refused, match="a header and no rows"):
            tables.describe(uri)

    def test_a_file_that_does_not_exist_is_refused_by_its_name_alone(self, put):
        uri, tables = put("here.csv", CSV)
        with pytest.raises(Refused, match=r"^`gone\.csv` does not exist\.$"):
            tables.describe(uri.replace("here", "gone"))


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    assert FileTables().describe(_write(tmp_path / "b.csv", b"\xef\xbb\xbfa,b\n1,2\n")).columns == ("a", "b")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(Refused, match="is a folder"):
        FileTables().describe(str(tmp_path))


@pytest.mark.parametrize("uri", ["nonsense://x/y.csv", "a\x00b.csv"])
def test_an_address_that_means_nothing_is_refused(uri):
    with pytest.raises(Refused, match="cannot be read"):
        FileTables().describe(uri)


def test_a_large_file_is_told_apart_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.clients.tables.MOST_BYTES_HASHED", 10)
    seen = FileTables().describe(_write(tmp_path / "large.csv", CSV))
    assert (seen.rows, seen.columns) == (None, ("age", "city", "churned"))
    assert seen.version.startswith(f"{len(CSV)}-")


cells = st.text(alphabet='ab",\n\r é', max_size=6)


@given(rows=st.lists(st.lists(cells, min_size=2, max_size=2), max_size=20), block=st.integers(1, 7))
def test_rows_are_counted_as_the_csv_module_counts_them(rows, block):
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows(rows)
    stream = io.BytesIO(written.getvalue().encode())
    assert _count_rows(Pieces(stream, block)) == len(rows)


class Pieces:
    """Reads a few bytes at a time, so that every cut between two blocks is tried."""

    def __init__(self, stream, size):
        self._stream, self._size = stream, size

    def read(self, _size):
        return self._stream.read(self._size)


def parquet(columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()
