"""Drift: what was found, why, where it is worst, and what would change it."""

from collections.abc import Sequence
from datetime import timedelta

from bot.cards.blocks import Block, Card, context, escape, section
from bot.cards.drawing import draw
from pipelines.drift.desk import ModelDrift

URGENCY_MARKS = {"P0": ":rotating_light:", "P1": ":large_orange_diamond:", "P2": ":large_yellow_circle:"}
MOST_LINES = 6


@draw.register
def _drift(value: ModelDrift) -> Card:
    told = value.report
    mark = URGENCY_MARKS[told.urgency] if told.urgency else ":white_check_mark:"
    head = f"{value.model} version {value.version}, last {_span(value.window)}: {told.title}"
    blocks = [
        section(f"{mark} *{escape(head)}*\n{escape(told.hypothesis)}"),
        *_list("Why", told.why),
        *_list("Affected", told.affected),
        *_list("Worst where", told.segments),
        section(f"*Recommended*\n{escape(told.recommendation)}"),
    ]
    footer = " ".join([*told.would_change, *told.notes])
    return Card(head, tuple([*blocks, context(escape(footer))] if footer else blocks))


def _list(heading: str, lines: Sequence[str]) -> list[Block]:
    if not lines:
        return []
    shown = [f"• {escape(line)}" for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"and {len(lines) - MOST_LINES} more")
    return [section("\n".join([f"*{heading}*", *shown]))]


def _span(window: timedelta) -> str:
    hours = int(window.total_seconds() // 3600)
    return f"{hours // 24} days" if hours > 24 and hours % 24 == 0 else f"{hours} hours" if hours > 1 else "hour"
