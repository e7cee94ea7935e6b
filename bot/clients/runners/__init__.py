"""Where training runs: on this machine, as a Kubernetes Job, or as a GitHub workflow."""

from collections.abc import Mapping

from bot.clients.runners.github import GithubRunner, connect_github
from bot.clients.runners.kubernetes import KubernetesRunner, connect_kubernetes
from bot.clients.runners.local import LocalRunner
from bot.clients.storage import FsspecStorage
from bot.config import Settings, training_environment
from pipelines.ports import TrainingRunner
from pipelines.retrain.values import RunnerKind


def build_runners(settings: Settings, storage: FsspecStorage) -> Mapping[RunnerKind, TrainingRunner]:
    """Every kind of runner; none of them connects before it is used."""
    copies = settings.data_dir / "copies"
    token = settings.github_token.get_secret_value() if settings.github_token else ""
    return {
        "local": LocalRunner(settings.trainer_python, training_environment()),
        "kubernetes": KubernetesRunner(
            lambda: connect_kubernetes(settings.kubernetes_context), storage, copies,
            settings.kubernetes_namespace, settings.kubernetes_image,
        ),
        "github": GithubRunner(
            lambda: connect_github(token, settings.github_api_url), storage, copies,
            settings.github_repository, settings.github_workflow, settings.github_ref,
        ),
    }  # fmt: skip
