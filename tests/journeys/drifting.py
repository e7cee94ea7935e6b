"""A served model for stories about drift: its records, its labels, its clock, and the message that tells of it."""

import csv
import ssl
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bot.app import build_bot, registered_manifest
from bot.catalogue import load_catalogue
from bot.config import load_settings, prepare_environment
from bot.demo.run import CATALOGUE, demo_settings
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import PATIENCE_SECONDS, POLL_SECONDS, Seen, Workspace

TOKEN = "a-token-of-the-stories"
MODEL = "tumour"
CHANNEL = "#ml"
HOUR = timedelta(hours=1)
# Loopback speaks HTTP: reading all certificates for each request would be most of its time.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SOON = 60
TRAINED = 90
# Slack gives an app three seconds, to which tests/benchmarks/acknowledge.py holds the bot on a machine of its own. Here
# it shares a busy one with other tests, and a story is not about how long that takes.
ACK_SECONDS = 20.0
ROWS = 60


def quick(catalogue: str) -> str:
    """The demo's catalogue with searches that take a second."""
    return catalogue.replace("target: diagnosis\n", "target: diagnosis\n    search_candidates: 1\n    folds: 2\n")


def train_champion(folder: Path, data: Path) -> None:
    """Leave a champion of the model in `folder`'s registry."""
    (folder / "data").symlink_to(data)
    (folder / "shipmate.yaml").write_text(quick(CATALOGUE.read_text()))
    sandbox = SlackSandbox(folder / "slack.sqlite", port=0, app=registered_manifest(), ack_seconds=ACK_SECONDS)
    sandbox.start()
    settings = demo_settings(folder, sandbox, "http://127.0.0.1:5000")
    prepare_environment(settings)
    bot = build_bot(settings, load_catalogue(folder / "shipmate.yaml", folder))
    bot.start()
    space = Workspace(sandbox.url)
    space.type(f"/retrain {MODEL}", as_=space.person("ben"), channel=CHANNEL)
    card = space.wait_for_message(CHANNEL, containing="Retrain tumour?", as_=space.person("ben"), seconds=SOON)
    space.press(card, "Approve", as_=space.person("ana"))
    space.wait_for_message(CHANNEL, containing="version 1 is", as_=space.person("ben"), seconds=TRAINED)
    space.close()
    bot.stop()
    sandbox.stop()


def text(value: str) -> dict[str, Any]:
    """What was typed into a field of a form."""
    return {"type": "plain_text_input", "value": value}


def choice(value: str) -> dict[str, Any]:
    return {"type": "radio_buttons", "selected_option": {"text": {"type": "plain_text", "text": value}, "value": value}}


class HandSetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


