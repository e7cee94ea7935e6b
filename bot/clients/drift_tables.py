"""Reads CSV and Parquet files, packed by gzip or not, into tables for drift: in bounded memory, however large."""

import gzip
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from bot.clients.tables import GZIP, PARQUET, header_of, told
from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts
from pipelines.errors import Refused
from pipelines.table_faults import checked_columns, last_words, shown

# 120,000 rows of 50 columns, 48 MB. A larger table is judged by a random sample of its rows: with so many the part of
# chance is a hundredth of every floor.
MOST_CELLS = 6_000_000
BLOCK_BYTES = 4 << 20
BATCH_ROWS = 1 << 16
MISSING_WORDS = ["", "?", "-", "NA", "N/A", "n/a", "nan", "NaN", "None", "null", "NULL", "#N/A", "<NA>", "NaT"]
SEED = 20_261_123


def read_table(uri: str, most_cells: int = MOST_CELLS) -> Table:
    """The table in the file `uri`. Raises Refused for what cannot be read, in plain words.

    A CSV whose first line holds nothing but numbers has no header: its columns are named "column 1" and so on.
    """
    path = Path(uri.removeprefix("file://"))
    name = shown(uri)
    if path.is_dir():
        raise Refused(f"{name} is a folder. Name one CSV or Parquet file.")
    with told(name), _unpacked(path) as (stream, is_parquet):
        if is_parquet:
            return _read_parquet(stream, name, most_cells)
        header = header_of(stream, name)
        if all(_is_number(field) for field in header) and not _counted(header):
            header = tuple(f"column {place}" for place in range(1, len(header) + 1))
            return _read_csv(stream, header, name, most_cells, headless=True)
        return _read_csv(stream, checked_columns(header, name), name, most_cells)


@contextmanager
def _unpacked(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """The file as a binary stream that can be rewound, and whether it is Parquet."""
    with path.open("rb") as raw:
        packed = raw.read(2) == GZIP
        raw.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        is_parquet = stream.read(4) == PARQUET
        stream.seek(0)
        if packed and is_parquet:
            # Parquet is read from its end, which a packed stream cannot do but by reading all before it.
            with tempfile.TemporaryFile() as plain:
                shutil.copyfileobj(stream, plain)
                plain.seek(0)
                yield cast("IO[bytes]", plain), True
            return
        yield stream, is_parquet


def _read_parquet(stream: IO[bytes], name: str, most_cells: int) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(stream) as file:
            columns = [str(column) for column in file.schema_arrow.names]
            if twice := sorted({column for column in columns if columns.count(column) > 1}):
                raise Refused(f"{name} has more than one column `{twice[0]}`. Give each column its own name.")
            return _sampled(file.iter_batches(batch_size=BATCH_ROWS), file.schema_arrow, most_cells)
    except pa.ArrowInvalid as mistake:
        raise Refused(f"{name} is not a well-formed Parquet file: {last_words(mistake)}.") from None


def _read_csv(stream: IO[bytes], header: tuple[str, ...], name: str, most_cells: int, headless: bool = False) -> Table:
    import pyarrow as pa

    for only_texts in (False, True):
        stream.seek(0)
        try:
            reader = _csv_reader(stream, header, headless, only_texts)
            return _sampled(reader, reader.schema, most_cells)
        except pa.ArrowInvalid as mistake:
            if "UTF8" in str(mistake):
                raise Refused(f"{name} is not UTF-8. Save it as UTF-8.") from None
            # A later block may hold what the first did not show: then everything is text, and told apart afterwards.
            if only_texts or "conversion error" not in str(mistake):
                raise Refused(f"{name} is not a well-formed CSV: {last_words(mistake)}.") from None
    raise AssertionError("texts are never converted")


def _csv_reader(stream: IO[bytes], header: tuple[str, ...], headless: bool, only_texts: bool) -> Any:
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    def reader(types: dict[str, Any] | None) -> Any:
        return arrow_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False, **naming),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, null_values=MISSING_WORDS, strings_can_be_null=True, check_utf8=True
            ),
        )

    naming: dict[str, Any] = {"column_names": list(header)} if headless else {}
    first = reader(None).schema
    stream.seek(0)
    return reader({field.name: pa.string() if only_texts else _read_as(field.type) for field in first})


