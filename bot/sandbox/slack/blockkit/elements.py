"""Elements: buttons, menus, inputs."""

from bot.sandbox.slack.blockkit.objects import (
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH,
    ID,
    OPTION,
    OPTION_GROUP,
    SLACK_FILE,
    URL,
    WORKFLOW,
    plain,
)
from bot.sandbox.slack.blockkit.rich_text import RICH_TEXT
from bot.sandbox.slack.blockkit.schema import (
    Anything,
    Extra,
    Flag,
    Kinds,
    Many,
    Number,
    Rule,
    Shape,
    String,
    exactly_one,
    not_above,
)

Fields = dict[str, Rule]
BASE: Fields = {"type": Anything(), "action_id": ID}
HINTED: Fields = {"placeholder": plain(150), "focus_on_load": Flag()}
CONFIRMED: Fields = {"confirm": CONFIRM}
STYLE = String(choices=frozenset({"primary", "danger"}))
DATE = String(10, 10)
TEXT_INPUT: Fields = BASE | HINTED | {"dispatch_action_config": DISPATCH}

BUTTON = Shape(
    BASE | CONFIRMED | {"text": plain(75), "url": URL, "value": String(2_000), "style": STYLE,
                        "accessibility_label": String(75), "agent_prompt": String(4_000)},
    ("text",),
)  # fmt: skip
WORKFLOW_BUTTON = Shape(
    BASE | {"text": plain(75), "workflow": WORKFLOW, "style": STYLE, "accessibility_label": String(75)},
    ("text", "workflow"),
)
IMAGE = Shape(
    {"type": Anything(), "image_url": URL, "alt_text": String(2_000), "slack_file": SLACK_FILE}, ("alt_text",),
    (exactly_one("image_url", "slack_file"),),
)  # fmt: skip
OVERFLOW = Shape(BASE | CONFIRMED | {"options": Many(OPTION, 5, 1)}, ("options",))


def _choices(most: int, initial: str) -> Shape:
    one = OPTION if initial == "initial_option" else Many(OPTION, most, 1)
    fields = BASE | CONFIRMED | {"options": Many(OPTION, most, 1), initial: one, "focus_on_load": Flag()}
    return Shape(fields, ("options",))


def _menus(kind: str, own: Fields, initial: str, needed: tuple[str, ...] = ()) -> dict[str, Rule]:
    """A menu and its multi form, which differ in how many can be chosen."""
    single = Shape(BASE | HINTED | CONFIRMED | own | {initial: OPTION if "option" in initial else String()}, needed,
                   _menu_checks(kind))  # fmt: skip
    chosen: Rule = Many(OPTION, 100, 1) if "option" in initial else Many(String(), 100, 1)
    multi = BASE | HINTED | CONFIRMED | own | {f"{initial}s": chosen, "max_selected_items": Number(1)}
    multi.pop("response_url_enabled", None)
    return {f"{kind}_select": single, f"multi_{kind}_select": Shape(multi, needed, _menu_checks(kind))}


def _menu_checks(kind: str) -> tuple[Extra, ...]:
    return (exactly_one("options", "option_groups"),) if kind == "static" else ()


STATIC: Fields = {"options": Many(OPTION, 100, 1), "option_groups": Many(OPTION_GROUP, 100, 1)}
MENUS: dict[str, Rule] = {
    **_menus("static", STATIC, "initial_option"),
    **_menus("external", {"min_query_length": Number(0)}, "initial_option"),
    **_menus("users", {}, "initial_user"),
    **_menus("channels", {"response_url_enabled": Flag()}, "initial_channel"),
    **_menus(
        "conversations",
        {"default_to_current_conversation": Flag(), "filter": CONVERSATION_FILTER, "response_url_enabled": Flag()},
        "initial_conversation",
    ),
}
TEXT_LENGTHS: Fields = {"min_length": Number(0, 3_000), "max_length": Number(1, 3_000)}
INPUTS: dict[str, Rule] = {
    "plain_text_input": Shape(
        TEXT_INPUT | TEXT_LENGTHS | {"multiline": Flag(), "initial_value": String(3_000)}, (),
        (not_above("min_length", "max_length"),),
    ),
    "email_text_input": Shape(TEXT_INPUT | {"initial_value": String()}),
    "url_text_input": Shape(TEXT_INPUT | {"initial_value": String()}),
    "number_input": Shape(
        TEXT_INPUT | {"is_decimal_allowed": Flag(), "initial_value": Anything(), "min_value": Anything(),
                      "max_value": Anything()},
        ("is_decimal_allowed",),
    ),
    "rich_text_input": Shape(
        TEXT_INPUT | {"initial_value": RICH_TEXT, "min_lines": Number(1, 100), "max_lines": Number(1, 100)}, (),
        (not_above("min_lines", "max_lines"),),
    ),
    "file_input": Shape(
        {"type": Anything(), "action_id": ID, "filetypes": Many(String()), "max_files": Number(1, 10)}
    ),
}  # fmt: skip
PICKERS: dict[str, Rule] = {
    "datepicker": Shape(BASE | HINTED | CONFIRMED | {"initial_date": DATE}),
    "timepicker": Shape(BASE | HINTED | CONFIRMED | {"initial_time": String(5, 5), "timezone": String()}),
    "datetimepicker": Shape(BASE | CONFIRMED | {"initial_date_time": Number(), "focus_on_load": Flag()}),
}
CHOICES: dict[str, Rule] = {
    "checkboxes": _choices(10, "initial_options"), "radio_buttons": _choices(10, "initial_option"),
}  # fmt: skip
FEEDBACK = Shape({"text": plain(75), "value": String(2_000), "accessibility_label": String(75)}, ("text", "value"))
CONTEXT_ACTIONS = Kinds(
    {
        "feedback_buttons": Shape(
            BASE | {"positive_button": FEEDBACK, "negative_button": FEEDBACK}, ("positive_button", "negative_button")
        ),
        "icon_button": Shape(
            BASE | CONFIRMED | {"icon": String(100, 1), "text": plain(75), "value": String(2_000),
                                "accessibility_label": String(75), "visible_to_user_ids": Many(String(), 10)},
            ("icon", "text"),
        ),
    }
)  # fmt: skip

ACTIONS = Kinds(
    {
        "button": BUTTON, "workflow_button": WORKFLOW_BUTTON, "overflow": OVERFLOW, **MENUS, **PICKERS, **CHOICES,
        "rich_text_input": INPUTS["rich_text_input"],
    }
)  # fmt: skip
ACCESSORIES = Kinds({"image": IMAGE} | {name: ACTIONS.shapes[name] for name in ACTIONS.shapes if "input" not in name})
FORM = Kinds({**MENUS, **INPUTS, **PICKERS, **CHOICES})
URL_SOURCE = Shape({"type": Anything(), "url": URL, "text": String(3_000)}, ("url", "text"))
