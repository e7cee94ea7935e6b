"""Inference records over HTTP, as KServe's logger sends them: each event alone, many senders at once."""

import json
import subprocess
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from records_server import TOKEN, receiver_of, rows, served

from bot import drift_groups
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.drift.receiving import Delivery

SERVER = Path(__file__).with_name("records_server.py")
KIND = "org.kubeflow.serving.inference."


@pytest.fixture
def ledger(database_url):
    made = Ledger(database_url, SystemClock())
    yield made
    made.close()


@pytest.fixture
def side(ledger):
    made = served(ledger)
    made.start()
    yield made
    made.stop()


def client_of(port: int) -> httpx.Client:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False, timeout=60, limits=limits
    )


@pytest.fixture
def client(side):
    with client_of(side.port) as made:
        yield made


def attributes(event_id: str, kind: str, at: datetime | None = None) -> dict[str, str]:
    """Headers of binary mode."""
    return {
        "Ce-Id": event_id, "Ce-Type": KIND + kind, "Ce-Inferenceservicename": "churn", "Ce-Specversion": "1.0",
        "Ce-Time": (at or datetime.now(UTC)).isoformat(), "Ce-Source": "http://localhost:9081/",
        "Content-Type": "application/json",
    }  # fmt: skip


ASKED, SAID = b'{"instances": [{"age": 41}]}', b'{"predictions": [1]}'


def post(client: httpx.Client, event_id: str, kind: str, content: bytes | None = None) -> httpx.Response:
    body = content if content is not None else ASKED if kind == "request" else SAID
    return client.post("/inference", content=body, headers=attributes(event_id, kind))


def test_events_of_many_senders_share_transactions_and_each_has_its_own_answer(client, ledger, monkeypatch):
    transactions = []
    real = ledger.profiles.take
    monkeypatch.setattr(ledger.profiles, "take", lambda *given: transactions.append(1) or real(*given))
    poison = {
        "broken": b'{"instances": ', "deep": b'{"inputs":' + b"[" * 900 + b"]" * 900 + b"}", "none": b'{"rows": []}',
        "abyss": b"[" * 100_000, "text": b'"instances"', "number": b"9" * 5_000,
    }  # fmt: skip
    sent = [(str(number), kind, None) for number in range(60) for kind in ("request", "response")]
    sent += [(name, "request", content) for name, content in poison.items()]
    with ThreadPoolExecutor(32) as crowd:
        answers = list(crowd.map(lambda given: post(client, *given), sent))
    told = {given[0]: answer for given, answer in zip(sent, answers, strict=True)}
    assert {name for name, answer in told.items() if answer.status_code != 200} == set(poison)
    assert all(told[name].status_code == 400 and told[name].json()["detail"] for name in poison)
    assert rows(ledger) == 60
    assert sum(answer.json().get("records", 0) for answer in answers) == 60
    assert len(transactions) < 60
    assert ledger.halves.waiting() == 0


def test_the_same_delivery_fifty_times_at_once_counts_once(client, ledger):
    with ThreadPoolExecutor(50) as crowd:
        for kind in ("request", "response"):
            answers = list(crowd.map(lambda _, kind=kind: post(client, "same", kind), range(50)))
            assert {answer.status_code for answer in answers} == {200}
    assert (rows(ledger), ledger.halves.waiting()) == (1, 0)


def test_strange_values_and_clocks_count_and_harm_nobody(client, ledger):
    values = ["NaN", "-Infinity", "1e999", "9" * 400, '"x"', "null", "true", "[1]", '{"a": [2]}', '"\\ud800\\u0000"']
    for place, value in enumerate(values):
        assert post(
            client, f"odd%20{place}%20%E2%98%83", "request", f'{{"instances": [{{"age": {value}}}]}}'.encode()
        ).is_success
        said = f'{{"predictions": [{value}], "model_version": {value}}}'.encode()
        assert post(client, f"odd%20{place}%20%E2%98%83", "response", said).json()["records"] == 1
    assert ledger.profiles.label("churn", {"odd 0 ☃": "1"}, datetime.now(UTC)).met == 0  # NaN is no prediction
    assert ledger.profiles.label("churn", {"odd 1 ☃": "1"}, datetime.now(UTC)).met == 1
    letters = ASKED.decode().encode("utf-16-le"), ASKED.replace(b"41", b'"\xed\xa0\x80"')
    for place, asked in enumerate(letters):  # other encodings, and what is no UTF-8
        assert post(client, f"letters {place}", "request", asked).is_success
        assert post(client, f"letters {place}", "response").json()["records"] == 1
    now = datetime.now(UTC)
    ahead, behind = now + timedelta(days=3_000), now - timedelta(hours=30)
    for event_id, request_at, response_at in (("a", ahead, now), ("b", now, ahead), ("c", behind, now)):
        for kind, at in (("response", response_at), ("request", request_at)):
            body = ASKED if kind == "request" else SAID
            assert client.post("/inference", content=body, headers=attributes(event_id, kind, at)).is_success
    hours = ledger.profiles.windows("churn", now - timedelta(days=2), now + timedelta(hours=1))
    assert rows(ledger) == sum(hour.total.rows for hour in hours) == len(values) + len(letters) + 3
    assert hours[0].hour <= behind < hours[0].hour + timedelta(hours=1)


