"""A span in MLflow for each call, where the settings ask for it. What is traced was redacted before."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from bot.clients.language_models.provider import Provider, ProviderFault, Request
from bot.clients.mlflow_calls import connect, told
from pipelines.errors import Refused, Unavailable

if TYPE_CHECKING:
    from mlflow.entities import LiveSpan

    from bot.clients.language_models.meter import Measured

log = structlog.get_logger("bot.language_models")

EXPERIMENT = "shipmate-language-models"
PAUSE_SECONDS = 300  # a tracking server that is away would hold up every call


class Tracing(Protocol):
    def span(self, provider: Provider, request: Request, measured: "Measured") -> AbstractContextManager[None]: ...


class NoTracing:
    def span(self, _provider: Provider, _request: Request, _measured: "Measured") -> AbstractContextManager[None]:
        return nullcontext()


class MlflowTracing:
    """Into an experiment of its own. MLflow is imported with the first call; trouble with it is logged, and the call
    goes on."""

    def __init__(self, tracking_uri: str, artifact_root: str) -> None:
        self._tracking_uri = tracking_uri
        self._artifact_root = artifact_root
        self._connecting = threading.Lock()
        self._experiment_id = ""
        self._not_before = 0.0

    @contextmanager
    def span(self, provider: Provider, request: Request, measured: "Measured") -> Iterator[None]:
        span = self._begin(provider, request)
        if span is None:
            yield
            return
        status = "ERROR"
        try:
            yield
            status = "OK"
        except ProviderFault as fault:
            span.set_attribute("fault", fault.fault)
            raise
        finally:
            if measured.tokens:
                span.set_attributes({"input_tokens": measured.tokens.input, "output_tokens": measured.tokens.output})
            span.end(outputs={"text": "".join(measured.text)}, status=status)

    def _begin(self, provider: Provider, request: Request) -> "LiveSpan | None":
        if time.monotonic() < self._not_before:
            return None
        try:
            with told():
                experiment_id = self._experiment()
        except (Unavailable, Refused) as trouble:
            log.warning("calls are not traced for some minutes", reason=str(trouble)[:300])
            self._not_before = time.monotonic() + PAUSE_SECONDS
            return None
        import mlflow
        from mlflow.entities import SpanType

        return mlflow.start_span_no_context(
            f"{request.feature} {provider.model}", span_type=SpanType.CHAT_MODEL, inputs=_inputs(request),
            attributes={"feature": request.feature, "provider": provider.name, "model": provider.model},
            experiment_id=experiment_id,
        )  # fmt: skip

    def _experiment(self) -> str:
        with self._connecting:
            if not self._experiment_id:
                client = connect(self._tracking_uri)
                found = client.get_experiment_by_name(EXPERIMENT)
                # Another replica that makes it at this moment lets this one fail; it finds it some minutes later.
                made = found.experiment_id if found else client.create_experiment(EXPERIMENT, self._artifact_location())
                import mlflow

                mlflow.set_tracking_uri(self._tracking_uri)
                self._experiment_id = str(made)
            return self._experiment_id

    def _artifact_location(self) -> str | None:
        """None where a server says itself where files lie; else not the working directory, which may be read-only."""
        if self._tracking_uri.startswith(("http://", "https://")) or not self._artifact_root:
            return None
        return f"{self._artifact_root.rstrip('/')}/{EXPERIMENT}"


def _inputs(request: Request) -> dict[str, Any]:
    said = [{"role": turn.role, "content": turn.text} for turn in request.turns]
    return {"messages": [{"role": "system", "content": request.instructions}, *said]}
