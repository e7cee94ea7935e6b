"""What looks found, one after the other: for the digest and for App Home."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pipelines.drift.report import ModelDrift
from pipelines.drift.values import Kind, Urgency


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a model in figures. `psi` is the largest of a feature, `worst` that feature; None where unknown."""

    model: str
    version: str
    at: datetime
    kind: Kind
    urgency: Urgency | None
    psi: float | None = None
    worst: str = ""
    drifted: int = 0
    features: int = 0
    metric: str = ""
    performance: float | None = None


@dataclass(frozen=True, slots=True)
class DriftTrend:
    """The looks of a model, oldest first."""

    model: str
    looks: tuple[Look, ...]


class Looks(Protocol):
    """The memory of looks."""

    def add(self, look: Look) -> None:
        """The same model and moment again changes nothing."""
        ...

    def between(self, after: datetime, until: datetime) -> Sequence[Look]:
        """Later than `after`, up to `until`, oldest first."""
        ...


def look_of(drift: ModelDrift) -> Look:
    """The figures of a look."""
    verdict = drift.verdict
    features = [feature for feature in verdict.features if feature.role == "feature" and math.isfinite(feature.psi)]
    worst = max(features, key=lambda feature: (feature.drifted, feature.psi), default=None)
    measured = verdict.performance or verdict.estimated
    return Look(
        drift.model, drift.version, drift.until, verdict.kind, verdict.urgency,
        psi=max((feature.psi for feature in features), default=None),
        worst=next(iter(verdict.affected), worst.name if worst else ""),
        drifted=sum(feature.drifted for feature in features), features=len(features),
        metric=measured.metric if measured else "", performance=measured.now if measured else None,
    )  # fmt: skip


def thinned(looks: Sequence[Look], most: int) -> list[Look]:
    """At most so many, each the worst of its stretch, so that a short peak is not lost; the newest is among them."""
    if len(looks) <= most:
        return list(looks)
    size = math.ceil((len(looks) - 1) / (most - 1))
    earlier = looks[:-1]
    stretches = [earlier[start : start + size] for start in range(0, len(earlier), size)]
    return [*(max(stretch, key=lambda look: look.psi or 0.0) for stretch in stretches), looks[-1]]


def trends(looks: Sequence[Look]) -> list[DriftTrend]:
    """By model, those that drifted most at last on top."""
    by_model: dict[str, list[Look]] = {}
    for look in looks:
        by_model.setdefault(look.model, []).append(look)
    found = [DriftTrend(model, tuple(members)) for model, members in by_model.items()]
    return sorted(found, key=lambda trend: (-(trend.looks[-1].psi or 0.0), trend.model))
