"""What the knowledge index promises: in a folder, in a bucket, in one with DynamoDB as lock, and in Postgres."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.clients.documents import KnowledgeIndex
from bot.clients.documents_lance import LanceStore
from bot.clients.documents_postgres import PostgresStore
from pipelines.ask.chunks import split
from pipelines.ask.values import Document
from pipelines.errors import Refused, Unavailable

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RESTART = "# Restart a server\n\nDrain the server first, then restart the process and wait until it serves again."
COFFEE = "# Coffee machine\n\nFill the tank, press the green button, and clean the sieve on Fridays."
CRASH = "# KubePodCrashLooping\n\nThe container starts and dies; read the log of the container that was there before."


@dataclass
class HashedWords:
    """A real if simple embedding: words hashed into so many places. `calls` counts the texts that were embedded."""

    name: str = "hashed words, 32"
    width: int = 32
    calls: int = 0
    down: bool = False

    def passages(self, texts):
        if self.down:
            raise Unavailable("the embeddings server", "does not answer")
        self.calls += len(texts)
        rows = np.full((len(texts), self.width), 1e-3, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.width] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def question(self, text):
        return self.passages([text])[0]


@dataclass
class Place:
    """Where an index lies; `open` opens it once more, as another process would."""

    open: Callable[..., KnowledgeIndex]
    folder: Path | None = None


@pytest.fixture(params=["folder", "s3", "s3+ddb", "postgres"])
def place(request, tmp_path, database_names) -> Place:
    def lance(url, options=None):
        def again(embedding=None):
            embedding = embedding or HashedWords()
            return KnowledgeIndex(LanceStore(url, embedding.name, options), embedding)

        return again

    if request.param == "folder":
        return Place(lance(str(tmp_path / "knowledge")), tmp_path / "knowledge")
    if request.param == "postgres":
        url = request.getfixturevalue("fresh_postgres_url")

        def again(embedding=None):
            embedding = embedding or HashedWords()
            return KnowledgeIndex(PostgresStore(url, embedding.name), embedding)

        return Place(again)
    return Place(lance(*bucket_url(request.getfixturevalue("s3_endpoint"), next(database_names), request.param)))


def bucket_url(endpoint: str, name: str, scheme: str) -> tuple[str, dict[str, str]]:
    import boto3

    name = name.replace("_", "-")
    session = boto3.session.Session("k", "s", region_name="us-east-1")
    session.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    options = {
        "aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_region": "us-east-1",
        "aws_endpoint": endpoint, "allow_http": "true",
    }  # fmt: skip
    if scheme == "s3":
        return f"s3://{name}/knowledge", options
    keys = [("base_uri", "HASH", "S"), ("version", "RANGE", "N")]
    session.client("dynamodb", endpoint_url=endpoint).create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind, _ in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": letter} for key, _, letter in keys],
    )  # fmt: skip
    return f"s3+ddb://{name}/knowledge?ddbTableName={name}", options | {"dynamodb_endpoint": endpoint}


def document(name, text, channels=(), **changes) -> Document:
    content = hashlib.sha256(text.encode()).hexdigest()
    made = Document(name, f"Title of {name}", f"docs/{name}.md", "folder", content, NOW, "Ana", tuple(channels))
    return replace(made, **changes)


def put(index, name, text, channels=(), **changes):
    index.put(document(name, text, channels, **changes), split(text, f"Title of {name}"))


def found(index, question, channel=None, limit=5) -> list[str]:
    return [passage.document.id for passage in index.search(question, channel, limit)]


class TestDocuments:
    def test_an_empty_index_answers_with_nothing(self, place):
        index = place.open()
        assert (found(index, "restart"), index.all(), index.get("a"), index.remove("a")) == ([], [], None, False)
        assert index.notice == ""

    def test_what_was_put_is_found_with_where_it_stands(self, place):
        index = place.open()
        put(index, "restart", RESTART, url="https://docs.example/restart")
        put(index, "coffee", COFFEE)
        passage = index.search("How do I restart a server?", None)[0]
        assert passage.document == document("restart", RESTART, url="https://docs.example/restart")
        assert passage.chunk.headings == ("Title of restart", "Restart a server")
        assert passage.chunk.text.startswith("Drain the server first")
        assert (passage.chunk.first_line, passage.chunk.last_line) == (3, 3)
        assert 0 < passage.closeness <= 1
        assert index.get("restart") == passage.document

    def test_parts_of_a_name_are_found(self, place):
        index = place.open()
        put(index, "crash", CRASH)
        put(index, "coffee", COFFEE)
        assert found(index, "pods are crash looping")[0] == "crash"

    def test_another_process_sees_it_too(self, place):
        first, second = place.open(), place.open()
        put(first, "restart", RESTART)
        assert found(second, "restart") == ["restart"]
        put(second, "coffee", COFFEE)
        assert {each.id for each in first.all()} == {"restart", "coffee"}

    def test_an_edited_document_replaces_the_old(self, place):
        index = place.open()
        put(index, "note", RESTART)
        put(index, "note", COFFEE)
        assert [passage.chunk.headings[-1] for passage in index.search("restart coffee", None)] == ["Coffee machine"]
        assert [each.sha256 for each in index.all()] == [document("note", COFFEE).sha256]

    def test_a_document_that_is_removed_is_found_no_more(self, place):
        index = place.open()
        put(index, "restart", RESTART)
        put(index, "coffee", COFFEE)
        assert index.remove("restart")
        assert not index.remove("restart")
        assert found(index, "restart server drain") in ([], ["coffee"])
        assert [each.id for each in index.all()] == ["coffee"]

    def test_the_same_once_more_embeds_nothing(self, place):
        embedding = HashedWords()
        index = place.open(embedding)
        put(index, "restart", RESTART)
        put(index, "restart", RESTART, added_at=NOW + timedelta(days=1))
        assert embedding.calls == 1
        put(index, "restart", RESTART, channels=["C1"])
        assert embedding.calls == 1
        assert index.get("restart").channels == ("C1",)

    def test_two_documents_of_one_content_are_one_that_both_channels_see(self, place):
        embedding = HashedWords()
        index = place.open(embedding)
        put(index, "a", RESTART, ["C1"])
        put(index, "b", RESTART, ["C2"], added_at=NOW + timedelta(hours=1))
        assert embedding.calls == 1
        assert [(each.id, each.channels) for each in index.all()] == [("a", ("C1", "C2"))]
        assert [each.id for each in index.every()] == ["b", "a"]
        assert (found(index, "restart", "C1"), found(index, "restart", "C2")) == (["a"], ["b"])
        assert found(index, "restart") == []
        assert index.remove("a")
        assert (found(index, "restart", "C1"), found(index, "restart", "C2")) == ([], ["b"])
        put(index, "b", COFFEE, ["C2"])
        assert (found(index, "restart", "C1"), found(index, "coffee", "C2")) == ([], ["b"])

    def test_a_channel_sees_its_own_and_what_is_for_everybody(self, place):
        index = place.open()
        put(index, "ours", RESTART, ["C1", "C'2"])
        put(index, "open", RESTART + " Tell everybody.")
        assert set(found(index, "restart", "C1")) == set(found(index, "restart", "C'2")) == {"ours", "open"}
        assert found(index, "restart", "C3") == found(index, "restart") == ["open"]
        assert found(index, "restart", "x') OR true OR ('") == ["open"]

    def test_what_others_may_not_see_takes_no_place_from_what_they_may(self, place):
        index = place.open()
        secret = [f"restart the server now {number}" for number in range(150)]
        index.put_all([(document(f"s{n}", text, ["C1"]), split(text, "s")) for n, text in enumerate(secret)])
        put(index, "open", "Some day somebody may have to think about how a server could restart.")
        assert found(index, "restart the server now", "C2") == ["open"]

    def test_hard_text_is_kept_as_it_is(self, place):
        index = place.open()
        text = "Ünïcödé ☃ 'quoted' \"twice\" \\ % _ {} -- ; DROP TABLE passages\n\n你好世界"
        put(index, 'it\'s "hard" ☃', text, channels=["C\\1"])
        passage = index.search("' OR 1=1 -- ünïcödé \" AND (", "C\\1")[0]
        assert (passage.document.id, passage.chunk.text) == ('it\'s "hard" ☃', text)

    @pytest.mark.parametrize("question", ["", "   ", "the of and", "?!", "☃", "a" * 100_000, "restart " * 5_000])
    def test_odd_questions_are_no_trouble(self, place, question):
        index = place.open()
        put(index, "restart", RESTART)
        assert len(index.search(question, None)) <= 1

    def test_no_more_than_asked_for(self, place):
        index = place.open()
        index.put_all([(document(f"d{n}", f"restart {n}"), split(f"restart {n}", "")) for n in range(12)])
        assert [len(index.search("restart", None, limit)) for limit in (0, 3, 50)] == [0, 3, 12]

    def test_a_document_without_text_is_refused(self, place):
        with pytest.raises(Refused, match="There is no text in"):
            place.open().put(document("empty", ""), ())

    def test_without_the_embedding_words_are_searched_and_nothing_new_is_kept(self, place):
        embedding = HashedWords()
        index = place.open(embedding)
        put(index, "restart", RESTART)
        embedding.down = True
        assert found(index, "restart") == ["restart"]
        assert index.search("restart", None)[0].closeness == 0
        with pytest.raises(Unavailable):
            put(index, "coffee", COFFEE)
        assert index.get("coffee") is None

    def test_another_embedding_is_filled_in_while_searches_go_on(self, place):
        put(place.open(), "restart", RESTART)
        put(place.open(), "coffee", COFFEE)
        other = HashedWords("hashed words, 16", width=16)
        index = place.open(other)
        assert "renewed for another embedding" in index.notice
        assert found(index, "restart") == ["restart"]
        assert other.calls == 0
        put(index, "crash", CRASH)
        assert index.renew(stopped=lambda: True) == 0
        assert index.renew() == 2
        assert index.renew() == 0
        again = place.open(other)
        assert (again.notice, found(again, "coffee")[0]) == ("", "coffee")
        assert 0 < again.search("coffee", None)[0].closeness <= 1

    def test_vectors_of_another_length_under_the_same_name_are_not_mixed_in(self, place):
        put(place.open(), "restart", RESTART)
        with pytest.raises(Unavailable, match="gives 16 numbers a text where it gave 32 before"):
            put(place.open(HashedWords(width=16)), "coffee", COFFEE)

    def test_writers_at_the_same_time_lose_nothing(self, place):
        indexes = [place.open() for _ in range(2)]

        def write(number):
            put(indexes[number % 2], f"d{number}", f"restart number {number}")

        with ThreadPoolExecutor(4) as crowd:
            list(crowd.map(write, range(8)))
        assert {each.id for each in place.open().all()} == {f"d{number}" for number in range(8)}

    def test_an_index_that_is_only_begun_is_an_empty_one(self, place):
        if place.folder is not None:  # elsewhere nothing of it can be seen before its first version
            (place.folder / "passages.lance").mkdir(parents=True)
        index = place.open()
        assert (found(index, "restart"), index.all()) == ([], [])
        put(index, "restart", RESTART)
        assert found(place.open(), "restart") == ["restart"]

    def test_writers_of_one_document_leave_it_there_once(self, place):
        indexes = [place.open() for _ in range(2)]

        def write(number):
            put(indexes[number % 2], "same", f"{RESTART} Version {number % 3}.")

        with ThreadPoolExecutor(2) as crowd:
            list(crowd.map(write, range(6)))
        assert len(place.open().every()) == 1
        assert len(place.open().search("restart", None)) == 1

    def test_tidying_changes_nothing_that_is_found(self, place):
        index = place.open()
        put(index, "restart", RESTART)
        put(index, "coffee", COFFEE)
        index.remove("coffee")
        index.tidy()
        assert found(index, "restart") == found(place.open(), "restart") == ["restart"]


def test_readers_see_the_old_or_the_new_while_a_document_is_edited(tmp_path):
    def opened():
        embedding = HashedWords()
        return KnowledgeIndex(LanceStore(str(tmp_path / "knowledge"), embedding.name), embedding)

    writer, reader = opened(), opened()
    put(writer, "note", "restart version 0")
    with ThreadPoolExecutor(1) as crowd:
        writing = crowd.submit(lambda: [put(writer, "note", f"restart version {n}") for n in range(1, 15)])
        seen = []
        while not writing.done():
            seen.append(len(reader.search("restart", None)))
        writing.result()
    assert set(seen) == {1}


KILLED = """
import sys
sys.path[:0] = [{tests!r}]
from test_documents import COFFEE, HashedWords, KnowledgeIndex, LanceStore, PostgresStore, put
url = sys.argv[1]
embedding = HashedWords()
store = PostgresStore(url, embedding.name) if url.startswith("postgres") else LanceStore(url, embedding.name)
index = KnowledgeIndex(store, embedding)
for number in range(10_000):
    put(index, f"d{{number}}", f"restart number {{number}}")
    put(index, "edited", f"edited restart {{number}} " * 400)
    print(number, flush=True)
