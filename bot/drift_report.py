"""Puts the report on drift together, for bot/drift.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.clients.mlflow import MlflowRegistry
from bot.knowledge import Ground
from pipelines.drift.background import VersionRecord
from pipelines.drift.explainer import LATELY, DriftExplainer
from pipelines.drift.outcomes import recent_metrics
from pipelines.drift.ports import Profiles
from pipelines.ports import Clock, LanguageModel, Registry
from pipelines.retrain.values import ModelSpec

MOST_VERSIONS = 5


@dataclass(frozen=True, slots=True)
class RegistryVersions:
    """Keeps Versions with the registry and the labels that came for what each version served."""

    registry: Registry
    profiles: Profiles
    clock: Clock
    models: Mapping[str, ModelSpec]
    span: timedelta = LATELY

    def records(self, model: str) -> Sequence[VersionRecord]:
        positive, now = self.models[model].positive_label, self.clock.now()
        found = []
        for version in self.registry.versions(model, MOST_VERSIONS):
            lately = recent_metrics(self.profiles, model, str(version.version), now, self.span, positive)
            measured, labelled = (lately.metrics, lately.rows) if lately else ({}, 0)
            found.append(
                VersionRecord(str(version.version), version.aliases, dict(version.metrics), measured, labelled)
            )
        return found


def build_explainer(
    ground: Ground, registry: MlflowRegistry, models: Mapping[str, ModelSpec], model: LanguageModel, clock: Clock
) -> DriftExplainer:
    """`clock` is that of the records."""
    profiles = ground.ledger.profiles
    return DriftExplainer(profiles, registry, RegistryVersions(registry, profiles, clock, models), model)
