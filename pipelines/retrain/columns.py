"""What each column of a table holds, and how its values become numbers and categories that a model reads.

Only the training process, and whoever loads a trained model, imports this; it travels inside the model's pickle.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "boolean", "date", "category"]

# HistGradientBoosting takes at most 255 categories a column; one is kept for "all others".
MAX_LEVELS = 254
OTHER = "(other)"
# Share of values that must fit for text to count as numbers or dates; the rest counts as missing.
MOSTLY = 0.95
# Beyond this a number is a mistake in the file, and its square overflows in no estimator.
LARGEST = 1e30
TRUE_WORDS = frozenset({"true", "yes", "y", "t"})
FALSE_WORDS = frozenset({"false", "no", "n", "f"})
MISSING_WORDS = frozenset({"", "?", "-", "na", "n/a", "nan", "none", "null", "#n/a", "<na>", "nat"})
DATE_FORMATS = ("ISO8601", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d")
THOUSANDS = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
LIKE_AN_ID = re.compile(r"(^|[_\s-])(id|uuid|guid|key|index|row)$|^unnamed: \d+$", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """`levels` are the categories a model knows; values outside are OTHER where that is a level, else missing."""

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()
    date_format: str = "ISO8601"


@dataclass(frozen=True)
class LeftOut:
    """A column that no model should see; `reason` completes "`name` …"."""

    name: str
    reason: str


def detect(name: str, values: Any) -> Column | LeftOut:
    """What a column is, judged by `values`, a sample of it."""
    if values.isna().all():
        return LeftOut(name, "is empty")
    if pd.api.types.is_bool_dtype(values.dtype):
        return Column(name, "boolean")
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return Column(name, "date")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _detect_number(name, values)
    if _nested(values):
        return LeftOut(name, "holds lists or records")
    return _detect_text(name, as_text(values).dropna())


def coerce(column: Column, values: Any) -> Any:
    """The values as a model reads them: floats (dates as days since 1970, booleans as 0 and 1), or categories.

    What does not fit becomes missing; so does infinity. Coercing again changes nothing.
    """
    if column.kind == "category":
        return _coerce_category(column, as_text(values))
    return pd.Series(_coerce_floats(column, values), index=values.index, name=column.name)


def as_text(values: Any) -> Any:
    """Values as stripped text, whole floats without ".0"; missing stays missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.astype(object).map(_number_text, na_action="ignore")
    text = values.astype("str").str.strip()
    return text.mask(values.isna() | text.str.lower().isin(MISSING_WORDS))


def _number_text(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _detect_number(name: str, values: Any) -> Column | LeftOut:
    whole = pd.api.types.is_integer_dtype(values.dtype)
    if whole and LIKE_AN_ID.search(name) and values.nunique() == len(values) > 1:
        return LeftOut(name, "is an identifier (a different whole number in each row)")
    return Column(name, "number")


def _detect_text(name: str, text: Any) -> Column | LeftOut:
    if text.empty:
        return LeftOut(name, "is empty")
    words = set(text.str.lower().unique()[:10])
    if words <= TRUE_WORDS | FALSE_WORDS:
        return Column(name, "boolean")
    if _numbers(text).notna().mean() >= MOSTLY:
        return Column(name, "number")
    for style in DATE_FORMATS:
        if _dates(text, style).notna().mean() >= MOSTLY:
            return Column(name, "date", date_format=style)
    distinct = text.nunique()
    if distinct > 20 and distinct > len(text) / 2:
        return LeftOut(name, f"has {distinct:,} different values in {len(text):,} rows")
    return Column(name, "category")


def _nested(values: Any) -> bool:
    present = values.dropna().head(50)
    return any(isinstance(value, (list, dict, set, tuple, np.ndarray)) for value in present)


def _coerce_floats(column: Column, values: Any) -> Any:
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _days(values)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _bounded(values.to_numpy(dtype=np.float64, na_value=np.nan))
    text = as_text(values)
    if column.kind == "date":
        return _days(_dates(text, column.date_format))
    if column.kind == "boolean":
        lowered = text.str.lower()
        known = {**dict.fromkeys(TRUE_WORDS, 1.0), **dict.fromkeys(FALSE_WORDS, 0.0), "1": 1.0, "0": 0.0}
        return lowered.map(known).to_numpy(dtype=np.float64, na_value=np.nan)
    return _bounded(_numbers(text).to_numpy(dtype=np.float64, na_value=np.nan))


def _bounded(numbers: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)


def _numbers(text: Any) -> Any:
    plain = text.where(~text.str.match(THOUSANDS.pattern, na=False), text.str.replace(",", ""))
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def _dates(text: Any, style: str) -> Any:
    # A bare number is no date: ISO 8601 would read "2024" as a year.
    dated = text.where(text.str.contains(r"\d[-/.]\d", na=False))
    return pd.to_datetime(dated, format=style, errors="coerce", utc=True)


def _days(moments: Any) -> Any:
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert(None)
    # Microseconds reach from the year -290,000 on; nanoseconds, pandas' habit, only from 1677.
    exact = moments.to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(exact), np.nan, exact.astype(np.int64) / 86_400e6)


def _coerce_category(column: Column, text: Any) -> Any:
    if not column.levels:
        return pd.Series(pd.Categorical(text.astype(object)), index=text.index, name=column.name)
    if OTHER in column.levels:
        text = text.where(text.isna() | text.isin(column.levels), OTHER)
    text = text.where(text.isin(column.levels))
    fitting = pd.Categorical(text.astype(object), categories=pd.Index(column.levels, dtype=object))
    return pd.Series(fitting, index=text.index, name=column.name)
