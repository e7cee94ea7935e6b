"""Blocks, and on which surface each may stand."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.slack.blockkit.charts import DATA_TABLE, DATA_VISUALIZATION, TABLE
from bot.sandbox.slack.blockkit.elements import (
    ACCESSORIES,
    ACTIONS,
    BUTTON,
    CONTEXT_ACTIONS,
    FORM,
    IMAGE,
    URL_SOURCE,
    Fields,
)
from bot.sandbox.slack.blockkit.objects import ICON, SLACK_FILE, URL, plain, text
from bot.sandbox.slack.blockkit.rich_text import RICH_TEXT
from bot.sandbox.slack.blockkit.schema import (
    Anything,
    Complaint,
    Flag,
    Kinds,
    Many,
    Number,
    Rule,
    Shape,
    String,
    at_least_one,
    exactly_one,
)

BASE: Fields = {"type": Anything(), "block_id": String(255, 1)}


def _numbers_in_order(value: Mapping[str, Any], pointer: str) -> Iterator[Complaint]:
    """A number input's lower bound may not lie above its upper one; both come as strings or numbers."""
    element = value.get("element")
    if not isinstance(element, dict) or element.get("type") != "number_input":
        return
    try:
        low, high = float(element["min_value"]), float(element["max_value"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return
    if low > high:
        yield Complaint("min_value must not be more than max_value", f"{pointer}/element/min_value")


CONTEXT_ELEMENTS = Kinds({"image": IMAGE, **text(3_000).shapes})
TASK_STATUS = String(choices=frozenset({"pending", "in_progress", "complete", "error"}))
TASK: Fields = {
    "task_id": String(255, 1), "title": String(256, 1), "status": TASK_STATUS, "details": RICH_TEXT,
    "output": RICH_TEXT, "sources": Many(URL_SOURCE),
}  # fmt: skip
TASK_CARD = Shape(BASE | TASK, ("task_id", "title", "status"))
CARD = Shape(
    BASE
    | {
        "title": text(150), "subtitle": text(150), "body": text(200), "subtext": text(200), "hero_image": IMAGE,
        "icon": IMAGE, "slack_icon": ICON, "actions": Many(Kinds({"button": BUTTON}), 3),
    },
    (), (at_least_one("title", "body", "hero_image", "actions"),),
)  # fmt: skip
VIDEO = Shape(
    BASE
    | {
        "alt_text": String(2_000, 1), "title": plain(200), "thumbnail_url": URL, "video_url": URL,
        "author_name": String(50), "description": plain(200), "provider_name": String(50),
        "provider_icon_url": String(2_000), "title_url": String(2_000),
    },
    ("alt_text", "title", "thumbnail_url", "video_url"),
)  # fmt: skip
IMAGE_BLOCK = Shape(
    BASE | {"image_url": URL, "slack_file": SLACK_FILE, "alt_text": String(2_000, 1), "title": plain(2_000)},
    ("alt_text",), (exactly_one("image_url", "slack_file"),),
)  # fmt: skip
SECTION = Shape(
    BASE | {"text": text(3_000), "fields": Many(text(2_000), 10, 1), "accessory": ACCESSORIES, "expand": Flag()},
    (), (at_least_one("text", "fields"),),
)  # fmt: skip
INPUT = Shape(
    BASE
    | {"label": plain(2_000), "element": FORM, "hint": plain(2_000), "optional": Flag(), "dispatch_action": Flag()},
    ("label", "element"), (_numbers_in_order,),
)  # fmt: skip
LEVELS = frozenset({"default", "info", "warning", "error", "success"})

SHAPES: dict[str, Rule] = {
    "header": Shape(BASE | {"text": plain(150), "level": Number(1, 4)}, ("text",)),
    "section": SECTION,
    "divider": Shape(BASE),
    "context": Shape(BASE | {"elements": Many(CONTEXT_ELEMENTS, 10, 1)}, ("elements",)),
    "actions": Shape(BASE | {"elements": Many(ACTIONS, 25, 1)}, ("elements",)),
    "context_actions": Shape(BASE | {"elements": Many(CONTEXT_ACTIONS, 5, 1)}, ("elements",)),
    "image": IMAGE_BLOCK,
    "input": INPUT,
    "markdown": Shape(BASE | {"text": String(12_000, 1)}, ("text",)),
    "rich_text": RICH_TEXT,
    "table": TABLE,
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "alert": Shape(BASE | {"text": text(200), "level": String(choices=LEVELS)}, ("text",)),
    "card": CARD,
    "carousel": Shape(BASE | {"elements": Many(Kinds({"card": CARD}), 10, 1)}, ("elements",)),
    "task_card": TASK_CARD,
    "plan": Shape(
        BASE | {"title": String(256, 1), "tasks": Many(TASK_CARD, 50)}, ("title",)
    ),
    "file": Shape(
        BASE | {"external_id": String(255, 1), "source": String(choices=frozenset({"remote"}))},
        ("external_id", "source"),
    ),
    "video": VIDEO,
}  # fmt: skip
CONTAINED = (
    "actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video",
)  # fmt: skip
SHAPES["container"] = Shape(
    BASE
    | {
        "title": plain(150), "rich_text_title": RICH_TEXT, "subtitle": text(150), "icon": IMAGE,
        "child_blocks": Many(Kinds(SHAPES).only(*CONTAINED), 10, 1), "is_collapsible": Flag(),
        "width": String(choices=frozenset({"narrow", "standard", "wide", "full"})),
        "default_collapsed": Flag(), "has_header_divider": Flag(),
    },
    ("child_blocks",), (exactly_one("title", "rich_text_title"),),
)  # fmt: skip

EVERYWHERE = frozenset(
    {"actions", "card", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}
)
SURFACES: dict[str, frozenset[str]] = {
    "message": frozenset(SHAPES) - {"alert"},
    "modal": EVERYWHERE | {"alert"},
    "home": EVERYWHERE | {"carousel", "container", "data_table", "data_visualization", "table"},
}
