"""What drift needs from the world besides pipelines/ports.py."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pipelines.drift.values import PredictionMade
from pipelines.drift.windows import WindowProfile
from pipelines.profiles import Reference


class Profiles(Protocol):
    """Hourly profiles of what a model was asked and said, and the predictions that wait for their labels."""

    def add(self, window: WindowProfile) -> int:
        """Store its tallies; answers how many were new. A batch that is there already changes nothing."""
        ...

    def windows(
        self, model: str, since: datetime, until: datetime, version: str | None = None
    ) -> Sequence[WindowProfile]:
        """Of the hours from `since` to before `until`, oldest first; one a version and hour."""
        ...

    def take(
        self, model: str, made: Sequence[PredictionMade], count: Callable[[Collection[str]], Sequence[WindowProfile]]
    ) -> Sequence[WindowProfile]:
        """Keep those records that are new, and add what `count` makes of their ids to what their hours hold, in one
        step; answers what was added. Records that are there already change nothing."""
        ...

    def remember(self, model: str, made: Sequence[PredictionMade]) -> None:
        """Keep predictions for their labels, which may have come first; the same record again changes nothing."""
        ...

    def label(self, model: str, labels: Mapping[str, str], at: datetime) -> int:
        """Labels by record id. Answers how many met a prediction; the others wait for theirs. The first one counts."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop all hours before; answers how many tallies went."""
        ...


class References(Protocol):
    def reference(self, model: str) -> Reference | None:
        """The reference profile of the model's champion; None where there is no champion or it has no profile."""
        ...
