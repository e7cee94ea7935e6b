"""From a table anywhere to typed features and a target; what no model can learn from is refused in plain words."""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from pipelines.errors import Refused
from pipelines.retrain.assembly import Assembly
from pipelines.retrain.columns import Column, as_text
from pipelines.retrain.reading import Source, fetch
from pipelines.retrain.recent import recent_rows
from pipelines.retrain.values import TrainingJob

# A fifth is held out: fewer than ten test rows would measure nothing.
MIN_ROWS = 50
MOST_CLASSES = 100
# From here on numbers are kept in 32 bits: half the memory, and histograms of 255 bins lose nothing.
LARGE_TABLE_BYTES = 64 << 20
WHOLE = re.compile(r"^(0|-?[1-9]\d{0,17})$")


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """`features` is a DataFrame of floats and categories, `target` a Series with the same index.

    `labels` are the classes, sorted; empty for regression. `raw_types` are the columns' types in the file.
    """

    features: Any
    target: Any
    columns: tuple[Column, ...]
    labels: tuple[Any, ...]
    raw_types: dict[str, str]
    sha256: str
    warnings: tuple[str, ...] = ()


def load(job: TrainingJob, folder: Path, on_rows: Callable[[int], None]) -> Dataset:
    """Read the job's table; `folder` is for the copy of a far one. Raises Refused for what cannot be trained on."""
    source = fetch(job.data, folder)
    if job.target not in source.columns:
        raise Refused(_no_target(job, source))
    if job.since and job.time_column not in source.columns:
        raise Refused(f"{source.name} has no column `{job.time_column}`, which says when a row is from.")
    small = source.path.stat().st_size < LARGE_TABLE_BYTES
    assembly = Assembly(job.target, job.problem, job.drop_columns, np.float64 if small else np.float32)
    read = 0
    for piece in source.pieces():
        read += len(piece)
        assembly.add(recent_rows(piece, job.time_column, job.since) if job.since else piece)
        if len(assembly.target_labels) > MOST_CLASSES:
            raise Refused(
                f"The target `{job.target}` has more than {MOST_CLASSES} different values, which are no classes. "
                "Write `problem: regression` in the catalogue, or name another target."
            )
        on_rows(read)
    if job.since:
        assembly.warnings.append(f"Trained on the {assembly.rows:,} of {read:,} rows since {job.since}.")
    if read == 0:
        raise Refused(f"{source.name} has a header and no rows.")
    if assembly.rows == 0:
        raise Refused(f"None of the {read:,} rows of {source.name} is from {job.since} or later.")
    return _checked(job, source, assembly)


def _checked(job: TrainingJob, source: Source, assembly: Assembly) -> Dataset:
    _check_dropped(job, source, assembly.warnings)
    target, labels = _target(job, assembly)
    if len(target) < MIN_ROWS:
        raise Refused(f"{source.name} has {len(target):,} usable rows; training takes at least {MIN_ROWS}.")
    _check_variety(job, target)
    features, columns = assembly.features(target.index)
    if not columns:
        raise Refused(
            f"No column of {source.name} is of use: every one is empty, constant, dropped or an identifier. "
            "Check `drop_columns` in the catalogue and the file."
        )
    raw_types = {column.name: assembly.raw_types[column.name] for column in columns}
    warnings = tuple(assembly.warnings)
    return Dataset(features, target, columns, labels, raw_types, source.sha256, warnings)


def _target(job: TrainingJob, assembly: Assembly) -> tuple[Any, tuple[Any, ...]]:
    labels: tuple[Any, ...] = ()
    if job.problem == "regression":
        target = _numeric_target(job, pd.concat(assembly.target, ignore_index=True))
    else:
        target, labels = _labelled_target(assembly.target)
    assembly.target.clear()
    lost = int(target.isna().sum())
    if lost == len(target):
        raise Refused(f"The target `{job.target}` is empty in every row.")
    if lost:
        assembly.warnings.append(f"{lost:,} rows without a usable `{job.target}` were left out.")
    target = target.dropna()
    return (target.astype("int64") if labels and isinstance(labels[0], int) else target), labels


def _numeric_target(job: TrainingJob, values: Any) -> Any:
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numbers = numbers.where(numbers.abs() <= 1e30)
    words = as_text(values)[numbers.isna()].dropna()
    if len(words) > len(values) / 20:
        raise Refused(
            f"The target `{job.target}` is text (such as {words.iloc[0][:40]!r}), and regression takes numbers. "
            "Write `problem: classification` in the catalogue, or name another target."
        )
    return numbers


def _labelled_target(parts: list[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Whole numbers where every label is one, else text. All rows of a label share one object."""
    values = union_categoricals(parts)
    names = list(values.categories)
    labels = [int(name) for name in names] if all(map(WHOLE.match, names)) else names
    # The codes of a categorical say -1 for missing, which takes the last element: None.
    target = np.array([*labels, None], dtype=object)[values.codes]
    return pd.Series(target, dtype=object), tuple(sorted(labels))


def _check_variety(job: TrainingJob, target: Any) -> None:
    if target.nunique() == 1:
        only = target.iloc[0]
        kind = f"one class only, {only!r}" if job.problem == "classification" else f"the same value, {only:g},"
        raise Refused(f"The target `{job.target}` has {kind} in every row: there is nothing to learn.")
    if job.problem == "regression":
        return
    counts = target.value_counts()
    needed = max(job.folds, 5)
    if counts.iloc[-1] < needed:
        raise Refused(
            f"The class {counts.index[-1]!r} of `{job.target}` has {counts.iloc[-1]} rows, and "
            f"{job.folds}-fold cross-validation takes at least {needed}. Add rows, or merge or remove the class."
        )
    known = [str(label) for label in counts.index]
    if job.positive_label is not None and job.positive_label not in known:
        raise Refused(
            f"`positive_label: {job.positive_label}` is no value of `{job.target}`, which has "
            f"{_listed(sorted(known))}. Correct it in the catalogue."
        )


def _check_dropped(job: TrainingJob, source: Source, warnings: list[str]) -> None:
    absent = [name for name in job.drop_columns if name not in source.columns]
    if absent:
        warnings.append(f"`drop_columns` names {_listed(absent)}, which {source.name} does not have.")


def _no_target(job: TrainingJob, source: Source) -> str:
    nearest = difflib.get_close_matches(job.target, source.columns, n=1)
    hint = f" Did you mean `{nearest[0]}`?" if nearest else ""
    return f"{source.name} has no column `{job.target}`, the target.{hint} It has {_listed(source.columns)}."


def _listed(names: Iterable[str], most: int = 12) -> str:
    every = [f"`{name[:60]}`" for name in names]
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
