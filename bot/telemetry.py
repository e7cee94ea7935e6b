"""Structured logs, Prometheus metrics, and the references that tie what a person reads to a log line."""

import logging
import sys
from secrets import token_hex
from typing import Literal, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from structlog.typing import Processor

from bot.redaction import Redactor
from bot.telemetry_drift import DriftMetrics
from bot.telemetry_models import LanguageModelMetrics

Outcome = Literal["ok", "refused", "unavailable", "broke"]
# Slack gives three seconds; what lies between 1 and 3 is the warning.
ACK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
# Each of these tells its own story at INFO for every request or migration.
CHATTY = (
    "apscheduler", "alembic", "dbos", "google_genai", "httpx", "httpx2", "mlflow", "openai", "slack_bolt", "slack_sdk",
    "sqlalchemy", "urllib3", "uvicorn",
)  # fmt: skip


def reference() -> str:
    """A short name for one failure, such as 7f3a: the person reads it, the log line carries it."""
    return token_hex(2)


class Telemetry:
    """All that is counted. One registry a bot, so that several can live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._handled = self._counter("handled", "Commands, clicks and events by how they ended", "name", "outcome")
        self._ack = Histogram(
            "shipmate_ack_seconds", "Until Slack had its acknowledgement", ["name"],
            buckets=ACK_BUCKETS, registry=self._registry,
        )  # fmt: skip
        self._breakdowns = self._counter("listener_errors", "Failures that nobody foresaw", "name")
        self._approvals = self._counter("approvals", "Approvals by the state that they reached", "state")
        self._retrains = self._counter("retrains", "Retrains by the stage that they reached", "stage")
        self._promotions = self._counter("promotions", "Promotions and ways back by how they ended", "stage")
        self._slack_calls = self._counter("slack_calls", "Calls of Slack's Web API", "method", "status")
        self._pending = Gauge("shipmate_durable_pending", "Unfinished durable work", registry=self._registry)
        self._frame_age = Gauge(
            "shipmate_socket_frame_age_seconds", "Since the last frame on the socket", registry=self._registry
        )
        self.language_models = LanguageModelMetrics(self._registry)
        self.drift = DriftMetrics(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"shipmate_{name}", meaning, labels, registry=self._registry)

    def acknowledged(self, name: str, seconds: float) -> None:
        self._ack.labels(name).observe(seconds)

    def handled(self, name: str, outcome: Outcome) -> None:
        self._handled.labels(name, outcome).inc()
        if outcome == "broke":
            self._breakdowns.labels(name).inc()

    def ended(self, what: str, how: str) -> None:
        """`what` is "approval", "promotion" or "retrain", `how` the state or stage that it reached."""
        counters = {"approval": self._approvals, "promotion": self._promotions}
        counters.get(what, self._retrains).labels(how).inc()

    def slack_called(self, method: str, status: str) -> None:
        """`status` is "ok", Slack's error code, or the HTTP status."""
        self._slack_calls.labels(method, status).inc()

    def durable_pending(self, count: int) -> None:
        self._pending.set(count)

    def frame_age(self, seconds: float) -> None:
        self._frame_age.set(seconds)

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)


def configure_logs(form: str, level: str, redactor: Redactor, stream: TextIO = sys.stderr) -> None:
    """Send our own logs and those of libraries to `stream`, redacted; `form` is "json" or "console"."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redactor.processor,
                _renderer(form),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # the tests and the demo configure more than once
    )


def _renderer(form: str) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
