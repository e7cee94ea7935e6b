"""The Job of a training run: a name, a manifest that restricted Pod Security accepts, and what its pods suffer."""

import hashlib
import re
from typing import Any

from pipelines.retrain.values import TrainingJob

LONGEST_NAME = 63
SECRET = "shipmate-training"  # noqa: S105 - a name
KEPT_SECONDS = 24 * 3600
# Python, scikit-learn and the pod itself; the training process watches its own limit below that.
OVERHEAD_MB = 512
USER = 65532  # "nonroot" of distroless images; any number but 0 would do
CANNOT_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
CANNOT_START = CANNOT_PULL | {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def job_name(run_id: str) -> str:
    """A DNS label that is the same for the same run, and different for different ones."""
    plain = re.sub(r"[^a-z0-9-]+", "-", run_id.lower()).strip("-")
    name = f"train-{plain}"
    if len(name) <= LONGEST_NAME and plain == run_id:
        return name
    digest = hashlib.sha256(run_id.encode()).hexdigest()[:10]
    return f"{name[: LONGEST_NAME - 11].rstrip('-')}-{digest}"


def job_manifest(job: TrainingJob, image: str, namespace: str) -> dict[str, Any]:
    labels = {
        "app.kubernetes.io/name": "shipmate-training",
        "app.kubernetes.io/managed-by": "shipmate",
        "shipmate.io/model": re.sub(r"[^A-Za-z0-9_.-]+", "-", job.model)[:63].strip("-_."),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(job.run_id), "namespace": namespace, "labels": labels,
            "annotations": {"shipmate.io/run-id": job.run_id},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": job.timeout_minutes * 60,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            # A pod that had to leave its node (drained, evicted) is no failure of the training: begin anew.
            "podFailurePolicy": {
                "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "template": {"metadata": {"labels": labels}, "spec": _pod(job, image)},
        },
    }  # fmt: skip


def _pod(job: TrainingJob, image: str) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(job, image)],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }  # fmt: skip


def _container(job: TrainingJob, image: str) -> dict[str, Any]:
    memory = f"{job.memory_limit_mb + OVERHEAD_MB}Mi"
    return {
        "name": "train",
        "image": image,
        "command": list(job.command) or ["python", "-m", "bot", "train", "--workdir", job.workdir],
        "env": [
            {"name": "SHIPMATE_WORKDIR", "value": job.workdir},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108
            {"name": "MLFLOW_DISABLE_TELEMETRY", "value": "true"},
        ],
        # What the training needs to reach data and storage, if the namespace's service account does not give it.
        "envFrom": [{"secretRef": {"name": SECRET, "optional": True}}],
        "resources": {"requests": {"cpu": "1", "memory": memory}, "limits": {"memory": memory}},
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
    }  # fmt: skip


def waiting_reason(pod: Any) -> tuple[str, str]:
    """Kubernetes' own reason and a plain sentence for a pod that does not run yet; ("", "") for one that does."""
    for status in pod.status.container_statuses or []:
        waiting = status.state.waiting if status.state else None
        if waiting and waiting.reason in CANNOT_START:
            what = "be pulled" if waiting.reason in CANNOT_PULL else "be started"
            return waiting.reason, f"The image `{status.image}` cannot {what} ({waiting.reason}: {waiting.message})."
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return condition.reason or "Unschedulable", f"No node has room for it yet: {condition.message}"
    return "", ""


def ending(pod: Any) -> tuple[str, int | None]:
    """Kubernetes' reason and the exit code of a pod that ended."""
    for status in pod.status.container_statuses or []:
        ended = status.state.terminated if status.state else None
        if ended:
            return ended.reason or "", ended.exit_code
    return pod.status.reason or "", None
