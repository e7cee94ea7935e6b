"""POST /analyze behind the real HTTP server: logs of any size and kind, and what callers with rubbish are told."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from bot.arrivals import Arrivals
from bot.clients.language_models.offline import OfflineLanguageModel
from bot.redaction import Redactor
from bot.routes.analyze import analyze_routes
from bot.server import ServerThread, build_server
from bot.telemetry import Telemetry

TOKEN = "a-token-of-the-tests"
LOG = (
    b"step one\nERROR: No matching distribution found for torch==2.9.9\n##[error]Process completed with exit code 1.\n"
)
GREEN = b"all fine\n3 passed in 0.1s\n"
# Pieces, so that nobody's scanner takes it for a key that leaked from here.
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
MEGABYTE = 1_000_000


def served(folder: Path, limit_bytes: int) -> ServerThread:
    routes = analyze_routes(OfflineLanguageModel(), Redactor(), limit_bytes, folder)
    slack = cast("Any", None)  # in socket mode the server has nothing to ask of it
    app = build_server(slack, Telemetry(), list, http_mode=False, arrivals=Arrivals(), routes=[routes], tokens=[TOKEN])
    server = ServerThread(app, "127.0.0.1", 0)
    server.start()
    return server


def client_of(server: ServerThread) -> httpx.Client:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, trust_env=False, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("analyze")


@pytest.fixture(scope="module")
def http(folder: Path) -> Iterator[httpx.Client]:
    server = served(folder, 300 * MEGABYTE)
    with client_of(server) as client:
        yield client
    server.stop()


def test_a_packed_log_is_unpacked_whether_a_header_says_so_or_not(http: httpx.Client) -> None:
    packed = gzip.compress(LOG)
    for headers in ({}, {"Content-Encoding": "gzip"}, {"Content-Type": "application/gzip"}):
        answer = http.post("/analyze", content=packed, headers=headers)
        assert answer.json()["kind"] == "dependency", headers
    cut = http.post("/analyze", content=gzip.compress(LOG * 2_000, compresslevel=0)[:-5_000])
    assert cut.json()["kind"] == "dependency"


def test_several_logs_in_a_form_are_one_object_a_line_and_one_that_is_broken_spoils_no_other(
    http: httpx.Client,
) -> None:
    answer = http.post(
        "/analyze",
        files=[("log", ("a.log", LOG)), ("log", ("b.log.gz", b"\x1f\x8bnot gzip at all")), ("c", ("c.log", GREEN))],
    )
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    first, broken, green = (json.loads(line) for line in answer.text.splitlines())
    assert (first["file"], first["kind"]) == ("a.log", "dependency")
    assert (broken["file"], "begins like a .gz file but is none" in broken["error"]) == ("b.log.gz", True)
    assert (green["file"], green["causes"]) == ("c.log", [])
    one = http.post("/analyze", files={"log": ("a.log", LOG)})
    assert one.json()["file"] == "a.log"
    asked = http.post("/analyze", content=LOG, headers={"Accept": "application/x-ndjson"})
    assert (asked.headers["Content-Type"], len(asked.text.splitlines())) == ("application/x-ndjson", 1)


@pytest.mark.parametrize("content", [b"", b"x", b"\n", b"\x00", bytes(range(256)) * 4_000])
def test_nothing_one_byte_and_rubbish_are_logs_without_a_failure(http: httpx.Client, content: bytes) -> None:
    answer = http.post("/analyze", content=content)
    assert answer.status_code == 200
    assert answer.json()["causes"] == []
    assert http.post("/analyze", files={"log": ("a.log", content)}).status_code == 200


def test_one_line_of_200_megabytes_is_read_and_the_bot_does_not_hold_it(http: httpx.Client) -> None:
    def line() -> Iterator[bytes]:
        for _ in range(199):
            yield b"x" * MEGABYTE
        yield b"y" * (MEGABYTE - 40) + b"\nERROR: No matching distribution found for torch==2.9.9\n"

    before = private_megabytes()
    answer = http.post("/analyze", content=line())
    assert answer.status_code == 200, answer.text
    assert answer.json()["kind"] == "dependency"
    assert answer.json()["causes"][0]["lines"] == [2]
    assert private_megabytes() - before < 100


def private_megabytes() -> float:
    """Memory of this process, which is also the bot's, that no file stands behind; at its highest since the start."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) / 1_000


