"""The bot's route for inference records over a database, as a process of its own: says its port, serves until its
input ends."""

import sys
from datetime import UTC, datetime

from bot.arrivals import Arrivals
from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from bot.routes.drift import drift_routes
from bot.server import ServerThread, build_server
from bot.telemetry import Telemetry
from pipelines.drift.intake import Intake
from pipelines.drift.receiving import Receiver
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile

TOKEN = "a-token-of-the-tests"
SAID = Categories({"0": 70, "1": 30})
PROFILE = ReferenceProfile("churn", "churn-3", 100, {"age": Numbers((30.0,), (50, 50))}, SAID, SAID)


class Registry:
    def reference(self, model: str) -> Reference | None:
        return Reference("3", PROFILE)

    def reference_of(self, model: str, version: str) -> Reference | None:
        return None


def receiver_of(ledger: Ledger) -> tuple[Receiver, Intake]:
    intake = Intake(ledger.profiles, Registry(), SystemClock(), {"churn"})
    return Receiver(intake, ledger.halves, ledger.together, SystemClock()), intake


def served(ledger: Ledger) -> ServerThread:
    server = build_server(
        None, Telemetry(), list, http_mode=False, arrivals=Arrivals(), routes=[drift_routes(*receiver_of(ledger))],
        tokens=[TOKEN],
    )  # fmt: skip
    return ServerThread(server, "127.0.0.1", 0)


def rows(ledger: Ledger) -> int:
    hours = ledger.profiles.windows("churn", datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    return sum(hour.total.rows for hour in hours)


if __name__ == "__main__":
    memory = Ledger(sys.argv[1], SystemClock())
    side = served(memory)
    side.start()
    print(side.port, flush=True)
    sys.stdin.read()
    side.stop()
    memory.close()
