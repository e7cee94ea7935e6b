"""The two inference protocols of KServe: v2, which is the Open Inference Protocol, and v1 ("instances").

Source: github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NUMERIC = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64"})
MOST_ROWS = 10_000
PREDICT, PROBABILITIES = "predict", "predict_proba"


class NotUnderstood(Exception):
    """The request is not of the protocol; the text says where."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Columns of equal length by name, and which outputs are wanted; all where none is named."""

    columns: Mapping[str, Sequence[Any]]
    rows: int
    id: str = ""
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A label or number a row; the probabilities of `labels` a row, empty where the model gives none."""

    values: Sequence[Any]
    probabilities: Sequence[Sequence[float]] = ()


def read_v2(body: Any) -> Asked:
    """A request with one tensor a feature. Raises NotUnderstood."""
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), list) or not body["inputs"]:
        raise NotUnderstood("The body needs a list `inputs` with one tensor a feature.")
    columns = dict(_read_tensor(place, tensor) for place, tensor in enumerate(body["inputs"]))
    if len(columns) != len(body["inputs"]):
        raise NotUnderstood("Two inputs have the same name.")
    wanted = body.get("outputs") or []
    if not isinstance(wanted, list) or not all(isinstance(one, dict) and "name" in one for one in wanted):
        raise NotUnderstood("`outputs` is a list of objects with a name.")
    name = body.get("id", "")
    if not isinstance(name, str):
        raise NotUnderstood("`id` is a text.")
    return Asked(columns, _equal_rows(columns), name, tuple(str(one["name"]) for one in wanted))


def read_v1(body: Any, features: Sequence[str]) -> Asked:
    """Rows as objects, or as lists in the order of `features`. Raises NotUnderstood."""
    rows = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not rows:
        raise NotUnderstood("The body needs a list `instances` with one object a row.")
    named = [dict(zip(features, row, strict=False)) if isinstance(row, list) else row for row in rows]
    if not all(isinstance(row, dict) for row in named):
        raise NotUnderstood("An instance is an object with the features by name, or a list of their values.")
    missing = sorted({name for row in named for name in features if name not in row})
    if missing:
        raise NotUnderstood(f"Features are missing: {', '.join(missing[:10])}.")
    columns = {name: [row[name] for row in named] for name in features}
    return Asked(columns, _equal_rows(columns))


def answer_v2(model: str, version: int, asked: Asked, said: Said, labels: Sequence[Any]) -> dict[str, Any]:
    """The answer; `model_version` is the registry's number."""
    numeric = not any(isinstance(value, str) for value in said.values)
    outputs: list[dict[str, Any]] = [
        {"name": PREDICT, "datatype": "FP64" if numeric else "BYTES", "shape": [asked.rows], "data": list(said.values)}
    ]
    if said.probabilities:
        flat = [value for row in said.probabilities for value in row]
        outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": [asked.rows, len(labels)], "data": flat})
    if unknown := sorted(set(asked.outputs) - {output["name"] for output in outputs}):
        raise NotUnderstood(f"There is no output {unknown[0]}. There are: {PREDICT}, {PROBABILITIES}.")
    shown = [output for output in outputs if not asked.outputs or output["name"] in asked.outputs]
    return {"model_name": model, "model_version": str(version), "id": asked.id, "outputs": shown}


def describe(model: str, version: int, kinds: Mapping[str, str], labels: Sequence[Any]) -> dict[str, Any]:
    """The metadata of a model. `kinds` says of each feature what it is: number, boolean, date or category."""
    outputs = [{"name": PREDICT, "datatype": "BYTES" if labels else "FP64", "shape": [-1]}]
    if labels:
        outputs.append({"name": PROBABILITIES, "datatype": "FP64", "shape": [-1, len(labels)]})
    types = {"number": "FP64", "boolean": "BOOL"}
    inputs = [{"name": name, "datatype": types.get(kind, "BYTES"), "shape": [-1]} for name, kind in kinds.items()]
    return {
        "name": model, "versions": [str(version)], "platform": "sklearn_shipmate", "inputs": inputs,
        "outputs": outputs,
    }  # fmt: skip


def _read_tensor(place: int, tensor: Any) -> tuple[str, list[Any]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise NotUnderstood(f"Input {place} is no tensor with a name.")
    name, shape, datatype = tensor["name"], tensor.get("shape"), tensor.get("datatype")
    if not isinstance(shape, list) or not shape or not all(type(side) is int and side >= 0 for side in shape):
        raise NotUnderstood(f"The shape of {name} is no list of whole numbers.")
    if math.prod(shape[1:]) != 1:
        raise NotUnderstood(f"{name} has {math.prod(shape[1:])} values a row; each feature is a tensor of its own.")
    data = _flat(tensor.get("data"))
    if len(data) != shape[0]:
        raise NotUnderstood(f"{name} has the shape {shape} and {len(data)} values.")
    kind = str if datatype == "BYTES" else bool if datatype == "BOOL" else None
    if kind is None and datatype not in NUMERIC:
        raise NotUnderstood(f"The datatype {str(datatype)[:20]} of {name} is none that is served here.")
    fits = all(type(value) is kind for value in data) if kind else all(_is_number(value) for value in data)
    if not fits:
        raise NotUnderstood(f"{name} holds values that are not {datatype}.")
    return name, data


def _flat(data: Any) -> list[Any]:
    """Data may be nested as its shape is; here that is at most one level."""
    if not isinstance(data, list):
        raise NotUnderstood("The data of a tensor is a list.")
    return [value for member in data for value in (member if isinstance(member, list) else [member])]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _equal_rows(columns: Mapping[str, Sequence[Any]]) -> int:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise NotUnderstood("The inputs have different numbers of rows.")
    rows = lengths.pop()
    if not 0 < rows <= MOST_ROWS:
        raise NotUnderstood(f"A request holds 1 to {MOST_ROWS:,} rows.")
    return rows
