"""How each value looks in Slack. `draw` finds the card of a value by its type."""

# Importing a module of cards registers its cards.
from bot.cards import approvals, drift, home, models, outcomes, retrain
from bot.cards import help as help_card
from bot.cards.blocks import Card
from bot.cards.drawing import draw

__all__ = ["Card", "approvals", "draw", "drift", "help_card", "home", "models", "outcomes", "retrain"]
