"""Bodies of the two inference protocols as rows: KServe's v1 ("instances") and v2, the Open Inference Protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.drift.records import confidence_of
from pipelines.errors import Refused

MOST_DIMENSIONS = 32


def named_rows(body: Mapping[str, Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a request with the names of their features; `columns` name what the request only counts.

    Raises Refused for a body of neither protocol.
    """
    if isinstance(body.get("instances"), list):
        return [_named(instance, columns) for instance in body["instances"]]
    readable(body)
    return _v2_rows(body, columns)


def readable(body: Mapping[str, Any]) -> None:
    """Raises Refused for a request of neither protocol."""
    if not isinstance(body.get("instances"), list) and not isinstance(body.get("inputs"), list):
        raise Refused("The request has neither `instances` (v1) nor `inputs` (v2).")


def outputs_of(body: Mapping[str, Any]) -> list[tuple[Any, float | None]]:
    """Prediction and confidence a row; a row of probabilities is the place of the largest, and how large it is."""
    if isinstance(body.get("predictions"), list):
        return [_output(value) for value in body["predictions"]]
    outputs = body.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        return []
    tensors = {
        str(tensor.get("name", place)): _tensor_rows(tensor)
        for place, tensor in enumerate(outputs)
        if isinstance(tensor, dict)
    }
    first = next(iter(tensors.values()), [])
    said = [_output(value) for value in first]
    for name, rows in tensors.items():
        if "proba" in name.lower() and rows is not first:
            sure = [_output(value)[1] for value in rows]
            return [(value, sure[place] if place < len(sure) else None) for place, (value, _) in enumerate(said)]
    return said


def _named(instance: Any, columns: Sequence[str]) -> dict[str, Any]:
    if isinstance(instance, dict):
        return instance
    values = instance if isinstance(instance, list) else [instance]
    names = columns if len(columns) == len(values) else [f"feature_{place}" for place in range(len(values))]
    return dict(zip(names, values, strict=True))


def _v2_rows(body: Mapping[str, Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    tensors = [tensor for tensor in body["inputs"] if isinstance(tensor, dict)]
    if not tensors:
        return []
    if len(tensors) == 1 and len(_shape(tensors[0])) > 1 and _shape(tensors[0])[-1] != 1:
        parameters = tensors[0].get("parameters")
        named = parameters.get("columns") if isinstance(parameters, dict) else None
        return [_named(row, named if isinstance(named, list) else columns) for row in _tensor_rows(tensors[0])]
    rows = {str(tensor.get("name", place)): _flat(tensor.get("data")) for place, tensor in enumerate(tensors)}
    count = max((len(values) for values in rows.values()), default=0)
    return [
        {name: values[place] if place < len(values) else None for name, values in rows.items()}
        for place in range(count)
    ]


def _tensor_rows(tensor: Mapping[str, Any]) -> list[Any]:
    """The tensor's rows: single values where the last dimension is one, else lists."""
    data, shape = _flat(tensor.get("data")), _shape(tensor)
    width = shape[-1] if len(shape) > 1 else 1
    if width <= 1:
        return data
    return [data[start : start + width] for start in range(0, len(data) - width + 1, width)]


def _shape(tensor: Mapping[str, Any]) -> list[int]:
    shape = tensor.get("shape")
    return [side for side in shape if isinstance(side, int)] if isinstance(shape, list) else []


def _flat(data: Any, depth: int = 0) -> list[Any]:
    """Data may come nested as its shape, or flat."""
    if depth > MOST_DIMENSIONS:
        raise Refused(f"A tensor has more than {MOST_DIMENSIONS} dimensions.")
    if not isinstance(data, list):
        return [data]
    if data and isinstance(data[0], list):
        return [value for member in data for value in _flat(member, depth + 1)]
    return data


def _output(value: Any) -> tuple[Any, float | None]:
    if isinstance(value, dict):
        said = next((value[name] for name in ("prediction", "label", "class", "value") if name in value), None)
        sure = next((value[name] for name in ("confidence", "probability", "score") if name in value), None)
        return said, confidence_of(sure)
    if isinstance(value, list):
        numbers = [each for each in value if isinstance(each, int | float)]
        if len(numbers) == len(value) > 1 and all(0 <= each <= 1 for each in numbers):
            largest = max(numbers)
            return numbers.index(largest), float(largest)
        return (value[0], None) if value else (None, None)
    return value, None
