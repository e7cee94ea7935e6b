"""What every place of record files promises, a folder and a bucket; and the memory of how far they were read."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.clients.record_files import FsspecRecordFiles
from pipelines.drift.alerts import Alert, Notification
from pipelines.drift.folders import FileMark
from pipelines.drift.served import ServedName
from pipelines.drift.trend import Look
from pipelines.errors import Refused, Unavailable

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass
class Place:
    root: str
    files: FsspecRecordFiles
    write: Callable[[str, bytes], object]


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path) -> Place:
    if request.param == "s3":
        import boto3

        endpoint, name = request.getfixturevalue("s3_endpoint"), next(request.getfixturevalue("database_names"))
        bucket = f"records-{name.replace('_', '-')}"
        client = boto3.session.Session("k", "s", region_name="us-east-1").client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket=bucket)
        options = {"endpoint_url": endpoint, "key": "k", "secret": "s"}
        return Place(
            f"s3://{bucket}", FsspecRecordFiles(options),
            lambda key, content: client.put_object(Bucket=bucket, Key=key, Body=content),
        )  # fmt: skip

    def write(key: str, content: bytes) -> None:
        path = tmp_path / "records" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    (tmp_path / "records").mkdir()
    return Place(str(tmp_path / "records"), FsspecRecordFiles(), write)


def lines(count: int, start: int = 0) -> bytes:
    return b"".join(json.dumps({"id": number}).encode() + b"\n" for number in range(start, start + count))


class TestRecordFiles:
    def test_patterns_find_files_by_name_and_pass_over_what_is_not_meant(self, place):
        for key in ("a.jsonl", "2026/b.jsonl", "2026/11/c.jsonl", "2026/_SUCCESS", "2026/.d", "2026/e.jsonl.part"):
            place.write(key, lines(1))
        names = [Path(file.uri).name for file in place.files.find(f"{place.root}/**/*.jsonl")]
        assert sorted(names) in (["a.jsonl", "b.jsonl", "c.jsonl"], ["b.jsonl", "c.jsonl"])
        assert [Path(file.uri).name for file in place.files.find(f"{place.root}/2026")] == ["c.jsonl", "b.jsonl"]
        assert [Path(file.uri).name for file in place.files.find(f"{place.root}/a.jsonl")] == ["a.jsonl"]
        assert place.files.find(f"{place.root}/none/*.jsonl") == []

    def test_a_file_that_changes_has_another_mark_or_size(self, place):
        place.write("a.jsonl", lines(3))
        [before] = place.files.find(f"{place.root}/*.jsonl")
        place.write("a.jsonl", lines(3, 5))
        [after] = place.files.find(f"{place.root}/*.jsonl")
        assert before.size == after.size == len(lines(3))
        assert before.mark != after.mark

    def test_lines_are_read_from_a_byte_on(self, place):
        place.write("a.jsonl", lines(5))
        [file] = place.files.find(f"{place.root}/a.jsonl")
        assert place.files.grows(file)
        rows = list(place.files.rows(file, len(lines(3)), 3))
        assert [(row.number, row.values, row.end) for row in rows] == [
            (4, {"id": 3}, len(lines(4))), (5, {"id": 4}, len(lines(5))),
        ]  # fmt: skip

    def test_what_is_packed_is_read_from_its_beginning(self, place):
        place.write("a.jsonl.gz", gzip.compress(lines(5)))
        [file] = place.files.find(f"{place.root}/*")
        assert not place.files.grows(file)
        assert [row.values for row in place.files.rows(file)] == [{"id": number} for number in range(5)]

    def test_parquet_is_read_where_it_lies(self, place, tmp_path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"id": list(range(5_000))}), tmp_path / "x.parquet", row_group_size=700)
        place.write("a.parquet", (tmp_path / "x.parquet").read_bytes())
        [file] = place.files.find(f"{place.root}/a.parquet")
        assert not place.files.grows(file)
        assert [row.values["id"] for row in place.files.rows(file)] == list(range(5_000))


def test_a_bucket_that_is_away_is_told():
    options = {"endpoint_url": "http://127.0.0.1:1", "key": "k", "secret": "s"}
    quick = {"config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1}}
    with pytest.raises(Unavailable):
        FsspecRecordFiles(options | quick).find("s3://bucket/*.jsonl")


def test_an_address_of_a_kind_that_nobody_knows_is_refused():
    with pytest.raises(Refused):
        FsspecRecordFiles().find("nonsense://bucket/*.jsonl")


@pytest.fixture
def ledger(database_url):
    made = Ledger(database_url, SystemClock())
    yield made
    made.close()


class TestFileMarks:
    def test_the_last_mark_of_each_file_is_kept_by_model_and_kind(self, ledger):
        marks = ledger.record_files
        marks.put("churn", "records", FileMark("s3://b/ä.jsonl", -1, "e1", 100, 7, "abc"))
        marks.put("churn", "records", FileMark("s3://b/ä.jsonl", 200, "e2", 200, 9, "abc", "Line 3 is no JSON."))
        marks.put("churn", "labels", FileMark("s3://b/l.csv", 10, "e3"))
        assert dict(marks.all("churn", "records")) == {
            "s3://b/ä.jsonl": FileMark("s3://b/ä.jsonl", 200, "e2", 200, 9, "abc", "Line 3 is no JSON.")
        }
        assert list(marks.all("churn", "labels")) == ["s3://b/l.csv"]
        assert dict(marks.all("fraud", "records")) == {}


class TestNotifications:
    def test_a_state_of_a_group_is_stored_once_and_comes_back_whole(self, ledger):
        alert = Alert(
            firing=True,
            fingerprint="f1",
            starts_at="2026-11-22T14:52:04Z",
            labels={"alertname": "Ä", "model": "churn"},
            annotations={"summary": "☃"},
        )
        told = Notification("{}:{}", firing=True, alerts=(alert,), receiver="shipmate", truncated=3)
        assert ledger.notifications.add(told, NOW) is True
        assert ledger.notifications.add(told, NOW + timedelta(hours=4)) is False
        assert list(ledger.notifications.since(NOW)) == [told]
        assert list(ledger.notifications.since(NOW + timedelta(seconds=1))) == []


class TestServedNames:
    def test_what_serving_called_a_version_last_is_kept(self, ledger):
        ledger.served.seen("churn", ServedName("rev-1", "3", "champion"), NOW)
        ledger.served.seen("churn", ServedName("rev-1", "7", "catalogue"), NOW + timedelta(hours=1))
        assert list(ledger.served.since("churn", NOW)) == [ServedName("rev-1", "7", "catalogue")]
        assert list(ledger.served.since("churn", NOW + timedelta(hours=2))) == []
        assert list(ledger.served.since("fraud", NOW)) == []
        assert ledger.served.forget(NOW + timedelta(hours=2)) == 1


class TestLooks:
    def test_looks_are_kept_once_each_and_come_in_order(self, ledger):
        later = Look("churn", "3", NOW, "data drift", "P1", 0.4, "age", 1, 2, "accuracy", 0.9)
        first = Look("fraud", "1", NOW - timedelta(hours=1), "no drift", None)
        for look in (later, first, later):
            ledger.looks.add(look)
        assert list(ledger.looks.between(NOW - timedelta(days=1), NOW)) == [first, later]
        assert list(ledger.looks.between(NOW - timedelta(hours=1), NOW)) == [later]
        assert ledger.looks.forget(NOW) == 1


class TestAges:
    def test_the_newest_hour_and_the_labels_that_wait_are_known_by_model(self, ledger):
        from pipelines.drift.values import PredictionMade
        from pipelines.drift.windows import Tally, WindowProfile

        for hour in (2, 1):
            window = WindowProfile("churn", "7", NOW - timedelta(hours=hour), {"records:x": Tally(1)})
            ledger.profiles.take("churn", [PredictionMade(f"r{hour}", "7", window.hour, "1")], lambda _, w=window: [w])
        ledger.profiles.label("churn", {"r1": "1", "unknown": "0"}, NOW)
        assert ledger.profiles.last_hours(NOW - timedelta(days=1)) == {"churn": NOW - timedelta(hours=1)}
        assert ledger.profiles.last_hours(NOW) == {}
        assert ledger.profiles.labels_waiting() == {"churn": 1}
