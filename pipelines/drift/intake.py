"""Takes inference records and late labels in, and keeps them as hourly profiles of the version that answered."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipelines.drift.answers import answer_of
from pipelines.drift.ports import Profiles
from pipelines.drift.records import (
    InferenceRecord,
    as_category,
    hour_of,
    profile_records,
    record_id,
    storable,
)
from pipelines.drift.row_sample import OutcomeLimit, RowSample
from pipelines.drift.sampling import CountedAs
from pipelines.drift.served import LONGEST_NAME, Naming, ServedName, ServedNames
from pipelines.drift.signatures import Signature
from pipelines.drift.values import LabelsMet, PredictionMade
from pipelines.drift.windows import WindowProfile
from pipelines.errors import Refused
from pipelines.ports import Clock
from pipelines.profiles import Reference

# A new champion's profile counts at once where this process made it so, else from a minute after at the latest.
# Seconds of this machine: the clock of the records may be one whose hours pass faster.
REFERENCE_SECONDS = 60.0
# Baselines reach back thirty days (pipelines/drift/watch.py); a little more is kept.
KEPT = timedelta(days=45)
# Versions that serving names within a minute; what is beyond them is no rollout, and the registry is not asked.
MOST_VERSIONS = 50


class VersionReferences(Protocol):
    """Reference profiles of the registry."""

    def reference(self, model: str) -> Reference | None:
        """That of the champion."""
        ...

    def reference_of(self, model: str, version: str) -> Reference | None:
        """That of this version; None where the version is not known, or has none."""
        ...


class IntakeCounts(Protocol):
    """Hears what was kept: only what is new, once."""

    def kept(self, windows: Sequence[WindowProfile]) -> None: ...

    def refused(self, source: str, count: int) -> None: ...

    def incomplete(self, model: str, gaps: Mapping[str, int]) -> None:
        """Rows that were taken in part, by what they lack."""
        ...

    def changed(self, model: str, labels: int) -> None:
        """Labels that said something else than the first one of their record, which counts."""
        ...

    def judged_by(self, model: str, reference: Reference) -> None:
        """The champion's, whenever it was looked up anew."""
        ...


@dataclass(frozen=True, slots=True)
class LabelsTaken:
    """`refused` labels are none for this model; `reason` says why of the first."""

    kept: LabelsMet
    refused: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Bins:
    """What a record is counted as, and in."""

    version: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class _Champion:
    """`since` is when it was looked up, on the clock of this machine."""

    since: float
    bins: _Bins
    signature: Signature


