"""Files of records and labels, read once and read on."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.clients.record_files import LONGEST_LINE, FsspecRecordFiles
from pipelines.drift.folders import BLOCK_ROWS, BrokenFile, FolderReader, FolderRooms, RecordSource
from pipelines.drift.intake import Intake
from pipelines.drift.records import Fields
from pipelines.errors import Unavailable
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile

NOW = datetime.now(UTC)
SAID = Categories({"0": 70, "1": 30})
PROFILE = ReferenceProfile("churn", "churn-3", 100, {"age": Numbers((30.0,), (50, 50))}, SAID, SAID)


class Registry:
    champion = True

    def reference(self, model: str) -> Reference | None:
        return Reference("3", PROFILE) if self.champion else None

    def reference_of(self, model: str, version: str) -> Reference | None:
        return None


class Folder:
    """A folder of records, what reads it, and what came of it."""

    def __init__(self, place: Path, ledger: Ledger) -> None:
        self.place = place
        self.ledger = ledger
        self.registry = Registry()
        self.told: list[BrokenFile] = []
        self.refused = 0
        self.stopping = False
        self.intake = Intake(ledger.profiles, self.registry, SystemClock(), {"churn"})
        self.source = RecordSource(
            "churn", "#ml", (f"{place}/records/**",), (f"{place}/labels/*",),
            fields=Fields(others=frozenset({"region"})),
        )  # fmt: skip
        for name in ("records", "labels"):
            (place / name).mkdir()
        self.reader = FolderReader(
            FolderRooms(
                FsspecRecordFiles(), ledger.record_files, self.intake, self._tell, self._count, lambda: self.stopping
            )
        )

    def _tell(self, key: str, source: RecordSource, broken: BrokenFile) -> None:
        self.told.append(broken)

    def _count(self, source: str, count: int) -> None:
        self.refused += count

    def read(self) -> int:
        return self.reader.read(self.source)

    def write(self, name: str, content: bytes) -> Path:
        path = self.place / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content)
        return path

    @property
    def rows(self) -> int:
        hours = self.ledger.profiles.windows("churn", NOW - timedelta(days=44), NOW + timedelta(hours=2))
        return sum(hour.total.rows for hour in hours)

    @property
    def labelled(self) -> int:
        hours = self.ledger.profiles.windows("churn", NOW - timedelta(days=44), NOW + timedelta(hours=2))
        return sum(hour.total.outcomes.labelled for hour in hours)


@pytest.fixture
def folder(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", SystemClock())
    yield Folder(tmp_path, ledger)
    ledger.close()


def row(number: int, **changed: Any) -> dict[str, Any]:
    at = (NOW - timedelta(hours=number % 5)).isoformat()
    return {"id": f"r{number}", "timestamp": at, "age": 20 + number % 30, "region": "x", "prediction": "1"} | changed


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in rows)


def parquet(path: Path, *rows: dict[str, Any], rows_a_group: int = 1_000) -> bytes:
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=rows_a_group)
    return path.read_bytes()


def test_files_of_every_kind_are_read_once(folder, tmp_path) -> None:
    packed = parquet(tmp_path / "x", *(row(number) for number in range(30, 40)))
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(10))))
    folder.write("records/2026/11/b.jsonl.gz", gzip.compress(lines(*(row(number) for number in range(10, 20)))))
    folder.write("records/2026/11/c.parquet", parquet(tmp_path / "y", *(row(number) for number in range(20, 30))))
    folder.write("records/d.parquet.gz", gzip.compress(packed))
    csv = "id,timestamp,age,region,prediction\n" + "".join(f"r{n},{NOW.isoformat()},41,x,1\n" for n in range(40, 50))
    folder.write("records/e.csv", csv.encode())
    folder.write("records/f.csv.gz", gzip.compress(csv.replace("r4", "r5").encode()))
    for name in ("_SUCCESS", ".hidden.jsonl", "g.jsonl.part", "empty.jsonl"):
        folder.write(f"records/{name}", b"")
    assert (folder.read(), folder.rows) == (60, 60)
    assert (folder.read(), folder.rows, folder.told) == (0, 60, [])


def test_a_file_that_grows_is_read_on_and_its_cut_off_last_line_waits(folder) -> None:
    whole = lines(*(row(number) for number in range(12)))
    cuts = (len(lines(*(row(number) for number in range(5)))) + 17, len(whole) - 9, len(whole) - 1, len(whole))
    seen = []
    for cut in cuts:
        folder.write("records/a.jsonl", whole[:cut])
        seen.append(folder.read())
    assert seen == [5, 6, 1, 0]
    assert (folder.rows, folder.told) == (12, [])


def test_only_what_was_added_is_read_again(folder, monkeypatch) -> None:
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(100))))
    folder.read()
    starts = []
    real = FsspecRecordFiles.rows

    def rows(self: Any, file: Any, start: int = 0, before: int = 0) -> Any:
        starts.append((start, before))
        return real(self, file, start, before)

    monkeypatch.setattr(FsspecRecordFiles, "rows", rows)
    size = (folder.place / "records/a.jsonl").stat().st_size
    with (folder.place / "records/a.jsonl").open("ab") as stream:
        stream.write(lines(row(100)) + b"rubbish\n" + lines(row(101)))
    assert folder.read() == 2
    assert starts == [(size, 100)]
    assert [(one.fault, one.left_out) for one in folder.told] == [("Line 102 is no JSON.", 1)]


def test_a_file_that_was_replaced_is_read_from_its_beginning(folder) -> None:
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(10))))
    folder.read()
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(50, 75))))
    assert (folder.read(), folder.rows) == (25, 35)
    folder.write("records/a.jsonl", lines(row(90)))
    assert (folder.read(), folder.rows) == (1, 36)


def test_the_same_records_in_two_files_count_once(folder) -> None:
    same = [row(number) for number in range(20)]
    nameless = [{"timestamp": NOW.isoformat(), "age": number, "prediction": "0"} for number in range(5)]
    folder.write("records/a.jsonl", lines(*same, *nameless))
    folder.write("records/b.jsonl", lines(*reversed(same), *nameless))
    folder.read()
    assert folder.rows == 25


def test_broken_lines_are_left_out_and_told_once(folder) -> None:
    good = lines(*(row(number) for number in range(10)))
    folder.write("records/a.jsonl", good + b"{broken\n[1, 2]\n" + lines(row(10)))
    folder.write("records/b.jsonl", lines(row(11)))
    assert folder.read() == 12
    assert [(Path(one.uri).name, one.fault, one.left_out) for one in folder.told] == [
        ("a.jsonl", "Line 11 is no JSON.", 2)
    ]
    assert folder.refused == 2
    folder.read()
    with (folder.place / "records/a.jsonl").open("ab") as stream:
        stream.write(b"more rubbish\n" + lines(row(12)))
    assert (folder.read(), len(folder.told)) == (1, 1)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.parquet", b"PAR1 and then nothing", "Parquet"),
        ("a.jsonl.gz", gzip.compress(lines(*(row(number) for number in range(3_000))))[:-400], "cut off"),
        ("a.jsonl.gz", b"\x1f\x8bnonsense", "gzip"),
        ("a.jsonl", b"rubbish\n" * 500, "Line 1 "),
        ("a.jsonl", b"x" * (LONGEST_LINE + 10), "longer than"),
        ("a.jsonl", b"[" * 50_000 + b"\n" + lines(row(7)), "Line 1 "),
        ("a.csv", b"id,age\nr1,\xff\xfe\n", "UTF-8"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_once_and_does_not_stop_the_others(folder, name, content, says) -> None:
    folder.write(f"records/{name}", content)
    folder.write("records/z.jsonl", lines(*(row(number) for number in range(5_000, 5_010))))
    folder.read()
    [broken] = folder.told
    assert says in broken.fault
    assert folder.rows >= 10
    before = folder.rows
    folder.read()
    assert (len(folder.told), folder.rows) == (1, before)
    folder.write(f"records/{name}", lines(row(6_000)) if name == "a.jsonl" else b"")
    folder.read()
    assert len(folder.told) == 1


def test_labels_come_in_files_of_their_own_before_or_after_and_beside_the_records(folder) -> None:
    folder.write("labels/early.csv", b"id,label\nr1,1\nr2,0\n")
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(10)), row(10, label=1)))
    folder.read()
    assert (folder.rows, folder.labelled) == (11, 3)
    folder.write(
        "labels/late.jsonl", lines({"id": "r3", "label": 1}, {"id": "r1", "label": 0}, {"id": "later", "label": 1})
    )
    folder.read()
    assert folder.labelled == 4
    folder.write("labels/odd.csv", b"key,outcome\nr5,1\n")
    folder.read()
    assert [one.fault for one in folder.told] == ["Rows lack `id` or `label`."]
    assert folder.labelled == 4


def test_a_model_without_a_champion_waits_and_nothing_is_lost(folder) -> None:
    folder.registry.champion = False
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(10))))
    assert (folder.read(), folder.told) == (0, [])
    folder.registry.champion = True
    assert folder.read() == 10


def test_whoever_is_stopped_half_way_goes_on_from_there(folder, monkeypatch) -> None:
    count = 3 * BLOCK_ROWS
    folder.write("records/a.jsonl", lines(*(row(number) for number in range(count))))
    blocks = []
    real = folder.intake.keep

    def keep(model: str, records: Any) -> None:
        if records:
            blocks.append(len(records))
            if len(blocks) == 2:
                raise Unavailable("the bot's database", "it is locked")
        real(model, records)

    monkeypatch.setattr(folder.intake, "keep", keep)
    folder.read()
    assert folder.rows == BLOCK_ROWS
    folder.stopping = True
    folder.read()
    assert folder.rows == BLOCK_ROWS
    folder.stopping = False
    assert folder.read() == 2 * BLOCK_ROWS
    assert (folder.rows, folder.told) == (count, [])


def test_clocks_that_are_wrong_and_moments_of_any_form_count(folder) -> None:
    moments = [
        (NOW + timedelta(days=300)).isoformat(), "yesterday", None, int(NOW.timestamp()),
        int(NOW.timestamp() * 1000), 1e300, "0001-01-01T00:00:00+14:00", NOW.isoformat().replace("+00:00", "Z"),
    ]  # fmt: skip
    folder.write("records/a.jsonl", lines(*(row(place, timestamp=moment) for place, moment in enumerate(moments))))
    folder.read()
    assert folder.rows == len(moments)


def test_a_large_file_is_read_in_bounded_memory(folder) -> None:
    import tracemalloc

    with (folder.place / "records/a.jsonl").open("wb") as stream:
        for start in range(0, 30_000, 1_000):
            stream.write(lines(*(row(number, note="x" * 500) for number in range(start, start + 1_000))))
    size = (folder.place / "records/a.jsonl").stat().st_size
    tracemalloc.start()
    folder.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert folder.rows == 30_000
    assert size > 18_000_000
    assert peak < size


def test_a_parquet_file_of_one_row_group_is_read_piece_by_piece(tmp_path) -> None:
    import tracemalloc

    import numpy as np

    path, rows = tmp_path / "one.parquet", 600_000
    columns = {f"x{place}": np.random.default_rng(place).normal(size=rows) for place in range(8)}
    pq.write_table(pa.table(columns), path, row_group_size=rows, use_dictionary=False)
    del columns
    files = FsspecRecordFiles()
    [found] = files.find(str(path))
    tracemalloc.start()
    reading = files.rows(found)
    assert [next(reading).number for _ in range(5_000)][-1] == 5_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    reading.close()
    assert peak < path.stat().st_size / 2
