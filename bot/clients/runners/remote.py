"""What a training somewhere else leaves in the storage, below runs/<run id>/."""

import json
from pathlib import Path

from bot.clients.runners import outcome
from bot.clients.storage import FsspecStorage, file_sha256
from pipelines.errors import Refused
from pipelines.json_values import to_json
from pipelines.ports import RunnerState
from pipelines.retrain.values import TrainingJob, TrainingResult

CANCELLED = "cancelled"


class RemoteFolder:
    """The folder of one run; `copies` is where its files are brought to on this machine."""

    def __init__(self, job: TrainingJob, storage: FsspecStorage, copies: Path) -> None:
        self._job = job
        self._storage = storage
        self._key = f"runs/{job.run_id}"
        self._copy = copies / job.run_id

    def write_job(self) -> None:
        """Raises Refused for a storage that only this machine can see."""
        if "://" not in self._job.workdir:
            raise Refused(
                "Training elsewhere leaves its results in the storage, and that is a folder of this machine. "
                "Set SHIPMATE_STORAGE_URL to a bucket, such as s3://models/shipmate."
            )
        self._storage.write(f"{self._key}/{outcome.JOB}", json.dumps(to_json(self._job), allow_nan=False).encode())

    @property
    def was_begun(self) -> bool:
        return self._read(outcome.JOB) is not None

    def settled(self) -> RunnerState | None:
        """How it ended, as far as the folder tells; None while it does not."""
        if self._read(outcome.RESULT) is not None:
            return RunnerState("finished", self.progress().progress)
        reason = self.failure()
        return RunnerState("failed", reason=reason) if reason else None

    def failure(self) -> str:
        if self._read(CANCELLED) is not None:
            return f"The training of {self._job.model} was cancelled."
        return outcome.refusal_of(self._read(outcome.ERROR))

    def progress(self) -> RunnerState:
        return RunnerState("running", outcome.progress_of(self._read(outcome.PROGRESS)))

    def mark_cancelled(self) -> bool:
        """False for a run that has a result: that one is not cancelled any more."""
        if self._read(outcome.RESULT) is not None:
            return False
        self._storage.write(f"{self._key}/{CANCELLED}", b"")
        return True

    def result(self) -> TrainingResult:
        content = self._read(outcome.RESULT)
        if content is None and (reason := self.failure()):
            raise Refused(reason)
        return outcome.result_of(content, self._job)

    def artefacts(self) -> Path:
        """Brings the files here; the model must be the one that the result names."""
        result = self.result()
        self._copy.mkdir(parents=True, exist_ok=True)
        self._storage.download(self._key, self._copy)
        model = self._copy / result.model_file
        if not model.is_file() or file_sha256(model) != result.model_sha256:
            raise Refused(f"The model file of run {self._job.run_id} is missing or not the one that was trained.")
        return self._copy

    def _read(self, name: str) -> bytes | None:
        return self._storage.read(f"{self._key}/{name}")
