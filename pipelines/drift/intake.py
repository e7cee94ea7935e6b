"""Takes inference records and late labels in, and keeps them as hourly profiles of the version that answered."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from pipelines.drift.grouping import GroupWrite
from pipelines.drift.joining import Joiner, Pair
from pipelines.drift.ports import Profiles
from pipelines.drift.records import (
    Half,
    InferenceRecord,
    as_category,
    counted_at,
    hour_of,
    profile_records,
    read_events,
)
from pipelines.drift.row_sample import RowSample
from pipelines.drift.sampling import Asked
from pipelines.drift.served import LONGEST_NAME, Naming, ServedName, ServedNames
from pipelines.drift.values import PredictionMade
from pipelines.drift.windows import WindowProfile
from pipelines.errors import Refused
from pipelines.ports import Clock
from pipelines.profiles import Reference

# A new champion's profile counts from a minute after it was assigned at the latest.
# Seconds of this machine: the clock of the records may be one whose hours pass faster.
REFERENCE_SECONDS = 60.0
# Baselines reach back thirty days (pipelines/drift/watch.py); a little more is kept.
KEPT = timedelta(days=45)
# Versions that serving names within a minute; what is beyond them is no rollout, and the registry is not asked.
MOST_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Taken:
    """`records` were complete and are kept; `waiting` requests and responses wait for their other half.

    `refused` could not be taken, of several events in one delivery or rows of one request; `reason` says why.
    """

    records: int
    waiting: int = 0
    refused: int = 0
    reason: str = ""


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

    def judged_by(self, model: str, reference: Reference) -> None:
        """The champion's, whenever it was looked up anew."""
        ...


@dataclass(frozen=True, slots=True)
class _Bins:
    """What a record is counted as, and in."""

    version: str
    reference: Reference


