"""What a person can read on a message or view, and press."""

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.store import Document

_TOKEN = re.compile(r"<([^>|]*)(?:\|([^>]*))?>")
_MARKS = re.compile(r"(?<![\w])([*_~`])(.+?)\1(?![\w])")
_READ = ("text", "title", "label", "placeholder", "fields", "elements", "blocks", "rows", "name", "description")


def visible_text(shown: Document) -> str:
    """All that can be read, a line a part; the fallback text counts only where there are no blocks."""
    source: Any = shown["blocks"] if shown.get("blocks") else shown.get("text", "")
    return "\n".join(_lines(source))


def buttons_of(shown: Document) -> list[Document]:
    """Every button with the id of its block, in reading order."""
    return [button | {"block_id": block.get("block_id", "")}
            for block in shown.get("blocks", []) for button in _buttons(block)]  # fmt: skip


def _buttons(part: Any) -> Iterator[Document]:
    if isinstance(part, dict):
        if part.get("type") == "button":
            yield part
            return
        for name in ("accessory", "elements", "actions"):
            yield from _buttons(part.get(name))
    elif isinstance(part, list):
        for member in part:
            yield from _buttons(member)


def _lines(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        if part.strip():
            yield _unmarked(part)
    elif isinstance(part, list):
        for member in part:
            yield from _lines(member)
    elif isinstance(part, dict):
        for name in (*_READ, "accessory"):
            if name in part and not (part.get("type") == "button" and name != "text"):
                yield from _lines(part[name])


def _unmarked(text: str) -> str:
    text = _TOKEN.sub(lambda found: found.group(2) or found.group(1), text)
    for _ in range(2):
        text = _MARKS.sub(r"\2", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
