"""Tensors of the Open Inference Protocol as rows of values, with what MLServer's codecs say about them."""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from pipelines.errors import Refused

MOST_DIMENSIONS = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """`values` row by row, `width` of them a row. `columns` are the names that it gives them itself."""

    name: str
    values: Sequence[Any]
    width: int = 1
    columns: Sequence[str] = ()

    @property
    def rows(self) -> list[Any]:
        """Single values where a row has one, else lists."""
        if self.width == 1:
            return list(self.values)
        return [list(self.values[start : start + self.width]) for start in range(0, len(self.values), self.width)]


def is_tensor(given: Any) -> bool:
    return isinstance(given, dict) and ("data" in given or "datatype" in given)


def read_tensor(tensor: Mapping[str, Any], columns: Collection[str] = ()) -> Tensor:
    """Its first dimension are the rows; a column of the model in one row across is one as well.

    Raises Refused where values and shape do not fit, or the values lie elsewhere.
    """
    name = str(tensor.get("name") or "input")
    if "data" not in tensor:
        raise Refused(f"The values of the tensor {name[:80]} did not come with it.")
    data, shape = tensor["data"], _shape(tensor.get("shape"))
    values = _flat(data)
    if not shape:
        shape = _shape_of(data, len(values))
    if prod(shape) != len(values):
        raise Refused(f"The tensor {name[:80]} has {len(values):,} values; its shape says {prod(shape):,}.")
    parameters = tensor.get("parameters")
    given = parameters if isinstance(parameters, dict) else {}
    if given.get("content_type") == "base64":
        values = [_decoded(value) for value in values]
    width = prod(shape[1:]) if shape[0] else 1
    if name in columns and shape[0] == 1:
        width = 1
    named = given.get("columns")
    return Tensor(name, values, width, [str(one) for one in named] if isinstance(named, list) else ())


def _shape(given: Any) -> list[int]:
    if not isinstance(given, list):
        return []
    if not all(type(side) is int and side >= 0 for side in given):
        raise Refused("A tensor's shape is no list of whole numbers.")
    return given


def _shape_of(data: Any, count: int) -> list[int]:
    rows = len(data) if isinstance(data, list) and data and isinstance(data[0], list) else count
    return [rows, count // rows] if rows and not count % rows else [count]


def _flat(data: Any, depth: int = 0) -> list[Any]:
    """Data may come nested as its shape, or flat."""
    if depth > MOST_DIMENSIONS:
        raise Refused(f"A tensor has more than {MOST_DIMENSIONS} dimensions.")
    if not isinstance(data, list):
        return [data]
    if data and isinstance(data[0], list):
        return [value for member in data for value in _flat(member, depth + 1)]
    return data


def _decoded(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True).decode(errors="replace")
    except (binascii.Error, TypeError, ValueError):
        return value
