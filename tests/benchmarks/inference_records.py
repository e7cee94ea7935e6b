"""Inference records into hourly profiles, stored: records a second on one core, through the pipeline and over HTTP.

    .venv/bin/python tests/benchmarks/inference_records.py [--records 40000] [--features 20]

The server is a process of its own with the bot's route, door, intake and SQLite; what counts is its CPU time, since
the senders need the machine's other cores. A delivery is a batch of two CloudEvents: a request of some rows and its
response.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.arrivals import Arrivals
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.memory import settle_memory
from bot.routes.drift import drift_routes
from bot.server import ServerThread, build_server
from bot.telemetry import Telemetry
from pipelines.drift.intake import Intake
from pipelines.drift.receiving import Delivery, Receiver
from pipelines.drift.row_sample import OutcomeLimit, RowSample
from pipelines.drift.sampling import RowLimit
from pipelines.profiles import Categories, Distribution, Reference, ReferenceProfile, reference_edges, tally_numbers

MODEL, TOKEN = "churn", "a-token-of-the-benchmark"
SENDERS = 8
PARTS = ("single", "batches")
LETTERS = "abcde"


def reference(features: int) -> Reference:
    chance = np.random.default_rng(1)
    found: dict[str, Distribution] = {}
    for place in range(features):
        values = chance.normal(size=5_000)
        numbers = tally_numbers(values, reference_edges(values))
        found[f"x{place}"] = Categories(dict.fromkeys(LETTERS, 1_000)) if place % 5 == 4 else numbers
    said, sure = Categories({"0": 3_500, "1": 1_500}), chance.uniform(0.5, 1, 5_000)
    return Reference(
        "1", ReferenceProfile(MODEL, "r1", 5_000, found, said, said, tally_numbers(sure, reference_edges(sure)))
    )


class OneReference:
    def __init__(self, features: int) -> None:
        self._known = reference(features)

    def reference(self, model: str) -> Reference | None:
        return self._known

    def reference_of(self, model: str, version: str) -> Reference | None:
        return None


def filling(features: int) -> list[bytes]:
    return deliveries(6_000, 1_000, features, "f")


def deliveries(records: int, rows: int, features: int, mark: str = "d") -> list[bytes]:
    chance = np.random.default_rng(2)
    now = datetime.now(UTC)
    found = []
    for number in range(records // rows):
        columns = [{"name": f"x{place}", "shape": [rows], **_column(chance, place, rows)} for place in range(features)]
        sure = chance.uniform(0.5, 1, rows)
        outputs = [
            {"name": "predict", "datatype": "INT64", "shape": [rows], "data": chance.integers(0, 2, rows).tolist()},
            {"name": "predict_proba", "datatype": "FP64", "shape": [rows, 2],
             "data": np.column_stack([sure, 1 - sure]).round(4).ravel().tolist()},
        ]  # fmt: skip
        common = {
            "specversion": "1.0", "id": f"{mark}{rows}-{number}", "source": "http://localhost/",
            "inferenceservicename": MODEL, "time": (now - timedelta(seconds=number % 3_000)).isoformat(),
        }  # fmt: skip
        kind = "org.kubeflow.serving.inference"
        pair = [
            {**common, "type": f"{kind}.request", "data": {"inputs": columns}},
            {**common, "type": f"{kind}.response", "data": {"model_version": "1", "outputs": outputs}},
        ]
        found.append(json.dumps(pair).encode())
    return found


def _column(chance: np.random.Generator, place: int, rows: int) -> dict[str, Any]:
    if place % 5 == 4:
        return {"datatype": "BYTES", "data": [LETTERS[code] for code in chance.integers(0, len(LETTERS), rows)]}
    return {"datatype": "FP64", "data": chance.normal(size=rows).round(4).tolist()}


def pipeline(sent: Sequence[bytes], features: int, folder: Path, group: int) -> float:
    """CPU seconds of taking them all in, one after the other."""
    ledger = Ledger(f"sqlite:///{folder / 'pipeline.sqlite'}", SystemClock())
    receiver, _ = receiving(ledger, features)
    receiver.take([Delivery(sent[0], {})])
    began = time.process_time()
    for start in range(1, len(sent), group):
        receiver.take([Delivery(content, {}) for content in sent[start : start + group]])
    seconds = time.process_time() - began
    ledger.close()
    (folder / "pipeline.sqlite").unlink()
    return seconds


def receiving(ledger: Ledger, features: int, telemetry: Telemetry | None = None) -> tuple[Receiver, Intake]:
    counts = telemetry.drift if telemetry else None
    limits = {MODEL: RowLimit()}
    sample, limit = RowSample(ledger.rows, limits), OutcomeLimit(ledger.profiles, limits)
    intake = Intake(
        ledger.profiles, OneReference(features), SystemClock(), {MODEL}, counts=counts, sample=sample, limit=limit
    )
    return Receiver(intake, ledger.halves, ledger.together, SystemClock(), counts), intake


async def only_read(request: Request) -> Response:
    """What any Python server of this kind has to do at least."""
    await request.body()
    return Response(b'{"records":0,"waiting":0}', media_type="application/json")


def serve(folder: str, features: int, bare: bool) -> None:
    """The other process: says its port, then serves until its input ends."""
    ledger = Ledger(f"sqlite:///{folder}/http.sqlite", SystemClock())
    telemetry = Telemetry()
    receiver, intake = receiving(ledger, features, telemetry)
    server = build_server(
        cast("Any", None), telemetry, list, http_mode=False, arrivals=Arrivals(), tokens=[TOKEN],
        routes=[drift_routes(receiver, intake)],
    )  # fmt: skip
    app = Starlette(routes=[Route("/inference", only_read, methods=["POST"])]) if bare else server
    http_side = ServerThread(cast("Any", app), "127.0.0.1", 0)
    http_side.start()
    settle_memory()
    print(http_side.port, flush=True)
    sys.stdin.read()
    http_side.stop()
    ledger.close()


class Sender(asyncio.Protocol):
    """One connection that is kept open: the next request goes out when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], ended: asyncio.Future[None]) -> None:
        self._requests = requests
        self._ended = ended
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, part: bytes) -> None:
        self._answer += part
        head, found, body = self._answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if not found or len(body) < int(length):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._ended.set_exception(RuntimeError(self._answer.decode()))
            self._transport.close()
            return
        self._answer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(error or RuntimeError("the server hung up"))

    def _next(self) -> None:
        content = next(self._requests, None)
        if content is not None:
            self._transport.write(content)
        else:
            self._ended.set_result(None)
            self._transport.close()


