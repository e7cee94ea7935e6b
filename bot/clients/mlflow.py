"""Keeps Registry and References with MLflow's client, on a SQL store or a server. Needs mlflow-skinny and alembic.

Every write is found again by the tag `shipmate.run_id`, so whatever was killed half-way is finished, not repeated.
The environment has to say (bot/config.py does): MLFLOW_HTTP_REQUEST_TIMEOUT and MLFLOW_HTTP_REQUEST_MAX_RETRIES,
whose defaults wait for minutes, and MLFLOW_DISABLE_TELEMETRY.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.clients.mlflow_calls import ALREADY_EXISTS, NOT_FOUND, ButFor, connect, told
from bot.clients.mlflow_records import (
    METRICS_TAG,
    RUN_TAG,
    batch_of,
    metrics_of,
    milliseconds,
    read_importance,
    read_profile,
    version_tags,
)
from bot.clients.storage import file_sha256
from pipelines.errors import Refused
from pipelines.profiles import Reference
from pipelines.retrain.promotion_plan import DIGEST_TAG
from pipelines.retrain.values import ModelVersion, Retrain, TrainingResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion as StoredVersion

MODEL_FOLDER = "mlflow-model"
MODEL_FILE = "model.pkl"
PROFILE = "profile.json"
RESULT = "result.json"
DOCUMENTS = (RESULT, PROFILE, "job.json")
MOST_DOUBLES = 100


class MlflowRegistry:
    """`ui_url` is the page for people (links are empty without it); `artifact_root` a folder or s3://…, used where
    the store has no server that says where files lie. Connects on first use."""

    def __init__(self, tracking_uri: str, ui_url: str, artifact_root: str) -> None:
        self._uri = tracking_uri
        self._ui_url = ui_url.rstrip("/")
        self._artifact_root = artifact_root.rstrip("/")
        self._connecting = threading.Lock()
        self._connected: MlflowClient | None = None
        self._heard: list[Callable[[str], None]] = []

    def listen(self, hear: Callable[[str], None]) -> None:
        """`hear` is called with the name of a model whose champion was moved here. It must not raise."""
        self._heard.append(hear)

    def warm(self) -> None:
        """Import and connect before the first person has to wait for it."""
        with told():
            self._client()

    def champion(self, model: str) -> ModelVersion | None:
        with told():
            aliases = self._aliases(model)
            if "champion" not in aliases:
                return None
            return self._value(self._client().get_model_version(model, str(aliases["champion"])), aliases)

    def version(self, model: str, number: int) -> ModelVersion | None:
        with told(), ButFor(NOT_FOUND):
            return self._value(self._client().get_model_version(model, str(number)), self._aliases(model))
        return None

    def versions(self, model: str, limit: int = 20) -> Sequence[ModelVersion]:
        with told():
            aliases = self._aliases(model)
            found = self._search(f"name = '{_quotable(model)}'", limit)
            return [self._value(version, aliases) for version in found]

    def register(self, retrain: Retrain, result: TrainingResult, workdir: Path, tags: dict[str, str]) -> ModelVersion:
        with told():
            if registered := self._registered(retrain):
                return self._value(registered, self._aliases(retrain.plan.model))
            run = self._find_run(retrain) or self._create_run(retrain)
            self._log(run, retrain, result, workdir, tags)
            self._create_version(run, retrain, result, tags)
            registered = self._registered(retrain)
            if registered is None:
                raise Refused(
                    f"MLflow took the new version of {retrain.plan.model} and does not show it. Look at its log."
                )
            return self._value(registered, self._aliases(retrain.plan.model))

    def assign(self, model: str, alias: Literal["champion", "challenger", "previous"], version: int) -> None:
        with told():
            self._client().set_registered_model_alias(model, alias, str(version))
        for hear in self._heard if alias == "champion" else ():
            hear(model)

    def fetch_model(self, version: ModelVersion, destination: Path) -> str:
        with told(), tempfile.TemporaryDirectory(prefix=".fetch-", dir=destination.parent) as folder:
            stored = self._client().get_model_version(version.model, str(version.version))
            copy = self._download(stored, Path(folder))
            digest = file_sha256(copy)
            promised = stored.tags.get(DIGEST_TAG, digest)
            if digest != promised:
                raise Refused(
                    f"The file of {version.model} version {version.version} is not the one that was registered "
                    f"(SHA-256 {digest[:12]}, not {promised[:12]}). Somebody changed it; look at MLflow's artefacts."
                )
            copy.replace(destination)
            return digest

    def reference(self, model: str) -> Reference | None:
        with told():
            number = self._aliases(model).get("champion")
            return self._reference(model, str(number)) if number is not None else None

    def reference_of(self, model: str, version: str) -> Reference | None:
        """The reference profile of this version; None where it is not registered, or has none."""
        with told(), ButFor(NOT_FOUND):
            return self._reference(model, version)
        return None

    def _reference(self, model: str, version: str) -> Reference | None:
        stored = self._client().get_model_version(model, version)
        if not stored.run_id:
            return None
        files = {file.path for file in self._client().list_artifacts(stored.run_id)}
        if PROFILE not in files:
            return None
        with tempfile.TemporaryDirectory(prefix="shipmate-profile-") as folder:
            profile = read_profile(Path(self._client().download_artifacts(stored.run_id, PROFILE, folder)))
            importance = {}
            if RESULT in files:
                importance = read_importance(Path(self._client().download_artifacts(stored.run_id, RESULT, folder)))
        return Reference(str(stored.version), profile, importance) if profile is not None else None

    # Looking

    def _aliases(self, model: str) -> dict[str, int]:
        """Alias -> version; empty for a model that nobody registered yet."""
        with ButFor(NOT_FOUND):
            found = self._client().get_registered_model(model)
            return {alias: int(version) for alias, version in found.aliases.items()}
        return {}

    def _search(self, condition: str, limit: int) -> list["StoredVersion"]:
        order = ["version_number DESC"]
        return list(self._client().search_model_versions(condition, max_results=limit, order_by=order))

    def _registered(self, retrain: Retrain) -> "StoredVersion | None":
        """The version of this run. Where a server took two because it answered too late, the first one stays."""
        condition = f"name = '{_quotable(retrain.plan.model)}' and tag.`{RUN_TAG}` = '{_quotable(retrain.run_id)}'"
        found = self._search(condition, MOST_DOUBLES)
        for double in found[:-1]:
            with ButFor(NOT_FOUND):
                self._client().delete_model_version(double.name, double.version)
        return found[-1] if found else None

    def _value(self, stored: "StoredVersion", aliases: dict[str, int]) -> ModelVersion:
        version = int(stored.version)
        recorded = stored.tags.get(METRICS_TAG)
        metrics = metrics_of(recorded) if recorded else self._run_metrics(stored)
        return ModelVersion(
            model=stored.name, version=version, metrics=metrics, tags=dict(stored.tags),
            aliases=tuple(sorted(alias for alias, holder in aliases.items() if holder == version)),
            created_at=datetime.fromtimestamp((stored.creation_timestamp or 0) / 1000, UTC),
            run_id=stored.tags.get(RUN_TAG, ""),
            url=f"{self._ui_url}/#/models/{stored.name}/versions/{version}" if self._ui_url else "",
        )  # fmt: skip

    def _run_metrics(self, stored: "StoredVersion") -> dict[str, float]:
        """Of a version that somebody registered by hand."""
        if not stored.run_id:
            return {}
        with ButFor(NOT_FOUND):
            return dict(self._client().get_run(stored.run_id).data.metrics)
        return {}

    def _download(self, stored: "StoredVersion", folder: Path) -> Path:
        """The pickle: of ours it lies in the run, of others in the model's folder."""
        from mlflow.artifacts import download_artifacts

        for place in self._places(stored):
            return Path(download_artifacts(f"{place}/{MODEL_FILE}", dst_path=str(folder), tracking_uri=self._uri))
        raise Refused(
            f"Version {stored.version} of {stored.name} holds no {MODEL_FILE} in MLflow, so a new model cannot be "
            "compared with it. Give the alias champion to another version."
        )

    def _places(self, stored: "StoredVersion") -> Iterator[str]:
        """Where a pickle really lies. A run or a folder that somebody deleted is one that holds nothing."""
        from mlflow.artifacts import list_artifacts

        if stored.run_id and RUN_TAG in stored.tags:
            with ButFor(NOT_FOUND):
                if any(item.path == MODEL_FILE for item in self._client().list_artifacts(stored.run_id)):
                    yield f"runs:/{stored.run_id}"
        with ButFor(NOT_FOUND), suppress(FileNotFoundError):
            if any(
                Path(item.path).name == MODEL_FILE for item in list_artifacts(stored.source, tracking_uri=self._uri)
            ):
                yield str(stored.source)

    # Writing

    def _find_run(self, retrain: Retrain) -> "Run | None":
        condition = f"tags.`{RUN_TAG}` = '{_quotable(retrain.run_id)}'"
        experiment = self._experiment(retrain.plan.model)
        oldest = ["attributes.start_time ASC"]
        found = self._client().search_runs([experiment], condition, max_results=1, order_by=oldest)
        return found[0] if found else None

    def _create_run(self, retrain: Retrain) -> "Run":
        return self._client().create_run(
            self._experiment(retrain.plan.model), run_name=retrain.run_id, tags={RUN_TAG: retrain.run_id},
            start_time=milliseconds(retrain.started_at),
        )  # fmt: skip

    def _experiment(self, model: str) -> str:
        """The experiment has the name of its model."""
        client = self._client()
        found = client.get_experiment_by_name(model)
        if found is None:
            with ButFor(ALREADY_EXISTS):
                return str(client.create_experiment(model, self._artifact_location(model)))
            found = client.get_experiment_by_name(model)
        if found is None or found.lifecycle_stage != "active":
            raise Refused(f"The experiment {model} was deleted in MLflow. Restore it: `mlflow experiments restore`.")
        return str(found.experiment_id)

    def _artifact_location(self, model: str) -> str | None:
        """None where a server decides."""
        if self._uri.startswith(("http://", "https://")):
            return None
        root = self._artifact_root
        return f"{root if '://' in root else Path(root).absolute().as_uri()}/{model}"

    def _log(self, run: "Run", retrain: Retrain, result: TrainingResult, workdir: Path, tags: dict[str, str]) -> None:
        client, run_id = self._client(), run.info.run_id
        metrics, parameters, run_tags = batch_of(retrain, result, tags)
        client.log_batch(run_id, metrics, parameters, run_tags)
        for name in (result.model_file, *DOCUMENTS):
            if (workdir / name).exists():
                client.log_artifact(run_id, str(workdir / name))
        if (workdir / MODEL_FOLDER).is_dir():
            client.log_artifacts(run_id, str(workdir / MODEL_FOLDER), MODEL_FOLDER)
        client.set_terminated(run_id, "FINISHED", milliseconds(retrain.finished_at))

    def _create_version(self, run: "Run", retrain: Retrain, result: TrainingResult, tags: dict[str, str]) -> None:
        client, model = self._client(), retrain.plan.model
        with ButFor(ALREADY_EXISTS):
            client.create_registered_model(model)
        folder = f"/{MODEL_FOLDER}" if self._has_model_folder(run) else ""
        client.create_model_version(
            model, source=f"{run.info.artifact_uri}{folder}", run_id=run.info.run_id, await_creation_for=0,
            description=retrain.plan.note or None, tags=version_tags(retrain, result, tags),
        )  # fmt: skip

    def _has_model_folder(self, run: "Run") -> bool:
        return any(item.path == MODEL_FOLDER for item in self._client().list_artifacts(run.info.run_id))

    def _client(self) -> "MlflowClient":
        with self._connecting:
            if self._connected is None:
                self._connected = connect(self._uri)
            return self._connected


def _quotable(text: str) -> str:
    """For MLflow's filter strings, which know no escaping."""
    if "'" in text or "`" in text:
        raise Refused(f"MLflow cannot look for {text!r}: a name holds no quotes.")
    return text