"""


@pytest.mark.parametrize("kind", ["folder", "postgres"])
def test_kill_9_in_the_middle_loses_nothing_acknowledged(request, tmp_path, kind):
    url = str(tmp_path / "knowledge") if kind == "folder" else request.getfixturevalue("fresh_postgres_url")
    program = tmp_path / "ingest.py"
    program.write_text(KILLED.format(tests=str(Path(__file__).parent)))
    store = LanceStore if kind == "folder" else PostgresStore
    for wait in (0.0, 0.03, 0.11):
        ingest = subprocess.Popen(
            [sys.executable, str(program), url], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        acknowledged = -1
        for line in ingest.stdout:
            acknowledged = int(line)
            if acknowledged >= 5:
                break
        time.sleep(wait)
        ingest.kill()
        acknowledged = max([acknowledged, *(int(line) for line in ingest.stdout if line.endswith("\n"))])
        ingest.wait(120)
        ingest.stdout.close()
        index = KnowledgeIndex(store(url, HashedWords().name), HashedWords())
        kept = {each.id for each in index.every()}
        assert {f"d{number}" for number in range(acknowledged + 1)} <= kept
        passages = [each for each in index.search("edited restart", None, 1000) if each.document.id == "edited"]
        numbers = [each.chunk.number for each in passages]
        assert sorted(numbers) == list(range(len(split("edited restart 0 " * 400, ""))))
        assert len({tuple(each.chunk.text.split()[:3]) for each in passages if each.chunk.number == 0}) == 1
        index.close()


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    index = KnowledgeIndex(LanceStore(str(tmp_path / "knowledge"), "x"), HashedWords())
    put(index, "restart", RESTART)
    table = index._store._table()

    def full(*_arguments, **_options):
        raise OSError("LanceError(IO): Generic LocalFileSystem error: No space left on device (os error 28)")

    monkeypatch.setattr(type(table), "add", full)
    with pytest.raises(Unavailable, match="the disk is full"):
        put(index, "coffee", COFFEE)
    monkeypatch.undo()
    put(index, "coffee", COFFEE)
    assert found(index, "coffee")[0] == "coffee"


def test_a_bucket_that_is_away_is_told():
    options = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_region": "us-east-1", "allow_http": "true"}
    quick = {"aws_endpoint": "http://127.0.0.1:1", "client_max_retries": "0", "connect_timeout": "1s"}
    index = KnowledgeIndex(LanceStore("s3://nowhere/knowledge", "x", options | quick), HashedWords())
    with pytest.raises(Unavailable, match="the knowledge index"):
        put(index, "restart", RESTART)


def test_a_database_that_is_away_is_told():
    index = KnowledgeIndex(PostgresStore("postgresql://u@127.0.0.1:1/none", "x"), HashedWords())
    with pytest.raises(Unavailable, match="does not answer"):
        index.search("restart", None)


def test_an_index_that_another_process_keeps_locked_is_told(tmp_path, monkeypatch):
    import fcntl

    index = KnowledgeIndex(LanceStore(str(tmp_path / "knowledge"), "x"), HashedWords())
    put(index, "restart", RESTART)
    monkeypatch.setattr("bot.clients.documents_place.PATIENCE_SECONDS", 0.1)
    with (tmp_path / "knowledge" / "writer.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="locked by another process"):
            put(index, "coffee", COFFEE)
        assert found(index, "restart") == ["restart"]


def test_progress_is_told_and_a_question_need_not_wait_for_writers(tmp_path):
    embedding = HashedWords()
    index = KnowledgeIndex(LanceStore(str(tmp_path / "knowledge"), embedding.name), embedding)
    index.warm()
    told = []
    pairs = [(document(f"d{n}", f"restart {n} " * 3_000), split(f"restart {n} " * 3_000, "")) for n in range(20)]
    index.put_all(pairs, lambda done, whole: told.append((done, whole)))
    assert told == sorted(told)
    assert told[-1] == (told[-1][1], sum(len(chunks) for _, chunks in pairs))
    assert len(told) > 3
    with index._store._turn:  # as while another thread commits or compacts
        assert len(found(index, "restart 7")) == 5


@pytest.mark.parametrize("kind", ["folder", "postgres"])
def test_above_its_limit_the_index_of_vectors_finds_what_an_exact_search_does(request, tmp_path, monkeypatch, kind):
    monkeypatch.setattr("bot.clients.documents_lance.EXACT_UP_TO", 500)
    monkeypatch.setattr("bot.clients.documents_postgres.EXACT_UP_TO", 500)
    embedding = HashedWords()
    if kind == "folder":
        store = LanceStore(str(tmp_path / "knowledge"), embedding.name)
    else:
        store = PostgresStore(request.getfixturevalue("fresh_postgres_url"), embedding.name)
    index = KnowledgeIndex(store, embedding)
    chance = np.random.default_rng(7)
    texts = [" ".join(f"w{number}" for number in chance.integers(0, 300, 12)) for _ in range(600)]
    pairs = [(document(f"d{n}", text, ["C1"] if n % 3 else []), split(text, "")) for n, text in enumerate(texts)]
    index.put_all(pairs)
    questions = [embedding.question(text) for text in texts[:20]]
    exact = [{hit.key for hit in store.nearest(question, None, 10)} for question in questions]
    index.tidy()
    if kind == "folder":
        assert store._column in {column for each in store._table().list_indices() for column in each.columns}
    found_now = [{hit.key for hit in store.nearest(question, None, 10)} for question in questions]
    shares = [len(now & before) / 10 for now, before in zip(found_now, exact, strict=True)]
    assert sum(shares) / len(shares) >= 0.95
    put(index, "later", "restart after the index was made")
    assert found(index, "restart after the index was made")[0] == "later"
