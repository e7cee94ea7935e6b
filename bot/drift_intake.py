"""Puts together what drift takes in: inference records, labels and alerts. For bot/app.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalogue import Catalogue
from bot.clients.mlflow import MlflowRegistry
from bot.knowledge import Ground
from bot.routes import Routes
from bot.routes.alertmanager import alertmanager_routes
from bot.routes.drift import drift_routes
from bot.scheduler import FORGET_EVERY, Scheduler
from pipelines.drift.alerts import AlertDesk, DriftLooks
from pipelines.drift.intake import KEPT, Intake
from pipelines.ports import Clock


@dataclass(frozen=True, slots=True)
class DriftIntake:
    ground: Ground
    intake: Intake
    alerts: AlertDesk

    def routes(self) -> Sequence[Routes]:
        drift = self.ground.telemetry.drift
        return drift_routes(self.intake), alertmanager_routes(self.alerts, self.ground.settings, drift.heard)

    def schedule(self, scheduler: Scheduler) -> None:
        scheduler.every(FORGET_EVERY, self._forget, "old inference records")

    def _forget(self) -> None:
        self.intake.forget()
        before = self.ground.clock.now() - KEPT
        self.ground.ledger.notifications.forget(before)
        self.ground.ledger.served.forget(before)


def build_drift_intake(
    ground: Ground, catalogue: Catalogue, registry: MlflowRegistry, looks: DriftLooks, clock: Clock
) -> DriftIntake:
    """`clock` is that of the records, which a demo may let run faster."""
    ledger, models = ground.ledger, catalogue.models_by_name
    intake = Intake(ledger.profiles, registry, clock, models, names=ledger.served, counts=ground.telemetry.drift)
    alerts = AlertDesk(ledger.notifications, looks, ground.clock, models, catalogue.alerts)
    return DriftIntake(ground, intake, alerts)
