"""One card a type of value; a value without a card is a fault of ours and says so at once."""

from functools import singledispatch

from bot.cards.blocks import Card


@singledispatch
def draw(value: object) -> Card:
    """The card of `value`."""
    raise TypeError(f"No card is registered for {type(value).__name__}.")
