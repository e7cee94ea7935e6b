"""Mistakes in the catalogue: where they are, and what to write instead."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from bot.catalogue.ci import Kind
from bot.catalogue.entries import CatalogueFile
from bot.catalogue.reading import Document
from bot.catalogue.shapes import Entry
from bot.config import SettingsError

Where = tuple[str | int, ...]

# What pydantic calls a mistake -> how a person would say it; the rest keeps pydantic's own words.
WORDS = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": 'must hold "key: value" lines',
    "model_type": 'must hold "key: value" lines',
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "finite_number": "must be a finite number",
}
KINDS = {
    "problem": "regression or classification",
    "runner": "local, kubernetes or github",
    "everyone": "viewer or engineer",
    "days": "monday to sunday, in full",
    "at": "a time such as 03:00, in UTC",
    "slack": "a Slack user id such as U0123ABCD or an e-mail address",
    "channel": "the name of a channel, in quotes: a bare # begins a comment",
    "severity": "low, medium, high or critical",
    "kinds": f"one of {', '.join(get_args(Kind))}",
    "window": "hours or days such as 24h or 7d",
    "every": "minutes, hours or days such as 15m or 1h, or never",
    "repository": "owner/name",
    "trainer": "builtin, package.module:function, or image:NAME",
}
NAME_RULE = "must be a short name: small letters, digits and hyphens, beginning with a letter, at most 40"

REPOSITORY_RULE = 'must be a repository as owner/name; * and ? stand for others, as in "shipyard/*"'


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """`line` counts from 1."""

    line: int
    text: str


class CatalogueError(SettingsError):
    """The catalogue cannot be used; the text has one line a mistake."""

    def __init__(self, file_name: str, mistakes: Iterable[Mistake]) -> None:
        self.file_name = file_name
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(f"{file_name}:{mistake.line}: {mistake.text}" for mistake in self.mistakes))


def nearest(word: str, known: Iterable[str]) -> str:
    """' Did you mean "…"?', or nothing."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{found[0]}"?' if found else ""


def path_text(where: Sequence[str | int]) -> str:
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shape_mistakes(error: ValidationError, document: Document) -> Iterator[tuple[Where, Mistake]]:
    """Each mistake of shape with its place in the file."""
    for fault in error.errors():
        # Parts in brackets are no part of the file: pydantic's own marks for alternatives and for keys.
        where = tuple(part for part in fault["loc"] if not str(part).startswith(("(", "[")))
        yield where, Mistake(document.line(where), _sentence(where, fault))


def _sentence(where: Where, fault: ErrorDetails) -> str:
    path, key = path_text(where), str(where[-1]) if where else ""
    if not where:
        return 'the file must hold "key: value" lines. Write e.g. models: …'
    entry = _entry_around(where)
    if fault["type"] == "extra_forbidden":
        return _unknown(path, key, entry)
    if fault["loc"][-1] == "[key]":
        return f"{path}: {REPOSITORY_RULE if 'repositories' in where else NAME_RULE}."
    field = next((str(part) for part in reversed(where) if part in entry.model_fields), "")
    example = _example(entry, field)
    if fault["type"] == "missing":
        return f"{path} is missing.{example}"
    return f"{path} {_fault_words(field, fault)}.{example}"


def _unknown(path: str, key: str, entry: type[Entry]) -> str:
    meant = difflib.get_close_matches(key, entry.model_fields, n=1, cutoff=0.6)
    if meant:
        return f'{path} is not known. Did you mean "{meant[0]}"?{_example(entry, meant[0])}'
    return f"{path} is not known. Known here: {', '.join(entry.model_fields)}."


def _fault_words(field: str, fault: ErrorDetails) -> str:
    value = fault["input"]
    if value is None:
        return f"is empty{'; a bare # begins a comment' if field == 'channel' else ''}"
    kind = fault["type"]
    if field in KINDS and kind in ("literal_error", "string_pattern_mismatch"):
        words = f"must be {KINDS[field]}"
    else:
        words = WORDS.get(kind) or fault["msg"].replace("Input should be", "must be").replace("String", "text")
    return f"{words}, not {_shown(value)}" if isinstance(value, str | int | float) else words


def _shown(value: object) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return f'"{text[:60]}{"…" if len(text) > 60 else ""}"' if isinstance(value, str) else text


def _example(entry: type[Entry], field: str) -> str:
    examples = entry.model_fields[field].examples if field in entry.model_fields else None
    return f" Write e.g. {field}: {examples[0]}" if examples else ""


def repaired(plain: Any, places: Sequence[Where]) -> CatalogueFile | None:
    """The file with its mistakes of shape taken out, so that the rest can be held against each other too."""
    for take_out in (_mend, _drop_entry):
        rest = deepcopy(plain)
        for where in places:
            take_out(rest, where)
        with suppress(ValidationError):
            return CatalogueFile.model_validate(rest)
    return None


def _mend(rest: Any, where: Where) -> None:
    """Leave the field out, or put its example in where it is required."""
    place = next((where[:index] for index, part in enumerate(where) if isinstance(part, int)), where)
    if place and place[-1] == "problem":  # which metrics fit hangs on it
        return _drop_entry(rest, where)
    around = _at(rest, place[:-1])
    if not place or not isinstance(around, dict):
        return None
    field = _entry_around(place).model_fields.get(str(place[-1]))
    if field is not None and field.is_required() and field.examples:
        around[str(place[-1])] = YAML(typ="safe").load(field.examples[0])
    else:
        around.pop(place[-1], None)
    return None


def _drop_entry(rest: Any, where: Where) -> None:
    """Leave out the whole model, person, team, … that the mistake is in."""
    around = _at(rest, where[:1])
    if len(where) > 1 and isinstance(around, dict):
        around.pop(where[1], None)
    elif where and isinstance(rest, dict):
        rest.pop(where[0], None)
    if isinstance(rest, dict):
        rest.setdefault("models", {})


def _at(node: Any, where: Where) -> Any:
    for part in where:
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _entry_around(where: Where) -> type[Entry]:
    """The class that describes the lines among which the last part of `where` stands."""
    entry: type[Entry] = CatalogueFile
    named = False  # the next part is a name that the author chose, not a field
    for part in where[:-1]:
        field = None if named or isinstance(part, int) else entry.model_fields.get(part)
        named = False
        if field is not None and (inner := _entry_in(field.annotation)):
            entry, named = inner, get_origin(field.annotation) is dict
    return entry


def _entry_in(annotation: Any) -> type[Entry] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Entry) else None
    return next((found for part in get_args(annotation) if (found := _entry_in(part))), None)