def _read_as(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return kind
    return pa.float64() if pa.types.is_integer(kind) or pa.types.is_floating(kind) else pa.string()


def _sampled(batches: Iterable[Any], schema: Any, most_cells: int) -> Table:
    """All rows, or those with the smallest of random numbers, in the order of the file."""
    import numpy as np
    import pyarrow as pa

    most_rows = max(1_000, most_cells // max(1, len(schema)))
    chance = np.random.default_rng(SEED)
    kept: list[Any] = []
    tickets: list[Any] = []
    total, held, limit = 0, 0, 1.0
    for batch in batches:
        drawn = chance.random(batch.num_rows)
        total += batch.num_rows
        if limit < 1.0:
            inside = drawn < limit
            batch, drawn = batch.take(_places(inside)), drawn[inside]
        kept.append(batch)
        tickets.append(drawn)
        held += len(drawn)
        if held > 2 * most_rows:
            kept, tickets, limit = _thinned(kept, tickets, most_rows)
            held = most_rows
    if held > most_rows:
        kept, tickets, limit = _thinned(kept, tickets, most_rows)
    return _table(pa.Table.from_batches(kept, schema), total)


def _thinned(kept: list[Any], tickets: list[Any], most_rows: int) -> tuple[list[Any], list[Any], float]:
    import numpy as np
    import pyarrow as pa

    drawn = np.concatenate(tickets)
    limit = float(np.partition(drawn, most_rows)[most_rows])
    inside = drawn < limit
    whole = pa.Table.from_batches(kept).take(_places(inside)).combine_chunks()
    return whole.to_batches(), [drawn[inside]], limit


def _places(inside: Any) -> Any:
    """Where the mask is true, for Arrow. Its conversions of values import pandas where that is there: not buffers."""
    import numpy as np
    import pyarrow as pa

    places = np.flatnonzero(inside).astype(np.int64)
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


def _table(arrow: Any, total: int) -> Table:
    columns: dict[str, Column] = {}
    left_out: dict[str, str] = {}
    for place, name in enumerate(arrow.schema.names):
        column = _column(arrow.column(place))
        if column is None:
            left_out[name] = "holds lists, records or bytes"
        else:
            columns[name] = column
    return Table(columns, arrow.num_rows, total, left_out)


def _column(values: Any) -> Column | None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_null(kind):
        return Numbers(np.full(len(values), np.nan))
    if pa.types.is_boolean(kind):
        return Texts(_codes(values.cast(pa.float64())), ("false", "true"))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Numbers(_numpy(values.cast(pa.float64(), safe=False)))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moments = values.cast(pa.timestamp("us"), safe=False)
        return Moments(_numpy(moments.cast(pa.int64()).cast(pa.float64(), safe=False)) / 1e6)
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    encoded = pc.dictionary_encode(values).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    return Texts(_codes(encoded.indices), tuple(encoded.dictionary.to_pylist()))


def _codes(places: Any) -> Any:
    """Arrow's places as codes; what is null, which numpy gets as NaN, is -1."""
    import numpy as np

    found = _numpy(places)
    return np.where(np.isnan(found), -1, found).astype(np.int64)


def _numpy(values: Any) -> Any:
    """Floats or places in one piece, NaN where null. By the buffers: Arrow's own way imports pandas, half a second."""
    import numpy as np
    import pyarrow as pa

    parts = [np.zeros(0)]
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
        validity, content = chunk.buffers()
        if content is None:
            parts.append(np.full(len(chunk), np.nan))
            continue
        kind = np.float64 if pa.types.is_floating(chunk.type) else np.int32
        part = np.frombuffer(content, dtype=kind)[chunk.offset : chunk.offset + len(chunk)].astype(np.float64)
        if chunk.null_count:
            bits = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little")
            part[bits[chunk.offset : chunk.offset + len(chunk)] == 0] = np.nan
        parts.append(part)
    return np.concatenate(parts)


def _counted(header: tuple[str, ...]) -> bool:
    """Names that only count the columns, as data frames without names of their own are written."""
    return any(header == tuple(map(str, range(start, start + len(header)))) for start in (0, 1)) and len(header) > 1


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
