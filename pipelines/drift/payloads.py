"""Rows of requests: KServe's v1, v2 (the Open Inference Protocol), TensorFlow Serving, MLflow and Seldon.

Sources: kserve/open-inference-protocol, specification/protocol/inference_rest.md; tensorflow.org/tfx/serving/api_rest;
mlflow.org/docs/latest/deployment, "Local Inference Server Spec"; SeldonIO/MLServer, mlserver/codecs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.drift.signatures import Signature
from pipelines.drift.tensors import Tensor, is_tensor, read_tensor
from pipelines.errors import Refused

WANTED = "`instances` (v1), `inputs` (v2), `dataframe_split`, `dataframe_records` or `data.ndarray`"


# Its name, and a value a row.
Column = tuple[str, Sequence[Any]]


@dataclass(slots=True)
class Rows:
    """What a request asked, a place a row: None for one that cannot be told, of which `faults` says why.

    `lacking` rows are without a column that the model reads, `unknown` ones have others beside them.
    """

    features: list[Mapping[str, Any] | None] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lacking: int = 0
    unknown: int = 0


def named_rows(body: Mapping[str, Any], signature: Signature) -> Rows:
    """The rows of a request with the names of their features; `signature` names what the request only counts.

    Raises Refused for a body of no protocol, and where no row of it can be told.
    """
    quick = _whole_columns(body.get("inputs"), signature)
    if quick is not None:
        return Rows(quick)
    tensors = _tensors(body)
    found = _table(_columns_of(tensors, signature), signature) if tensors else _rows(body, signature)
    if found.faults and not any(row is not None for row in found.features):
        raise Refused(found.faults[0])
    return found


def readable(body: Mapping[str, Any]) -> None:
    """Raises Refused for a request of no protocol that is known."""
    if isinstance(body.get("instances"), list) or isinstance(body.get("inputs"), list | dict):
        return
    if isinstance(body.get("dataframe_split"), dict) or isinstance(body.get("dataframe_records"), list):
        return
    if not isinstance(body.get("data"), dict):
        raise Refused(f"The request has none of {WANTED}.")


def _whole_columns(inputs: Any, signature: Signature) -> list[Mapping[str, Any] | None] | None:
    """The commonest form by the shortest way: a flat tensor a column, each by its name. None for any other."""
    if type(inputs) is not list or len(inputs) != len(signature.names):
        return None
    columns: dict[str, list[Any]] = {}
    rows = 0
    for tensor in inputs:
        if type(tensor) is not dict or "parameters" in tensor:
            return None
        data, shape = tensor.get("data"), tensor.get("shape")
        if type(data) is not list or not data or type(data[0]) is list:
            return None
        rows = rows or len(data)
        if len(data) != rows or (shape != [rows] and shape != [rows, 1]):
            return None
        columns[tensor.get("name", "")] = data
    if columns.keys() != signature.names:
        return None
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _tensors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tensors of v2; empty for the others, whose `inputs` are values."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs or not all(map(is_tensor, inputs)):
        return []
    return inputs


def _rows(body: Mapping[str, Any], signature: Signature) -> Rows:
    readable(body)
    for name in ("instances", "dataframe_records"):
        if isinstance(body.get(name), list):
            return _each(body[name], signature)
    split = body.get("dataframe_split")
    if isinstance(split, dict):
        return _each(_listed(split.get("data")), signature, _names(split.get("columns")))
    inputs = body.get("inputs")
    if isinstance(inputs, dict):
        columns = [(str(name), _listed(values)) for name, values in inputs.items()]
        return _table(_split(columns, signature), signature)
    if isinstance(inputs, list):
        return _each(inputs, signature)
    return _seldon(body["data"], signature)


def _seldon(sent: Mapping[str, Any], signature: Signature) -> Rows:
    names = _names(sent.get("names"))
    if isinstance(sent.get("ndarray"), list):
        return _each(sent["ndarray"], signature, names)
    tensor = sent.get("tensor")
    if not isinstance(tensor, dict):
        raise Refused(f"The request has none of {WANTED}.")
    return _each(read_tensor({"shape": tensor.get("shape"), "data": tensor.get("values")}).rows, signature, names)


def _each(members: Iterable[Any], signature: Signature, names: Sequence[str] = ()) -> Rows:
    """Rows one by one: objects by name, lists by place."""
    found = Rows()
    for member in members:
        if isinstance(member, dict):
            row: Mapping[str, Any] | None = _object(member, signature)
        else:
            values = _flat(member) if isinstance(member, list) else [member]
            row = _by_place(values, names, signature, found)
        found.features.append(row if row is not None and _known(row, signature, found) else None)
    return found


def _object(member: Mapping[str, Any], signature: Signature) -> Mapping[str, Any]:
    """Values may each stand in a list of one; a lone tensor may hold them all."""
    lists = [value for value in member.values() if type(value) is list]
    if not lists:
        return member
    if len(member) == 1 and len(signature.columns) == len(lists[0]) > 1 and not signature.names & member.keys():
        return dict(zip(signature.columns, _flat(lists[0]), strict=False))
    return {name: value[0] if type(value) is list and len(value) == 1 else value for name, value in member.items()}


def _by_place(
    values: Sequence[Any], names: Sequence[str], signature: Signature, found: Rows
) -> Mapping[str, Any] | None:
    columns = names if len(names) == len(values) else signature.columns
    if len(columns) == len(values):
        return dict(zip(columns, values, strict=True))
    if not columns:
        return {f"feature_{place}": value for place, value in enumerate(values)}
    found.faults.append(_width(len(values), len(columns)))
    return None


def _known(row: Mapping[str, Any], signature: Signature, found: Rows) -> bool:
    """Whether a row has any column that the model reads; what else it lacks or has is counted."""
    names = signature.names
    if not names or row.keys() == names:
        return True
    if not names & row.keys():
        given = ", ".join(f"`{name[:40]}`" for name in list(map(str, row))[:3])
        found.faults.append(f"A row has none of the columns that the model reads; it has {given or 'none'}.")
        return False
    found.lacking += not names <= row.keys()
    found.unknown += not row.keys() <= names
    return True


def _columns_of(tensors: Sequence[Mapping[str, Any]], signature: Signature) -> list[Column]:
    """The columns of v2: one a tensor, or several in one tensor of two dimensions, as MLServer's codecs `pd` and `np`
    have them."""
    read = [read_tensor(tensor, signature.names) for tensor in tensors]
    if len(read) == 1 and read[0].width == 1 and read[0].name not in signature.names:
        values = read[0].values
        if len(values) == len(signature.columns) > 1:  # one row, as a vector
            return [(name, [value]) for name, value in zip(signature.columns, values, strict=True)]
    return _split(_spread(read, signature), signature)


def _spread(read: Sequence[Tensor], signature: Signature) -> list[Column]:
    found: list[Column] = []
    for tensor in read:
        if tensor.width == 1:
            found.append((tensor.name, tensor.values))
            continue
        names = tensor.columns
        if len(names) != tensor.width:
            names = signature.columns if len(signature.columns) == tensor.width else ()
        if len(read) == 1 and not names and signature.columns:
            raise Refused(_width(tensor.width, len(signature.columns)))
        names = names or [f"{tensor.name if len(read) > 1 else 'feature'}_{place}" for place in range(tensor.width)]
        found += [(name, tensor.values[place :: tensor.width]) for place, name in enumerate(names)]
    return found


def _split(columns: Sequence[Column], signature: Signature) -> list[Column]:
    """Columns under the names that the model knows; by their order where it knows none and they are as many."""
    if len(columns) == 1 and columns[0][1] and all(isinstance(value, list) for value in columns[0][1]):
        name, rows = columns[0]
        wide = [_flat(row) for row in rows]
        width = len(signature.columns) or len(wide[0])
        if name not in signature.names and width > 1:
            for row in wide:
                if len(row) != width:
                    raise Refused(_width(len(row), width))
            names = signature.columns or [f"feature_{place}" for place in range(width)]
            return [(each, [row[place] for row in wide]) for place, each in enumerate(names)]
    columns = [(name, [_lone(value) for value in values]) for name, values in columns]
    if len(columns) == len(signature.columns) and not any(name in signature.names for name, _ in columns):
        return [(name, values) for name, (_, values) in zip(signature.columns, columns, strict=True)]
    return columns


def _table(columns: Sequence[Column], signature: Signature) -> Rows:
    """Rows out of whole columns, which must be of one length."""
    lengths = sorted({len(values) for _, values in columns})
    if len(lengths) > 1:
        raise Refused(f"The columns of the request have {lengths[0]:,} to {lengths[-1]:,} rows.")
    found, names = Rows(), [name for name, _ in columns]
    if not lengths or not lengths[0]:
        return found
    if not _known(dict.fromkeys(names), signature, found):
        raise Refused(found.faults[0])
    rows = lengths[0]
    found.lacking, found.unknown = found.lacking * rows, found.unknown * rows
    found.features = [
        dict(zip(names, values, strict=True)) for values in zip(*(column for _, column in columns), strict=True)
    ]
    return found


def _width(given: int, wanted: int) -> str:
    return f"A row has {given:,} values where the model reads {wanted:,} columns."


def _lone(value: Any) -> Any:
    return value[0] if type(value) is list and len(value) == 1 else value


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _names(given: Any) -> list[str]:
    return [str(name) for name in given] if isinstance(given, list) else []


def _flat(values: Sequence[Any]) -> list[Any]:
    """A row whose values may each stand in lists."""
    if not any(type(value) is list for value in values):
        return list(values)
    return [inner for value in values for inner in (_flat(value) if isinstance(value, list) else [value])]
