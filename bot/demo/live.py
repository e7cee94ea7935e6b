"""The live part of the demo: a champion, the process that serves it, the traffic, and the panel that steers it."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.app import Bot
from bot.demo.clock import HOUR, FastClock
from bot.demo.first_champion import ensure_champion
from bot.demo.labelled import LabelledRows
from bot.demo.lending import MODEL
from bot.demo.scenarios import SCENARIOS
from bot.demo.serving.order import ServingOrder
from bot.demo.serving.process import ServingProcess
from bot.demo.traffic import Pace, Places, Traffic, Unanswered
from bot.sandbox.slack.page import from_here
from pipelines.errors import Refused, Unavailable
from pipelines.retrain.values import ModelSpec

log = structlog.get_logger("bot.demo")

PANEL = ({"label": "Live traffic", "hint": "", "method": "LIVE", "url": "/demo/traffic"},)
LOOK_EVERY_SECONDS = 0.2
SAVE_EVERY_SECONDS = 1.0
READY_SECONDS = 60.0


class LiveDemo:
    """Comes up in a thread of its own, which takes some seconds at the first start; `state` says how far it is."""

    def __init__(self, folder: Path, pace: Pace) -> None:
        self._folder = folder
        self._pace = pace
        self._memory = folder / "traffic.json"
        earlier = _remembered(self._memory)
        self._continues = earlier is not None
        # Never back to hours that have records already.
        self.clock = FastClock(earlier + HOUR if earlier else datetime.now(UTC), pace.seconds_per_hour)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.serving: ServingProcess | None = None
        self.traffic: Traffic | None = None
        self.state = "Starting."

    def start(self, bot: Bot, spec: ModelSpec, token: str) -> None:
        self._thread = threading.Thread(target=self._run, args=(bot, spec, token), name="live-demo", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(READY_SECONDS)

    def routes(self) -> list[Route]:
        return [
            Route("/demo/traffic", self._show),
            Route("/demo/traffic/{scenario}", self._choose, methods=["POST"]),
        ]

    @property
    def running(self) -> bool:
        return self.state == ""

    def _run(self, bot: Bot, spec: ModelSpec, token: str) -> None:
        try:
            self._bring_up(bot, spec, token)
        except (Refused, Unavailable, Unanswered) as problem:
            self.state = f"It does not run: {problem}"
            log.warning("no live traffic", reason=str(problem))
        while not self._stopping.wait(SAVE_EVERY_SECONDS):
            if self.running:
                self._memory.write_text(json.dumps({"hour": self.clock.now().isoformat()}))
                self._revive()
                if self.traffic is not None:
                    self.traffic.look_at_deliveries()
        for part in (self.traffic, self.serving):
            if part is not None:
                part.stop()

    def _revive(self) -> None:
        """Start the model server again where somebody ended it."""
        if self.serving is None or self.traffic is None or self.serving.alive:
            return
        self.serving.stop()
        self.serving.start()
        self.traffic.serving_url = self.serving.url

    def _bring_up(self, bot: Bot, spec: ModelSpec, token: str) -> None:
        self.state = f"Version 1 of {MODEL} is being trained, once, as the demo starts for the first time."
        if ensure_champion(bot, spec, self._stopping) is None:
            return
        self.state = "The model server is starting."
        bot_url = f"http://127.0.0.1:{bot.server.port}"
        every = min(1.0, self._pace.tick_seconds)
        order = ServingOrder(MODEL, bot.settings.mlflow_tracking_uri, f"{bot_url}/inference", token, every)
        serving = self.serving = ServingProcess(order, self._folder)
        serving.start()
        held = _held_by_a_run(bot)
        labelled = LabelledRows(Path(spec.data), held)
        seed = int(self.clock.now().timestamp())
        traffic = self.traffic = Traffic(Places(serving.url, bot_url, token), self.clock, self._pace, labelled, seed)
        if not self._wait_until_ready(traffic):
            return
        if not self._continues:
            self.state = f"{self._pace.days_of_history} days of history are being sent."
            traffic.backfill(self.clock.now())
        # Only now: the hours that pass must follow upon those of the history.
        self.clock.go()
        traffic.start()
        self.state = ""

    def _wait_until_ready(self, traffic: Traffic) -> bool:
        waited = 0.0
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            if traffic.serving_is_ready():
                return True
            waited += LOOK_EVERY_SECONDS
            if waited > READY_SECONDS:
                raise Refused(f"The model server is not ready. Its log: {self._folder / 'serving.log'}")
        return False

    async def _show(self, _request: Request) -> Response:
        """What the panel shows; the page asks once a second."""
        traffic = self.traffic if self.running else None
        now = self.clock.now()
        facts = [
            ["Serves", f"{MODEL} v{traffic.version}" if traffic and traffic.version else "nothing yet"],
            ["Traffic", f"{traffic.rows_per_second:.0f} rows/s" if traffic else "none yet"],
            ["Deliveries", traffic.deliveries.in_words if traffic else "none yet"],
            ["Time", f"{now:%a %H}:00 (an hour passes every {self._pace.seconds_per_hour:g} s)"],
        ]
        chosen = traffic.scenario.key if traffic else ""
        choices = [
            {"label": one.label, "hint": one.hint, "url": f"/demo/traffic/{one.key}", "chosen": one.key == chosen}
            for one in SCENARIOS.values()
        ]
        trouble = self.state or (traffic.trouble if traffic else "")
        return JSONResponse({"facts": facts, "choices": choices, "notice": trouble, "ready": traffic is not None})

    async def _choose(self, request: Request) -> Response:
        if not from_here(request):
            return JSONResponse({"ok": False, "error": "foreign_origin"}, status_code=403)
        traffic, key = self.traffic, request.path_params["scenario"]
        if key not in SCENARIOS:
            return JSONResponse({"ok": False, "error": "unknown_scenario", "known": list(SCENARIOS)}, status_code=404)
        if traffic is None or not self.running:
            return JSONResponse({"ok": False, "error": "not_ready"}, status_code=503)
        traffic.choose(key)
        return JSONResponse({"ok": True})


def _held_by_a_run(bot: Bot) -> Callable[[], bool]:
    """A plan is bound to the version of its data: from its drawing to the end of its run the table stays."""

    def held() -> bool:
        episode = bot.ledger.episodes.of(MODEL)
        drawing = episode is not None and episode.proposal is not None and episode.proposal.drawing
        return drawing or any(run.plan.model == MODEL for run in bot.ledger.retrains.unfinished())

    return held


def _remembered(path: Path) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(path.read_bytes())["hour"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
