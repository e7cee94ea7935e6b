"""rich_text: its blocks of content and their elements."""

from bot.sandbox.slack.blockkit.schema import Anything, Flag, Kinds, Many, Number, Rule, Shape, String

STYLE = Shape(
    {
        name: Flag()
        for name in ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink")
    }
)
KIND: dict[str, Rule] = {"type": Anything(), "style": STYLE}

INLINE = Kinds(
    {
        "text": Shape({**KIND, "text": String(40_000)}, ("text",)),
        "link": Shape({**KIND, "url": String(3_000, 1), "text": String(40_000), "unsafe": Flag()}, ("url",)),
        "emoji": Shape(
            {**KIND, "name": String(100, 1), "unicode": String(), "skin_tone": Number(), "url": String()}, ("name",)
        ),
        "user": Shape({**KIND, "user_id": String(50, 1)}, ("user_id",)),
        "usergroup": Shape({**KIND, "usergroup_id": String(50, 1)}, ("usergroup_id",)),
        "channel": Shape({**KIND, "channel_id": String(50, 1)}, ("channel_id",)),
        "team": Shape({**KIND, "team_id": String(50, 1)}, ("team_id",)),
        "broadcast": Shape({**KIND, "range": String(choices=frozenset({"here", "channel", "everyone"}))}, ("range",)),
        "color": Shape({**KIND, "value": String(20, 1)}, ("value",)),
        "date": Shape(
            {**KIND, "timestamp": Number(), "format": String(200, 1), "url": String(), "fallback": String()},
            ("timestamp", "format"),
        ),
    }
)  # fmt: skip

SECTION = Shape({"type": Anything(), "elements": Many(INLINE)}, ("elements",))
BORDER = Number(0, 1)
LIST = Shape(
    {
        "type": Anything(), "elements": Many(Kinds({"rich_text_section": SECTION})), "border": BORDER,
        "style": String(choices=frozenset({"bullet", "ordered"})), "indent": Number(0, 8), "offset": Number(0),
    },
    ("elements", "style"),
)  # fmt: skip
PREFORMATTED = Shape(
    {"type": Anything(), "elements": Many(INLINE), "border": BORDER, "language": String(100)}, ("elements",)
)
QUOTE = Shape({"type": Anything(), "elements": Many(INLINE), "border": BORDER}, ("elements",))

CONTENT = Kinds(
    {
        "rich_text_section": SECTION, "rich_text_list": LIST, "rich_text_preformatted": PREFORMATTED,
        "rich_text_quote": QUOTE,
    }
)  # fmt: skip
RICH_TEXT = Shape({"type": Anything(), "block_id": String(255, 1), "elements": Many(CONTENT)}, ("elements",))
