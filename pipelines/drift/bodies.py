"""Bodies as they travel: packed or not, JSON alone, or JSON with the tensors of the binary extension behind it.

The extension is Triton's and KServe's (github.com/triton-inference-server/server, protocol/extension_binary_data.md).
KServe's logger gives an event the content type of the request and no Inference-Header-Content-Length, and where it is
told to copy that header a response carries the request's: so the end of the JSON is found, not believed.
"""

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pydantic_core

from pipelines.drift.raw_tensors import unpacked_tensor
from pipelines.errors import Refused

MOST_LEVELS = 200
# As much as a delivery may be that comes unpacked (bot/routes/drift.py).
MOST_UNPACKED = 8_000_000
GZIP = b"\x1f\x8b"
_decoder = json.JSONDecoder()


def unpacked(content: bytes, encoding: str = "", most: int = MOST_UNPACKED) -> bytes:
    """Without gzip or deflate, whatever its header says: KServe's logger copies packed bodies and not their header.

    Raises Refused, as a clause, for other encodings, for what is broken and for what becomes too large.
    """
    named = encoding.strip().lower()
    if named not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise Refused(f"is packed by {named[:40]}. Send it as gzip, as deflate or as it is.")
    if content[:2] == GZIP:
        return _inflated(content, zlib.MAX_WBITS | 16, most)
    if named != "deflate":
        return content
    try:
        return _inflated(content, zlib.MAX_WBITS, most)
    except Refused:  # some send raw deflate by this name (RFC 9110, 8.4.1.2)
        return _inflated(content, -zlib.MAX_WBITS, most)


def _inflated(content: bytes, bits: int, most: int) -> bytes:
    inflater = zlib.decompressobj(bits)
    try:
        found = inflater.decompress(content, most)
    except zlib.error as mistake:
        raise Refused(f"cannot be unpacked: {str(mistake)[:100]}.") from None
    if inflater.unconsumed_tail or len(found) >= most:
        raise Refused(f"unpacks to more than {most / 1e6:,.1f} MB. Send it in parts.")
    if not inflater.eof:
        raise Refused("is packed and its end is missing.")
    return found


def read_body(content: bytes, most: int = MOST_UNPACKED) -> tuple[Any, bytes]:
    """The document, and its text where that says it all. Raises Refused with what it is, as a clause."""
    content = unpacked(content, most=most)
    try:
        return read_json(content), content
    except Refused:
        if content[:1] != b"{":
            raise
        document = _with_tensors(content)
        if document is None:
            raise
        return document, b""


def read_json(content: bytes) -> Any:
    """A document that one can walk through without a look at the stack. Raises Refused with what it is, as a clause."""
    # A fifth of json's time for long lists of numbers; it goes no deeper than some two hundred levels.
    with suppress(ValueError):
        return pydantic_core.from_json(content, cache_strings="keys")
    try:  # other encodings, and halves of surrogate pairs
        document = json.loads(content)
    except ValueError as mistake:
        raise Refused(f"is not JSON: {str(mistake)[:200]}.") from None
    except RecursionError:
        raise Refused("is nested too deeply.") from None
    if content.count(b"[") + content.count(b"{") > MOST_LEVELS and _deep([document]):
        raise Refused(f"is nested more than {MOST_LEVELS} levels deep.")
    return document


def _deep(level: list[Any]) -> bool:
    for _ in range(MOST_LEVELS):
        inside = (node.values() if isinstance(node, dict) else node for node in level if node)
        level = [child for members in inside for child in members if type(child) is dict or type(child) is list]
        if not level:
            return False
    return True


def _with_tensors(content: bytes) -> Any:
    """The document with the values of its binary tensors as `data`; None where nothing stands behind the JSON."""
    try:
        # As Latin-1 each character is a byte, so that the end is a place in `content`.
        _, end = _decoder.raw_decode(content.decode("latin-1"))
    except (ValueError, RecursionError):
        return None
    document = read_json(content[:end])
    tensors = document.get("inputs") or document.get("outputs")
    if not isinstance(tensors, list):
        return None
    for tensor in tensors:
        size = _size(tensor)
        if size is not None:
            tensor["data"] = unpacked_tensor(str(tensor.get("datatype", "")), content[end : end + size], size)
            end += size
    if end != len(content):
        raise Refused(f"has {len(content) - end:,} bytes behind its tensors that none of them claims.")
    return document


def _size(tensor: Any) -> int | None:
    if not isinstance(tensor, dict) or "data" in tensor:
        return None
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, Mapping) else None
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
