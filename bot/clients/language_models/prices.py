"""What a model's tokens cost: prices.json, which says when and where it was read, and what the settings say instead."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bot.clients.language_models.provider import Tokens

PER = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens."""

    input: float
    output: float

    def of(self, tokens: Tokens) -> float:
        return (tokens.input * self.input + tokens.output * self.output) / PER


FREE = Price(0.0, 0.0)


def price_of(model: str, overrides: Mapping[str, Price]) -> Price | None:
    """None where nobody says a price. A dated version ("gpt-4o-mini-2024-07-18") costs what its model costs."""
    for known in (overrides, listed_prices()):
        if model in known:
            return known[model]
    return next((price for name, price in listed_prices().items() if _is_version(model, name)), None)


def _is_version(model: str, name: str) -> bool:
    version = model.removeprefix(f"{name}-")
    return version != model and version.replace("-", "").isdigit()


@cache
def listed_prices() -> Mapping[str, Price]:
    text = (resources.files(__package__) / "prices.json").read_text(encoding="utf-8")
    return {model: Price(*numbers) for model, numbers in json.loads(text)["models"].items()}
