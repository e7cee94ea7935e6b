"""Logs requests and responses as KServe's agent does: CloudEvents over HTTP, in batches, tried again.

Type, source and extensions are those of the agent (kserve.github.io/website, "Inference Logger"); batches are of the
CloudEvents batch format, application/cloudevents-batch+json. Serving never waits for it: the queue is bounded, and
the oldest events are dropped and counted when whoever listens is away for long.
"""

import json
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import structlog

from bot.demo.serving.deliveries import Deliveries

log = structlog.get_logger("bot.demo.serving")

Kind = Literal["request", "response"]
MOST_QUEUED = 2_000
BATCH_EVENTS = 100
BATCH_BYTES = 4_000_000  # half of what /inference takes
EVERY_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 10.0
TIMEOUT_SECONDS = 30.0


class InferenceLogger:
    """`url` takes the events; requests bear `token`. What still waits at `stop` is sent once more."""

    def __init__(self, url: str, token: str, model: str, every_seconds: float = EVERY_SECONDS) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents-batch+json"}
        self._model = model
        self._every_seconds = every_seconds
        self._queue: deque[bytes] = deque()
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference-logger", daemon=True)
        self.sent = 0
        self.dropped = 0
        self.refused = 0
        self.problem = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_SECONDS)

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.sent, len(self._queue), self.refused, self.dropped, self.problem)

    def log(self, kind: Kind, event_id: str, moment: datetime, body: dict[str, Any]) -> None:
        event = {
            "specversion": "1.0", "id": event_id, "type": f"org.kubeflow.serving.inference.{kind}",
            "source": "http://localhost:9081/", "time": moment.astimezone(UTC).isoformat(),
            "datacontenttype": "application/json", "inferenceservicename": self._model, "namespace": "demo",
            "component": "predictor", "endpoint": "", "data": body,
        }  # fmt: skip
        with self._turn:
            self._queue.append(json.dumps(event).encode())
            while len(self._queue) > MOST_QUEUED:
                self._queue.popleft()
                self.dropped += 1

    def _run(self) -> None:
        wait = self._every_seconds
        with httpx.Client(headers=self._headers, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while not self._stopping.wait(wait):
                wait = self._every_seconds if self._flush(client) else min(2 * wait, LONGEST_WAIT_SECONDS)
            self._flush(client)

    def _flush(self, client: httpx.Client) -> bool:
        """Send what waits; False when that has to be tried again later."""
        while batch := self._next():
            try:
                answer = client.post(self._url, content=b"[" + b",".join(batch) + b"]")
            except httpx.TransportError as trouble:
                return self._put_back(batch, type(trouble).__name__)
            if answer.status_code == 429 or answer.status_code >= 500:
                return self._put_back(batch, f"status {answer.status_code}")
            self.problem = ""
            if answer.is_success:
                self.sent += len(batch)
            else:
                # It will be refused again: a batch that can never be taken must not hold up the others.
                self.refused += len(batch)
                log.warning("events were refused", status=answer.status_code, reason=answer.text[:300])
        return True

    def _next(self) -> list[bytes]:
        batch: list[bytes] = []
        size = 0
        with self._turn:
            while self._queue and len(batch) < BATCH_EVENTS and size + len(self._queue[0]) <= BATCH_BYTES:
                batch.append(self._queue.popleft())
                size += len(batch[-1])
            if self._queue and not batch:
                self._queue.popleft()
                self.dropped += 1
        return batch

    def _put_back(self, batch: list[bytes], reason: str) -> bool:
        with self._turn:
            self._queue.extendleft(reversed(batch))
        self.problem = reason
        log.info("events wait", waiting=len(self._queue), reason=reason)
        return False
