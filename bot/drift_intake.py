"""Puts together what drift takes in: inference records, labels and alerts. For bot/app.py."""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.mlflow import MlflowRegistry
from bot.clients.record_files import FsspecRecordFiles
from bot.clients.slack import SlackConversation
from bot.knowledge import Ground
from bot.routes import Routes
from bot.routes.alertmanager import alertmanager_routes
from bot.routes.drift import drift_routes
from bot.scheduler import FORGET_EVERY, Scheduler
from pipelines.drift.alerts import AlertDesk, DriftLooks
from pipelines.drift.folders import BrokenFile, FolderReader, FolderRooms, RecordSource
from pipelines.drift.intake import KEPT, Intake
from pipelines.drift.receiving import Receiver
from pipelines.drift.row_sample import OutcomeLimit, RowSample
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Clock

log = structlog.get_logger("bot.drift")

AGES_EVERY = timedelta(minutes=1)
TIDY_EVERY = timedelta(minutes=1)
# How far back the last hour with records is looked for.
AGE_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DriftIntake:
    ground: Ground
    intake: Intake
    receiver: Receiver
    alerts: AlertDesk
    folders: FolderReader
    sources: Sequence[RecordSource]
    models: Collection[str]
    clock: Clock
    stopping: threading.Event

    def routes(self) -> Sequence[Routes]:
        drift = self.ground.telemetry.drift
        return drift_routes(self.receiver, self.intake), alertmanager_routes(
            self.alerts, self.ground.settings, drift.heard
        )

    def schedule(self, scheduler: Scheduler) -> None:
        scheduler.every(FORGET_EVERY, self.forget, "old inference records")
        scheduler.every(TIDY_EVERY, self.receiver.tidy, "requests without a response")
        scheduler.every(AGES_EVERY, self.tell_ages, "ages of inference records")
        for source in self.sources:
            scheduler.every(source.every, self._reading(source), f"records of {source.model}")

    def stop(self) -> None:
        """Nothing new is read; a file that was begun goes on from there at the next start."""
        self.stopping.set()

    def forget(self) -> None:
        """Drop what is older than any baseline."""
        self.intake.forget()
        before = self.clock.now() - KEPT
        self.ground.ledger.notifications.forget(before)
        self.ground.ledger.served.forget(before)
        self.ground.ledger.looks.forget(before)

    def tell_ages(self) -> None:
        """Set the metrics that change without a look."""
        now, ledger = self.clock.now(), self.ground.ledger
        last = ledger.profiles.last_hours(now - AGE_WITHIN)
        waiting = ledger.profiles.labels_waiting()
        for model in self.models:
            ended = last[model] + timedelta(hours=1) if model in last else None
            self.ground.telemetry.drift.aged(model, ended, now, waiting.get(model, 0))

    def _reading(self, source: RecordSource) -> Callable[[], None]:
        def read() -> None:
            # Of several replicas one reads; whatever two read at once is counted once.
            slot = int(self.clock.now().timestamp() // source.every.total_seconds())
            if self.stopping.is_set() or not self._first(f"records:{source.model}:{slot}", source.every):
                return
            taken = self.folders.read(source)
            if taken:
                log.info("records read from files", model=source.model, rows=taken)

        return read

    def _first(self, key: str, lifetime: timedelta) -> bool:
        return self.ground.ledger.deliveries.first_time(key, lifetime)


def build_drift_intake(
    ground: Ground, catalogue: Catalogue, registry: MlflowRegistry, looks: DriftLooks, clock: Clock,
    slack: SlackConversation,
) -> DriftIntake:  # fmt: skip
    """`clock` is that of the records, which a demo may let run faster."""
    ledger, models, counts = ground.ledger, catalogue.models_by_name, ground.telemetry.drift
    intake = Intake(
        ledger.profiles, registry, clock, models, catalogue.naming, ledger.served, counts,
        RowSample(ledger.rows, catalogue.samples), OutcomeLimit(ledger.profiles, catalogue.samples), catalogue.classes,
    )  # fmt: skip
    registry.listen(intake.champion_moved)
    receiver = Receiver(intake, ledger.halves, ledger.together, ground.clock, counts)
    alerts = AlertDesk(ledger.notifications, looks, ground.clock, models, catalogue.alerts)
    stopping = threading.Event()
    folders = FolderReader(
        FolderRooms(
            FsspecRecordFiles(), ledger.record_files, intake, _Teller(slack).tell, counts.refused, stopping.is_set
        )
    )  # fmt: skip
    return DriftIntake(ground, intake, receiver, alerts, folders, catalogue.records, models, clock, stopping)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Shows broken files in the channel of their model; where it cannot be reached the log has told."""

    slack: SlackConversation

    def tell(self, key: str, source: RecordSource, broken: BrokenFile) -> None:
        try:
            channel = SlackChannels(self.slack).find(source.channel)
            self.slack.post_once(key, channel, broken)
        except (Refused, Unavailable) as problem:
            log.warning("a broken file was not told", model=source.model, reason=str(problem))
