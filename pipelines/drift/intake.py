"""Takes inference records and late labels in, and keeps them as hourly profiles of the model's champion."""

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipelines.drift.ports import Profiles, References
from pipelines.drift.records import CLOCK_SKEW, Half, InferenceRecord, Joiner, as_category, profile_records, read_events
from pipelines.drift.values import PredictionMade
from pipelines.errors import Refused
from pipelines.ports import Clock
from pipelines.profiles import Reference

# A new champion's profile counts from a minute after it was assigned at the latest, and at once where answers name its
# version. These are seconds of the machine: the clock may be one whose hours pass faster.
REFERENCE_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 1.0
# Baselines reach back thirty days (pipelines/drift/watch.py); a little more is kept.
KEPT = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Taken:
    """`records` were complete and are kept; `waiting` requests and responses wait for their other half."""

    records: int
    waiting: int


class Intake:
    """Safe to share between threads. What waits for its other half is lost with the process, at most some seconds."""

    def __init__(self, profiles: Profiles, references: References, clock: Clock, models: Collection[str]) -> None:
        self._profiles = profiles
        self._references = references
        self._clock = clock
        self._models = models
        self._turn = threading.Lock()
        self._joiners: dict[str, Joiner] = {}
        self._known: dict[str, tuple[float, Reference]] = {}

    def take(self, content: bytes, headers: Mapping[str, str]) -> Taken:
        """CloudEvents of KServe's logger. Raises Refused for what is none, and for models that cannot be judged."""
        halves = read_events(content, headers)
        references = {half.model: self._reference(half.model) for half in halves}
        with self._turn:
            found = {model: self._joined(model, references[model], halves) for model in references}
            waiting = sum(joiner.waiting for joiner in self._joiners.values())
        for model, records in found.items():
            self._keep(model, self._reference_of(model, records), records)
        return Taken(sum(map(len, found.values())), waiting)

    def label(self, model: str, labels: Mapping[str, str]) -> int:
        """Labels by record id; answers how many met their prediction. The others wait for theirs."""
        self._check(model)
        return self._profiles.label(model, labels, self._clock.now())

    def forget(self) -> int:
        """Drop what is older than any baseline."""
        return self._profiles.forget(self._clock.now() - KEPT)

    def _joined(self, model: str, reference: Reference, halves: Sequence[Half]) -> list[InferenceRecord]:
        joiner = self._joiners.setdefault(model, Joiner(tuple(reference.profile.features)))
        return [record for half in halves if half.model == model for record in joiner.add(half)]

    def _keep(self, model: str, reference: Reference, records: Sequence[InferenceRecord]) -> None:
        """KServe does not say which version answered where the protocol has no word for it: then it is the champion."""
        now = self._clock.now()
        told = [record if record.version else replace(record, version=reference.version) for record in records]
        # Another version's hours have bins of another reference: what is added to them now would not add up.
        told = [record for record in told if record.version == reference.version or not record.version.isdigit()]
        for window in profile_records(told, reference.profile, now):
            self._profiles.add(window)
        made = [
            PredictionMade(record.id, record.version, _hour(record, now), said)
            for record in told
            if (said := as_category(record.prediction)) is not None
        ]
        if made:
            self._profiles.remember(model, made)

    def _reference_of(self, model: str, records: Sequence[InferenceRecord]) -> Reference:
        """The reference of the version that answered, where that has just become the champion."""
        versions = {record.version for record in records if record.version.isdigit()}
        known = self._reference(model)
        return known if versions <= {known.version} else self._reference(model, LOOK_AGAIN_SECONDS)

    def _reference(self, model: str, lasts_seconds: float = REFERENCE_SECONDS) -> Reference:
        self._check(model)
        now = time.monotonic()
        known = self._known.get(model)
        if known is None or now - known[0] > lasts_seconds:
            found = self._references.reference(model)
            if found is None:
                raise Refused(f"{model} has no champion with a reference profile. `/retrain {model}` makes one.")
            known = self._known[model] = (now, found)
        return known[1]

    def _check(self, model: str) -> None:
        if model not in self._models:
            raise Refused(f"There is no model {model[:80]} in the catalogue. Known: {', '.join(sorted(self._models))}.")


def _hour(record: InferenceRecord, received: datetime) -> datetime:
    at = record.at if record.at <= received + CLOCK_SKEW else received
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
