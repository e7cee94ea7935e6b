"""From a JSON schema to an answer of that shape, and what is said when the answer has another."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.cards.inert import visible

V = TypeVar("V", bound=BaseModel)

LONGEST_ANSWER = 60_000  # characters; some fifteen thousand tokens, far above any report
MOST_COMPLAINTS = 8
# Keywords beside these are refused by OpenAI's strict mode or by servers that follow it; pydantic checks them anyway.
_STRICT_KEYWORDS = frozenset({"type", "properties", "items", "enum", "const", "anyOf", "$ref", "$defs", "description"})


class Unreadable(Exception):
    """The answer has not the shape that was asked for; the text tells the model what is wrong with it."""


def read_answer(text: str, schema: type[V], cut_off: bool = False) -> V:
    """The value in the model's answer. Raises Unreadable with a complaint that the model can act on."""
    found: ValidationError | None = None
    for candidate in _objects(text[:LONGEST_ANSWER]):
        try:
            return schema.model_validate(cleaned(candidate))
        except ValidationError as error:
            found = found or error
    if cut_off or len(text) > LONGEST_ANSWER:
        raise Unreadable("Your answer was too long and was cut off. Answer again, much shorter, as one JSON object.")
    if found is None:
        raise Unreadable("Your answer holds no JSON object. Answer again with one JSON object and nothing else.")
    raise Unreadable(f"Your JSON does not fit the schema: {_complaints(found)}. Answer again with the whole object.")


def _complaints(error: ValidationError) -> str:
    # Neither input nor context: what a document made the model say is not said back as if it came from us.
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_COMPLAINTS]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the object'}: {fault['msg']}" for fault in faults)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, outermost first: models wrap them in words and in code fences."""
    decoder = json.JSONDecoder()
    position = 0
    for _ in range(20):
        start = text.find("{", position)
        if start < 0:
            return
        try:
            value, position = decoder.raw_decode(text, start)
        except (json.JSONDecodeError, RecursionError):
            position = start + 1
            continue
        if isinstance(value, dict):
            yield value


def cleaned(value: Any) -> Any:
    """The same value without characters that nobody sees."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {visible(key): cleaned(item) for key, item in value.items()}
    return value


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as OpenAI's strict mode wants it: closed objects, every property required, only plain keywords."""
    return {keyword: _strict(keyword, value) for keyword, value in _closed(schema).items()}


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # nothing may stand beside it
    kept = {keyword: value for keyword, value in schema.items() if keyword in _STRICT_KEYWORDS}
    if "allOf" in schema and len(schema["allOf"]) == 1:
        kept = _closed(schema["allOf"][0])
    if "properties" in kept:
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    return kept


def _strict(keyword: str, value: Any) -> Any:
    if keyword in ("properties", "$defs"):
        return {name: strict_schema(part) for name, part in value.items()}
    if keyword == "items":
        return strict_schema(value)
    if keyword == "anyOf":
        return [strict_schema(part) for part in value]
    return value


def schema_instruction(schema: Mapping[str, Any]) -> str:
    """For models that are not held to a schema by their server."""
    return (
        "Answer with exactly one JSON object and nothing before or after it. It has to fit this JSON schema:\n"
        f"{json.dumps(schema, ensure_ascii=False)}"
    )
