"""The language model that the settings describe, with its guards and its books."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.clients.language_models.budget import Budget
from bot.clients.language_models.chain import AnswerMetrics, ChainLimits, LanguageModelChain
from bot.clients.language_models.gemini import GeminiProvider
from bot.clients.language_models.gemini_legacy import GeminiLegacyProvider
from bot.clients.language_models.guarded import PATIENCE, GuardedProvider, Patience
from bot.clients.language_models.meter import CallMetrics, Meter
from bot.clients.language_models.offline import OfflineLanguageModel
from bot.clients.language_models.openai import OpenAiProvider
from bot.clients.language_models.prices import Price
from bot.clients.language_models.provider import Provider, ProviderFault
from bot.clients.language_models.tracing import MlflowTracing, NoTracing, Tracing
from bot.clients.ledger import Ledger
from bot.clients.ledger_usage import Spending
from bot.config import Settings
from bot.config_language_models import ProviderName
from bot.redaction import Redactor
from pipelines.ports import Clock, LanguageModel, ModelUsage

log = structlog.get_logger("bot.language_models")


class ModelMetrics(CallMetrics, AnswerMetrics, Protocol):
    """All that is counted here."""


class Telemetry(Protocol):
    @property
    def language_models(self) -> ModelMetrics: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """`warm` imports the clients that will be needed; `stop` lets whoever waits for a model go on without it."""

    model: LanguageModel
    usage: ModelUsage
    warm: Callable[[], None]
    stop: Callable[[], None]


def build_language_model(
    settings: Settings,
    ledger: Ledger,
    telemetry: Telemetry,
    redactor: Redactor,
    clock: Clock,
    patience: Patience = PATIENCE,
) -> Voice:
    """Nothing is imported or connected before the first prompt."""
    providers = [build_provider(name, settings) for name in settings.chosen_language_models]
    limit = Spending(settings.language_model_daily_tokens, settings.language_model_daily_dollars)
    titles = tuple(f"{provider.name} {provider.model}" for provider in providers)
    budget = Budget(ledger.usage, clock, limit, titles)
    if not providers:
        return Voice(OfflineLanguageModel(), budget, lambda: None, lambda: None)
    metrics = telemetry.language_models
    tracing: Tracing = NoTracing()
    if settings.language_model_tracing:
        tracing = MlflowTracing(settings.mlflow_tracking_uri, settings.mlflow_artifact_root)
    prices = {model: Price(*numbers) for model, numbers in settings.language_model_prices.items()}
    meter = Meter(budget, prices, metrics, tracing)
    models = [GuardedProvider(provider, meter, patience) for provider in providers]
    chain = LanguageModelChain(models, redactor, budget, metrics, _limits(settings))
    return Voice(chain, budget, lambda: warm(providers), chain.stop)


def warm(providers: Sequence[Provider]) -> None:
    for provider in providers:
        try:
            provider.warm()
        except ProviderFault as fault:
            log.warning("language model is not ready", provider=provider.name, reason=fault.reason)


def build_provider(name: ProviderName, settings: Settings) -> Provider:
    """Also for the doctor; a missing key is found when it is asked."""
    if name == "openai":
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
        return OpenAiProvider(settings.openai_model, key, settings.openai_base_url)
    key = settings.gemini_api_key.get_secret_value() if settings.gemini_api_key else ""
    kind = GeminiProvider if name == "gemini" else GeminiLegacyProvider
    return kind(settings.gemini_model, key, settings.gemini_base_url)


def _limits(settings: Settings) -> ChainLimits:
    return ChainLimits(
        settings.language_model_timeout_seconds, settings.language_model_deadline_seconds,
        settings.language_model_input_tokens, settings.language_model_output_tokens,
        settings.language_model_concurrency,
    )  # fmt: skip
