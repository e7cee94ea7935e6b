"""Files of inference records into stored profiles: how long, and how much memory, for a gigabyte of rows.

    .venv/bin/python tests/benchmarks/record_folder.py [--megabytes 1000] [--only jsonl jsonl.gz parquet]

Rows of 20 features with a timestamp, prediction, confidence and version, as text of `--megabytes`; gzip and Parquet
hold the same rows. Each file is read in a process of its own, into a SQLite of its own.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from inference_records import LETTERS, MODEL, OneReference

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.clients.record_files import FsspecRecordFiles
from pipelines.drift.folders import FolderReader, FolderRooms, RecordSource
from pipelines.drift.intake import Intake

FEATURES = 20
KINDS = ("jsonl", "jsonl.gz", "parquet", "csv.gz")
DISTINCT = 5_000


def row(number: int, bodies: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    at = now - timedelta(seconds=number % (7 * 86_400))
    return {
        "id": f"r{number}", "timestamp": at.isoformat(), **bodies[number % len(bodies)], "prediction": number % 2,
        "confidence": 0.5 + number % 97 / 200, "version": "1",
    }  # fmt: skip


def written(folder: Path, megabytes: int, kinds: Sequence[str]) -> int:
    """A folder a kind; answers how many rows each holds."""
    chance, now, count = np.random.default_rng(3), datetime.now(UTC), 0
    bodies = [
        {
            f"x{place}": LETTERS[chance.integers(len(LETTERS))] if place % 5 == 4 else round(chance.normal(), 4)
            for place in range(FEATURES)
        }
        for _ in range(DISTINCT)
    ]
    plain = folder / "jsonl" / "records.jsonl"
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
    with plain.open("wb") as stream:
        while stream.tell() < megabytes * 1_000_000:
            stream.write(json.dumps(row(count, bodies, now)).encode() + b"\n")
            count += 1
    if "jsonl.gz" in kinds:
        with plain.open("rb") as source, gzip.open(folder / "jsonl.gz" / "records.jsonl.gz", "wb", 1) as packed:
            shutil.copyfileobj(source, packed, 1 << 20)
    if "parquet" in kinds:
        _parquet(folder / "parquet" / "records.parquet", count, bodies, now)
    if "csv.gz" in kinds:
        _csv(folder / "csv.gz" / "records.csv.gz", count, bodies, now)
    return count


def _parquet(path: Path, count: int, bodies: list[dict[str, Any]], now: datetime) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.Table.from_pylist([row(0, bodies, now)]).schema
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, 100_000):
            rows = [row(number, bodies, now) for number in range(start, min(count, start + 100_000))]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _csv(path: Path, count: int, bodies: list[dict[str, Any]], now: datetime) -> None:
    import csv
    import io

    with gzip.open(path, "wb", 1) as packed, io.TextIOWrapper(packed, newline="") as stream:
        writer = csv.DictWriter(stream, list(row(0, bodies, now)))
        writer.writeheader()
        writer.writerows(row(number, bodies, now) for number in range(count))


def largest_megabytes() -> float:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1_000


def read(place: str, folder: Path) -> None:
    """The other process: prints rows, CPU seconds, seconds by the clock and by how many MB it grew."""
    ledger = Ledger(f"sqlite:///{folder / 'records.sqlite'}", SystemClock())
    intake = Intake(ledger.profiles, OneReference(FEATURES), SystemClock(), {MODEL})
    reader = FolderReader(FolderRooms(FsspecRecordFiles(), ledger.record_files, intake, lambda *_: None))
    import pyarrow.parquet  # noqa: F401  # its 60 MB are no rows

    small, began, cpu = largest_megabytes(), time.perf_counter(), time.process_time()
    taken = reader.read(RecordSource(MODEL, "#ml", (place,)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    grown = largest_megabytes() - small
    ledger.close()
    print(json.dumps({"rows": taken, "cpu": cpu, "seconds": seconds, "grown": grown}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--only", choices=KINDS, nargs="*", default=KINDS)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(given.read[0], Path(given.read[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = written(folder, given.megabytes, given.only)
        print(f"{count:,} rows of {FEATURES} features, {given.megabytes:,} MB as JSONL; stored in SQLite")
        print("| file | MB | minutes | CPU s | rows a second of CPU | MB it grew |")
        print("|---|---|---|---|---|---|")
        for kind in given.only:
            [file] = (folder / kind).iterdir()
            work = folder / f"memory-{kind}"
            work.mkdir()
            told = subprocess.run(
                [sys.executable, __file__, "--read", str(file), str(work)], check=True, capture_output=True, text=True
            )
            got = json.loads(told.stdout)
            assert got["rows"] == count, got
            figures = f"{got['seconds'] / 60:.1f} | {got['cpu']:,.0f} | {count / got['cpu']:,.0f} | {got['grown']:,.0f}"
            print(f"| {kind} | {file.stat().st_size / 1e6:,.0f} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
