"""Where training runs: on this machine, as a Kubernetes Job, or as a GitHub workflow."""

from collections.abc import Mapping

from bot.clients.runners.local import LocalRunner
from bot.clients.storage import FsspecStorage
from bot.config import Settings, training_environment
from pipelines.ports import TrainingRunner
from pipelines.retrain.values import RunnerKind


def build_runners(settings: Settings, storage: FsspecStorage) -> Mapping[RunnerKind, TrainingRunner]:
    """Every kind of runner; none of them connects before it is used."""
    return {"local": LocalRunner(settings.trainer_python, training_environment())}
