"""What is counted of language models, by feature."""

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram

# A short answer of a small model takes about a second, a long one of a local model a minute.
SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)


class Use(Protocol):
    """One call of one model."""

    @property
    def feature(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cost_dollars(self) -> float: ...
    @property
    def seconds(self) -> float: ...


class LanguageModelMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "shipmate_language_model_calls", "Calls of language models by how they ended",
            ["feature", "provider", "outcome"], registry=registry,
        )  # fmt: skip
        self._tokens = Counter(
            "shipmate_language_model_tokens", "Tokens sent (input) and written (output)",
            ["feature", "provider", "direction"], registry=registry,
        )  # fmt: skip
        self._cost = Counter(
            "shipmate_language_model_cost_dollars", "What the tokens cost by the list of prices",
            ["feature", "provider"], registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "shipmate_language_model_seconds", "Until an answer was whole", ["feature", "provider"],
            buckets=SECONDS, registry=registry,
        )  # fmt: skip
        self._answers = Counter(
            "shipmate_language_model_answers", "Prompts by who answered them: a provider, or offline",
            ["feature", "source"], registry=registry,
        )  # fmt: skip

    def called(self, use: Use, outcome: str) -> None:
        self._calls.labels(use.feature, use.provider, outcome).inc()
        self._tokens.labels(use.feature, use.provider, "input").inc(use.input_tokens)
        self._tokens.labels(use.feature, use.provider, "output").inc(use.output_tokens)
        self._cost.labels(use.feature, use.provider).inc(use.cost_dollars)
        self._seconds.labels(use.feature, use.provider).observe(use.seconds)

    def answered(self, feature: str, source: str) -> None:
        self._answers.labels(feature, source).inc()
