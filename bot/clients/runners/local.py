"""Keeps TrainingRunner with a process on this machine, detached from the bot: it outlives the bot's own death."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.clients.runners import outcome
from bot.clients.runners.process import FolderProcess, told_of_the_disk
from pipelines.errors import Refused
from pipelines.json_values import to_json
from pipelines.ports import RunnerState
from pipelines.retrain.values import TrainingJob, TrainingResult

CANCELLED = "cancelled"
TRAIN = ("-m", "bot", "train")
# The process watches its own memory and says so best; we step in only for what it starts beside itself.
MEMORY_SLACK = 1.25


class LocalRunner:
    """`environment` is all that the process gets: the bot's own secrets are not in it.

    Files in the workdir: job.json, stdout.log, stderr.log, and what pipelines/retrain/training.py leaves there.
    """

    def __init__(self, python: str, environment: Mapping[str, str], program: Sequence[str] = TRAIN) -> None:
        self._python = python
        self._environment = dict(environment)
        self._program = tuple(program)

    def start(self, job: TrainingJob) -> None:
        if job.trainer.startswith("image:"):
            raise Refused(
                f"The trainer of {job.model} is an image, which does not run on this machine. "
                f"Write `runner: kubernetes` for {job.model} in the catalogue."
            )
        folder, process = self._of(job)
        with process.turn(), told_of_the_disk():
            if process.lives() or any((folder / name).exists() for name in (outcome.RESULT, outcome.ERROR, CANCELLED)):
                return
            (folder / outcome.PROGRESS).unlink(missing_ok=True)
            _write(folder / outcome.JOB, json.dumps(to_json(job), allow_nan=False))
            process.start([self._python, *self._program, "--workdir", str(folder)], self._environment)

    def state(self, job: TrainingJob) -> RunnerState:
        folder, process = self._of(job)
        if not folder.exists():
            return RunnerState("absent")
        with process.turn():
            if (folder / outcome.RESULT).exists():
                return RunnerState("finished", outcome.progress_of(_read(folder / outcome.PROGRESS)))
            if process.lives():
                self._stop_excess(job, folder, process)
            if reason := self._failure(job, folder):
                return RunnerState("failed", reason=reason)
            return self._unfinished(folder, process)

    def result(self, job: TrainingJob) -> TrainingResult:
        folder, _ = self._of(job)
        if not (folder / outcome.RESULT).exists() and (reason := self._failure(job, folder)):
            raise Refused(reason)
        return outcome.result_of(_read(folder / outcome.RESULT), job)

    def cancel(self, job: TrainingJob) -> None:
        folder, process = self._of(job)
        with process.turn(), told_of_the_disk():
            if (folder / outcome.RESULT).exists():
                return
            _write(folder / CANCELLED, "")
            process.end()

    def artefacts(self, job: TrainingJob) -> Path:
        return self._of(job)[0]

    def _of(self, job: TrainingJob) -> tuple[Path, FolderProcess]:
        folder = Path(job.workdir)
        return folder, FolderProcess(folder)

    def _failure(self, job: TrainingJob, folder: Path) -> str:
        if (folder / CANCELLED).exists():
            return f"The training of {job.model} was cancelled."
        return outcome.refusal_of(_read(folder / outcome.ERROR))

    def _unfinished(self, folder: Path, process: FolderProcess) -> RunnerState:
        if process.lives():
            return RunnerState("running", outcome.progress_of(_read(folder / outcome.PROGRESS)))
        # It may have ended between two looks.
        if (folder / outcome.RESULT).exists():
            return RunnerState("finished")
        if not process.was_started:
            return RunnerState("absent")
        words = process.last_words()
        told = f" Its last words: {words}" if words else " It left no message."
        return RunnerState("lost", reason=f"The training process ended without a result.{told}")

    def _stop_excess(self, job: TrainingJob, folder: Path, process: FolderProcess) -> None:
        """End a process that takes longer or more memory than the catalogue allows, and write down why."""
        minutes = (time.time() - process.started_at) / 60 if process.was_started else 0.0
        sentence = ""
        if minutes > job.timeout_minutes:
            sentence = (
                f"Training {job.model} took longer than the {job.timeout_minutes} minutes that the catalogue allows, "
                f"and was stopped. Write a larger `timeout_minutes` for {job.model} in the catalogue."
            )
        elif process.resident_mb() > job.memory_limit_mb * MEMORY_SLACK:
            sentence = (
                f"Training {job.model} took more than the {job.memory_limit_mb:,} MB that the catalogue allows, "
                f"and was stopped. Write a larger `memory_limit_mb` for {job.model} in the catalogue."
            )
        if sentence:
            process.end()
            if not (folder / outcome.RESULT).exists() and not (folder / outcome.ERROR).exists():
                _write(folder / outcome.ERROR, json.dumps({"sentence": sentence, "kind": "limit"}))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
