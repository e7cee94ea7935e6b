"""How bad a failed run is, by policy: what failed, and where. No language model is asked."""

from collections.abc import Mapping
from typing import get_args

from pipelines.evidence.values import FailureKind
from pipelines.triage.history import Severity

LEVELS: tuple[Severity, ...] = get_args(Severity)

# On a branch of somebody's own.
_BY_KIND: Mapping[FailureKind, Severity] = {
    "lint": "low",
    "secret": "critical",  # it counts as known to others from the moment it was pushed
    "sast": "high",
    "sca": "high",
    "container scan": "high",
    "model validation": "high",
    "deployment": "high",
}


def severity_of(kind: FailureKind, *, on_default_branch: bool, flaky: bool = False) -> Severity:
    """One level more on the default branch, where it stops everybody; one less for what comes and goes by itself."""
    level = LEVELS.index(_BY_KIND.get(kind, "medium")) + on_default_branch - flaky
    return LEVELS[min(max(level, 0), len(LEVELS) - 1)]
