"""What people call things: found by name, or refused with the nearest one."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from pipelines.errors import Refused

T = TypeVar("T")


def find_model(models: Mapping[str, T], name: str) -> T:
    """The model of this name; a refusal names the nearest one."""
    if (spec := models.get(name.lower())) is not None:
        return spec
    nearest = difflib.get_close_matches(name.lower(), models, n=1)
    hint = f"Did you mean *{nearest[0]}*? " if nearest else ""
    raise Refused(f"No model named *{name[:80]}*. {hint}Type `/models` to see all {len(models)}.")
