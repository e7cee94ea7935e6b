"""A span in MLflow for each call, where the settings ask for it. What is traced was redacted before."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from bot.clients.language_models.provider import Provider, ProviderFault, Request

if TYPE_CHECKING:
    from bot.clients.language_models.meter import Measured

EXPERIMENT = "shipmate-language-models"


class Tracing(Protocol):
    def span(self, provider: Provider, request: Request, measured: "Measured") -> AbstractContextManager[None]: ...


class NoTracing:
    def span(self, _provider: Provider, _request: Request, _measured: "Measured") -> AbstractContextManager[None]:
        return nullcontext()


class MlflowTracing:
    """Into an experiment of its own. MLflow is imported with the first call; its own trouble is logged by MLflow and
    never reaches the caller."""

    def __init__(self, tracking_uri: str) -> None:
        self._tracking_uri = tracking_uri
        self._connecting = threading.Lock()
        self._experiment_id = ""

    @contextmanager
    def span(self, provider: Provider, request: Request, measured: "Measured") -> Iterator[None]:
        import mlflow
        from mlflow.entities import SpanStatusCode, SpanType

        span = mlflow.start_span_no_context(
            f"{request.feature} {provider.model}", span_type=SpanType.CHAT_MODEL, inputs=_inputs(request),
            attributes={"feature": request.feature, "provider": provider.name, "model": provider.model},
            experiment_id=self._experiment(),
        )  # fmt: skip
        status = SpanStatusCode.ERROR
        try:
            yield
            status = SpanStatusCode.OK
        except ProviderFault as fault:
            span.set_attribute("fault", fault.fault)
            raise
        finally:
            if measured.tokens:
                span.set_attributes({"input_tokens": measured.tokens.input, "output_tokens": measured.tokens.output})
            span.end(outputs={"text": "".join(measured.text)}, status=status)

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
