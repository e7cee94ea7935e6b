"""The judge of Block Kit against documents and limits that others wrote down (slackblocks' specification)."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.blockkit import Complaint, judge_attachments, judge_blocks, judge_view

Make = Callable[[int], Any]


def plain(text: str = "text") -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "text") -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def letters(count: int) -> str:
    return "x" * count


def number(value: int) -> int:
    return value


def copies(one: Any) -> Make:
    return lambda count: [deepcopy(one) for _ in range(count)]


OPTION = {"text": plain(), "value": "value", "description": plain(), "url": "https://a.example"}
GROUP = {"label": plain(), "options": [OPTION]}
CONFIRM = {"title": plain(), "text": plain(), "confirm": plain("Yes"), "deny": plain("No")}
IMAGE = {"type": "image", "image_url": "https://a.example/i.png", "alt_text": "picture"}
FEEDBACK = {"text": plain(), "value": "good", "accessibility_label": "label"}
CELL = {"type": "raw_text", "text": "cell"}
CARD = {"type": "card", "title": mrkdwn(), "subtitle": mrkdwn(), "body": mrkdwn(), "subtext": mrkdwn(),
        "actions": [{"type": "button", "text": plain()}]}  # fmt: skip
SEGMENT = {"label": "one", "value": 1}
SERIES = {"name": "series", "data": [{"label": "Mon", "value": 1}]}
INLINE = [{"type": "text", "text": "hello"}]
TASK = {"type": "task_card", "task_id": "1", "title": "Look", "status": "complete"}
SOURCE = {"type": "url", "url": "https://a.example", "text": "source"}
DIVIDER = {"type": "divider"}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(), "action_id": "a", "url": "https://a.example", "value": "v", **more}


def actions(element: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [element]}]


def field(element: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "input", "label": plain(), "hint": plain(), "element": {"action_id": "a", **element}}]


def chart(**fields: Any) -> list[dict[str, Any]]:
    return [{"type": "data_visualization", "title": "chart", "chart": fields}]


def rich(kind: str, elements: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [{"type": kind, "elements": elements, **more}]}]


TABLE = {"type": "table", "rows": [[CELL]], "column_settings": [{"align": "left"}]}
DATA_TABLE = {"type": "data_table", "caption": "numbers", "rows": [[CELL], [CELL]], "page_size": 5,
              "row_header_column_index": 0}  # fmt: skip
VIDEO = {"type": "video", "alt_text": "film", "title": plain(), "author_name": "a", "description": plain(),
         "provider_name": "p", "thumbnail_url": "https://a.example/t", "video_url": "https://a.example/v",
         "title_url": "https://a.example", "provider_icon_url": "https://a.example/p"}  # fmt: skip
CONTAINER = {"type": "container", "title": plain(), "subtitle": mrkdwn(), "child_blocks": [DIVIDER]}
ICON_BUTTON = {"type": "icon_button", "icon": "trash", "text": plain(), "value": "v", "accessibility_label": "l",
               "visible_to_user_ids": ["U1"]}  # fmt: skip
WORKFLOW = {"type": "workflow_button", "text": plain(), "accessibility_label": "label",
            "workflow": {"trigger": {"url": "https://a.example"}}}  # fmt: skip
AXES = {"categories": ["Mon"], "x_label": "x", "y_label": "y"}

# Valid documents, from each of which one thing is then changed.
BASES: dict[str, Any] = {
    "section": [{"type": "section", "block_id": "b", "text": mrkdwn(), "fields": [mrkdwn()]}],
    "button": actions(button(confirm=CONFIRM, accessibility_label="label", agent_prompt="prompt")),
    "workflow": actions(WORKFLOW),
    "static": field({"type": "static_select", "options": [OPTION], "placeholder": plain()}),
    "grouped": field({"type": "static_select", "option_groups": [GROUP]}),
    "external": field({"type": "external_select", "min_query_length": 1}),
    "multi": field({"type": "multi_users_select", "max_selected_items": 2}),
    "conversations": field({"type": "conversations_select", "filter": {"include": ["im"]}}),
    "overflow": actions({"type": "overflow", "options": [OPTION]}),
    "checkboxes": field({"type": "checkboxes", "options": [OPTION]}),
    "radio": field({"type": "radio_buttons", "options": [OPTION]}),
    "file_input": field({"type": "file_input", "max_files": 2}),
    "text_input": field({"type": "plain_text_input", "min_length": 1, "max_length": 3_000, "placeholder": plain(),
                         "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]}}),
    "short_input": field({"type": "plain_text_input", "max_length": 5}),
    "email": field({"type": "email_text_input", "placeholder": plain()}),
    "url": field({"type": "url_text_input", "placeholder": plain()}),
    "number": field({"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "9",
                     "placeholder": plain()}),
    "date": field({"type": "datepicker", "placeholder": plain()}),
    "time": field({"type": "timepicker", "placeholder": plain()}),
    "rich_input": field({"type": "rich_text_input", "placeholder": plain(), "min_lines": 1, "max_lines": 100}),
    "short_rich_input": field({"type": "rich_text_input", "max_lines": 2}),
    "alert": [{"type": "alert", "text": mrkdwn()}],
    "card": [CARD],
    "carousel": [{"type": "carousel", "elements": [CARD]}],
    "container": [CONTAINER],
    "context": [{"type": "context", "elements": [mrkdwn(), IMAGE]}],
    "feedback": [{"type": "context_actions", "elements": [
        {"type": "feedback_buttons", "positive_button": FEEDBACK, "negative_button": FEEDBACK}]}],
    "icon": [{"type": "context_actions", "elements": [ICON_BUTTON]}],
    "table": [TABLE],
    "data_table": [DATA_TABLE],
    "pie": chart(type="pie", segments=[SEGMENT]),
    "bar": chart(type="bar", series=[SERIES], axis_config=AXES),
    "header": [{"type": "header", "text": plain()}],
    "image": [IMAGE | {"title": plain()}],
    "markdown": [{"type": "markdown", "text": "text"}],
    "plan": [{"type": "plan", "title": "Plan", "tasks": [TASK]}],
    "task": [TASK | {"sources": [SOURCE]}],
    "list": rich("rich_text_list", [{"type": "rich_text_section", "elements": INLINE}], style="bullet", indent=1,
                 offset=1, border=0),
    "quote": rich("rich_text_quote", INLINE, border=0),
    "preformatted": rich("rich_text_preformatted", INLINE, border=0),
    "video": [VIDEO],
    "message": [DIVIDER],
    "attachments": [{"text": "legacy"}],
    "view": {"type": "modal", "title": plain(), "close": plain(), "submit": plain(), "private_metadata": "m",
             "callback_id": "c", "external_id": "e", "blocks": [DIVIDER]},
}  # fmt: skip


def _series(count: int) -> list[Any]:
    return [SERIES | {"name": f"series {index}"} for index in range(count)]


def _points(count: int) -> list[Any]:
    return [{"label": "Mon", "value": index} for index in range(count)]


def _rows(count: int) -> list[Any]:
    return [[CELL] for _ in range(count)]


def _columns(count: int) -> list[Any]:
    return [[CELL] * count, [CELL] * count]


def _characters(count: int) -> list[Any]:
    half = count // 2
    return [[{"type": "raw_text", "text": letters(half)}], [{"type": "raw_text", "text": letters(count - half)}]]


def _data_tables(count: int) -> list[Any]:
    half = count // 2
    return [DATA_TABLE | {"rows": _characters(half)}, DATA_TABLE | {"rows": _characters(count - half)}]


def _markdown(count: int) -> list[Any]:
    half = count // 2
    return [{"type": "markdown", "text": letters(half)}, {"type": "markdown", "text": letters(count - half)}]


def _charts(count: int) -> list[Any]:
    return [deepcopy(chart(type="pie", segments=[SEGMENT])[0]) for _ in range(count)]


def _labelled(count: int) -> dict[str, Any]:
    series = [{"name": "series", "data": [{"label": letters(count), "value": 1}]}]
    return {"type": "line", "series": series, "axis_config": {"categories": [letters(count)]}}


def _categories(count: int) -> list[str]:
    return ["Mon", *(f"day {index}" for index in range(count))][:count]


def _settings(count: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[CELL] * 20], "column_settings": [{"align": "left"}] * count}


# Which part of which document a limit speaks of, and how to make one of that size. The limit's own name has one word
# more: min_items, max_length, ...
TEXTS: dict[str, tuple[str, str]] = {
    "text": ("section", "0/text/text"), "action_id": ("button", "0/elements/0/action_id"),
    "block_id": ("section", "0/block_id"), "select.placeholder": ("static", "0/element/placeholder/text"),
    "option_group.label": ("grouped", "0/element/option_groups/0/label/text"),
    "data_table.cell_text": ("data_table", "0/rows/1/0/text"), "data_visualization.title": ("pie", "0/title"),
    "data_visualization.segment.label": ("pie", "0/chart/segments/0/label"),
    "data_visualization.series_name": ("bar", "0/chart/series/0/name"),
    "data_visualization.axis_label": ("bar", "0/chart/axis_config/x_label"), "header.text": ("header", "0/text/text"),
    "markdown.text": ("markdown", "0/text"), "section.text": ("section", "0/text/text"),
    "button.text": ("button", "0/elements/0/text/text"), "button.url": ("button", "0/elements/0/url"),
    "button.value": ("button", "0/elements/0/value"),
    "button.accessibility_label": ("button", "0/elements/0/accessibility_label"),
    "button.agent_prompt": ("button", "0/elements/0/agent_prompt"),
    "option.text": ("static", "0/element/options/0/text/text"),
    "option.value": ("static", "0/element/options/0/value"),
    "option.description": ("static", "0/element/options/0/description/text"),
    "option.url": ("overflow", "0/elements/0/options/0/url"), "alert.text": ("alert", "0/text/text"),
    "container.title": ("container", "0/title/text"), "container.subtitle": ("container", "0/subtitle/text"),
    "feedback_button.text": ("feedback", "0/elements/0/positive_button/text/text"),
    "feedback_button.value": ("feedback", "0/elements/0/positive_button/value"),
    "feedback_button.accessibility_label": ("feedback", "0/elements/0/negative_button/accessibility_label"),
    "icon_button.value": ("icon", "0/elements/0/value"),
    "icon_button.accessibility_label": ("icon", "0/elements/0/accessibility_label"),
    "workflow_button.text": ("workflow", "0/elements/0/text/text"),
    "workflow_button.accessibility_label": ("workflow", "0/elements/0/accessibility_label"),
    "image.image_url": ("image", "0/image_url"), "image.alt_text": ("image", "0/alt_text"),
    "image.title": ("image", "0/title/text"), "image_element.image_url": ("context", "0/elements/1/image_url"),
    "image_element.alt_text": ("context", "0/elements/1/alt_text"), "input.label": ("text_input", "0/label/text"),
    "input.hint": ("text_input", "0/hint/text"), "video.title": ("video", "0/title/text"),
    "video.description": ("video", "0/description/text"),
    **{f"confirmation.{part}": ("button", f"0/elements/0/confirm/{part}/text")
       for part in ("title", "text", "confirm", "deny")},
    **{f"card.{part}": ("card", f"0/{part}/text") for part in ("title", "subtitle", "body", "subtext")},
    **{f"video.{part}": ("video", f"0/{part}") for part in (
        "alt_text", "author_name", "provider_name", "thumbnail_url", "video_url", "title_url", "provider_icon_url")},
    **{f"view.{part}": ("view", part) for part in ("private_metadata", "callback_id", "external_id")},
    **{f"view.{part}": ("view", f"{part}/text") for part in ("title", "close", "submit")},
    **{f"{name}.placeholder": (base, "0/element/placeholder/text") for name, base in (
        ("plain_text_input", "text_input"), ("email_input", "email"), ("url_input", "url"), ("number_input", "number"),
        ("date_picker", "date"), ("time_picker", "time"), ("rich_text_input", "rich_input"))},
}  # fmt: skip
NUMBERS: dict[str, tuple[str, str]] = {
    "select.min_query_length": ("external", "0/element/min_query_length"),
    "file_input.max_files": ("file_input", "0/element/max_files"),
    "plain_text_input.min_length": ("text_input", "0/element/min_length"),
    "plain_text_input.max_length": ("short_input", "0/element/max_length"),
    "rich_text_input.min_lines": ("rich_input", "0/element/min_lines"),
    "rich_text_input.max_lines": ("short_rich_input", "0/element/max_lines"),
    "multi_select.max_selected_items": ("multi", "0/element/max_selected_items"),
    "data_table.page_size": ("data_table", "0/page_size"),
    "data_table.row_header_column_index": ("data_table", "0/row_header_column_index"),
    "data_visualization.segment.value": ("pie", "0/chart/segments/0/value"),
    "rich_text_list.indent": ("list", "0/elements/0/indent"), "rich_text_list.offset": ("list", "0/elements/0/offset"),
    "rich_text_list.border": ("list", "0/elements/0/border"),
    "rich_text_quote.border": ("quote", "0/elements/0/border"),
    "rich_text_preformatted.border": ("preformatted", "0/elements/0/border"),
}  # fmt: skip
LISTS: dict[str, tuple[str, str, Make]] = {
    "select.options": ("static", "0/element/options", copies(OPTION)),
    "select.option_groups": ("grouped", "0/element/option_groups", copies(GROUP)),
    "option_group.options": ("grouped", "0/element/option_groups/0/options", copies(OPTION)),
    "overflow.options": ("overflow", "0/elements/0/options", copies(OPTION)),
    "checkboxes.options": ("checkboxes", "0/element/options", copies(OPTION)),
    "radio_buttons.options": ("radio", "0/element/options", copies(OPTION)),
    "conversation_filter.include": ("conversations", "0/element/filter/include", copies("im")),
    "dispatch_action_configuration.trigger_actions_on": (
        "text_input", "0/element/dispatch_action_config/trigger_actions_on", copies("on_enter_pressed")),
    "actions.elements": ("button", "0/elements", copies({"type": "button", "text": plain()})),
    "card.actions": ("card", "0/actions", copies({"type": "button", "text": plain()})),
    "carousel.elements": ("carousel", "0/elements", copies(CARD)),
    "container.child_blocks": ("container", "0/child_blocks", copies(DIVIDER)),
    "context.elements": ("context", "0/elements", copies(mrkdwn())),
    "context_actions.elements": ("icon", "0/elements", copies(ICON_BUTTON)),
    "icon_button.visible_to_user_ids": ("icon", "0/elements/0/visible_to_user_ids", copies("U1")),
    "table.rows": ("table", "0/rows", _rows),
    "table.columns": ("table", "0/rows", _columns),
    "table.column_settings": ("table", "0", _settings),
    "data_table.rows": ("data_table", "0/rows", _rows),
    "data_table.columns": ("data_table", "0/rows", _columns),
    "data_table.content": ("data_table", "0/rows", _characters),
    "data_table.total_content": ("message", "", _data_tables),
    "data_visualization.segments": ("pie", "0/chart/segments", copies(SEGMENT)),
    "data_visualization.series": ("bar", "0/chart/series", _series),
    "data_visualization.data": ("bar", "0/chart/series/0/data", _points),
    "data_visualization.point_label": ("bar", "0/chart", _labelled),
    "data_visualization.category_label": ("bar", "0/chart", _labelled),
    "data_visualization.categories": ("bar", "0/chart/axis_config/categories", _categories),
    "markdown.total_text": ("message", "", _markdown),
    "plan.tasks": ("plan", "0/tasks", copies(TASK)),
    "section.fields": ("section", "0/fields", copies(mrkdwn())),
    "section.fields.item": ("section", "0/fields/0/text", letters),
    "message.data_visualizations": ("message", "", _charts),
    "message.blocks": ("message", "", copies(DIVIDER)),
    "message.attachments": ("attachments", "", copies({"text": "legacy"})),
    "view.blocks": ("view", "blocks", copies(DIVIDER)),
}  # fmt: skip
PLACES: dict[str, tuple[str, str, Make]] = (
    {name: (*place, letters) for name, place in TEXTS.items()}
    | {name: (*place, number) for name, place in NUMBERS.items()}
    | LISTS
)

# What the specification limits in words, as one wrong value.
WRONG: dict[str, tuple[str, str, Any]] = {
    "url_source.url.min_length": ("task", "0/sources/0/url", ""),
    "url_source.url.max_length": ("task", "0/sources/0/url", letters(3_001)),
    "table.row_shape": ("table", "0/rows", [[CELL], [CELL, CELL]]),
    "table.column_settings": ("table", "0/column_settings", [{"align": "left"}] * 2),
    "markdown.text.min_length": ("markdown", "0/text", ""),
    "video.alt_text.min_length": ("video", "0/alt_text", ""),
    "view.blocks.min_items": ("view", "blocks", []),
    "section.content": ("section", "0", {"type": "section"}),
    "static_select.choice_source": ("static", "0/element/option_groups", [GROUP]),
    "image.source": ("image", "0/slack_file", {"id": "F1"}),
    "number_input.range": ("number", "0/element/min_value", "10"),
    "context.elements": ("context", "0/elements", [button()]),
    "input.element": ("text_input", "0/element", button()),
}

# Slack's page of the block says six; the specification says twelve. Six is refused by neither.
STRICTER = {"data_visualization.segments.max_items": 6, "data_visualization.series.max_items": 6}
NOT_OF_BLOCKS = {"message.channel.min_length": "an argument of chat.postMessage, not a part of a document"}


@pytest.fixture(scope="module")
def block_kit(shipmate_data: Path) -> Path:
    return shipmate_data / "slack" / "block-kit"


def test_every_limit_holds_exactly_where_the_specification_has_it(block_kit: Path) -> None:
    unlike = {}
    for name, limit in _limits(block_kit).items():
        if name in NOT_OF_BLOCKS:
            continue
        place, right, wrong = _sizes(name, STRICTER.get(name, limit))
        base, pointer, make = PLACES[place]
        taken, refused = judged(base, pointer, make(right)), judged(base, pointer, make(wrong))
        if taken or not refused:
            unlike[name] = (taken, refused)
    assert unlike == {}


def test_no_limit_is_named_that_the_specification_does_not_know(block_kit: Path) -> None:
    known = {_sizes(name, 0)[0] for name in _limits(block_kit)}
    assert PLACES.keys() <= known
    assert STRICTER.keys() <= _limits(block_kit).keys()


def test_every_invalid_case_of_the_specification_is_refused_at_its_place(block_kit: Path) -> None:
    manifest = json.loads((block_kit / "fixtures" / "spec" / "fixtures" / "invalid" / "manifest.json").read_text())
    limits = _limits(block_kit)
    assert len(manifest["cases"]) > 100
    for case in manifest["cases"]:
        base, pointer, value = _wrong(case["constraint"], limits)
        found = judged(base, pointer, value)
        places = [one.pointer.removeprefix("/view").removeprefix("/blocks").strip("/") for one in found]
        assert any(place.startswith(pointer) or pointer.startswith(place) for place in places), (case, found)


@pytest.mark.parametrize("base", BASES)
def test_the_documents_that_are_changed_above_are_valid(base: str) -> None:
    assert complaints(base, BASES[base]) == []


def judged(base: str, pointer: str, value: Any) -> list[Complaint]:
    """Change one place of a valid document and judge it."""
    holder: dict[str, Any] = {"": deepcopy(BASES[base])}
    place: Any = holder
    key: str | int = ""
    for name in pointer.split("/") if pointer else []:
        place, key = place[key], int(name) if name.isdigit() else name
    place[key] = value
    return complaints(base, holder[""])


def complaints(base: str, document: Any) -> list[Complaint]:
    if base == "view":
        return judge_view(document)
    if base == "attachments":
        return judge_attachments(document)
    return judge_blocks(document, "modal" if base == "alert" else "message")


def _limits(block_kit: Path) -> dict[str, int]:
    limits: dict[str, int] = json.loads((block_kit / "slackblocks-3.0.0-limits.json").read_text())["limits"]
    return limits


def _sizes(name: str, limit: int) -> tuple[str, int, int]:
    """The place that a limit speaks of, the last size that is right there, and the first that is not."""
    place, _, edge = name.rpartition(".")
    if edge == "item_max_length":
        place += ".item"
    if edge.startswith("exclusive_min"):
        return place, limit + 1, limit
    return place, limit, limit - 1 if edge.startswith("min") else limit + 1


def _wrong(constraint: str, limits: dict[str, int]) -> tuple[str, str, Any]:
    if constraint in WRONG:
        return WRONG[constraint]
    place, _, wrong = _sizes(constraint, limits[constraint])
    base, pointer, make = PLACES[place]
    return base, pointer, make(wrong)
