"""The settings of language models, a part of Settings in bot/config.py."""

import math
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

OPENAI_URL = "https://api.openai.com/v1"

ProviderName = Literal["openai", "gemini", "google-generativeai"]


class LanguageModelSettings(BaseModel):
    """Which models are asked, in which order, how long, and for how much."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    language_models: Annotated[tuple[ProviderName | Literal["offline"], ...], NoDecode] = Field(
        (), json_schema_extra={"default": "`openai`, `gemini`: those that have a key"}
    )
    """Language models in the order in which they are asked, separated by commas: `openai`, `gemini`,
    `google-generativeai`; `offline` asks none."""
    openai_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SHIPMATE_OPENAI_API_KEY", "OPENAI_API_KEY")
    )
    """Key for OpenAI, or for whoever answers at `OPENAI_BASE_URL`."""
    openai_base_url: str = Field(
        OPENAI_URL, validation_alias=AliasChoices("SHIPMATE_OPENAI_BASE_URL", "OPENAI_BASE_URL")
    )
    """Where OpenAI's API is spoken: vLLM, Ollama, llama.cpp or a gateway as well. Another address than the default
    needs no key."""
    openai_model: str = Field("gpt-4o-mini", min_length=1)
    """Model that is asked there."""
    gemini_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SHIPMATE_GEMINI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")
    )
    """Key for the Gemini API."""
    gemini_base_url: str = Field("https://generativelanguage.googleapis.com")
    """Where the Gemini API is spoken."""
    gemini_model: str = Field("gemini-3.5-flash-lite", min_length=1)
    """Model that is asked there."""
    language_model_timeout_seconds: float = Field(30, gt=0, le=600)
    """How long one call of a model may take."""
    language_model_deadline_seconds: float = Field(90, gt=0, le=1800)
    """How long all tries for one answer may take; then the report is written without a model."""
    language_model_concurrency: int = Field(4, ge=1, le=100)
    """Answers that are written at the same time."""
    language_model_input_tokens: int = Field(100_000, ge=1000)
    """The longest prompt; a longer one is not sent."""
    language_model_output_tokens: int = Field(2000, ge=100)
    """The longest answer that is asked for."""
    language_model_daily_tokens: int = Field(2_000_000, ge=0)
    """Tokens that may be used a day (UTC), over all replicas; 0 sets no limit."""
    language_model_daily_dollars: float = Field(5.0, ge=0)
    """US dollars that may be spent a day (UTC), over all replicas; 0 sets no limit."""
    language_model_prices: Annotated[dict[str, tuple[float, float]], NoDecode] = Field(
        {}, json_schema_extra={"default": "the list in `bot/clients/language_models/prices.json`"}
    )
    """US dollars a million input and output tokens of models that the list does not know, or knows wrongly:
    `my-model=0.2/0.8, other=0/0`."""
    language_model_tracing: bool = False
    """Whether each call of a model becomes a trace in MLflow, with its redacted text."""

    @field_validator("language_models", mode="before")
    @classmethod
    def _names(cls, names: object) -> object:
        if isinstance(names, str):
            names = tuple(name.strip().lower() for name in names.split(",") if name.strip())
        if isinstance(names, tuple) and "offline" in names and len(names) > 1:
            raise ValueError("names offline beside others; offline stands alone")
        return names

    @field_validator("language_model_prices", mode="before")
    @classmethod
    def _prices(cls, prices: object) -> object:
        return _read_prices(prices) if isinstance(prices, str) else prices

    @field_validator("openai_base_url", "gemini_base_url")
    @classmethod
    def _api_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        return url.rstrip("/")

    @property
    def chosen_language_models(self) -> tuple[ProviderName, ...]:
        """Those that are asked, in their order: as set, else whatever has a key or an address of its own."""
        if self.language_models:
            return tuple(name for name in dict.fromkeys(self.language_models) if name != "offline")
        openai = self.openai_api_key is not None or self.openai_base_url != OPENAI_URL
        return (*(("openai",) if openai else ()), *(("gemini",) if self.gemini_api_key else ()))


def _read_prices(text: str) -> dict[str, tuple[float, float]]:
    prices = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        model, _, numbers = entry.partition("=")
        try:
            into, out = (float(number) for number in numbers.split("/"))
        except ValueError:
            raise ValueError("must read model=INPUT/OUTPUT, in dollars a million tokens: my-model=0.2/0.8") from None
        if not model.strip() or not (0 <= into < math.inf and 0 <= out < math.inf):
            raise ValueError("must read model=INPUT/OUTPUT, in dollars a million tokens: my-model=0.2/0.8")
        prices[model.strip()] = (into, out)
    return prices
