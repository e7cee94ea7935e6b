"""Gathers what stands around a look, and has it explained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from pipelines.drift.background import MOST_WINDOWS, Background, VersionRecord, course, shapes
from pipelines.drift.explaining import ExplainedDrift, explain
from pipelines.drift.past import Past
from pipelines.drift.plans import RetrainingTest, Trial
from pipelines.drift.ports import Profiles, References
from pipelines.drift.report import ModelDrift
from pipelines.errors import Unavailable
from pipelines.ports import LanguageModel
from pipelines.profiles import Numbers, Reference

LATELY = timedelta(days=7)


class Versions(Protocol):
    """The versions of a model in the registry, and how good they are."""

    def records(self, model: str) -> Sequence[VersionRecord]:
        """Newest first. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class DriftExplainer:
    profiles: Profiles
    references: References
    versions: Versions
    model: LanguageModel
    would_help: Callable[[Trial], RetrainingTest] | None = None

    def explain(self, drift: ModelDrift) -> ExplainedDrift:
        """The look with its background and its words. What could not be looked at is named in the report."""
        return explain(self.model, drift, self.background(drift))

    def background(self, drift: ModelDrift) -> Background:
        unseen: list[str] = []
        records: Sequence[VersionRecord] = ()
        reference: Reference | None = None
        try:
            records = self.versions.records(drift.model)
            reference = self.references.reference(drift.model)
        except Unavailable as outage:
            unseen.append(f"The registry: {outage}.")
        test = self._test(drift, unseen)
        if drift.verdict.performance is None:
            unseen.append("The performance: no labels have come for this window.")
        if not any(feature.importance for feature in drift.verdict.features):
            unseen.append("Importances: the training of this version told none.")
        if reference is None or reference.version != drift.version:
            return Background(tuple(records), unseen=tuple(unseen), test=test)
        return replace(self._drawn(drift, reference, records, unseen), test=test)

    def _test(self, drift: ModelDrift, unseen: list[str]) -> RetrainingTest | None:
        if self.would_help is None or not drift.verdict.alarming:
            return None
        try:
            return self.would_help(drift.trial)
        except Unavailable as outage:
            unseen.append(f"Whether retraining would help: {outage}.")
            return None

    def _drawn(
        self, drift: ModelDrift, reference: Reference, records: Sequence[VersionRecord], unseen: Sequence[str]
    ) -> Background:
        since = drift.until - (MOST_WINDOWS + 1) * drift.window
        past = Past(self.profiles.windows(drift.model, since, drift.until, drift.version), drift.window)
        features = drift.verdict.features
        followed = features[0].name if features else ""
        return Background(
            versions=tuple(records),
            shapes=shapes(reference.profile, past.window(drift.until), features),
            course=course(reference.profile, past, drift.until, followed), followed=followed,
            metric="mean absolute error" if isinstance(reference.profile.prediction, Numbers) else "accuracy",
            unseen=tuple(unseen),
        )  # fmt: skip
