"""The parts that cards are made of: Block Kit as plain dicts, cut to the limits of Slack's reference."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Block = dict[str, Any]

SECTION_LIMIT = 3_000
HEADER_LIMIT = 150
BUTTON_LIMIT = 75
FIELD_LIMIT = 2_000
BLOCKS_LIMIT = 50
# What can steer a message: <!channel>, <https://…>. People (<@U…>) may be named, which an answer needs.
_STEERING = re.compile(r"<(?!@[A-Z0-9]+>)")
NEW_BLOCKS = frozenset({"data_visualization", "data_table", "alert", "card", "carousel", "plan", "task_card", "table"})


@dataclass(frozen=True, slots=True)
class Card:
    """A drawn value. `text` is what notifications and screen readers get; `color` marks a whole message's state."""

    text: str
    blocks: tuple[Block, ...]

    def without_new_blocks(self) -> "Card":
        """The same card for a workspace that does not know the blocks of 2025 and 2026 yet."""
        kept = (_plain_feedback(block) for block in self.blocks if block["type"] not in NEW_BLOCKS)
        return Card(self.text, tuple(kept))


def escape(text: str) -> str:
    """Make foreign text inert in mrkdwn: no mention, link or channel can be steered from it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tame(sentence: str) -> str:
    """A sentence of ours that may quote foreign text: marks and mentions of people work, nothing else in <…> does."""
    return _STEERING.sub("&lt;", sentence)


def code(text: str) -> str:
    """Foreign text as inline code; backticks in it cannot end the code."""
    return f"`{escape(text).replace('`', 'ˋ')}`"


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": cut(text, HEADER_LIMIT), "emoji": True}}


def section(text: str, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(cut(text, SECTION_LIMIT))}
    return block | ({"accessory": accessory} if accessory else {})


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    """Up to ten name and value pairs, in two columns; names are ours, values are mrkdwn."""
    cells = [mrkdwn(cut(f"*{name}*\n{value}", FIELD_LIMIT)) for name, value in pairs]
    return {"type": "section", "fields": cells[:10]}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(cut(text, SECTION_LIMIT)) for text in texts if text][:10]}


def divider() -> Block:
    return {"type": "divider"}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)[:25]}


def button(text: str, action: str, value: str, style: str = "", confirm: Block | None = None) -> Block:
    block: Block = {
        "type": "button", "text": {"type": "plain_text", "text": cut(text, BUTTON_LIMIT), "emoji": True},
        "action_id": action, "value": value,
    }  # fmt: skip
    if style:
        block["style"] = style
    if confirm:
        block["confirm"] = confirm
    return block


def feedback(action: str, second_action: str, helpful: str, unhelpful: str) -> Block:
    """Slack's pair of feedback buttons; `second_action` is that of the second button where it does not know them."""
    pair = {
        "type": "feedback_buttons", "action_id": action,
        "positive_button": {"text": {"type": "plain_text", "text": "Helpful"}, "value": helpful},
        "negative_button": {"text": {"type": "plain_text", "text": "Not helpful"}, "value": unhelpful},
    }  # fmt: skip
    return {"type": "context_actions", "block_id": f"{second_action}:{helpful}"[:255], "elements": [pair]}


def _plain_feedback(block: Block) -> Block:
    if block["type"] != "context_actions":
        return block
    pair = block["elements"][0]
    yes, no = pair["positive_button"], pair["negative_button"]
    second_action = str(block["block_id"]).partition(":")[0]
    return actions(
        button(yes["text"]["text"], pair["action_id"], yes["value"]),
        button(no["text"]["text"], second_action, no["value"]),
    )


def link_button(text: str, url: str, action: str) -> Block:
    return {
        "type": "button", "text": {"type": "plain_text", "text": cut(text, BUTTON_LIMIT), "emoji": True},
        "action_id": action, "url": url,
    }  # fmt: skip


def confirm(title: str, text: str, yes: str, no: str, style: str = "danger") -> Block:
    return {
        "title": {"type": "plain_text", "text": cut(title, 100)}, "text": mrkdwn(cut(text, 300)),
        "confirm": {"type": "plain_text", "text": cut(yes, 30)}, "deny": {"type": "plain_text", "text": cut(no, 30)},
        "style": style,
    }  # fmt: skip


def table(rows: Sequence[Sequence[str]], right_from: int = 1) -> Block:
    """A table of texts, its first row the head; columns from `right_from` on stand to the right. 100 x 20 at most."""
    cells = [[{"type": "raw_text", "text": cell or "–"} for cell in row[:20]] for row in rows[:100]]
    aligned = [{"align": "right" if column >= right_from else "left"} for column in range(len(rows[0]))]
    return {"type": "table", "rows": cells, "column_settings": aligned}


def bar_chart(title: str, categories: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], axis: str) -> Block:
    """At most two charts a message, six series each."""
    return _chart("bar", title, categories, series, axis)


def line_chart(
    title: str, categories: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], axis: str
) -> Block:
    """The same, drawn as lines; every series has a value for every category."""
    return _chart("line", title, categories, series, axis)


def _chart(
    kind: str, title: str, categories: Sequence[str], series: Sequence[tuple[str, Sequence[float]]], axis: str
) -> Block:
    names = [cut(name, 20) for name in categories]
    drawn = [
        {"name": name, "data": [{"label": at, "value": value} for at, value in zip(names, values, strict=True)]}
        for name, values in series[:6]
    ]
    chart = {"type": kind, "series": drawn, "axis_config": {"categories": names, "y_label": axis}}
    return {"type": "data_visualization", "title": cut(title, 50), "chart": chart}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text or " "}


def moment(at: datetime, how: str = "{date_short_pretty} {time}") -> str:
    """A time in the reader's own time zone, with UTC for those who cannot show it."""
    return f"<!date^{int(at.timestamp())}^{how}|{at:%Y-%m-%d %H:%M} UTC>"


def progress_bar(fraction: float, width: int = 12) -> str:
    done = round(max(0.0, min(1.0, fraction)) * width)
    return f"{'▰' * done}{'▱' * (width - done)} {max(0.0, min(1.0, fraction)):.0%}"


def plain(markup: str) -> str:
    """mrkdwn without its marks, for the fallback text."""
    return re.sub(r"[*_`~]", "", markup)
