"""Valid Block Kit documents that others wrote down (slackblocks' specification), each put where it belongs."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.blockkit import judge_attachments, judge_blocks, judge_view
from bot.sandbox.slack.blockkit.blocks import SURFACES

# Valid by the specification, not for Slack: its own types want a rich_text block there, and its pages unique ids.
REFUSED_BY_SLACK = {
    "elements/rich_text_input_basic": "initial_value is no rich_text block",
    "rich_text/rich_text_list_ordered": "its border of 3 lies beyond the specification's own limit of 1",
    "messages/webhook_message_basic": "two blocks have one block_id",
    "messages/webhook_message_delete": "two blocks have one block_id",
}
TEXT = {"type": "plain_text", "text": "text"}


@pytest.fixture(scope="module")
def block_kit(shipmate_data: Path) -> Path:
    return shipmate_data / "slack" / "block-kit"


def test_every_valid_document_of_the_specification_is_taken(block_kit: Path) -> None:
    valid = block_kit / "fixtures" / "spec" / "fixtures" / "valid"
    paths = {str(path.relative_to(valid).with_suffix("")): path for path in valid.rglob("*.json")}
    assert len(paths) > 90
    refused = {name for name, path in paths.items() if _refused(name, json.loads(path.read_text()))}
    assert refused == REFUSED_BY_SLACK.keys()


def test_blocks_stand_on_the_surfaces_that_the_specification_names(block_kit: Path) -> None:
    surfaces = json.loads((block_kit / "slackblocks-3.0.0-surfaces.json").read_text())
    assert {name: SURFACES[name] for name in surfaces} == {name: frozenset(kinds) for name, kinds in surfaces.items()}


def _refused(name: str, document: Any) -> bool:
    """Put a part of a message where it belongs, and judge the whole."""
    folder, _, part = name.partition("/")
    if folder == "views":
        return bool(judge_view(document))
    if folder == "messages":
        blocks, attachments = document.get("blocks", []), document.get("attachments", [])
        return bool(judge_blocks(blocks, "message") or judge_attachments(attachments))
    if folder == "attachments":
        return bool(judge_attachments([document]))
    blocks = [document] if folder == "blocks" else _around(folder, part, document)
    return bool(judge_blocks(blocks, "modal" if document.get("type") == "alert" else "message"))


def _around(folder: str, part: str, document: Any) -> list[dict[str, Any]]:
    if folder == "rich_text":
        inline = not str(document["type"]).startswith("rich_text")
        return _rich({"type": "rich_text_section", "elements": [document]}) if inline else _rich(document)
    if folder == "elements":
        return _around_element(document)
    return _around_object(part, document)


def _around_element(element: dict[str, Any]) -> list[dict[str, Any]]:
    if element["type"] == "image":
        return [{"type": "context", "elements": [element]}]
    if element["type"] == "url":
        return [{"type": "task_card", "task_id": "1", "title": "Look", "status": "complete", "sources": [element]}]
    in_row = element["type"] in ("button", "workflow_button", "overflow")
    return _actions(element) if in_row else _input(element)


def _around_object(part: str, document: Any) -> list[dict[str, Any]]:
    kind = part.rsplit("_", 1)[0]
    if kind in ("option", "option_value_at"):
        return _input({"type": "static_select", "options": [document]})
    if kind == "option_group":
        return _input({"type": "static_select", "option_groups": [document]})
    if kind == "confirmation_dialogue":
        return _actions({"type": "button", "text": TEXT, "confirm": document})
    if kind == "conversation_filter":
        return _input({"type": "conversations_select", "filter": document})
    if kind == "dispatch_action_configuration":
        return _input({"type": "plain_text_input", "dispatch_action_config": document})
    workflows = {"workflow": document, "trigger": {"trigger": document}, "input_parameter": {
        "trigger": {"url": "https://a.example", "customizable_input_parameters": [document]}}}  # fmt: skip
    if kind in workflows:
        return _actions({"type": "workflow_button", "text": TEXT, "workflow": workflows[kind]})
    return [{"type": "section", "text": document}]


def _rich(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": [content]}]


def _actions(element: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [element]}]


def _input(element: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "input", "label": TEXT, "element": element}]