def test_several_at_once_are_each_answered_with_their_own(http: httpx.Client) -> None:
    logs = [LOG.replace(b"torch", f"torch{place}".encode()) for place in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda log: http.post("/analyze", content=log * 500).json(), logs))
    for place, answer in enumerate(answers):
        assert f"torch{place}==" in answer["causes"][0]["text"]


def test_an_upload_that_breaks_off_leaves_nothing_and_the_next_is_answered(http: httpx.Client, folder: Path) -> None:
    for sent in (b"text/plain", b"multipart/form-data; boundary=b"):
        with socket.create_connection(("127.0.0.1", http.base_url.port)) as line:
            head = b"POST /analyze HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN.encode()
            line.sendall(head + b"\r\nContent-Type: " + sent + b"\r\nContent-Length: 1000000\r\n\r\n" + LOG)
    assert http.post("/analyze", content=LOG).json()["kind"] == "dependency"
    assert list(folder.iterdir()) == []


def test_what_is_larger_than_the_limit_is_told_so_packed_or_not(tmp_path: Path) -> None:
    server = served(tmp_path, 2 * MEGABYTE)
    with client_of(server) as small:
        announced = small.post("/analyze", content=b"x" * (2 * MEGABYTE + 1))
        endless = small.post("/analyze", content=(b"x" * 100_000 for _ in range(30)))
        bomb = small.post("/analyze", content=gzip.compress(b"\0" * 1_000 * MEGABYTE, compresslevel=9))
        assert [one.status_code for one in (announced, endless, bomb)] == [413, 413, 413]
        assert "larger than 2,000,000 bytes" in announced.json()["detail"]
        assert "more than 2,000,000 bytes once it is unpacked" in bomb.json()["detail"]
        in_a_form = small.post("/analyze", files=[
            ("log", ("bomb.gz", gzip.compress(b"\0" * 3 * MEGABYTE))), ("log", ("a.log", LOG)),
        ])  # fmt: skip
        told = [json.loads(line) for line in in_a_form.text.splitlines()]
        assert "once it is unpacked" in told[0]["error"]
        assert told[1]["kind"] == "dependency"
    server.stop()


WRONG = (
    ({"kind": "novel"}, 422, "kind is one of ci, container, command"),
    ({"budget": "0"}, 422, "budget is a number of tokens from 1 to 200,000"),
    ({"budget": "²"}, 422, "budget is a number"),
    ({"budget": "9" * 5_000}, 422, "budget is a number"),
    ({"explain": "perhaps"}, 422, "explain is true or false"),
    ({"bugdet": "500"}, 422, "I do not know 'bugdet'"),
)


def test_a_wrong_query_is_answered_in_a_sentence(http: httpx.Client) -> None:
    for query, status, says in WRONG:
        answer = http.post("/analyze", params=query, content=LOG)
        assert (answer.status_code, says in answer.json()["detail"]) == (status, True), answer.text
    brotli = http.post("/analyze", content=LOG, headers={"Content-Encoding": "br"})
    assert (brotli.status_code, "gzip" in brotli.json()["detail"]) == (415, True)
    lie = http.post("/analyze", content=LOG, headers={"Content-Encoding": "gzip"})
    assert (lie.status_code, "the body is none" in lie.json()["detail"]) == (400, True)
    empty = http.post(
        "/analyze", files={}, data={"x": "y"}, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert empty.status_code == 400


def test_without_a_token_nothing_is_read(http: httpx.Client) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        assert http.post("/analyze", content=LOG, headers=headers).status_code == 401


def test_a_secret_in_a_log_does_not_come_back_nor_in_its_name(http: httpx.Client) -> None:
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEow' * 10}\n{'b3Blbn' * 10}\n-----END RSA PRIVATE KEY-----"
    log = f"one\nerror: {block}\nfatal: token={KEY} was refused\n##[error]Process completed with exit code 1.\n"
    answer = http.post("/analyze", params={"name": f"{KEY}.log"}, content=log.encode())
    assert KEY not in answer.text
    assert "b3Blbn" not in answer.text
    assert "fatal: token=‹secret" in answer.text


def test_health_is_answered_while_large_logs_are_read(http: httpx.Client) -> None:
    done = threading.Event()

    def read() -> None:
        http.post("/analyze", content=b"2026-11-26 ERROR worker 7 failed: connection refused\n" * 300_000)
        done.set()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    meanwhile = 0
    while not done.is_set():
        assert http.get("/health").status_code == 200
        meanwhile += not done.is_set()
    for reader in readers:
        reader.join()
    assert meanwhile
