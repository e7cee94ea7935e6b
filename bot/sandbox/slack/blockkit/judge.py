"""Judges whole documents the way Slack does: blocks on a surface, views, attachments."""

import json
from collections.abc import Iterator
from typing import Any, Literal

from bot.sandbox.slack.blockkit.blocks import SHAPES, SURFACES
from bot.sandbox.slack.blockkit.charts import TABLE_CHARACTERS, cell_characters
from bot.sandbox.slack.blockkit.objects import plain
from bot.sandbox.slack.blockkit.schema import Anything, Complaint, Flag, Kinds, Many, Shape, String

Surface = Literal["message", "modal", "home"]
MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_OF_A_KIND = {"table": 1, "data_visualization": 2}
# Measured; undocumented. All characters that people can read in the blocks of one message, but for data tables,
# which have a documented budget of their own.
MOST_CHARACTERS = 13_200
MARKDOWN_CHARACTERS = 12_000
MOST_ATTACHMENTS = 100
VIEW_BYTES = 250_000

SOME = Many(Anything(), least=1)
MODAL = Shape(
    {
        "type": Anything(), "title": plain(24), "submit": plain(24), "close": plain(24), "blocks": SOME,
        "private_metadata": String(3_000), "callback_id": String(255), "external_id": String(255),
        "clear_on_close": Flag(), "notify_on_close": Flag(), "submit_disabled": Flag(),
    },
    ("title", "blocks"),
)  # fmt: skip
HOME = Shape(
    {
        "type": Anything(), "blocks": SOME, "private_metadata": String(3_000), "callback_id": String(255),
        "external_id": String(255), "title": plain(24), "submit": plain(24), "close": plain(24),
        "clear_on_close": Flag(), "notify_on_close": Flag(),
    },
    ("blocks",),
)  # fmt: skip
VIEW = Kinds({"modal": MODAL, "home": HOME})


def judge_blocks(blocks: object, surface: Surface) -> list[Complaint]:
    """Everything that Slack would refuse about these blocks; empty when they are fine."""
    if not isinstance(blocks, list):
        return [Complaint("must provide an array", "/blocks", "invalid_blocks_format")]
    found = list(_judged(blocks, surface))
    if not found and surface == "message" and _characters(blocks) > MOST_CHARACTERS:
        return [Complaint(f"must be less than {MOST_CHARACTERS + 1} characters", "/blocks", "msg_blocks_too_long")]
    return found


def judge_view(view: object) -> list[Complaint]:
    """The same for a modal or a home tab."""
    faults = [Complaint(found.text, found.pointer, "invalid_arguments") for found in VIEW.judge(view, "/view")]
    if faults or not isinstance(view, dict):
        return faults
    surface: Surface = "home" if view["type"] == "home" else "modal"
    inner = [
        Complaint(found.text, f"/view{found.pointer}", "invalid_arguments")
        for found in judge_blocks(view["blocks"], surface)
    ]
    if surface == "modal" and not view.get("submit") and _has_input(view["blocks"]):
        inner.append(Complaint("missing required field: submit", "/view/submit", "invalid_arguments"))
    if len(json.dumps(view)) > VIEW_BYTES:
        inner.append(Complaint("view is too large", "/view", "view_too_large"))
    return inner


def judge_attachments(attachments: object) -> list[Complaint]:
    """Attachments are legacy and loosely kept; their blocks are judged like any others."""
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        return [Complaint("must provide an array of objects", "/attachments", "invalid_attachments")]
    if len(attachments) > MOST_ATTACHMENTS:
        return [Complaint(f"no more than {MOST_ATTACHMENTS} items allowed", "/attachments", "too_many_attachments")]
    return [
        Complaint(found.text, f"/attachments/{index}{found.pointer}")
        for index, one in enumerate(attachments)
        if "blocks" in one
        for found in judge_blocks(one["blocks"], "message")
    ]


def _judged(blocks: list[Any], surface: Surface) -> Iterator[Complaint]:
    most = MOST_BLOCKS[surface]
    if len(blocks) > most:
        yield Complaint(f"no more than {most} items allowed", "/blocks")
        return
    kinds = Kinds(SHAPES)
    for index, block in enumerate(blocks):
        pointer = f"/blocks/{index}"
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(kind, str) and kind in SHAPES and kind not in SURFACES[surface]:
            yield Complaint(f"unsupported type: {kind}", f"{pointer}/type")
            continue
        yield from kinds.judge(block, pointer)
    yield from _counts(blocks)
    yield from _duplicates(blocks)


def _counts(blocks: list[Any]) -> Iterator[Complaint]:
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    for kind, most in MOST_OF_A_KIND.items():
        if kinds.count(kind) > most:
            yield Complaint(f"no more than {most} {kind} blocks allowed", "/blocks")
    markdown = [block for block in blocks if isinstance(block, dict) and block.get("type") == "markdown"]
    if sum(len(str(block.get("text", ""))) for block in markdown) > MARKDOWN_CHARACTERS:
        yield Complaint(f"must be less than {MARKDOWN_CHARACTERS + 1} characters", "/blocks")
    tables = [block for block in blocks if isinstance(block, dict) and block.get("type") == "data_table"]
    if sum(map(cell_characters, tables)) > TABLE_CHARACTERS and len(tables) > 1:
        yield Complaint(f"must be less than {TABLE_CHARACTERS + 1} characters", "/blocks")


def _duplicates(blocks: list[Any]) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        if not isinstance(block, dict):
            continue
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id in seen:
            yield Complaint(f"block_id {block_id} already exists", f"/blocks/{index}/block_id")
        elif isinstance(block_id, str):
            seen.add(block_id)
        yield from _duplicate_actions(block, f"/blocks/{index}")


def _duplicate_actions(block: dict[str, Any], pointer: str) -> Iterator[Complaint]:
    elements = block.get("elements")
    if block.get("type") != "actions" or not isinstance(elements, list):
        return
    seen: set[str] = set()
    for index, element in enumerate(elements):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(action_id, str) and action_id in seen:
            yield Complaint(f"action_id {action_id} already exists", f"{pointer}/elements/{index}/action_id")
        elif isinstance(action_id, str):
            seen.add(action_id)


def _characters(part: Any) -> int:
    if isinstance(part, dict):
        if part.get("type") == "data_table":
            return 0
        own = part.get("text")
        return (len(own) if isinstance(own, str) else 0) + sum(
            _characters(value) for name, value in part.items() if not (name == "text" and isinstance(value, str))
        )
    return sum(_characters(member) for member in part) if isinstance(part, list) else 0


def _has_input(blocks: object) -> bool:
    return isinstance(blocks, list) and any(isinstance(one, dict) and one.get("type") == "input" for one in blocks)
