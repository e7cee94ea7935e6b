"""Composition objects: text, option, confirm and their like."""

from bot.sandbox.slack.blockkit.schema import Anything, Flag, Kinds, Many, Shape, String

ID = String(255, 1)
URL = String(3_000, 1)


def text(most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Kinds:
    """A text object of these kinds with at most so many characters."""
    shapes = {
        "plain_text": Shape({"type": Anything(), "text": String(most, 1), "emoji": Flag()}, ("text",)),
        "mrkdwn": Shape({"type": Anything(), "text": String(most, 1), "verbatim": Flag()}, ("text",)),
    }
    return Kinds({kind: shapes[kind] for kind in kinds})


def plain(most: int) -> Kinds:
    return text(most, ("plain_text",))


CONFIRM = Shape(
    {
        "title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30),
        "style": String(choices=frozenset({"primary", "danger"})),
    },
    ("title", "text", "confirm", "deny"),
)  # fmt: skip

OPTION = Shape(
    {"text": text(75), "value": String(150, 1), "description": text(75), "url": URL, "emoji": Flag()}, ("text", "value")
)
OPTION_GROUP = Shape({"label": plain(75), "options": Many(OPTION, 100, 1)}, ("label", "options"))
DISPATCH = Shape(
    {"trigger_actions_on": Many(String(choices=frozenset({"on_enter_pressed", "on_character_entered"})), 2, 1)}
)
CONVERSATION_FILTER = Shape(
    {
        "include": Many(String(choices=frozenset({"im", "mpim", "private", "public"})), 4, 1),
        "exclude_external_shared_channels": Flag(), "exclude_bot_users": Flag(),
    }
)  # fmt: skip
SLACK_FILE = Shape({"id": String(), "url": String()})
WORKFLOW = Shape(
    {
        "trigger": Shape(
            {"url": URL, "customizable_input_parameters": Many(Shape({"name": String(), "value": String()}))}, ("url",)
        )
    },
    ("trigger",),
)
ICON = Shape({"type": Anything(), "name": String(100, 1)}, ("name",), open=True)
