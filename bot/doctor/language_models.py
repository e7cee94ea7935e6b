"""Checks of the language models: is there a key, is it accepted, does the model exist, is its price known."""

from collections.abc import Iterator
from functools import partial

from bot.clients.language_models.building import build_provider
from bot.clients.language_models.prices import Price, price_of
from bot.clients.language_models.provider import Fault, ProviderFault
from bot.config import Settings
from bot.config_language_models import OPENAI_URL, ProviderName
from bot.doctor.findings import Check, Finding, ok, problem, warning

KEYS: dict[ProviderName, str] = {
    "openai": "OPENAI_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "google-generativeai": "GEMINI_API_KEY",
}
ADVICE: dict[Fault, str] = {
    "forbidden": "Is the key right, and may it use this model?",
    "no-such-model": "Name a model that is there: SHIPMATE_OPENAI_MODEL or SHIPMATE_GEMINI_MODEL.",
    "unreachable": "Is the address right, and may we go out?",
    "slow": "Is the address right, and may we go out?",
    "rate-limited": "Wait, or raise the quota with the provider.",
}


def language_model_checks(settings: Settings) -> list[Check]:
    """One a model; a single good line where none is asked."""
    chosen = settings.chosen_language_models
    if not chosen:
        return [Check("language models", offline_check)]
    return [Check(name, partial(provider_check, name, settings)) for name in chosen]


def offline_check() -> Iterator[Finding]:
    yield ok("language models", "offline: reports come from signatures and extraction")


def provider_check(name: ProviderName, settings: Settings) -> Iterator[Finding]:
    if not _has_key(name, settings):
        yield problem(name, f"{KEYS[name]} is not set", f"Set it, or leave {name} out of SHIPMATE_LANGUAGE_MODELS.")
        return
    provider = build_provider(name, settings)
    try:
        provider.check()
    except ProviderFault as fault:
        advice = ADVICE.get(fault.fault, "Reports are written without it meanwhile.")
        yield problem(name, f"{provider.model}: {fault.reason}", advice)
        return
    yield ok(name, f"{provider.model} is there and our key is accepted")
    prices = {model: Price(*numbers) for model, numbers in settings.language_model_prices.items()}
    if settings.language_model_daily_dollars and price_of(provider.model, prices) is None:
        advice = f"Set SHIPMATE_LANGUAGE_MODEL_PRICES={provider.model}=INPUT/OUTPUT (0/0 for one of your own)."
        yield warning(name, f"nobody knows what {provider.model} costs, so it counts as free", advice)


def _has_key(name: ProviderName, settings: Settings) -> bool:
    if name == "openai":
        return settings.openai_api_key is not None or settings.openai_base_url != OPENAI_URL
    return settings.gemini_api_key is not None
