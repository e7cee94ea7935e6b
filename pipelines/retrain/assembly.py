"""Puts a table together from pieces, in bounded memory: each piece is made compact before the next one is read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from pipelines.retrain.columns import MAX_LEVELS, OTHER, Column, LeftOut, coerce, detect
from pipelines.retrain.values import Problem

# Text with more different values than this is no category in any table.
MOST_DISTINCT = 20_000
# Share of a piece's values that may turn out not to be what the first piece promised.
MOST_MISFITS = 0.05


class Assembly:
    """`warnings` says in plain sentences what was left out and why. `rows` counts what was read so far.

    `target` holds the target's pieces: categories for classification, as they were read for regression.
    """

    def __init__(
        self, target: str, problem: Problem, drop_columns: Sequence[str], number_type: type[np.floating[Any]]
    ) -> None:
        self.rows = 0
        self.warnings: list[str] = []
        self.target: list[Any] = []
        self.raw_types: dict[str, str] = {}
        self.target_labels: set[str] = set()
        self._target_name = target
        self._problem = problem
        self._dropped = {*drop_columns, target}
        self._number_type = number_type
        self._columns: dict[str, Column] | None = None
        self._parts: dict[str, list[Any]] = {}
        self._distinct: dict[str, set[str]] = {}
        self._misfits: dict[str, int] = {}

    def add(self, piece: Any) -> None:
        if piece.empty:
            return
        piece.columns = piece.columns.map(str)
        if self._columns is None:
            self._columns = self._detect_all(piece)
        for column in list(self._columns.values()):
            self._add_part(column, piece[column.name])
        self._add_target(piece[self._target_name])
        self.rows += len(piece)

    def features(self, rows: Any) -> tuple[Any, tuple[Column, ...]]:
        """The features of `rows` (row numbers) and their columns, without those that are the same in every row.

        Takes the parts apart while it goes, so that the table is never held twice.
        """
        self._tell_misfits()
        joined, columns, constant = {}, [], []
        whole = len(rows) == self.rows
        for column in (self._columns or {}).values():
            finished, values = self._join(column, whole, rows)
            if values.nunique(dropna=False) <= 1:
                constant.append(column.name)
                continue
            joined[column.name] = values
            columns.append(finished)
        if constant:
            self.warnings.append(
                f"Left out, the same in every row: {', '.join(f'`{name}`' for name in constant[:10])}."
            )
        return pd.DataFrame(joined, copy=False), tuple(columns)

    def _add_target(self, values: Any) -> None:
        if self._problem == "classification":
            values = coerce(Column(self._target_name, "category"), values)
            self.target_labels.update(values.cat.categories)
        self.target.append(values)

    def _detect_all(self, piece: Any) -> dict[str, Column]:
        found = {}
        for name in piece.columns:
            if name in self._dropped:
                continue
            column = detect(name, piece[name])
            if isinstance(column, LeftOut):
                self.warnings.append(f"`{name}` was left out: it {column.reason}.")
                continue
            found[name] = column
            self.raw_types[name] = str(piece[name].dtype)
        return found

    def _add_part(self, column: Column, raw: Any) -> None:
        values = coerce(column, raw)
        misfits = int(raw.notna().sum() - values.notna().sum())
        if self.rows and misfits > len(raw) * MOST_MISFITS and column.kind != "category":
            self._leave_out(
                column.name, f"starts as {column.kind}s and holds other things from row {self.rows + 1:,} on"
            )
            return
        if column.kind == "category":
            distinct = self._distinct.setdefault(column.name, set())
            distinct.update(values.cat.categories)
            if len(distinct) > MOST_DISTINCT:
                self._leave_out(column.name, f"has more than {MOST_DISTINCT:,} different values")
                return
        else:
            values = values.to_numpy(dtype=self._number_type)
            self._misfits[column.name] = self._misfits.get(column.name, 0) + misfits
        self._parts.setdefault(column.name, []).append(values)

    def _leave_out(self, name: str, reason: str) -> None:
        if self._columns is not None:
            del self._columns[name]
        self._parts.pop(name, None)
        self._misfits.pop(name, None)
        self.warnings.append(f"`{name}` was left out: it {reason}.")

    def _join(self, column: Column, whole: bool, rows: Any) -> tuple[Column, Any]:
        parts = self._parts.pop(column.name)
        if column.kind == "category":
            return self._join_category(column, parts, rows)
        values = np.concatenate(parts)
        return column, pd.Series(values if whole else values[rows], index=rows)

    def _join_category(self, column: Column, parts: list[Any], rows: Any) -> tuple[Column, Any]:
        values = pd.Series(union_categoricals(parts, sort_categories=True)).iloc[rows]
        values = values.cat.remove_unused_categories()
        levels = tuple(values.cat.categories)
        if len(levels) > MAX_LEVELS:
            common = values.value_counts().index[:MAX_LEVELS]
            levels = (*sorted(common), OTHER)
            self.warnings.append(
                f"`{column.name}` has {values.nunique():,} different values; the {MAX_LEVELS} commonest are told apart."
            )
        finished = Column(column.name, "category", levels)
        if OTHER in levels:
            return finished, coerce(finished, values)
        # pandas makes categories of text or of objects by how many pieces there were; a model wants one kind.
        plain = pd.Categorical.from_codes(values.cat.codes, categories=pd.Index(levels, dtype=object))
        return finished, pd.Series(plain, index=rows)

    def _tell_misfits(self) -> None:
        for name, count in self._misfits.items():
            if count:
                kind = (self._columns or {})[name].kind
                self.warnings.append(f"{count:,} values of `{name}` are no usable {kind}s and count as missing.")
