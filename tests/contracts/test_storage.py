"""What storage promises, in a directory and in a bucket."""

import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from bot.clients.storage import FsspecStorage
from pipelines.errors import Refused, Unavailable


@pytest.fixture(params=["directory", "s3"])
def storage(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("bucket")
    return FsspecStorage(str(tmp_path / "storage"))


def write_until_written(storage, key, content):
    """Unavailable means: ask again. The stand-in for S3 answers 500 now and then when several write one key at once."""
    for _ in range(20):
        with suppress(Unavailable):
            return storage.write(key, content)
    return storage.write(key, content)


class TestStorage:
    def test_what_was_written_is_read(self, storage):
        url = storage.write("metrics/churn/m.json", b"{}")
        assert url == storage.url("metrics/churn/m.json")
        assert storage.read("metrics/churn/m.json") == b"{}"

    def test_a_file_is_copied(self, storage, tmp_path):
        (tmp_path / "model.pkl").write_bytes(b"x" * 3_000_000)
        storage.write("models/churn/model.pkl", tmp_path / "model.pkl")
        assert storage.read("models/churn/model.pkl") == b"x" * 3_000_000

    def test_nothing_there_reads_as_none(self, storage):
        assert storage.read("runs/none/result.json") is None

    def test_writing_again_replaces(self, storage):
        storage.write("a.json", b"1")
        assert storage.read("a.json") == b"1"
        storage.write("a.json", b"2")
        assert storage.read("a.json") == b"2"

    def test_what_was_removed_is_gone_and_removing_again_is_fine(self, storage):
        storage.write("knowledge/a.md", b"1")
        storage.remove("knowledge/a.md")
        storage.remove("knowledge/a.md")
        assert storage.read("knowledge/a.md") is None

    def test_readers_see_one_whole_content_while_many_write(self, storage):
        contents = [bytes([number]) * 100_000 for number in range(8)]
        with ThreadPoolExecutor(8) as crowd:
            list(crowd.map(lambda content: write_until_written(storage, "one", content), contents))
        assert storage.read("one") in contents

    @pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../b", "", "a\x00b", "a\\b"])
    def test_a_key_that_leads_out_is_refused(self, storage, key):
        with pytest.raises(Refused, match="no place in the storage"):
            storage.write(key, b"")

    def test_a_folder_is_listed_and_downloaded(self, storage, tmp_path):
        storage.write("runs/r1/result.json", b"{}")
        storage.write("runs/r1/mlflow-model/MLmodel", b"flavors")
        storage.write("runs/r10/result.json", b"other")
        assert storage.keys("runs/r1") == ["runs/r1/mlflow-model/MLmodel", "runs/r1/result.json"]
        storage.download("runs/r1", tmp_path / "copy")
        assert (tmp_path / "copy" / "mlflow-model" / "MLmodel").read_bytes() == b"flavors"
        assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["mlflow-model", "result.json"]


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path, monkeypatch):
    storage = FsspecStorage(str(tmp_path / "storage"))
    storage.write("a", b"before")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Unavailable, match="the disk is full"):
        storage.write("a", b"after")
    assert [path.name for path in (tmp_path / "storage").iterdir()] == ["a"]
    assert storage.read("a") == b"before"


def test_a_bucket_that_does_not_exist_is_told(s3_endpoint):
    storage = FsspecStorage("s3://no-such-bucket-here/x", {"endpoint_url": s3_endpoint, "key": "k", "secret": "s"})
    with pytest.raises(Unavailable, match="the storage"):
        storage.write("a", b"1")


def test_an_endpoint_that_is_down_is_told():
    options = {"endpoint_url": "http://127.0.0.1:1", "key": "k", "secret": "s"}
    quick = {"config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1}}
    with pytest.raises(Unavailable, match="the storage"):
        FsspecStorage("s3://bucket/x", options | quick).read("a")


def test_a_kind_of_storage_that_nobody_knows_is_refused():
    with pytest.raises(Refused, match="SHIPMATE_STORAGE_URL"):
        FsspecStorage("nonsense://bucket").read("a")
