"""build_bot: the only place where the parts are put together. Tests, demo and production call the same function."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.http_retry import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler

from bot.arrivals import Arrivals
from bot.cards import draw, draw_form, draw_text
from bot.catalogue import Catalogue
from bot.clients.channels import SlackChannels
from bot.clients.clock import SystemClock
from bot.clients.directory import SlackDirectory
from bot.clients.language_models.building import Voice, build_language_model
from bot.clients.ledger import Ledger
from bot.clients.mlflow import MlflowRegistry
from bot.clients.runners import build_runners
from bot.clients.slack import SlackConversation
from bot.clients.slack_surfaces import SlackSurfaces
from bot.clients.storage import FsspecStorage
from bot.clients.tables import FileTables
from bot.config import Settings
from bot.digests import build_digests
from bot.drift import Drift, build_drift
from bot.drift_intake import DriftIntake, build_drift_intake
from bot.knowledge import Ground, SlackSide, build_ask_desk, build_parts, build_watcher
from bot.listeners import ListenerRooms, Listeners, guarded
from bot.manifest import SlackMode, build_manifest, command_spec, shortcut_spec
from bot.promotion import build_promotion_desk, promotion_rooms
from bot.redaction import Redactor
from bot.registrations import Command, Registrations, ShortcutHandler
from bot.routes import Routes
from bot.routes.github import github_routes
from bot.routes.knowledge import knowledge_routes
from bot.scheduler import DIGESTS_EVERY, FORGET_EVERY, LOOKS_EVERY, SWEEP_EVERY, Scheduler
from bot.server import ServerThread, build_server
from bot.sockets import Sockets
from bot.telemetry import Telemetry
from bot.triage import TriageSides, build_triage, forget_old_reports
from bot.triage_in_slack import TRIAGE_SHORTCUTS, TriageInSlack, build_triage_in_slack, log_routes
from bot.watching import Watcher
from commands.approvals import ApprovalsCommand
from commands.ask import AskCommand
from commands.audit import AuditCommand
from commands.digest import DigestCommand
from commands.drift import DriftCommand
from commands.help import HelpCommand
from commands.models import ModelsCommand
from commands.retrain import RetrainCommand
from commands.triage import TriageCommand
from handlers.ask import AddOfferedFiles, AddToKnowledge, AnswerMention, GiveFeedback, GivePlainFeedback, Greet, TakeIn
from handlers.drift import (
    ApproveDriftRetrain,
    EditDriftRetrain,
    EditedDriftRetrain,
    InvestigateDrift,
    PlanDriftRetrain,
    RejectDriftRetrain,
    RejectedDriftRetrain,
    SnoozedDrift,
    SnoozeDrift,
)
from handlers.home import OpenHome
from handlers.promotion import ApprovePromotion, AskWayBack, KeepChampion, WithdrawPromotion
from handlers.retrain import ApproveRetrain, CancelRetrain, OrderAgain, RejectRetrain
from pipelines.approval import ApprovalDesk
from pipelines.ask.desk import AskDesk
from pipelines.audit import AuditTrail
from pipelines.digest.desk import DigestDesk
from pipelines.durable.workflow import DurableWork, EngineSettings
from pipelines.errors import Refused, Unavailable
from pipelines.help import CommandHelp
from pipelines.ports import Clock, ModelUsage
from pipelines.retrain.desk import RetrainDesk
from pipelines.retrain.workflow import RetrainRooms, RetrainWorkflow
from pipelines.triage.desk import TriageDesk
from pipelines.waiting import WaitingList

log = structlog.get_logger("bot.app")


@dataclass(frozen=True, slots=True)
class Bot:
    """A whole bot. Start it once; after `stop` build a new one."""

    settings: Settings
    bolt: App
    listeners: Listeners
    durable: DurableWork
    desk: RetrainDesk
    ask_desk: AskDesk
    ledger: Ledger
    registry: MlflowRegistry
    scheduler: Scheduler
    server: ServerThread
    sockets: Sockets | None
    voice: Voice
    digests: DigestDesk
    watcher: Watcher
    drift: Drift
    intake: DriftIntake

    def start(self) -> None:
        """Serve HTTP, resume unfinished work, then listen to Slack."""
        self.server.start()
        self.durable.launch()
        self.desk.workflow.sweep()
        self.drift.workflow.tick()
        self.scheduler.start()
        if self.sockets:
            self.sockets.connect()
        threading.Thread(target=warm, args=(self.registry, self.voice), name="warm-up", daemon=True).start()
        self.watcher.start()
        log.info("started", port=self.server.port, slack=self.settings.slack_mode)

    def stop(self) -> None:
        """Take nothing new, let short work end, leave long work to the next start."""
        if self.sockets:
            self.sockets.close()
        self.scheduler.stop()
        self.watcher.stop()
        self.intake.stop()
        self.server.stop()
        self.voice.stop()
        self.listeners.drain()
        self.durable.stop(self.settings.drain_seconds if self.durable.pending() else 0)
        self.watcher.close()
        self.ledger.close()
        log.info("stopped")


def build_bot(
    settings: Settings, catalogue: Catalogue, clock: Clock | None = None, drift_clock: Clock | None = None
) -> Bot:
    """Put the parts together. Nothing runs and nothing is connected before `start`.

    `drift_clock` is the time of inference records; where a demo lets it run faster, everything else keeps its own.
    """
    telemetry = Telemetry()
    clock = clock or SystemClock()
    ledger = Ledger(settings.database_url, clock)
    client = build_slack_client(settings)
    redactor = Redactor()
    conversation = SlackConversation(client, ledger.postings, draw, redactor.redact_value, telemetry.slack_called)
    voice = build_language_model(settings, ledger, telemetry, redactor, clock)
    directory = SlackDirectory(client, catalogue)
    durable = DurableWork(EngineSettings(settings.durable_database_url, settings.executor_id))
    storage = FsspecStorage(settings.storage_url)
    registry = MlflowRegistry(settings.mlflow_tracking_uri, settings.mlflow_ui_url, settings.mlflow_artifact_root)
    ground = Ground(settings, ledger, durable, storage, clock, telemetry, guarded(durable, telemetry))
    desk = build_retrain_desk(ground, catalogue, conversation, directory, registry)
    bolt = build_bolt(settings, client)
    arrivals = Arrivals()
    surfaces = SlackSurfaces(conversation, ledger.postings, draw_form, draw_text)
    parts = build_parts(settings, catalogue.knowledge, redactor)
    ask_desk = build_ask_desk(ground, SlackSide(conversation, surfaces), parts, voice.model)
    watcher = build_watcher(ground, parts, ask_desk, catalogue.knowledge)
    triage = build_triage(ground, catalogue, TriageSides(conversation, directory, voice.model, redactor))
    drift = build_drift(ground, catalogue, conversation, desk, registry, drift_clock or clock, voice.model, redactor)
    intake = build_drift_intake(ground, catalogue, registry, drift.workflow, drift_clock or clock, conversation)
    in_slack = build_triage_in_slack(ground, catalogue, conversation, directory, voice.model, redactor)
    waiting = WaitingList(desk.approvals, (desk.waiting, in_slack.acts.waiting), clock)
    digests = build_digests(
        catalogue, desk, waiting, ground, SlackChannels(conversation), directory, voice.model, drift_clock or clock
    )  # fmt: skip
    registrations = build_registrations(
        Desks(desk, voice.usage, ask_desk, digests, drift, triage, in_slack, waiting, ledger.audit)
    )
    rooms = ListenerRooms(registrations, directory, conversation, ledger.deliveries, telemetry, surfaces, arrivals)
    listeners = Listeners(bolt, rooms).register()
    sockets = build_sockets(settings, bolt, telemetry, arrivals)
    server = build_server(
        bolt, telemetry, lambda: problems(sockets, ledger), settings.slack_mode == "http", arrivals,
        routes=[knowledge_routes(ask_desk), *intake.routes(), *build_ci_routes(triage, voice, redactor, settings)],
        tokens=[token.get_secret_value() for token in settings.http_bearer_tokens],
    )  # fmt: skip
    scheduler = build_scheduler(ground, catalogue, desk, digests, drift, in_slack, (intake, watcher))
    return Bot(
        settings, bolt, listeners, durable, desk, ask_desk, ledger, registry, scheduler,
        ServerThread(server, settings.http_host, settings.http_port), sockets, voice, digests, watcher, drift, intake,
    )  # fmt: skip


def build_ci_routes(triage: TriageDesk, voice: Voice, redactor: Redactor, settings: Settings) -> Sequence[Routes]:
    return github_routes(triage, settings), log_routes(settings, voice.model, redactor)


def build_scheduler(
    ground: Ground, catalogue: Catalogue, desk: RetrainDesk, digests: DigestDesk, drift: Drift,
    in_slack: TriageInSlack, more: Sequence[DriftIntake | Watcher],
) -> Scheduler:  # fmt: skip
    telemetry, durable = ground.telemetry, ground.durable
    scheduler = Scheduler(desk, catalogue.schedules, ground.settings.nightly_at)
    scheduler.every(SWEEP_EVERY, lambda: telemetry.durable_pending(durable.pending()), "pending work")
    scheduler.every(FORGET_EVERY, lambda: forget_old_reports(ground), "old reports of runs")
    scheduler.every(DIGESTS_EVERY, digests.tick, "digests")
    scheduler.every(LOOKS_EVERY, drift.workflow.tick, "drift")
    scheduler.every(SWEEP_EVERY, in_slack.acts.sweep, "re-runs")
    for one in more:
        one.schedule(scheduler)
    return scheduler


def build_retrain_desk(
    ground: Ground, catalogue: Catalogue, conversation: SlackConversation, directory: SlackDirectory,
    registry: MlflowRegistry,
) -> RetrainDesk:  # fmt: skip
    ledger, settings, models = ground.ledger, ground.settings, catalogue.models_by_name
    approvals = ApprovalDesk(ledger.approvals, directory, ground.clock)
    promotion = promotion_rooms(ground, approvals, conversation, registry, models)
    workflow = RetrainWorkflow(
        RetrainRooms(
            durable=ground.durable, approvals=approvals, retrains=ledger.retrains, conversation=conversation,
            registry=registry, storage=ground.storage, tables=FileTables(),
            runners=build_runners(settings, ground.storage), runs_folder=settings.data_dir / "runs",
            clock=ground.clock, models=models, promotion=promotion, count=ground.telemetry.ended, guard=ground.guard,
        )
    )  # fmt: skip
    promotions = build_promotion_desk(promotion, workflow.promotions)
    return RetrainDesk(workflow, approvals, ledger.retrains, conversation, registry, ground.clock, models, promotions)


DESK_COMMANDS: Mapping[str, type[RetrainCommand | ModelsCommand]] = {
    "/retrain": RetrainCommand,
    "/models": ModelsCommand,
}
ALL_COMMANDS: Mapping[str, type[Command]] = {
    **DESK_COMMANDS, "/approvals": ApprovalsCommand, "/ask": AskCommand, "/audit": AuditCommand,
    "/digest": DigestCommand, "/drift": DriftCommand, "/shipmate": HelpCommand, "/triage": TriageCommand,
}  # fmt: skip
PROMOTION_CLICKS = (ApprovePromotion, KeepChampion, WithdrawPromotion, AskWayBack)
DRIFT_CLICKS = (
    ApproveDriftRetrain, EditDriftRetrain, RejectDriftRetrain, PlanDriftRetrain, SnoozeDrift, InvestigateDrift,
)  # fmt: skip
DRIFT_FORMS = (EditedDriftRetrain, RejectedDriftRetrain, SnoozedDrift)
ALL_SHORTCUTS: Sequence[type[ShortcutHandler]] = (AddToKnowledge, *TRIAGE_SHORTCUTS)


def registered_manifest(mode: SlackMode = "socket", base_url: str = "") -> dict[str, Any]:
    """The Slack app manifest of exactly what is registered here."""
    return build_manifest(
        [command_spec(name, kind) for name, kind in ALL_COMMANDS.items()],
        [shortcut_spec(kind) for kind in ALL_SHORTCUTS], mode=mode, base_url=base_url,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desks:
    """Whom commands, clicks, shortcuts and forms ask."""

    retrain: RetrainDesk
    usage: ModelUsage
    ask: AskDesk
    digests: DigestDesk
    drift: Drift
    triage: TriageDesk
    triage_in_slack: TriageInSlack
    waiting: WaitingList
    audit: AuditTrail


def build_registrations(desks: Desks) -> Registrations:
    """What people can type, press, choose, send in and say. Help is made from the commands themselves."""
    known = command_help()
    commands: dict[str, Command] = {name: kind(desks.retrain) for name, kind in DESK_COMMANDS.items()}
    commands["/approvals"] = ApprovalsCommand(desks.waiting)
    commands["/ask"] = AskCommand(desks.ask)
    commands["/audit"] = AuditCommand(desks.audit)
    commands["/digest"] = DigestCommand(desks.digests)
    commands["/drift"] = DriftCommand(desks.drift.desk, desks.drift.explainer.explain)
    commands["/shipmate"] = HelpCommand(known, desks.usage)
    commands["/triage"] = TriageCommand(desks.triage)
    clicks = (
        ApproveRetrain(desks.retrain), RejectRetrain(desks.retrain), CancelRetrain(desks.retrain),
        OrderAgain(desks.retrain), AddOfferedFiles(desks.ask), GiveFeedback(desks.ask), GivePlainFeedback(desks.ask),
        *(kind(desks.retrain.promotions) for kind in PROMOTION_CLICKS),
        *(kind(desks.drift.episodes) for kind in DRIFT_CLICKS), *desks.triage_in_slack.clicks(),
    )  # fmt: skip
    return Registrations(
        commands, clicks, OpenHome(desks.waiting, desks.retrain, desks.drift.trends),
        desks.triage_in_slack.mention(AnswerMention(desks.ask, known)),
        shortcuts=(AddToKnowledge(desks.ask), *desks.triage_in_slack.shortcuts()), greeting=Greet(),
        shared=desks.triage_in_slack.shared(),
        forms=(TakeIn(desks.ask), *(kind(desks.drift.episodes) for kind in DRIFT_FORMS),
               *desks.triage_in_slack.forms()),
    )  # fmt: skip


def command_help() -> tuple[CommandHelp, ...]:
    specs = [(command_spec(name, kind), kind.permission) for name, kind in ALL_COMMANDS.items()]
    return tuple(
        CommandHelp(spec.name, spec.description, f"{spec.name} {spec.usage_hint}".strip(), permission)
        for spec, permission in specs
    )


def build_slack_client(settings: Settings) -> WebClient:
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
    client = WebClient(token=token, base_url=settings.slack_api_url, timeout=15)
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=3))
    client.retry_handlers.append(ConnectionErrorRetryHandler(max_retry_count=2))
    return client


def build_bolt(settings: Settings, client: WebClient) -> App:
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
    return App(
        client=client, signing_secret=secret, token_verification_enabled=False,
        request_verification_enabled=settings.slack_mode == "http",
        listener_executor=ThreadPoolExecutor(settings.listener_threads, thread_name_prefix="bolt"),
    )  # fmt: skip


def build_sockets(settings: Settings, bolt: App, telemetry: Telemetry, arrivals: Arrivals) -> Sockets | None:
    if settings.slack_mode != "socket" or settings.slack_app_token is None:
        return None
    token = settings.slack_app_token.get_secret_value()
    return Sockets(bolt, token, settings.watchdog_seconds, telemetry, arrivals)


def problems(sockets: Sockets | None, ledger: Ledger) -> list[str]:
    """Why the bot is not ready; empty when it is."""
    found = [] if sockets is None or sockets.connected else ["Slack's socket is not connected."]
    return found if ledger.answers() else [*found, "The database does not answer."]


def warm(registry: MlflowRegistry, voice: Voice) -> None:
    """Import what is heavy once the bot answers, never first inside a listener."""
    try:
        registry.warm()
    except (Unavailable, Refused) as problem:
        log.warning("not warmed up", reason=str(problem))
    voice.warm()
