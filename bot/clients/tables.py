"""Keeps Tables: a look at a CSV or Parquet file by path, http(s):// or s3://, in bounded memory."""

import codecs
import csv
import gzip
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from bot.clients.storage import far_errors
from pipelines.errors import Refused, Unavailable
from pipelines.retrain.values import TableSummary
from pipelines.table_faults import checked_columns, last_words, shown, told_plainly

BLOCK_BYTES = 1 << 20
# Larger local files are told apart by size and time: reading them takes longer than people wait for a plan.
MOST_BYTES_HASHED = 4 << 30
# Of a far file no more than this is fetched before anybody has approved anything.
MOST_BYTES_FETCHED = 64 << 20
LONGEST_HEADER = 1 << 20
_QUOTED = re.compile(rb'"[^"]*"')
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
FOREIGN = ((b"PK\x03\x04", "a workbook or an archive"), (b"\xd0\xcf\x11\xe0", "a workbook"), (b"%PDF", "a PDF"))


@dataclass(frozen=True, slots=True)
class _Seen:
    """`rows` is None where the file was not read to its end."""

    columns: tuple[str, ...]
    rows: int | None


class FileTables:
    """`options` are fsspec's, by protocol: {"s3": {"endpoint_url": …}}."""

    def __init__(self, options: dict[str, dict[str, Any]] | None = None) -> None:
        self._options = options or {}

    def describe(self, uri: str) -> TableSummary:
        name = shown(uri)
        with told(name):
            if "://" in uri and not uri.startswith("file://"):
                return self._describe_far(uri, name)
            return _describe_local(uri, Path(uri.removeprefix("file://")), name)

    def _describe_far(self, uri: str, name: str) -> TableSummary:
        import fsspec  # and with it the client of the protocol

        protocol = uri.partition("://")[0]
        files, path = fsspec.core.url_to_fs(uri, **self._options.get(protocol, {}))
        found = files.info(path)
        if found.get("type") == "directory":
            raise Refused(f"{name} is a folder. Name one CSV or Parquet file.")
        size = int(found.get("size") or 0)
        version = _far_version(found, size)
        whole = 0 < size <= MOST_BYTES_FETCHED
        with files.open(path, "rb") as stream:
            # fsspec's own files cannot read a line of bounded length.
            seen = _look(io.BufferedReader(stream, BLOCK_BYTES), name, whole)
        return TableSummary(uri, size, seen.rows, seen.columns, version)


def header_of(stream: Any, name: str) -> tuple[str, ...]:
    """The first line of an unpacked CSV, as it is; no more is read. Raises Refused for anything else."""
    start = stream.read(4096)
    stream.seek(0)
    if not start.strip():
        raise Refused(f"{name} is empty: it has no header and no rows.")
    _check_start(start, name)
    return _header(stream, name)[0]


def _describe_local(uri: str, path: Path, name: str) -> TableSummary:
    if path.is_dir():
        raise Refused(f"{name} is a folder. Name one CSV or Parquet file.")
    if not path.is_file() and path.exists():
        raise Refused(f"{name} is no ordinary file.")
    found = path.stat()
    with path.open("rb") as stream:
        if found.st_size > MOST_BYTES_HASHED:
            seen = _look(stream, name, whole=False)
            return TableSummary(uri, found.st_size, None, seen.columns, f"{found.st_size}-{found.st_mtime_ns}")
        seen = _look(stream, name, whole=True)
        stream.seek(0)
        digest = hashlib.file_digest(cast("Any", stream), "sha256").hexdigest()
    return TableSummary(uri, found.st_size, seen.rows, seen.columns, digest)


def _far_version(found: dict[str, Any], size: int) -> str:
    tag = found.get("ETag") or found.get("etag") or found.get("md5") or found.get("checksum")
    if tag:
        return str(tag).strip('"')
    moment = found.get("LastModified") or found.get("mtime") or found.get("updated") or ""
    return f"{size}-{moment}"


def _look(stream: Any, name: str, whole: bool, compressed: bool = False) -> _Seen:
    """Columns, and rows when the `whole` may be read. `stream` is binary and stands at its beginning."""
    start = stream.read(4096)
    stream.seek(0)
    if not start.strip():
        raise Refused(f"{name} is empty: it has no header and no rows.")
    if start.startswith(PARQUET):
        return _look_at_parquet(stream, name)
    if start.startswith(GZIP) and not compressed:
        return _look(cast("IO[bytes]", gzip.GzipFile(fileobj=stream)), name, whole, compressed=True)
    _check_start(start, name)
    return _look_at_csv(stream, name, whole)


