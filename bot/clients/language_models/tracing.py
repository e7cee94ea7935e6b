"""A span in MLflow for each call, where the settings ask for it. What is traced was redacted before."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from bot.clients.language_models.provider import Provider, ProviderFault, Request

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

    def __init__(self, tracking_uri: str) -> None:
        self._tracking_uri = tracking_uri
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
        import mlflow
        from mlflow.entities import SpanType
        from mlflow.exceptions import MlflowException

        if time.monotonic() < self._not_before:
            return None
        try:
            experiment_id = self._experiment()
        except (MlflowException, OSError) as error:
            log.warning("calls are not traced for some minutes", reason=str(error)[:300])
            self._not_before = time.monotonic() + PAUSE_SECONDS
            return None
        return mlflow.start_span_no_context(
            f"{request.feature} {provider.model}", span_type=SpanType.CHAT_MODEL, inputs=_inputs(request),
            attributes={"feature": request.feature, "provider": provider.name, "model": provider.model},
            experiment_id=experiment_id,
        )  # fmt: skip

    def _experiment(self) -> str:
        with self._connecting:
            if not self._experiment_id:
                import mlflow

                mlflow.set_tracking_uri(self._tracking_uri)
                self._experiment_id = mlflow.set_experiment(EXPERIMENT).experiment_id
            return self._experiment_id


def _inputs(request: Request) -> dict[str, Any]:
    said = [{"role": turn.role, "content": turn.text} for turn in request.turns]
    return {"messages": [{"role": "system", "content": request.instructions}, *said]}