class Intake:
    """Safe to share between threads. What waits for its other half is lost with the process, at most some seconds."""

    def __init__(
        self, profiles: Profiles, references: VersionReferences, clock: Clock, models: Collection[str],
        naming: Naming | None = None, names: ServedNames | None = None, counts: IntakeCounts | None = None,
        sample: RowSample | None = None,
    ) -> None:  # fmt: skip
        self._profiles = profiles
        self._sample = sample
        self._clock = clock
        self._models = models
        self._counts = counts
        self._turn = threading.Lock()
        self._joiners: dict[str, Joiner] = {}
        self._versions = _Versions(references, clock, naming or Naming(), names, counts)
        self._groups = {model: GroupWrite[InferenceRecord](self._writer(model)) for model in models}

    def take(self, content: bytes, headers: Mapping[str, str]) -> Taken:
        """CloudEvents of KServe's logger. Raises Refused where nothing of a delivery can be taken.

        When it returns, the records are stored: callers at the same moment share one transaction.
        """
        halves = read_events(content, headers)
        faults: list[str] = []
        pairs = self._met(halves, faults)
        with self._turn:
            waiting = sum(joiner.waiting for joiner in self._joiners.values())
        records = [record for pair in pairs for record in self._rows(pair, faults)]
        if faults and self._counts:
            self._counts.refused("http", len(faults))
        if faults and len(faults) >= len(halves):
            raise Refused(faults[0])
        self._keep_or_put_back(pairs, records)
        return Taken(len(records), waiting, len(faults), faults[0] if faults else "")

    def keep(self, model: str, records: Sequence[InferenceRecord]) -> None:
        """Store records of one model; those that are stored already, or older than any baseline, change nothing.

        Raises Refused for a model that cannot be judged.
        """
        self._check(model)
        self._versions.champion(model)
        if records:
            self._groups[model].add(records)

    def label(self, model: str, labels: Mapping[str, str]) -> int:
        """Labels by record id; answers how many met their prediction. The others wait for theirs."""
        self._check(model)
        return self._profiles.label(model, labels, self._clock.now())

    def forget(self) -> int:
        """Drop what is older than any baseline, and rows of the sample that are older than the catalogue wants."""
        now = self._clock.now()
        if self._sample is not None:
            self._sample.forget(now)
        return self._profiles.forget(now - KEPT)

    def _met(self, halves: Sequence[Half], faults: list[str]) -> list[Pair]:
        found = []
        for half in halves:
            try:
                self._check(half.model)
                columns = tuple(self._versions.champion(half.model).profile.features)
            except Refused as refusal:
                faults.append(str(refusal))
                continue
            with self._turn:
                pair = self._joiners.setdefault(half.model, Joiner(columns)).meet(half)
            if pair is not None:
                found.append(pair)
        return found

    def _rows(self, pair: Pair, faults: list[str]) -> list[InferenceRecord]:
        columns = tuple(self._versions.champion(pair.first.model).profile.features)
        try:
            return pair.records(columns)
        except Refused as refusal:
            faults.append(str(refusal))
            return []

    def _keep_or_put_back(self, pairs: Sequence[Pair], records: Sequence[InferenceRecord]) -> None:
        by_model: dict[str, list[InferenceRecord]] = {}
        for record in records:
            by_model.setdefault(record.model, []).append(record)
        kept = False
        try:
            for model, members in by_model.items():
                self._groups[model].add(members)
            kept = True
        finally:
            if not kept:  # whoever sent it hears so, and sends it again
                with self._turn:
                    for pair in pairs:
                        self._joiners[pair.first.model].put_back(pair)

    def _writer(self, model: str) -> Callable[[Sequence[InferenceRecord]], None]:
        return lambda records: self._write(model, records)

    def _write(self, model: str, records: Sequence[InferenceRecord]) -> None:
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
            PredictionMade(one.id, bins[one.version].version, hour_of(one.at, now), as_category(one.prediction))
            for one in fresh.values()
        ]

        def count(ids: Collection[str]) -> list[WindowProfile]:
            return _counted([record for name, record in fresh.items() if name in ids], bins, now)

        windows = self._profiles.take(model, made, count)
        if self._counts:
            self._counts.kept(windows)
        if self._sample is not None and windows:
            self._sample.keep(model, _asked(fresh.values(), bins, now), now)

    def _check(self, model: str) -> None:
        if model not in self._models:
            raise Refused(f"There is no model {model[:80]} in the catalogue. Known: {', '.join(sorted(self._models))}.")


def _asked(records: Iterable[InferenceRecord], bins: Mapping[str, _Bins], received: datetime) -> Iterable[Asked]:
    """Those that were answered: of others nobody can say whether a challenger does better."""
    return (
        Asked(
            one.id, bins[one.version].version, counted_at(one.at, received), one.features,
            bins[one.version].reference.profile.features,
        )
        for one in records
        if one.prediction is not None
    )  # fmt: skip


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
    ) -> None:
        self._references = references
        self._clock = clock
        self._naming = naming
        self._names = names
        self._counts = counts
        self._champions: dict[str, tuple[float, Reference]] = {}
        self._bins: dict[str, tuple[float, dict[str, _Bins]]] = {}

    def champion(self, model: str) -> Reference:
        now = time.monotonic()
        known = self._champions.get(model)
        if known is None or now - known[0] > REFERENCE_SECONDS:
            found = self._references.reference(model)
            if found is None:
                raise Refused(f"{model} has no champion with a reference profile. `/retrain {model}` makes one.")
            known = self._champions[model] = (now, found)
            if self._counts is not None:
                self._counts.judged_by(model, found)
        return known[1]

    def bins(self, model: str, served: str) -> _Bins:
        champion = self.champion(model)
        if not served or served == champion.version:
            return _Bins(champion.version, champion)
        now = time.monotonic()
        since, known = self._bins.get(model, (now, {}))
        if now - since > REFERENCE_SECONDS or model not in self._bins:
            since, known = now, {}
            self._bins[model] = (now, known)
        name = served[:LONGEST_NAME]
        if name not in known and len(known) < MOST_VERSIONS:
            known[name] = self._found(model, name, champion)
        return known.get(name) or _Bins(champion.version, champion)

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