class Intake:
    """Safe to share between threads."""

    def __init__(
        self, profiles: Profiles, references: VersionReferences, clock: Clock, models: Collection[str],
        naming: Naming | None = None, names: ServedNames | None = None, counts: IntakeCounts | None = None,
        sample: RowSample | None = None, limit: OutcomeLimit | None = None,
        classes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:  # fmt: skip
        self._profiles = profiles
        self._limit = limit
        self._sample = sample
        self._clock = clock
        self._models = models
        self._counts = counts
        self._versions = _Versions(references, clock, naming or Naming(), names, counts, classes or {})

    def prepare(self, model: str, version: str = "") -> None:
        """Look up what is known of `version`, so that storing need not. Raises Refused for a model that cannot be
        judged."""
        self._check(model)
        self._versions.bins(model, version)

    def signature(self, model: str) -> Signature:
        """What the champion reads and says. Raises Refused for a model that cannot be judged."""
        self._check(model)
        return self._versions.champion(model).signature

    def champion_moved(self, model: str) -> None:
        """What comes from now on counts for the champion that the registry names now."""
        self._versions.forget(model)

    def keep(self, model: str, records: Sequence[InferenceRecord]) -> None:
        """Store records of one model; those that are stored already, or older than any baseline, change nothing.

        Raises Refused for a model that cannot be judged.
        """
        self.prepare(model)
        if records:
            signature = self.signature(model)
            self.count(self.write(model, [_meant(record, signature) for record in records]))

    def count(self, windows: Sequence[WindowProfile]) -> None:
        """What `write` answered, once it is stored for good."""
        if self._counts:
            self._counts.kept(windows)
        if self._limit is not None:
            for window in windows:
                self._limit.added(window.model, window.total.rows)

    def label(self, model: str, labels: Mapping[str, Any]) -> "LabelsTaken":
        """Labels by record id. Those that are none for this model are refused alone, the others are kept.

        Raises Refused for a model that is not in the catalogue.
        """
        self._check(model)
        signature = self._versions.known_signature(model)
        given = {record_id(name): storable(signature.actual(label)) for name, label in labels.items()}
        wrong = [name for name, label in given.items() if not label]
        for name in wrong:
            del given[name]
        met = self._profiles.label(model, given, self._clock.now())
        if self._limit is not None:
            self._limit.added(model, met.waiting)
        if wrong and self._counts:
            self._counts.refused("labels", len(wrong))
        if met.changed and self._counts:
            self._counts.changed(model, met.changed)
        return LabelsTaken(met, len(wrong), _wrong_label(wrong[0], signature) if wrong else "")

    def forget(self) -> int:
        """Drop what is older than any baseline, and rows of the sample that are older than the catalogue wants."""
        now = self._clock.now()
        if self._sample is not None:
            self._sample.forget(now)
        if self._limit is not None:
            self._limit.trim()
        return self._profiles.forget(now - KEPT)

    def write(self, model: str, records: Sequence[InferenceRecord]) -> Sequence[WindowProfile]:
        """As `keep`, for a caller who counts what was added after its own transaction."""
        now = self._clock.now()
        oldest = now - KEPT
        bins: dict[str, _Bins] = {}
        fresh: dict[str, InferenceRecord] = {}
        for record in records:
            if record.at >= oldest:
                if record.version not in bins:
                    bins[record.version] = self._versions.bins(model, record.version)
                fresh.setdefault(record.id, record)
        made = [
            PredictionMade(one.id, bins[one.version].version, hour_of(one.at, now), _said(one.prediction))
            for one in fresh.values()
        ]

        def count(ids: Collection[str]) -> list[WindowProfile]:
            return _counted([record for name, record in fresh.items() if name in ids], bins, now)

        windows = self._profiles.take(model, made, count)
        if self._sample is not None and windows:
            self._sample.keep(model, fresh.values(), lambda one: _counted_as(bins[one.version]), now)
        return windows

    def _check(self, model: str) -> None:
        if model not in self._models:
            raise Refused(f"There is no model {model[:80]} in the catalogue. Known: {', '.join(sorted(self._models))}.")


def _meant(record: InferenceRecord, signature: Signature) -> InferenceRecord:
    said, sure = answer_of(record.prediction, signature, record.confidence)
    if said is record.prediction and sure is record.confidence:
        return record
    return replace(record, prediction=said, confidence=sure)


def _wrong_label(name: str, signature: Signature) -> str:
    wanted = "a number" if signature.numeric else "a word, a number, true or false"
    return f"The label of {name[:80]} is not {wanted}."


def _counted_as(bins: _Bins) -> CountedAs:
    return CountedAs(bins.version, bins.reference.profile.features)


def _said(prediction: Any) -> str | None:
    said = as_category(prediction)
    return storable(said) if said is not None else None


def _counted(records: Sequence[InferenceRecord], bins: Mapping[str, _Bins], received: datetime) -> list[WindowProfile]:
    """Each version in the bins of its own reference: one profile an hour, named by what it was counted in."""
    members: dict[str, list[InferenceRecord]] = {}
    for record in records:
        members.setdefault(record.version, []).append(record)
    merged: dict[tuple[str, str], list[InferenceRecord]] = {}
    profiles = {}
    for served, group in members.items():
        place = bins[served]
        key = (place.version, place.reference.profile.run_id)
        profiles[key] = place.reference.profile
        merged.setdefault(key, []).extend(replace(one, version=place.version) for one in group)
    return [
        replace(window, tallies={f"records:{run_id}": window.total})
        for (version, run_id), group in merged.items()
        for window in profile_records(group, profiles[version, run_id], received)
    ]


class _Versions:
    """References of versions, and what serving's names mean, remembered for a minute."""

    def __init__(
        self,
        references: VersionReferences,
        clock: Clock,
        naming: Naming,
        names: ServedNames | None,
        counts: IntakeCounts | None,
        classes: Mapping[str, Sequence[str]],
    ) -> None:
        self._references = references
        self._clock = clock
        self._naming = naming
        self._names = names
        self._counts = counts
        self._classes = classes
        self._champions: dict[str, _Champion] = {}
        self._bins: dict[str, tuple[float, dict[str, _Bins]]] = {}

    def champion(self, model: str) -> "_Champion":
        now = time.monotonic()
        known = self._champions.get(model)
        if known is None or now - known.since > REFERENCE_SECONDS:
            found = self._references.reference(model)
            if found is None:
                raise Refused(f"{model} has no champion with a reference profile. `/retrain {model}` makes one.")
            signature = Signature.of(found.profile, self._classes.get(model, ()))
            known = self._champions[model] = _Champion(now, _Bins(found.version, found), signature)
            if self._counts is not None:
                self._counts.judged_by(model, found)
        return known

    def known_signature(self, model: str) -> Signature:
        """That of the champion; an empty one where there is none yet: labels may come first."""
        try:
            return self.champion(model).signature
        except Refused:
            return Signature()

    def forget(self, model: str) -> None:
        self._champions.pop(model, None)
        self._bins.pop(model, None)

    def bins(self, model: str, served: str) -> _Bins:
        champion = self.champion(model).bins
        if not served or served == champion.version:
            return champion
        now = time.monotonic()
        since, known = self._bins.get(model, (now, {}))
        if now - since > REFERENCE_SECONDS or model not in self._bins:
            since, known = now, {}
            self._bins[model] = (now, known)
        name = served[:LONGEST_NAME]
        if name not in known and len(known) < MOST_VERSIONS:
            known[name] = self._found(model, name, champion.reference)
        return known.get(name) or champion

    def _found(self, model: str, name: str, champion: Reference) -> _Bins:
        meant = self._naming.number(model, name)
        own = champion if meant and meant[0] == champion.version else None
        if meant and own is None:
            own = self._references.reference_of(model, meant[0])
        served = (
            ServedName(name, own.version, meant[1]) if meant and own else ServedName(name, champion.version, "champion")
        )
        if served.note and self._names is not None:
            self._names.seen(model, served, self._clock.now())
        return _Bins(served.version, own or champion)
