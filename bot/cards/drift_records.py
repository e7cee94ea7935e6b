"""Files of inference records that cannot be read."""

from bot.cards.blocks import Card, code, context, cut, escape, section
from bot.cards.drawing import draw
from pipelines.drift.folders import BrokenFile


@draw.register
def _broken_file(value: BrokenFile) -> Card:
    what = "inference records" if value.kind == "records" else "labels"
    head = f"A file of {what} of {value.model} is broken"
    rest = "It is not read." if value.left_out is None else f"{value.left_out:,} of its rows were left out."
    lines = [f":warning: *{escape(head)}*", code(cut(value.uri, 500)), escape(cut(f"{value.fault} {rest}", 800))]
    return Card(f"{head}. {value.fault}", (section("\n".join(lines)), context("It is read again when it changes.")))
