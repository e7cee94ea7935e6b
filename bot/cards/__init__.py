"""How each value looks in Slack. `draw` finds the card of a value by its type."""

# Importing a module of cards registers its cards.
from bot.cards import (
    approvals,
    ask,
    audit,
    digest,
    drift,
    drift_episodes,
    drift_records,
    drift_report,
    home,
    models,
    outcomes,
    promotion,
    retrain,
    triage,
    triage_acts,
    triage_logs,
    usage,
)
from bot.cards import help as help_card
from bot.cards.blocks import Card
from bot.cards.drawing import draw, draw_form, draw_text

__all__ = [
    "Card", "approvals", "ask", "audit", "digest", "draw", "draw_form", "draw_text", "drift", "drift_episodes",
    "drift_records", "drift_report", "help_card", "home", "models", "outcomes", "promotion", "retrain", "triage",
    "triage_acts", "triage_logs", "usage",
]  # fmt: skip