async def send(port: int, connections: Sequence[Sequence[bytes]], queue: bool = False) -> None:
    """With `queue` each connection takes the next of all requests, as the workers of KServe's agent do."""
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in connections]
    together = iter([request for requests in connections for request in requests])
    for requests, ended in zip(connections, ends, strict=True):
        own = together if queue else iter(requests)
        await loop.create_connection(lambda r=own, e=ended: Sender(r, e), "127.0.0.1", port)
    await asyncio.gather(*ends)


def posted(content: bytes, headers: Mapping[str, str]) -> bytes:
    sent = {
        "Host": "127.0.0.1", "User-Agent": "Go-http-client/1.1", "Authorization": f"Bearer {TOKEN}",
        "Content-Length": str(len(content)), **headers,
    }  # fmt: skip
    lines = ["POST /inference HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def batches(sent: Sequence[bytes], connections: int) -> list[list[bytes]]:
    requests = [posted(content, {"Content-Type": "application/cloudevents-batch+json"}) for content in sent]
    return [requests[place::connections] for place in range(connections)]


def single_events(sent: Sequence[bytes], connections: int) -> list[list[bytes]]:
    """As KServe's agent sends by default: each event alone, in binary mode; a response soon after its request."""
    requests = [[_binary(event) for event in json.loads(content)] for content in sent]
    return [[event for pair in requests[place::connections] for event in pair] for place in range(connections)]


def _binary(event: dict[str, Any]) -> bytes:
    attributes = {f"Ce-{name.title()}": str(value) for name, value in event.items() if name != "data"}
    return posted(json.dumps(event["data"]).encode(), {"Content-Type": "application/json", **attributes})


def over_http(
    connections: list[list[bytes]], features: int, bare: bool = False, queue: bool = False
) -> tuple[float, float, float]:
    """CPU seconds of the server, seconds by the clock, and by how many MB it grew at its largest. Before that it has
    as many records as its sample keeps: until then it takes longer."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve", folder, "--features", str(features)]
        server = subprocess.Popen(
            [*command, "--bare"] if bare else command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        port = int(server.stdout.readline())
        asyncio.run(send(port, [connections[0][:2] if bare else batches(filling(features), 1)[0]]))
        process = psutil.Process(server.pid)
        before, small, began = sum(process.cpu_times()[:2]), process.memory_info().rss, time.perf_counter()
        largest = small
        sender = threading.Thread(target=lambda: asyncio.run(send(port, connections, queue)))
        sender.start()
        while sender.is_alive():
            largest = max(largest, process.memory_info().rss)
            time.sleep(0.05)
        wall = time.perf_counter() - began
        cpu = sum(process.cpu_times()[:2]) - before
        server.communicate("", timeout=30)
    return cpu, wall, (largest - small) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--only", choices=PARTS, nargs="*", default=PARTS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.features, given.bare)
        return
    print(f"{given.features} features; records/s of one core's CPU time, stored in SQLite")
    if "single" in given.only:
        singles(given.records, given.features)
    if "batches" in given.only:
        batched(given.records, given.features)


def singles(records: int, features: int) -> None:
    print("| connections | bare route, events | events | records | as the agent's workers: records | MB it grew |")
    print("|---|---|---|---|---|---|")
    for connections in (8, 64, 256):
        count = min(records, 1_000 + 50 * connections)
        events = single_events(deliveries(count, 1, features), connections)
        bare, _, _ = over_http(events, features, bare=True)
        cpu, _, grown = over_http(events, features)
        queued, _, _ = over_http(events, features, queue=True)
        figures = [2 * count / bare, 2 * count / cpu, count / cpu, count / queued, grown]
        print(f"| {connections} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)


def batched(records: int, features: int) -> None:
    print("| rows a delivery | pipeline alone | pipeline, 64 at once | over HTTP | by the clock | MB it grew |")
    print("|---|---|---|---|---|---|")
    for rows in (1, 10, 100, 1_000):
        count = min(records, 4_000 * rows)
        sent = deliveries(count + rows, rows, features)
        some = sent[:1_001]
        with tempfile.TemporaryDirectory() as folder:
            alone, grouped = (pipeline(some, features, Path(folder), group) for group in (1, 64))
        cpu, wall, grown = over_http(batches(sent, SENDERS), features)
        done = (len(some) - 1) * rows
        figures = [done / alone, done / grouped, count / cpu, count / wall, grown]
        print(f"| {rows:,} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)


if __name__ == "__main__":
    main()
