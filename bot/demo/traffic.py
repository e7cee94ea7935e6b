"""Live traffic: asks the served model over HTTP as clients would, and tells the bot later what came true."""

import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog

from bot.demo.clock import HOUR, FastClock, hour_of
from bot.demo.labelled import LabelledRows
from bot.demo.lending import CATEGORIES, FEATURES, MODEL, NUMBERS, TARGET, applications
from bot.demo.scenarios import FIRST, HISTORY, SCENARIOS, Scenario
from bot.demo.serving.deliveries import DELIVERIES_PATH, Deliveries
from pipelines.json_values import from_json

log = structlog.get_logger("bot.demo")

TIMEOUT_SECONDS = 20.0
ROWS_AN_HOUR_OF_HISTORY = 120
MOST_WAITING_LABELS = 100_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the demo runs. Labels come `label_delay` of the demo's time after their prediction."""

    seconds_per_hour: float = 10.0
    rows_per_second: float = 40.0
    days_of_history: int = 8
    label_delay: timedelta = HOUR / 4

    @property
    def tick_seconds(self) -> float:
        """Ten requests an hour of the demo, and no fewer than one a second."""
        return min(1.0, self.seconds_per_hour / 10)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the served model and the bot answer, and the token that opens the bot's routes."""

    serving_url: str
    bot_url: str
    token: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Rows that were predicted, and what will turn out to be true of them."""

    due: datetime
    labels: dict[str, str]
    rows: Any


class Unanswered(Exception):
    """The served model or the bot did not take a request; the text says which and why."""


class Traffic:
    """Asks in a thread of its own from `start` to `stop`. `trouble` says what is wrong; it goes on trying."""

    def __init__(self, places: Places, clock: FastClock, pace: Pace, labelled: LabelledRows, seed: int) -> None:
        import numpy as np

        self._places = places
        self.serving_url = places.serving_url
        self._clock = clock
        self._pace = pace
        self._labelled = labelled
        self._random = np.random.default_rng(seed)
        headers = {"Authorization": f"Bearer {places.token}"}
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, headers=headers)
        self._waiting: deque[_Waiting] = deque()
        self._asked: deque[tuple[float, int]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-traffic", daemon=True)
        self.scenario: Scenario = FIRST
        self.version = ""
        self.trouble = ""
        self.deliveries = Deliveries()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_SECONDS)
        self._client.close()

    def choose(self, key: str) -> None:
        """From the next request on. Raises KeyError for a scenario that there is not."""
        self.scenario = SCENARIOS[key]

    @property
    def rows_per_second(self) -> float:
        """Of the last five seconds."""
        since = time.monotonic() - 5
        return sum(rows for moment, rows in list(self._asked) if moment >= since) / 5

    def serving_is_ready(self) -> bool:
        try:
            return self._client.get(f"{self.serving_url}/v2/health/ready").is_success
        except httpx.TransportError:
            return False

    def look_at_deliveries(self) -> None:
        """Ask the model server how what it logs arrives; `deliveries` stays what it was where it does not answer."""
        try:
            answer = self._client.get(f"{self.serving_url}{DELIVERIES_PATH}")
        except httpx.TransportError:
            return
        if answer.is_success:
            self.deliveries = from_json(Deliveries, answer.json())

    def backfill(self, until: datetime) -> None:
        """Send the days before `until`, hour by hour, with all their labels. Raises Unanswered."""
        for number in range(self._pace.days_of_history * 24, 0, -1):
            if self._stopping.is_set():
                return
            moment = hour_of(until) - number * HOUR + HOUR / 2
            sent = self._ask(ROWS_AN_HOUR_OF_HISTORY, HISTORY, moment)
            self._tell(sent.labels)

    def _run(self) -> None:
        last = time.monotonic()
        owed = 0.0
        while not self._stopping.wait(self._pace.tick_seconds):
            now = time.monotonic()
            owed = min(owed + (now - last) * self._pace.rows_per_second, 2 * self._pace.rows_per_second)
            last = now
            rows = int(owed)
            owed -= rows
            try:
                self._tick(rows)
                self.trouble = ""
            except Unanswered as trouble:
                self.trouble = str(trouble)
                log.info("traffic", trouble=self.trouble)

    def _tick(self, rows: int) -> None:
        moment = self._clock.now()
        if rows:
            self._waiting.append(self._ask(rows, self.scenario, moment))
            self._asked.append((time.monotonic(), rows))
            while len(self._asked) > 1_000:
                self._asked.popleft()
        self._tell_due(moment)
        self._labelled.publish(moment)

    def _ask(self, rows: int, scenario: Scenario, moment: datetime) -> _Waiting:
        """One request of the v2 protocol, and what will be true of its rows."""
        table = applications(self._random, rows, scenario.at(moment))
        name = uuid.uuid4().hex
        headers = {"ce-id": name, "ce-time": moment.isoformat()}
        url = f"{self.serving_url}/v2/models/{MODEL}/infer"
        answer = self._post("The served model", url, {"id": name, "inputs": tensors(table)}, headers)
        self.version = str(answer.get("model_version", ""))
        outcomes = table[TARGET].tolist()
        ids = [name] if rows == 1 else [f"{name}#{place}" for place in range(rows)]
        return _Waiting(moment + self._pace.label_delay, dict(zip(ids, outcomes, strict=True)), table)

    def _tell_due(self, moment: datetime) -> None:
        due: list[_Waiting] = []
        while self._waiting and self._waiting[0].due <= moment:
            due.append(self._waiting.popleft())
        if due:
            self._tell({name: label for one in due for name, label in one.labels.items()})
            for one in due:
                self._labelled.add(one.due - self._pace.label_delay, one.rows)

    def _tell(self, labels: dict[str, str]) -> None:
        self._post("The bot", f"{self._places.bot_url}/labels", {"model": MODEL, "labels": labels}, {})

    def _post(self, who: str, url: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        try:
            answer = self._client.post(url, json=body, headers=headers)
        except httpx.TransportError as trouble:
            raise Unanswered(f"{who} does not answer ({type(trouble).__name__}).") from None
        if not answer.is_success:
            raise Unanswered(f"{who} answers {answer.status_code}: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found


def tensors(table: Any) -> list[dict[str, Any]]:
    """The features of a table of lending.applications as tensors of the v2 protocol."""
    kinds = {**dict.fromkeys(NUMBERS, "INT64"), **dict.fromkeys(CATEGORIES, "BYTES")}
    return [
        {"name": name, "datatype": kinds[name], "shape": [len(table)], "data": table[name].tolist()}
        for name in FEATURES
    ]
