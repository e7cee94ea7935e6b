"""Frozen values to JSON and back: for rows in stores, `job.json` and `result.json`.

Strict on the way back: a wrong type, an unknown key or a missing one raises ValueError with the path to it
(`$.plan.gate.tolerance`). Fields that have a default may be missing, so that older rows stay readable.
Numbers that JSON does not know are the strings "NaN", "Infinity" and "-Infinity"; moments are ISO 8601,
spans of time are seconds.
"""

import dataclasses
import math
import types
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(value: object) -> dict[str, Any]:
    """The dataclass `value` as a dict that `json.dumps(..., allow_nan=False)` takes."""
    if not _is_value(value):
        raise ValueError(f"{type(value).__name__} is not a dataclass value")
    return cast("dict[str, Any]", _encode(value, "$"))


def from_json(cls: type[T], document: Mapping[str, Any]) -> T:
    """The value of the dataclass `cls` that `document` describes. Raises ValueError with the path of a mistake."""
    return cast("T", _decode(cls, document, "$"))


def _is_value(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _encode(value: Any, path: str) -> Any:
    if value is None or (isinstance(value, (str, bool, int)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return _encode_float(value)
    if _is_value(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: _encode(getattr(value, name), f"{path}.{name}") for name in names}
    if isinstance(value, Mapping):
        return {_key(key, path): _encode(member, f"{path}.{key}") for key, member in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(_encode(member, path) for member in value)
    if isinstance(value, (tuple, list)):
        return [_encode(member, f"{path}[{index}]") for index, member in enumerate(value)]
    return _encode_scalar(value, path)


def _encode_float(value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _encode_scalar(value: Any, path: str) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return _encode(value.value, path)
    raise ValueError(f"{path}: {type(value).__name__} has no form in JSON")


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{path}: the key {key!r} is not text")
    return key


def _decode(kind: Any, document: Any, path: str) -> Any:
    if kind is Any or kind is object:
        return document
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), document, path)
    if origin is Literal:
        return _decode_literal(get_args(kind), document, path)
    if origin in (tuple, list, frozenset, set):
        return _decode_sequence(kind, document, path)
    if origin is not None and issubclass(origin, Mapping):
        _, member = get_args(kind)
        items = _expect(document, dict, "an object", path).items()
        return {_key(key, path): _decode(member, value, f"{path}.{key}") for key, value in items}
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, document, path)
    return _decode_scalar(kind, document, path)


def _decode_union(kinds: tuple[Any, ...], document: Any, path: str) -> Any:
    mistakes = []
    for kind in kinds:
        try:
            return _decode(kind, document, path)
        except ValueError as mistake:
            mistakes.append(mistake)
    # The deepest path belongs to the member that fitted best.
    raise max(mistakes, key=lambda mistake: len(str(mistake).partition(": ")[0]))


def _decode_literal(allowed: tuple[Any, ...], document: Any, path: str) -> Any:
    if any(document == value and type(document) is type(value) for value in allowed):
        return document
    raise ValueError(f"{path}: expected one of {', '.join(map(repr, allowed))}, not {_shown(document)}")


def _decode_sequence(kind: Any, document: Any, path: str) -> Any:
    members = _expect(document, (list, tuple), "a list", path)
    kinds = get_args(kind)
    origin = get_origin(kind)
    if origin is not tuple or kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(members)
    if len(kinds) != len(members):
        raise ValueError(f"{path}: expected {len(kinds)} members, not {len(members)}")
    paired = zip(kinds, members, strict=True)
    return origin(_decode(each, member, f"{path}[{index}]") for index, (each, member) in enumerate(paired))


def _decode_dataclass(kind: Any, document: Any, path: str) -> Any:
    given = _expect(document, dict, "an object", path)
    hints = _hints(kind)
    unknown = sorted(map(str, set(given) - set(hints)))
    if unknown:
        raise ValueError(f"{path}.{unknown[0]}: {kind.__name__} has no such field")
    for field in dataclasses.fields(kind):
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if field.name not in given and not optional:
            raise ValueError(f"{path}.{field.name}: missing")
    return kind(**{name: _decode(hints[name], value, f"{path}.{name}") for name, value in given.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(cast("Any", kind)) if field.init}


def _decode_scalar(kind: Any, document: Any, path: str) -> Any:
    if kind in (None, type(None)):
        return _expect(document, type(None), "null", path)
    if kind is float:
        return _decode_float(document, path)
    if kind is datetime:
        return _decode_moment(document, path)
    if kind is timedelta:
        return timedelta(seconds=_decode_float(document, path))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _decode_enum(kind, document, path)
    if kind in (str, bool, int):
        return _expect(document, kind, {str: "text", bool: "true or false", int: "a whole number"}[kind], path)
    raise ValueError(f"{path}: {kind!r} cannot be read from JSON")


def _decode_float(document: Any, path: str) -> float:
    if isinstance(document, str) and document in _NON_FINITE:
        return _NON_FINITE[document]
    return float(_expect(document, (int, float), "a number", path))


def _decode_moment(document: Any, path: str) -> datetime:
    text = _expect(document, str, "a moment in ISO 8601", path)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{path}: expected a moment in ISO 8601, not {_shown(text)}") from None


def _decode_enum(kind: type[Enum], document: Any, path: str) -> Enum:
    try:
        return kind(document)
    except ValueError:
        allowed = ", ".join(repr(member.value) for member in kind)
        raise ValueError(f"{path}: expected one of {allowed}, not {_shown(document)}") from None


def _expect(document: Any, kind: Any, name: str, path: str) -> Any:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    # A bool is an int to Python, not to us.
    if not isinstance(document, kinds) or (isinstance(document, bool) and bool not in kinds):
        raise ValueError(f"{path}: expected {name}, not {_shown(document)}")
    return document


def _shown(document: Any) -> str:
    text = repr(document)
    return text if len(text) <= 60 else text[:57] + "…"
