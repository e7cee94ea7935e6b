"""Puts the report on drift together, for bot/drift.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.catalogue import Catalogue
from bot.clients.challenger import ChallengerProcess
from bot.clients.mlflow import MlflowRegistry
from bot.config import training_environment
from bot.knowledge import Ground
from pipelines.drift.background import VersionRecord
from pipelines.drift.explainer import LATELY, DriftExplainer
from pipelines.drift.outcomes import recent_metrics
from pipelines.drift.ports import Profiles
from pipelines.drift.trials import Trials
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
    ground: Ground, registry: MlflowRegistry, models: Mapping[str, ModelSpec], model: LanguageModel, clock: Clock,
    trials: Trials,
) -> DriftExplainer:  # fmt: skip
    """`clock` is that of the records."""
    profiles = ground.ledger.profiles
    versions = RegistryVersions(registry, profiles, clock, models)
    return DriftExplainer(profiles, registry, versions, model, trials.run)


def build_trials(ground: Ground, catalogue: Catalogue) -> Trials:
    """Where drift hands its rows to the recipe of a retrain."""
    python, models = ground.settings.trainer_python, catalogue.models_by_name
    challengers = ChallengerProcess(python, training_environment(), models, lambda: ground.durable.stopping)
    numeric = {spec.name for spec in catalogue.models if spec.problem == "regression"}
    return Trials(ground.ledger.rows, challengers, catalogue.samples, numeric)
