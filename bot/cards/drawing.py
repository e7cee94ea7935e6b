"""One card a type of value; a value without a card is a fault of ours and says so at once."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from bot.cards.blocks import Card


@singledispatch
def draw(value: object) -> Card:
    """The card of `value`."""
    raise TypeError(f"No card is registered for {type(value).__name__}.")


@singledispatch
def draw_form(_value: object) -> Mapping[str, Any] | None:
    """The modal of a value, as a view of Block Kit; None where a value is no form."""
    return None


@singledispatch
def draw_text(value: object) -> str:
    """`value` as Markdown, for a message that is written while people read it."""
    raise TypeError(f"No text is registered for {type(value).__name__}.")
