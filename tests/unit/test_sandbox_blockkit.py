"""What the sandbox refuses of blocks, views and attachments, and in which words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.blockkit import Complaint, judge_attachments, judge_blocks, judge_view

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
KINDS = ["section", "actions", "input", "table", "data_table", "data_visualization", "rich_text", "container", "card"]
KIND = st.sampled_from(KINDS)
NAMES = st.sampled_from(
    ["type", "text", "elements", "element", "rows", "chart", "series", "block_id", "options", "accessory", "fields"]
)


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": action_id}


def modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [{"type": "divider"}], **more}


def only(found: list[Complaint]) -> Complaint:
    assert len(found) == 1, found
    return found[0]


def test_a_complaint_reads_as_slack_writes_it() -> None:
    found = only(judge_blocks([section("x" * 3_001)], "message"))
    assert str(found) == "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert found.code == "invalid_blocks"


@pytest.mark.parametrize("blocks", ["[]", None, 7, {"type": "section"}])
def test_blocks_that_are_no_list_have_a_wrong_format(blocks: object) -> None:
    assert only(judge_blocks(blocks, "message")).code == "invalid_blocks_format"


@pytest.mark.parametrize("block", ["text", None, 3, [], {}, {"type": None}, {"type": []}, {"type": "nothing"}])
def test_what_is_no_block_is_named_by_its_place(block: object) -> None:
    assert only(judge_blocks([{"type": "divider"}, block], "message")).pointer.startswith("/blocks/1")


def test_a_field_that_slack_does_not_know_is_refused() -> None:
    found = only(judge_blocks([section("a", colour="red")], "message"))
    assert (found.text, found.pointer) == ("invalid additional property: colour", "/blocks/0")


def test_a_missing_field_is_named() -> None:
    assert only(judge_blocks([{"type": "header"}], "message")).text == "missing required field: text"


def test_a_field_without_value_counts_as_left_away() -> None:
    assert judge_blocks([section("a", accessory=None, block_id=None)], "message") == []


def test_two_blocks_cannot_share_an_id() -> None:
    found = only(judge_blocks([section("a", block_id="one"), section("b", block_id="one")], "message"))
    assert found.pointer == "/blocks/1/block_id"


def test_two_elements_of_one_block_cannot_share_an_action_id() -> None:
    row = {"type": "actions", "elements": [button("go"), button("go")]}
    assert only(judge_blocks([row], "message")).pointer == "/blocks/0/elements/1/action_id"


def test_one_action_id_may_stand_in_two_blocks() -> None:
    rows = [{"type": "actions", "elements": [button("go")]}, {"type": "actions", "elements": [button("go")]}]
    assert judge_blocks(rows, "message") == []


def test_a_message_has_one_table() -> None:
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
    assert judge_blocks([table], "message") == []
    assert only(judge_blocks([table, table], "message")).text == "no more than 1 table blocks allowed"


@pytest.mark.parametrize(("count", "code"), [(13_200, None), (13_201, "msg_blocks_too_long")])
def test_all_text_of_a_message_has_one_budget(count: int, code: str | None) -> None:
    blocks = [section("x" * 2_640) for _ in range(5)]
    blocks[0]["text"]["text"] += "x" * (count - 13_200)
    assert [found.code for found in judge_blocks(blocks, "message")] == ([code] if code else [])


def test_the_budget_of_a_message_does_not_bind_a_home_tab() -> None:
    assert judge_blocks([section("x" * 3_000) for _ in range(30)], "home") == []


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_a_surface_holds_so_many_blocks(surface: Any, most: int) -> None:
    assert judge_blocks([{"type": "divider"}] * most, surface) == []
    assert only(judge_blocks([{"type": "divider"}] * (most + 1), surface)).text == f"no more than {most} items allowed"


@pytest.mark.parametrize(
    ("kind", "surface"),
    [("table", "modal"), ("markdown", "home"), ("plan", "home"), ("alert", "message"), ("context_actions", "modal")],
)
def test_a_block_on_the_wrong_surface_is_refused(kind: str, surface: Any) -> None:
    found = only(judge_blocks([{"type": kind}], surface))
    assert (found.text, found.pointer) == (f"unsupported type: {kind}", "/blocks/0/type")


def test_points_of_a_chart_stand_on_its_categories() -> None:
    series = [{"name": "s", "data": [{"label": "Tue", "value": 1}]}]
    chart = {"type": "bar", "series": series, "axis_config": {"categories": ["Mon"]}}
    found = judge_blocks([{"type": "data_visualization", "title": "t", "chart": chart}], "message")
    assert only(found).pointer == "/blocks/0/chart/series/0/data"


def test_series_of_a_chart_have_names_of_their_own() -> None:
    one = {"name": "s", "data": [{"label": "Mon", "value": 1.5}]}
    chart = {"type": "line", "series": [one, one], "axis_config": {"categories": ["Mon"]}}
    found = judge_blocks([{"type": "data_visualization", "title": "t", "chart": chart}], "message")
    assert only(found).text == "series name s already exists"


@pytest.mark.parametrize("value", [True, "1", None, float("inf")])
def test_what_is_no_finite_number_is_no_value_of_a_chart(value: object) -> None:
    chart = {"type": "pie", "segments": [{"label": "a", "value": value}]}
    assert judge_blocks([{"type": "data_visualization", "title": "t", "chart": chart}], "message")


def test_a_number_that_no_float_can_hold_is_still_a_number() -> None:
    element = {"type": "number_input", "is_decimal_allowed": False, "min_value": 10**400, "max_value": "1"}
    field = {"type": "input", "label": {"type": "plain_text", "text": "L"}, "element": element}
    assert judge_blocks([field], "message") == []
    chart = {"type": "pie", "segments": [{"label": "a", "value": 10**400}]}
    assert judge_blocks([{"type": "data_visualization", "title": "t", "chart": chart}], "message") == []


def test_a_container_holds_no_container() -> None:
    inner = {"type": "container", "title": {"type": "plain_text", "text": "in"}, "child_blocks": [{"type": "divider"}]}
    found = only(judge_blocks([inner | {"child_blocks": [inner]}], "message"))
    assert found.pointer == "/blocks/0/child_blocks/0/type"


def test_a_modal_with_an_input_needs_a_submit_button() -> None:
    field = {"type": "input", "label": {"type": "plain_text", "text": "L"}, "element": {"type": "plain_text_input"}}
    found = only(judge_view(modal(blocks=[field])))
    assert (found.text, found.code) == ("missing required field: submit", "invalid_arguments")
    assert judge_view(modal(blocks=[field], submit={"type": "plain_text", "text": "Send"})) == []


def test_faults_inside_a_view_are_named_from_the_view_on() -> None:
    found = only(judge_view(modal(blocks=[section("")])))
    assert found.pointer == "/view/blocks/0/text/text"


def test_a_view_beyond_a_quarter_megabyte_is_too_large() -> None:
    rows = [section("x" * 2_900) for _ in range(100)]
    assert only(judge_view({"type": "home", "blocks": rows})).code == "view_too_large"


def test_blocks_of_attachments_are_judged_too() -> None:
    found = only(judge_attachments([{"text": "a"}, {"blocks": [{"type": "nothing"}]}]))
    assert found.pointer == "/attachments/1/blocks/0/type"


@given(JSON)
def test_no_json_whatever_breaks_the_judge(document: Any) -> None:
    for found in (judge_blocks(document, "message"), judge_view(document), judge_attachments(document)):
        assert all(complaint.text and complaint.code for complaint in found)


@given(st.lists(st.builds(lambda kind, rest: rest | {"type": kind}, KIND, st.dictionaries(NAMES, JSON)), max_size=4))
def test_no_block_of_a_known_kind_breaks_the_judge(blocks: list[Any]) -> None:
    for surface in ("message", "modal", "home"):
        assert isinstance(judge_blocks(blocks, surface), list)


@given(st.text(min_size=1, max_size=3_000))
def test_any_text_within_the_limit_is_taken(text: str) -> None:
    assert judge_blocks([section(text)], "message") == []