def test_a_delivery_that_is_too_large_is_not_read(client, ledger):
    assert post(client, "big", "request", b" " * 8_000_001).status_code == 413
    chunks = (b" " * 1_000_000 for _ in range(9))
    answer = client.post("/inference", content=chunks, headers=attributes("big", "request"))
    assert answer.status_code == 413
    rows_sent = json.dumps({"instances": [{"age": place % 60} for place in range(20_000)]}).encode()
    assert post(client, "many", "request", rows_sent).is_success
    assert post(client, "many", "response").json()["records"] == 20_000
    assert rows(ledger) == 20_000


def test_who_comes_while_too_much_waits_is_told_to_come_again(client, ledger, monkeypatch):
    monkeypatch.setattr(drift_groups, "MOST_DELIVERIES", 3)
    with ThreadPoolExecutor(4) as crowd:
        with ledger.together():  # nobody else can write meanwhile
            sent = [crowd.submit(post, client, str(number), "request") for number in range(4)]
            [first], waiting = wait(sent, 120, FIRST_COMPLETED)
        assert first.result().status_code == 503
        assert int(first.result().headers["Retry-After"]) >= 1
        assert [future.result().status_code for future in waiting] == [200] * 3
    assert post(client, "late", "request").is_success
    assert ledger.halves.waiting() == 4


def test_a_stop_answers_all_who_wait(side, ledger, monkeypatch):
    inside = threading.Semaphore(0)
    real = drift_groups.DeliveryGroups.add

    async def add(groups, delivery):
        inside.release()
        return await real(groups, delivery)

    monkeypatch.setattr(drift_groups.DeliveryGroups, "add", add)
    stopping = threading.Thread(target=side.stop)
    with client_of(side.port) as client, ThreadPoolExecutor(8) as crowd:
        with ledger.together():
            sent = [crowd.submit(post, client, str(number), "request") for number in range(8)]
            assert all(inside.acquire(timeout=120) for _ in sent)
            stopping.start()
        assert [future.result().status_code for future in sent] == [200] * 8
        stopping.join()
    assert ledger.halves.waiting() == 8


def test_what_was_answered_outlives_a_kill_and_the_rest_is_sent_again(database_url, ledger):
    answered: list[str] = []
    enough = threading.Event()

    def send(port: int, numbers: range) -> None:
        with client_of(port) as client:
            for number in numbers:
                try:
                    for kind in ("request", "response"):
                        assert post(client, f"k{number}", kind).status_code == 200
                except httpx.TransportError:
                    return
                answered.append(f"k{number}")
                if len(answered) > 150:
                    enough.set()

    def started() -> tuple[subprocess.Popen[str], int]:
        command = [sys.executable, str(SERVER), database_url]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return process, int(process.stdout.readline())

    shares = [range(first, 2_000, 16) for first in range(16)]
    process, port = started()
    with ThreadPoolExecutor(16) as crowd:
        done = [crowd.submit(send, port, share) for share in shares]
        assert enough.wait(240)
        process.kill()
        [future.result() for future in done]
    process.communicate()
    kept = list(answered)
    assert rows(ledger) >= len(kept) > 150
    labels = dict.fromkeys(kept, "1")
    assert ledger.profiles.label("churn", labels, datetime.now(UTC)).met == len(kept)

    receiver, _ = receiver_of(ledger)  # the next process
    everything = [f"k{number}" for number in range(2_000)]
    for kind, body in (("request", ASKED), ("response", SAID)):
        receiver.take([Delivery(body, attributes(event_id, kind)) for event_id in everything])
    assert rows(ledger) == 2_000
