"""Inference records into hourly profiles, stored: records a second on one core, through the pipeline and over HTTP.

    .venv/bin/python tests/benchmarks/inference_records.py [--records 40000] [--features 20]

The server is a process of its own with the bot's route, door, intake and SQLite; what counts is its CPU time, since
the senders need the machine's other cores. A delivery is a batch of two CloudEvents: a request of some rows and its
response.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil

from bot.arrivals import Arrivals
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.routes.drift import drift_routes
from bot.server import ServerThread, build_server
from bot.telemetry import Telemetry
from pipelines.drift.intake import Intake
from pipelines.profiles import Categories, Distribution, Reference, ReferenceProfile, reference_edges, tally_numbers

MODEL, TOKEN = "churn", "a-token-of-the-benchmark"
SENDERS = 8
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


def deliveries(records: int, rows: int, features: int) -> list[bytes]:
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
            "specversion": "1.0", "id": f"d{rows}-{number}", "source": "http://localhost/",
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


def pipeline(sent: Sequence[bytes], features: int, folder: Path) -> float:
    """CPU seconds of taking them all in, one after the other."""
    ledger = Ledger(f"sqlite:///{folder / 'pipeline.sqlite'}", SystemClock())
    intake = Intake(ledger.profiles, OneReference(features), SystemClock(), {MODEL})
    intake.take(sent[0], {})
    began = time.process_time()
    for content in sent[1:]:
        intake.take(content, {})
    seconds = time.process_time() - began
    ledger.close()
    (folder / "pipeline.sqlite").unlink()
    return seconds


def serve(folder: str, features: int) -> None:
    """The other process: says its port, then serves until its input ends."""
    ledger = Ledger(f"sqlite:///{folder}/http.sqlite", SystemClock())
    telemetry = Telemetry()
    intake = Intake(ledger.profiles, OneReference(features), SystemClock(), {MODEL}, counts=telemetry.drift)
    server = build_server(
        cast("Any", None), telemetry, list, http_mode=False, arrivals=Arrivals(), routes=[drift_routes(intake)],
        tokens=[TOKEN],
    )  # fmt: skip
    http_side = ServerThread(server, "127.0.0.1", 0)
    http_side.start()
    print(http_side.port, flush=True)
    sys.stdin.read()
    http_side.stop()
    ledger.close()


def send(port: int, contents: Sequence[bytes]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/cloudevents-batch+json"}
    for content in contents:
        connection.request("POST", "/inference", content, headers)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 200, told
    connection.close()


def over_http(sent: Sequence[bytes], features: int, folder: Path) -> tuple[float, float, float]:
    """CPU seconds of the server, seconds by the clock, and by how many MB it grew at its largest."""
    command = [sys.executable, __file__, "--serve", str(folder), "--features", str(features)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    send(port, sent[:1])
    process = psutil.Process(server.pid)
    before, small, began = sum(process.cpu_times()[:2]), process.memory_info().rss, time.perf_counter()
    largest = small
    threads = [threading.Thread(target=send, args=(port, sent[1 + first :: SENDERS])) for first in range(SENDERS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        largest = max(largest, process.memory_info().rss)
        time.sleep(0.05)
    wall = time.perf_counter() - began
    cpu = sum(process.cpu_times()[:2]) - before
    server.communicate("", timeout=30)
    (folder / "http.sqlite").unlink()
    return cpu, wall, (largest - small) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.features)
        return
    print(f"{given.features} features; records/s of one core's CPU time, stored in SQLite")
    print("| rows a delivery | pipeline | over HTTP | over HTTP by the clock | MB it grew |")
    print("|---|---|---|---|---|")
    for rows in (1, 10, 100, 1_000):
        records = min(given.records, 4_000 * rows)
        sent = deliveries(records + rows, rows, given.features)
        with tempfile.TemporaryDirectory() as folder:
            some = sent[:1_001]
            alone = pipeline(some, given.features, Path(folder))
            cpu, wall, grown = over_http(sent, given.features, Path(folder))
        figures = [(len(some) - 1) * rows / alone, records / cpu, records / wall, grown]
        print(f"| {rows:,} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)


if __name__ == "__main__":
    main()
