"""Opens a table, wherever it lies, and reads it piece by piece; what cannot be read is refused in plain words."""

import csv
import errno
import gzip
import hashlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import Refused
from pipelines.table_faults import checked_columns, last_words, shown, told_plainly

# About 30 MB of numbers a piece; more rows a piece read no faster.
CELLS_A_PIECE = 4_000_000
MOST_ROWS_A_PIECE = 200_000
BLOCK_BYTES = 1 << 20


class Source:
    """A table as a local file. A far one is copied beside the run first, so that it cannot break off half-read."""

    def __init__(self, uri: str, path: Path, sha256: str) -> None:
        self.uri = uri
        self.path = path
        self.sha256 = sha256
        self.name = shown(uri)
        with _told(self.name):
            self._start = self._first_bytes()
        self._check_start()
        self.columns = self._parquet_columns() if self.is_parquet else self._csv_header()

    @property
    def is_parquet(self) -> bool:
        return self._start.startswith(b"PAR1")

    def pieces(self) -> Iterator[Any]:
        """DataFrames of consecutive rows; their text is not judged yet."""
        rows = max(1_000, min(MOST_ROWS_A_PIECE, CELLS_A_PIECE // max(1, len(self.columns))))
        with _told(self.name):
            yield from self._parquet_pieces(rows) if self.is_parquet else self._csv_pieces(rows)

    def _csv_pieces(self, rows: int) -> Iterator[Any]:
        with self._open() as stream:
            reader = pd.read_csv(
                stream, chunksize=rows, encoding="utf-8", index_col=False, low_memory=False,
                na_values=["?"], skipinitialspace=True,
            )  # fmt: skip
            while (piece := _next_piece(reader)) is not None:
                yield piece

    def _parquet_pieces(self, rows: int) -> Iterator[Any]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=rows):
                yield _without_decimals(batch).to_pandas()

    def _parquet_columns(self) -> tuple[str, ...]:
        with _told(self.name), pq.ParquetFile(self.path) as file:
            return checked_columns(list(file.schema_arrow.names), self.name)

    def _csv_header(self) -> tuple[str, ...]:
        with _told(self.name), self._open() as stream:
            lines = (line.decode("utf-8-sig") for line in stream)
            header = next((fields for fields in csv.reader(lines, skipinitialspace=True) if any(fields)), [])
        if not header:
            raise Refused(f"{self.name} is empty: it has no header and no rows.")
        return checked_columns(header, self.name)

    def _open(self) -> IO[bytes]:
        return cast("IO[bytes]", gzip.open(self.path)) if self._zipped else self.path.open("rb")

    @property
    def _zipped(self) -> bool:
        with self.path.open("rb") as stream:
            return stream.read(2) == b"\x1f\x8b"

    def _first_bytes(self) -> bytes:
        with self._open() as stream:
            return stream.read(4096)

    def _check_start(self) -> None:
        if not self._start.strip():
            raise Refused(f"{self.name} is empty: it has no header and no rows.")
        if self._start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise Refused(f"{self.name} is a workbook or an archive. Save the table as CSV or Parquet.")
        if self._start.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Refused(f"{self.name} is not UTF-8 but UTF-16. Save it as UTF-8.")
        if b"\x00" in self._start and not self.is_parquet:
            raise Refused(f"{self.name} is neither CSV nor Parquet (it holds zero bytes).")


def fetch(uri: str, folder: Path) -> Source:
    """The table at `uri` (path, file://, http(s)://, s3:// and whatever else fsspec knows)."""
    local = Path(uri.removeprefix("file://"))
    name = shown(uri)
    with _told(name):
        if "://" in uri and not uri.startswith("file://"):
            copy = folder / "table.part"
            return Source(uri, copy, _copy(uri, copy))
        if local.is_dir():
            raise Refused(f"{name} is a folder. Name one CSV or Parquet file.")
        with local.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Source(uri, local, digest)


def _copy(uri: str, copy: Path) -> str:
    digest = hashlib.sha256()
    with fsspec.open(uri, "rb") as source, copy.open("wb") as target:
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _next_piece(reader: Any) -> Any:
    with warnings.catch_warnings():
        # A row longer than the header would lose its last fields with nothing but this warning.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return next(reader, None)


def _without_decimals(batch: Any) -> Any:
    """Decimals as floats: pandas would make Python objects of them."""
    fields = [
        pa.field(field.name, pa.float64()) if pa.types.is_decimal(field.type) else field for field in batch.schema
    ]
    return batch.cast(pa.schema(fields))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turns what readers raise about a bad file into a sentence."""
    try:
        with told_plainly(name):
            yield
    except pd.errors.EmptyDataError:
        raise Refused(f"{name} is empty: it has no header and no rows.") from None
    except pd.errors.ParserWarning:
        raise Refused(f"{name} has rows with more fields than its header.") from None
    except pd.errors.ParserError as mistake:
        raise Refused(f"{name} is not a well-formed CSV: {last_words(mistake)}.") from None
    except pa.ArrowInvalid as mistake:
        raise Refused(f"{name} is not a well-formed Parquet file: {last_words(mistake)}.") from None
    except OSError as mistake:
        if mistake.errno == errno.ENOSPC:
            raise Refused(f"The disk is full: {name} could not be copied for training.") from None
        raise Refused(f"{name} cannot be read: {last_words(mistake)}.") from None
    except _far_errors() as mistake:
        raise Refused(f"{name} cannot be fetched: {last_words(mistake)}.") from None


def _far_errors() -> tuple[type[Exception], ...]:
    """What http and S3 clients raise besides OSError, as far as they are loaded; and unknown protocols."""
    kinds: list[type[Exception]] = [ImportError, ValueError]
    for module, name in (("aiohttp", "ClientError"), ("botocore.exceptions", "BotoCoreError")):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return tuple(kinds)
