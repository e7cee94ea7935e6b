"""Keeps TrainingRunner with Kubernetes Jobs; progress and results go through the storage."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from bot.clients.runners.kubernetes_job import CANNOT_START, ending, job_manifest, job_name, waiting_reason
from bot.clients.runners.remote import RemoteFolder
from bot.clients.storage import FsspecStorage
from pipelines.errors import Refused, Unavailable
from pipelines.ports import RunnerState
from pipelines.retrain.values import Progress, TrainingJob, TrainingResult

SERVICE = "Kubernetes"
TIMEOUT = (3, 10)  # seconds to connect, to answer
# An image that cannot be pulled may be a registry's bad minute; after these it is a mistake.
STUCK_SECONDS = 300
LAST_LINES = 5


class KubernetesRunner:
    """`connect` answers a kubernetes.client.ApiClient; it is called on first use, since importing takes a second."""

    def __init__(
        self, connect: Callable[[], Any], storage: FsspecStorage, copies: Path, namespace: str, image: str
    ) -> None:
        self._connect = connect
        self._storage = storage
        self._copies = copies
        self._namespace = namespace
        self._image = image

    def start(self, job: TrainingJob) -> None:
        folder, image = self._folder(job), self._image_of(job)
        if folder.settled():
            return
        folder.write_job()
        with _Told(allowed=409):  # it exists already
            self._batch.create_namespaced_job(
                self._namespace, job_manifest(job, image, self._namespace), _request_timeout=TIMEOUT
            )

    def state(self, job: TrainingJob) -> RunnerState:
        folder = self._folder(job)
        if settled := folder.settled():
            return settled
        found = self._find(job)
        if found is None:
            # It may have ended and been cleared away between two looks.
            gone = "The Job is gone and left no result; somebody deleted it, or its namespace."
            return folder.settled() or RunnerState("lost" if folder.was_begun else "absent", reason=gone)
        for condition in found.status.conditions or []:
            if condition.status == "True" and condition.type in ("Complete", "Failed", "FailureTarget"):
                return folder.settled() or self._ended(job, condition)
        return self._going_on(job, found, folder)

    def result(self, job: TrainingJob) -> TrainingResult:
        return self._folder(job).result()

    def cancel(self, job: TrainingJob) -> None:
        if self._folder(job).mark_cancelled():
            self._delete(job)

    def artefacts(self, job: TrainingJob) -> Path:
        return self._folder(job).artefacts()

    def _folder(self, job: TrainingJob) -> RemoteFolder:
        return RemoteFolder(job, self._storage, self._copies)

    def _image_of(self, job: TrainingJob) -> str:
        image = job.trainer.removeprefix("image:") if job.trainer.startswith("image:") else self._image
        if not image:
            raise Refused("No image for training in Kubernetes is set. Set SHIPMATE_KUBERNETES_IMAGE.")
        return image

    def _find(self, job: TrainingJob) -> Any:
        with _Told(allowed=404):
            return self._batch.read_namespaced_job(job_name(job.run_id), self._namespace, _request_timeout=TIMEOUT)
        return None

    def _delete(self, job: TrainingJob) -> None:
        with _Told(allowed=404):
            self._batch.delete_namespaced_job(
                job_name(job.run_id), self._namespace, propagation_policy="Background", _request_timeout=TIMEOUT
            )

    def _pods(self, job: TrainingJob) -> list[Any]:
        with _Told():
            selector = f"batch.kubernetes.io/job-name={job_name(job.run_id)}"
            found = self._core.list_namespaced_pod(self._namespace, label_selector=selector, _request_timeout=TIMEOUT)
        return list(found.items)

    def _going_on(self, job: TrainingJob, found: Any, folder: RemoteFolder) -> RunnerState:
        for pod in self._pods(job):
            reason, sentence = waiting_reason(pod)
            if reason in CANNOT_START and _age_seconds(found) > STUCK_SECONDS:
                self._delete(job)
                return RunnerState("failed", reason=sentence)
            if sentence:
                return RunnerState("running", Progress("waiting for Kubernetes", 0.0, sentence[:500]), sentence)
        return folder.progress()

    def _ended(self, job: TrainingJob, condition: Any) -> RunnerState:
        """Of a Job that ended and left neither a result nor a refusal."""
        if condition.reason == "DeadlineExceeded":
            return RunnerState("failed", reason=(
                f"Training {job.model} took longer than the {job.timeout_minutes} minutes that the catalogue allows, "
                f"and was stopped. Write a larger `timeout_minutes` for {job.model} in the catalogue."
            ))  # fmt: skip
        pods = self._pods(job)
        reason, code = ending(pods[-1]) if pods else ("", None)
        if reason == "OOMKilled":
            return RunnerState("failed", reason=(
                f"Training {job.model} took more memory than the {job.memory_limit_mb:,} MB that the catalogue "
                f"allows, and was stopped. Write a larger `memory_limit_mb` for {job.model} in the catalogue."
            ))  # fmt: skip
        words = self._last_words(pods[-1].metadata.name) if pods else ""
        told = f" Its last words: {words}" if words else f" {condition.message or ''}".rstrip()
        ended = "without a result" if code in (0, None) else f"with exit code {code}"
        return RunnerState("failed", reason=f"The training process ended {ended}.{told}")

    def _last_words(self, pod: str) -> str:
        with _Told(allowed=404):
            text = self._core.read_namespaced_pod_log(
                pod, self._namespace, tail_lines=LAST_LINES, limit_bytes=8_192, _request_timeout=TIMEOUT
            )
            return str(text).strip()
        return ""

    @cached_property
    def _api(self) -> Any:
        return self._connect()

    @property
    def _batch(self) -> Any:
        from kubernetes import client

        return client.BatchV1Api(self._api)

    @property
    def _core(self) -> Any:
        from kubernetes import client

        return client.CoreV1Api(self._api)


def connect_kubernetes(context: str) -> Any:
    """The cluster that the bot runs in, else the one of the kubeconfig file."""
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    configuration = client.Configuration()
    configuration.retries = 1
    try:
        if context:
            config.load_kube_config(context=context, client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            config.load_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise Refused(f"No Kubernetes cluster is set up: {error}. `shipmate doctor` says what to do.") from error
    return client.ApiClient(configuration)


def _age_seconds(found: Any) -> float:
    created: datetime = found.metadata.creation_timestamp
    return (datetime.now(UTC) - created).total_seconds()


class _Told:
    """Kubernetes' errors in plain words; `allowed` is a status after which the caller just goes on."""

    def __init__(self, allowed: int | None = None) -> None:
        self._allowed = allowed

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        if isinstance(error, ApiException):
            if error.status == self._allowed:
                return True
            raise _plain(error.status or 0, _message(error)) from error
        if isinstance(error, HTTPError):
            raise Unavailable(SERVICE, f"it did not answer ({type(error).__name__})") from error
        return False


def _plain(status: int, message: str) -> Exception:
    if status in (401, 403):
        return Refused(f"Kubernetes does not let the bot do this: {message}. `shipmate doctor` says what is missing.")
    if status in (400, 404, 422):
        return Refused(f"Kubernetes refused the Job: {message}")
    return Unavailable(SERVICE, f"it answered {status}: {message}")


def _message(error: Any) -> str:
    try:
        return str(json.loads(error.body)["message"])[:500]
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
