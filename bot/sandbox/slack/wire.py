"""JSON as it comes from outside."""

import json
from typing import Any, NoReturn


def parsed(text: str | bytes) -> Any:
    """The document; ValueError for what could be read but never be written again.

    That is: NaN and its like, halves of surrogate pairs, and nesting beyond Python's recursion limit. One message
    with such a thing in it would make its whole channel unreadable.
    """
    try:
        document = json.loads(text, parse_constant=_refuse)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