class ClockInFile:
    """The same for a bot in a process of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self._path.read_text())

    @time.setter
    def time(self, moment: datetime) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(moment.isoformat())
        part.replace(self._path)

    def now(self) -> datetime:
        return self.time


Change = Callable[[str, float], float]


def shifted(spreads: float, names: frozenset[str] | None = None) -> Change:
    """Every value (or those of some columns) moved by so many of its own scale; deterministic and no change of unit."""

    def change(name: str, value: float) -> float:
        return value + spreads * SCALES[name] if names is None or name in names else value

    return change


SCALES: dict[str, float] = {}
# The champion goes by the first most of all, and by the last not at all; its importances are the same in every run.
HEAVIEST = (
    "area_error", "worst_texture", "perimeter_error", "radius_error", "worst_area", "worst_perimeter",
    "mean_concavity", "smoothness_error",
)  # fmt: skip
HEAVY = shifted(1.6, frozenset(HEAVIEST))
MEDIUM = shifted(0.5, frozenset(HEAVIEST[:3]))
LIGHT = shifted(1.2, frozenset({"mean_radius"}))


class Watched:
    """The ship, the people, and a client that plays the model server. `clock` moves by `pass_hours` alone."""

    def __init__(self, ship: Any, clock: HandSetClock) -> None:
        self.ship, self.clock = ship, clock
        self.space = ship.workspace
        self.ana, self.ben, self.vera = (self.space.person(name) for name in ("ana", "ben", "vera"))
        self._batches = 0
        self.truth: dict[str, str] = {}
        with (ship.folder / "data" / f"{MODEL}.csv").open(newline="") as stream:
            self.table = list(csv.DictReader(stream))
        self.names = [name for name in self.table[0] if name != "diagnosis"]
        for name in self.names:
            known = [float(row[name]) for row in self.table if row[name]]
            mean = sum(known) / len(known)
            SCALES[name] = (sum((value - mean) ** 2 for value in known) / len(known)) ** 0.5

    @property
    def port(self) -> int:
        return int(self.ship.bot.server.port)

    # The world

    def serve(self, at: datetime, change: Change | None = None, rows: int = ROWS, wrong: float = 0.0) -> list[str]:
        """An hour of records; answers their ids. `wrong` is the share of them that the model gets wrong."""
        first = self._batches * 37 % (len(self.table) - rows)
        self._batches += 1
        batch = f"b{self._batches}-{at:%d%H}"
        taken = self.table[first : first + rows]
        values = [
            [change(name, float(row[name] or "nan")) if change else float(row[name] or "nan") for name in self.names]
            for row in taken
        ]
        said = [row["diagnosis"] for row in taken]
        for number in range(int(wrong * rows)):
            said[number] = "benign" if said[number] == "malignant" else "malignant"
        self._send(batch, at, values, said)
        self.truth.update({f"{batch}#{number}": row["diagnosis"] for number, row in enumerate(taken)})
        return [f"{batch}#{number}" for number in range(rows)]

    def serve_back(self, hours: int, change: Change | None = None, wrong: float = 0.0) -> list[str]:
        """Records in every third hour of the last `hours`."""
        return [
            name
            for ago in range(1, hours + 1, 3)
            for name in self.serve(self.clock.time - ago * HOUR + timedelta(minutes=30), change, wrong=wrong)
        ]

    def label(self, ids: list[str]) -> None:
        answer = self._post("/labels", {"model": MODEL, "labels": {name: self.truth[name] for name in ids}})
        assert answer["waiting"] == 0

    def pass_hours(self, hours: float = 1) -> None:
        """Time goes by, and the schedule notices it."""
        self.clock.time += hours * HOUR
        self.look()

    def look(self) -> None:
        self.ship.bot.drift.workflow.tick()

    def calm(self, seen: Seen) -> Seen:
        """A day and more of usual records, until two looks have seen nothing; the message that says so."""
        self.clock.time += 30 * HOUR
        self.serve_back(24)
        self.pass_hours(1)
        self.becomes(seen, "not seen in the last look")
        self.pass_hours(1)
        return self.becomes(seen, f"Drift of {MODEL} is gone")

    def _send(self, batch: str, at: datetime, values: list[list[float]], said: list[str]) -> None:
        columns = [
            {"name": name, "datatype": "FP64", "shape": [len(values)], "data": [row[place] for row in values]}
            for place, name in enumerate(self.names)
        ]
        outputs = [{"name": "predict", "datatype": "BYTES", "shape": [len(said)], "data": said}]
        common = {
            "specversion": "1.0", "id": batch, "source": "http://localhost:9081/", "time": at.isoformat(),
            "inferenceservicename": MODEL, "namespace": "models", "endpoint": "",
        }  # fmt: skip
        self._post(
            "/inference", {**common, "type": "org.kubeflow.serving.inference.request", "data": {"inputs": columns}}
        )
        answer = self._post(
            "/inference", {**common, "type": "org.kubeflow.serving.inference.response", "data": {"outputs": outputs}}
        )
        assert answer == {"records": len(values), "waiting": 0}

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}{path}", json=body, timeout=120, trust_env=False, verify=PLAIN,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()

    # What people see

    def message(self, containing: str, seconds: float = SOON) -> Seen:
        return self.space.wait_for_message(CHANNEL, containing=containing, as_=self.ben, seconds=seconds)

    def becomes(self, seen: Seen, containing: str, seconds: float = SOON) -> Seen:
        """The same message, once it says so."""

        def now() -> Seen | None:
            newest = self.space.message(seen, as_=self.ben)
            return newest if containing in newest.plain else None

        deadline = time.monotonic() + max(seconds, PATIENCE_SECONDS)
        while (found := now()) is None:
            assert time.monotonic() < deadline, (
                f"{containing!r} is not in: {self.space.message(seen, as_=self.ben).plain}\n---\n{self.thread(seen)}"
            )
            time.sleep(POLL_SECONDS)
        return found

    def thread(self, seen: Seen) -> str:
        return "\n".join(reply.plain for reply in self.space.thread(seen, as_=self.ben))

    def told(self, seen: Seen, containing: str, seconds: float = SOON) -> str:
        deadline = time.monotonic() + max(seconds, PATIENCE_SECONDS)
        while containing not in (said := self.thread(seen)):
            assert time.monotonic() < deadline, f"{containing!r} is not in the thread:\n{said}\n---\n{seen.plain}"
            time.sleep(POLL_SECONDS)
        return said

    def promote(self, seen: Seen, version: int = 2) -> None:
        """Somebody says yes to the new champion too, on the card of the run in the thread."""
        self.told(seen, "waits for its promotion", TRAINED)

        def asking() -> Seen | None:
            replies = self.space.thread(seen, as_=self.ana)
            return next((reply for reply in replies if reply.button(f"Promote version {version}")), None)

        self.space.press(self.space.wait_until(asking, SOON), f"Promote version {version}", as_=self.ana)

    def messages(self) -> list[Seen]:
        return self.space.messages(CHANNEL, as_=self.ben)

    def episodes(self) -> list[Any]:
        return list(self.ship.bot.ledger.episodes.recent(50, MODEL))

    def refusal(self, containing: str, person: Any) -> Seen:
        return self.space.wait_for_ephemeral(containing=containing, as_=person, channel=CHANNEL, seconds=SOON)

    def form(self, person: Any) -> Seen:
        return self.space.wait_until(lambda: self.space.modal(as_=person), SOON)

    def rewrite(self, *pairs: tuple[str, str], **settings: Any) -> None:
        """Change the catalogue and start anew."""
        text = self.ship.catalogue.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        self.ship.catalogue.write_text(text)
        self.ship.restart(**settings)


def serve(folder: Path) -> None:
    """A bot over `folder` until somebody kills it; says where it listens, in a file that the killer waits for."""
    settings = load_settings()
    prepare_environment(settings)
    bot = build_bot(
        settings, load_catalogue(settings.catalogue_path, folder), drift_clock=ClockInFile(folder / "clock")
    )  # fmt: skip
    bot.start()
    port = folder / f"port-{settings.executor_id}"
    port.with_suffix(".part").write_text(str(bot.server.port))
    port.with_suffix(".part").replace(port)
    threading.Event().wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
