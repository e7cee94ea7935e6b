"""Only the rows since a day: what is learned is how things are now."""

from typing import Any

import pandas as pd

from pipelines.errors import Refused

# Seconds since 1970 are below this until the year 5138, milliseconds above it since 1973.
LARGEST_SECONDS = 1e11


def recent_rows(piece: Any, column: str, since: str) -> Any:
    """The rows of `piece` (a DataFrame) that `column` dates to the day `since` (ISO 8601, UTC) or later.

    Rows without a moment that can be read are not among them.
    """
    values = piece[column]
    if pd.api.types.is_bool_dtype(values.dtype):
        raise Refused(f"`{column}` holds true and false, no moments. Look at `time_column` in the catalogue.")
    if pd.api.types.is_numeric_dtype(values.dtype):
        unit = "s" if values.abs().max() < LARGEST_SECONDS else "ms"
        moments = pd.to_datetime(values, unit=unit, errors="coerce", utc=True)
    else:
        moments = pd.to_datetime(values, format="mixed", errors="coerce", utc=True)
    return piece[(moments >= pd.Timestamp(since, tz="UTC")).to_numpy()].reset_index(drop=True)
