"""What the cluster holds: namespaces, Jobs and the pods that stand for them."""

import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.children import Child
from bot.sandbox.kubernetes.answers import ApiError

Document = dict[str, Any]
Run = Callable[[Sequence[str]], Sequence[str]]
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass
class Job:
    """A Job with its one pod. `misfortune` is what befalls the pod instead of running."""

    document: Document
    pod: str
    child: Child | None = None
    misfortune: str = ""
    created: str = field(default_factory=lambda: moment())


class Cluster:
    """`run` translates a container's command into one for this machine; without it pods stay pending."""

    def __init__(self, namespaces: Sequence[str], run: Run | None, environment: Mapping[str, str]) -> None:
        self._namespaces = set(namespaces)
        self._run = run
        self._environment = dict(environment)
        self._jobs: dict[tuple[str, str], Job] = {}
        self._leaving: list[Child] = []
        self._turn = threading.RLock()
        self.misfortune = ""
        self.denied: set[tuple[str, str]] = set()

    def create_job(self, namespace: str, document: Document) -> Document:
        with self._turn:
            self._check_namespace(namespace)
            name = _checked(document)
            if (namespace, name) in self._jobs:
                raise ApiError("AlreadyExists", f'jobs.batch "{name}" already exists')
            job = Job(document, f"{name}-{uuid.uuid4().hex[:5]}", misfortune=self.misfortune)
            labels = {"batch.kubernetes.io/job-name": name, "job-name": name}
            template = document["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
            template.update(labels)
            document["metadata"] |= {
                "namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": job.created,
            }  # fmt: skip
            self._jobs[namespace, name] = job
            if self._run and not job.misfortune:
                job.child = self._start(document, self._run)
            return self._described(job)

    def job(self, namespace: str, name: str) -> Document:
        with self._turn:
            return self._described(self._found(namespace, name))

    def jobs(self, namespace: str, selector: Mapping[str, str]) -> list[Document]:
        with self._turn:
            mine = [job for (where, _), job in self._jobs.items() if where == namespace]
            chosen = [job for job in mine if _matches(job.document["metadata"].get("labels") or {}, selector)]
            return [self._described(job) for job in chosen]

    def delete_job(self, namespace: str, name: str) -> None:
        with self._turn:
            job = self._found(namespace, name)
            del self._jobs[namespace, name]
            if job.child:
                job.child.end()
                self._leaving.append(job.child)

    def pods(self, namespace: str, selector: Mapping[str, str]) -> list[Document]:
        with self._turn:
            mine = [job for (where, _), job in self._jobs.items() if where == namespace]
            chosen = [job for job in mine if _matches(job.document["spec"]["template"]["metadata"]["labels"], selector)]
            return [_pod(job) for job in chosen]

    def log(self, namespace: str, pod: str) -> str:
        with self._turn:
            for (where, _), job in self._jobs.items():
                if where == namespace and job.pod == pod:
                    if job.child is None:
                        raise ApiError("BadRequest", f'container "train" in pod "{pod}" is waiting to start')
                    return job.child.log()
        raise ApiError("NotFound", f'pods "{pod}" not found')

    def created(self) -> list[Document]:
        """The Jobs as they were posted, for tests."""
        with self._turn:
            return [job.document for job in self._jobs.values()]

    def close(self) -> None:
        with self._turn:
            for child in [*self._leaving, *(job.child for job in self._jobs.values() if job.child)]:
                child.close()
            self._jobs.clear()

    def _start(self, document: Document, run: Run) -> Child:
        pod = document["spec"]["template"]["spec"]
        container = pod["containers"][0]
        own = {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
        seconds = document["spec"].get("activeDeadlineSeconds") or 1e9
        command = [*container.get("command", []), *container.get("args", [])]
        return Child(run(command), self._environment | own, seconds, pod.get("terminationGracePeriodSeconds", 30))

    def _check_namespace(self, namespace: str) -> None:
        if namespace not in self._namespaces:
            raise ApiError("NotFound", f'namespaces "{namespace}" not found')

    def _found(self, namespace: str, name: str) -> Job:
        if (namespace, name) not in self._jobs:
            raise ApiError("NotFound", f'jobs.batch "{name}" not found')
        return self._jobs[namespace, name]

    def _described(self, job: Job) -> Document:
        return job.document | {"status": _job_status(job)}


def moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_selector(text: str) -> dict[str, str]:
    """Equality only; anything else is answered as a mistake rather than ignored."""
    pairs = [part.replace("==", "=").partition("=") for part in text.split(",") if part]
    if any(not sign or "!" in key for key, sign, _ in pairs):
        raise ApiError("BadRequest", f"the sandbox knows label selectors by equality only, not {text!r}")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _matches(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _checked(document: Document) -> str:
    """The name; raises what the API server says about a Job that cannot be."""
    name = str((document.get("metadata") or {}).get("name") or "")
    mistakes = []
    if not _LABEL.fullmatch(name) or len(name) > 63:
        mistakes.append(f'metadata.name: Invalid value: "{name}": must be a DNS label of at most 63 characters')
    pod = ((document.get("spec") or {}).get("template") or {}).get("spec") or {}
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        mistakes.append('spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"')
    if not pod.get("containers") or not all(container.get("image") for container in pod["containers"]):
        mistakes.append("spec.template.spec.containers[0].image: Required value")
    if mistakes:
        raise ApiError("Invalid", f'Job.batch "{name}" is invalid: {"; ".join(mistakes)}')
    return name


def _job_status(job: Job) -> Document:
    code = job.child.exit_code() if job.child else None
    if job.misfortune == "OOMKilled":
        code = 137
    if code is None:
        return {"active": 1, "startTime": job.created}
    if code == 0:
        return {"succeeded": 1, "startTime": job.created, "conditions": [_condition("Complete", "CompletionsReached")]}
    reason = "DeadlineExceeded" if job.child and job.child.exceeded else "BackoffLimitExceeded"
    message = "Job has reached the specified backoff limit"
    return {"failed": 1, "startTime": job.created, "conditions": [_condition("Failed", reason, message)]}


def _condition(kind: str, reason: str, message: str = "", claim: str = "True") -> Document:
    return {"type": kind, "status": claim, "reason": reason, "message": message, "lastTransitionTime": moment()}


def _pod(job: Job) -> Document:
    template = job.document["spec"]["template"]
    return {
        "metadata": {"name": job.pod, "namespace": job.document["metadata"]["namespace"],
                     "labels": template["metadata"]["labels"], "creationTimestamp": job.created},
        "spec": template["spec"],
        "status": _pod_status(job, template["spec"]["containers"][0]),
    }  # fmt: skip


def _pod_status(job: Job, container: Document) -> Document:
    if job.misfortune == "Unschedulable":
        message = "0/3 nodes are available: 3 Insufficient memory."
        return {"phase": "Pending", "conditions": [_condition("PodScheduled", "Unschedulable", message, "False")]}
    if job.misfortune in ("ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"):
        message = f'Back-off pulling image "{container["image"]}"'
        return _container_status("Pending", container, {"waiting": {"reason": job.misfortune, "message": message}})
    if job.misfortune == "OOMKilled":
        return _container_status("Failed", container, {"terminated": {"reason": "OOMKilled", "exitCode": 137}})
    code = job.child.exit_code() if job.child else None
    if code is None:
        return _container_status("Running", container, {"running": {"startedAt": job.created}})
    # A process that a signal ended has the code 128 + signal in a container.
    ended = {"reason": "Completed" if code == 0 else "Error", "exitCode": code if code >= 0 else 128 - code}
    return _container_status("Succeeded" if code == 0 else "Failed", container, {"terminated": ended})


def _container_status(phase: str, container: Document, state: Document) -> Document:
    described = {
        "name": container["name"], "image": container["image"], "imageID": "", "ready": False, "restartCount": 0,
        "state": state,
    }  # fmt: skip
    return {"phase": phase, "containerStatuses": [described]}
