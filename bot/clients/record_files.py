"""Keeps RecordFiles: JSONL, CSV and Parquet, packed by gzip or not, in folders and buckets; in bounded memory."""

import csv
import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

from bot.clients.storage import far_errors
from bot.clients.tables import GZIP, PARQUET
from pipelines.drift.bodies import read_json
from pipelines.drift.folders import FoundFile, Row
from pipelines.errors import Refused, Unavailable
from pipelines.table_faults import last_words

SERVICE = "the folder of records"
LONGEST_LINE = 4 << 20
BATCH_ROWS = 2_000
READ_BYTES = 1 << 16
PARQUET_BUFFER = 1 << 20  # a column
MOST_FILES = 100_000
# Half-written, or not meant for readers: Spark's marks, checksums, hidden files.
PASSED_OVER = (".part", ".tmp", ".crc", ".inprogress")


class FsspecRecordFiles:
    """`options` go to the fsspec file system, such as `endpoint_url` for an S3 of one's own."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        self._options = options or {}

    def find(self, pattern: str) -> Sequence[FoundFile]:
        with _told():
            files, path = self._files(pattern)
            wanted = path if any(letter in path for letter in "*?[") else self._below(files, path)
            found = files.glob(wanted, detail=True)
            entries = [entry for entry in found.values() if entry["type"] == "file" and _meant(str(entry["name"]))]
            if len(entries) > MOST_FILES:
                raise Refused(f"{pattern} names {len(entries):,} files, more than {MOST_FILES:,}. Move old ones away.")
            return sorted((_found(files, entry) for entry in entries), key=lambda file: file.uri)

    def head(self, file: FoundFile, length: int) -> bytes:
        with _told(), self._opened(file) as stream:
            return bytes(stream.read(length))

    def grows(self, file: FoundFile) -> bool:
        head = self.head(file, 4)
        return not file.uri.endswith(".csv") and head[:2] != GZIP and head != PARQUET

    def rows(self, file: FoundFile, start: int = 0, lines: int = 0) -> Iterator[Row]:
        with _told(), self._opened(file) as raw, _unpacked(raw) as stream:
            if stream.read(4) == PARQUET:
                with _near(stream, file) as near:
                    yield from _parquet_rows(near)
                return
            stream.seek(start)
            if file.uri.removesuffix(".gz").endswith(".csv"):
                yield from _csv_rows(stream)
            else:
                yield from _lines(stream, start, lines)

    def _files(self, uri: str) -> tuple[Any, str]:
        import fsspec  # s3fs and its event loop are started only where a bucket is used

        options = self._options if "://" in uri and not uri.startswith("file://") else {}
        files, path = fsspec.core.url_to_fs(uri, **({"use_listings_cache": False} | options))
        return files, str(path)

    def _below(self, files: Any, path: str) -> str:
        return f"{path.rstrip('/')}/**" if files.isdir(path) else path

    @contextmanager
    def _opened(self, file: FoundFile) -> Iterator[Any]:
        files, path = self._files(file.uri)
        with files.open(path, "rb") as stream:
            # Those of buckets read a line of any length; this one bounds it.
            yield stream if hasattr(stream, "peek") else io.BufferedReader(stream, READ_BYTES)


def _meant(path: str) -> bool:
    name = path.rpartition("/")[2]
    return not name.startswith((".", "_")) and not name.endswith(PASSED_OVER)


def _found(files: Any, entry: dict[str, Any]) -> FoundFile:
    mark = entry.get("ETag") or entry.get("etag") or entry.get("mtime") or entry.get("LastModified") or ""
    return FoundFile(str(files.unstrip_protocol(entry["name"])), int(entry["size"] or 0), str(mark)[:200])


@contextmanager
def _unpacked(raw: Any) -> Iterator[IO[bytes]]:
    """The stream, unpacked where it is packed; Parquet, which is read from its end, through a file of its own."""
    packed = raw.read(2) == GZIP
    raw.seek(0)
    if not packed:
        yield raw
        return
    with gzip.GzipFile(fileobj=raw) as stream:
        parquet = stream.read(4) == PARQUET
        stream.seek(0)
        if not parquet:
            yield cast("IO[bytes]", stream)
            return
        with tempfile.TemporaryFile() as plain:
            shutil.copyfileobj(stream, plain, 1 << 20)
            plain.seek(0)
            yield cast("IO[bytes]", plain)


def _lines(stream: IO[bytes], end: int, number: int) -> Iterator[Row]:
    """A last line without its end counts only if it is whole."""
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise Refused(f"Line {number} is longer than {LONGEST_LINE >> 20} MB. Is this a file of lines?")
        whole = line.endswith(b"\n")
        row = _line(line, number, end + len(line))
        if row is None:
            end += len(line)
        elif whole or row.values is not None:
            end += len(line)
            yield row


@contextmanager
def _near(stream: IO[bytes], file: FoundFile) -> Iterator[IO[bytes]]:
    """Parquet is read here and there, piece by piece: out of a bucket each piece would be fetched many times over."""
    if "://" not in file.uri or file.uri.startswith("file://"):
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        stream.seek(0)
        shutil.copyfileobj(stream, copy, 1 << 20)
        yield cast("IO[bytes]", copy)


def _line(line: bytes, number: int, end: int) -> Row | None:
    if not line.strip():
        return None
    try:
        document = read_json(line)
    except Refused:
        return Row(number, None, end, f"Line {number} is no JSON.")
    return (
        Row(number, document, end)
        if isinstance(document, dict)
        else Row(number, None, end, f"Line {number} is no JSON object.")
    )


def _csv_rows(stream: IO[bytes]) -> Iterator[Row]:
    text = io.TextIOWrapper(cast("Any", stream), encoding="utf-8-sig", errors="strict", newline="")
    try:
        doubtful: Row | None = None
        for number, row in enumerate(csv.DictReader(text), 2):
            if doubtful is not None:
                yield doubtful
            doubtful = None
            if None in row or None in row.values():  # the last one may only be cut off
                doubtful = Row(number, None, 0, f"Line {number} has another number of fields than the first.")
                continue
            yield Row(number, {name: value or None for name, value in row.items()})
    except (csv.Error, UnicodeDecodeError) as mistake:
        raise Refused(f"It is no CSV in UTF-8: {str(mistake)[:200]}.") from None
    finally:
        with suppress(ValueError):
            text.detach()


def _parquet_rows(stream: IO[bytes]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream.seek(0)
    number = 0
    try:
        # Without a buffer a whole row group is held, and writers may put all rows into one.
        with pq.ParquetFile(stream, buffer_size=PARQUET_BUFFER, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(number, values)
    except pa.ArrowInvalid as mistake:
        raise Refused(f"It is not a well-formed Parquet file: {last_words(mistake)}.") from None


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as mistake:
        raise Refused(f"It is cut off, or no gzip file: {str(mistake)[:200]}.") from None
    except FileNotFoundError as error:
        raise Unavailable(SERVICE, "a file went away while it was looked at") from error
    except OSError as error:
        raise Unavailable(SERVICE, f"could not be read ({error.strerror or type(error).__name__})") from error
    except ImportError as error:
        raise Refused(f"Storage of this kind needs a package that is not installed: {error.name or error}.") from error
    except ValueError as error:
        raise Refused(f"This address cannot be used: {str(error)[:200]}.") from error
    except far_errors() as error:
        raise Unavailable(SERVICE, f"did not answer ({type(error).__name__})") from error