def _check_start(start: bytes, name: str) -> None:
    for sign, kind in FOREIGN:
        if start.startswith(sign):
            raise Refused(f"{name} is {kind}. Save the table as CSV or Parquet.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refused(f"{name} is not UTF-8 but UTF-16. Save it as UTF-8.")
    if b"\x00" in start:
        raise Refused(f"{name} is neither CSV nor Parquet (it holds zero bytes).")


def _look_at_parquet(stream: Any, name: str) -> _Seen:
    import pyarrow as pa  # 60 MB that only Parquet needs
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(stream) as file:
            columns = tuple(str(column) for column in file.schema_arrow.names)
            rows = int(file.metadata.num_rows)
    except pa.ArrowInvalid as mistake:
        raise Refused(f"{name} is not a well-formed Parquet file: {last_words(mistake)}.") from None
    return _Seen(_checked(columns, rows, name), rows)


def _look_at_csv(stream: Any, name: str, whole: bool) -> _Seen:
    header, header_bytes = _header(stream, name)
    if not whole:
        _checked(header, 1, name)
        return _Seen(header, None)
    stream.seek(header_bytes)
    rows = _count_rows(stream)
    return _Seen(_checked(header, rows, name), rows)


def _header(stream: Any, name: str) -> tuple[tuple[str, ...], int]:
    """The first line that holds something, which may have quoted newlines; and how many bytes lie before the rows."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        while line := stream.readline(LONGEST_HEADER + 1):
            read += len(line)
            if read > LONGEST_HEADER:
                raise Refused(f"{name} has a header of more than 1 MB; is it a CSV with a header?")
            yield line.decode("utf-8-sig" if read == len(line) else "utf-8")

    fields = next((fields for fields in csv.reader(lines(), skipinitialspace=True) if any(fields)), [])
    if not fields:
        raise Refused(f"{name} is empty: it has no header and no rows.")
    return tuple(fields), read


def _count_rows(stream: Any) -> int:
    """Rows from here to the end, without building a single one: 1 MB stands in memory.

    A newline ends a row unless it is quoted, which is so after an odd number of quotes (a doubled quote inside
    quotes counts twice, so it changes nothing). Blank lines are no rows. All of it must be UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    rows, quoted, blank = 0, False, True
    while block := stream.read(BLOCK_BYTES):
        decoder.decode(block)
        part, quoted = _unquoted(block, quoted)
        ended, blank = _rows_in(part, blank)
        rows += ended
    decoder.decode(b"", final=True)
    return rows + (not blank)


def _unquoted(block: bytes, quoted: bool) -> tuple[bytes, bool]:
    """The block with an x for whatever stands in quotes, and whether quotes are open at its end."""
    if quoted:
        _, closed, block = block.partition(b'"')
        if not closed:
            return b"x", True
        block = b"x" + block
    if b'"' not in block:
        return block, False
    before, opened, _ = _QUOTED.sub(b"x", block).partition(b'"')
    return (before + b"x", True) if opened else (before, False)


def _rows_in(part: bytes, blank: bool) -> tuple[int, bool]:
    """Rows that end in this unquoted part, and whether the line begun at its end is blank so far."""
    part = part.replace(b"\r", b"")
    if not part:
        return 0, blank
    if b"\n\n" not in part and not part.startswith(b"\n"):
        return part.count(b"\n"), part.endswith(b"\n")
    lines = part.split(b"\n")
    return (not (blank and not lines[0])) + sum(map(bool, lines[1:-1])), not lines[-1]


def _checked(columns: Sequence[str], rows: int, name: str) -> tuple[str, ...]:
    found = checked_columns(columns, name)
    if rows == 0:
        raise Refused(f"{name} has a header and no rows.")
    return found


@contextmanager
def told(name: str) -> Iterator[None]:
    """What reading raises, in plain words: Refused for the table's own fault, Unavailable for what may pass."""
    try:
        with told_plainly(name):
            yield
    except ImportError as mistake:
        raise Refused(f"{name} cannot be read: the package {mistake.name or mistake} is not installed.") from None
    except ValueError as mistake:
        # fsspec: "Protocol not known: …"; a path with a zero byte
        raise Refused(f"{name} cannot be read: {last_words(mistake)}.") from None
    except OSError as error:
        raise Unavailable(f"the place of {name}", f"it could not be read ({last_words(error)})") from error
    except far_errors() as error:
        raise Unavailable(f"the place of {name}", f"it did not answer ({type(error).__name__})") from error
