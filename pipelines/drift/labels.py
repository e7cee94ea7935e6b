"""Late labels beside the rows that they belong to: by an identifier, or by their order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts, settled
from pipelines.drift.roles import LIKE_AN_ID, PREDICTIONS, SCORES, TARGETS, Wish
from pipelines.errors import Refused


@dataclass(frozen=True, slots=True)
class Labelled:
    """Both tables with their labels; `brought` are the columns of the current one that came with them."""

    reference: Table
    current: Table
    wish: Wish
    brought: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def with_labels(reference: Table, current: Table, labels: Table | None, wish: Wish) -> Labelled:
    """The tables with `labels`, where there are any, and their outcome under the name that the reference has for it."""
    if labels is None:
        return Labelled(reference, current, wish)
    reference, current, brought = attached(reference, current, labels)
    current, brought, wish, note = as_target(reference, current, brought, wish)
    return Labelled(reference, current, wish, tuple(brought), (note,) if note else ())


def attached(reference: Table, current: Table, labels: Table) -> tuple[Table, Table, list[str]]:
    """Both tables with the labels that are theirs, and the names of the columns that they brought.

    Labels are of the current rows; of both where they name rows of the reference too, or are as many as both have
    together, the reference's first.
    """
    whole = labels.rows == labels.total_rows == reference.total_rows + current.total_rows
    if whole and reference.rows and not _key(current, labels):
        parts = np.split(np.arange(labels.rows), [reference.rows])
        one, other = joined(reference, labels.take(parts[0])), joined(current, labels.take(parts[1]))
    else:
        one, other = reference, joined(current, labels)
        key = _key(current, labels)
        lacking = [name for name in labels.columns if name != key and name not in reference.columns]
        if key in reference.columns and lacking and (_places(reference.columns[key], labels.columns[key]) >= 0).any():
            one = joined(reference, labels)
    return one, other, [name for name in other.columns if name not in current.columns]


def as_target(
    reference: Table, current: Table, brought: Sequence[str], wish: Wish
) -> tuple[Table, list[str], Wish, str]:
    """The one outcome that labels brought under the name it has in the reference, and a note that says so.

    For where the reference has one outcome that the current rows lack; else all stays as it is.
    """
    lacking = _lacking(reference, current, wish)
    outcomes = [wish.target] if wish.target in brought else _outcomes(brought)
    if len(lacking) != 1 or len(outcomes) != 1 or any(name in reference.columns for name in brought):
        return current, list(brought), wish, ""
    [old], [new] = outcomes, lacking
    columns = {(new if name == old else name): column for name, column in current.columns.items()}
    note = f"The labels' `{old}` was taken for the reference's `{new}`."
    kept = [new if name == old else name for name in brought]
    return replace(current, columns=columns), kept, replace(wish, target=new), note


def _lacking(reference: Table, current: Table, wish: Wish) -> list[str]:
    lacking = [name for name in reference.columns if name not in current.columns and not LIKE_AN_ID.search(name)]
    if wish.target in lacking:
        return [wish.target]
    usual = [name for name in lacking if name.lower() in TARGETS]
    return usual or [name for name in lacking if name.lower() not in (*PREDICTIONS, *SCORES)]


def _outcomes(brought: Sequence[str]) -> list[str]:
    usual = [name for name in brought if name.lower() in TARGETS]
    return usual if len(usual) == 1 else [name for name in brought if not LIKE_AN_ID.search(name)]


def joined(current: Table, labels: Table) -> Table:
    """`current` with the columns of `labels` that it lacks; rows without a label have them missing.

    By the one column that both have and that names the label's rows; without such a column by order, which wants
    as many labels as rows. Of two labels for one row the last counts. Raises Refused where neither is possible.
    """
    extra = [name for name in labels.columns if name not in current.columns]
    key = _key(current, labels)
    if not extra:
        extra = [name for name in labels.columns if name != key]
    if not extra:
        raise Refused("The labels hold nothing but what joins them to the rows. They need a column with the outcome.")
    if key:
        places = _places(current.columns[key], labels.columns[key])
        if not (places >= 0).any():
            raise Refused(f"No label belongs to any current row: the values of `{key}` have none in common.")
    elif labels.rows == current.rows == labels.total_rows == current.total_rows:
        places = np.arange(current.rows)
    else:
        raise Refused(
            f"The labels have {labels.total_rows:,} rows, the current table {current.total_rows:,}, and no column in "
            "common that names the rows. Give both an `id`, or a label for each row in the same order."
        )
    columns: dict[str, Column] = {**current.columns, **{name: _placed(labels.columns[name], places) for name in extra}}
    return Table(columns, current.rows, current.total_rows, current.left_out)


def _key(current: Table, labels: Table) -> str:
    shared = [name for name in labels.columns if name in current.columns]
    ranked = sorted(shared, key=lambda name: name.lower() not in ("id", "uuid", "row_id", "request_id"))
    for name in ranked:
        if len(set(_keys(labels.columns[name]))) > 0.99 * labels.rows:
            return name
    return ranked[0] if ranked and ranked[0].lower() in ("id", "uuid", "row_id", "request_id") else ""


def _places(wanted: Column, given: Column) -> Any:
    where = {key: place for place, key in enumerate(_keys(given)) if key is not None}
    return np.array([where.get(key, -1) for key in _keys(wanted)], dtype=np.int64)


def _keys(column: Column) -> list[Any]:
    column = settled(column)
    if isinstance(column, Texts):
        names: list[Any] = [*column.levels, None]
        return [names[code] for code in column.codes.tolist()]
    values = column.values if isinstance(column, Numbers) else column.seconds
    return [None if value != value else value for value in values.tolist()]


def _placed(column: Column, places: Any) -> Column:
    if isinstance(column, Texts):
        return Texts(np.append(column.codes, -1)[places], column.levels)
    if isinstance(column, Moments):
        return Moments(np.append(column.seconds, np.nan)[places])
    return Numbers(np.append(column.values, np.nan)[places], column.unreadable)
