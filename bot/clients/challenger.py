"""Keeps Challengers with a process of its own, which gets the rows on its standard input and answers errors alone.

It has none of the bot's secrets, less of the processor than the bot, and a limit to its memory and time. What it
writes besides is thrown away: a trainer's words may hold values of rows.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from pipelines.drift.sampling import Fold, LabelledRow
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.names import find_model
from pipelines.retrain.values import ModelSpec, TrainingJob

TIME_LIMIT_SECONDS = 120.0
LOOK_SECONDS = 0.1
NICENESS = 5
EXCESS_EXIT = 4
# A few thousand rows: threads would wait for each other, and take from the bot.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PROGRAM = ("-c", "from bot.clients.challenger import main; main()")


class ChallengerProcess:
    """`models` are those of the catalogue, `stopping` whether the bot is about to end."""

    def __init__(
        self, python: str, environment: Mapping[str, str], models: Mapping[str, ModelSpec],
        stopping: Callable[[], bool], seconds: float = TIME_LIMIT_SECONDS,
    ) -> None:  # fmt: skip
        self._python = python
        self._environment = {**environment, **ONE_THREAD}
        self._models = models
        self._stopping = stopping
        self._seconds = seconds

    def errors(self, model: str, rows: Sequence[LabelledRow], folds: Sequence[Fold]) -> Sequence[float]:
        spec = find_model(self._models, model)
        if spec.trainer.startswith("image:"):
            raise Refused(f"The trainer of {model} is an image, which does not run beside the bot.")
        asked = {
            "job": to_json(job_for(spec)), "rows": [dict(row.features) for row in rows],
            "labels": [row.label for row in rows], "folds": [[fold.train, fold.test] for fold in folds],
        }  # fmt: skip
        code, answered = self._run(json.dumps(asked).encode())
        if code == EXCESS_EXIT:
            raise Refused(f"Training took more than the {spec.memory_limit_mb:,} MB that the catalogue allows.")
        try:
            answer = json.loads(answered)
        except ValueError:
            raise Refused(f"The training ended without an answer (exit code {code}).") from None
        if "refused" in answer:
            raise Refused(answer["refused"])
        return [float(error) for error in answer["errors"]]

    def _run(self, asked: bytes) -> tuple[int, bytes]:
        try:
            process = subprocess.Popen(  # noqa: S603 (our own program; the rows go to its standard input)
                [self._python, *PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=self._environment, start_new_session=True,
            )  # fmt: skip
        except OSError as problem:
            raise Unavailable("the training process", problem.strerror or "it cannot be started") from problem
        # A thread of its own: `communicate` forgets what it had not written when its time was up.
        giving = threading.Thread(target=_give, args=(process.stdin, asked), name="rows to a challenger", daemon=True)
        process.stdin = None
        giving.start()
        try:
            return self._answer(process)
        finally:
            with suppress(ProcessLookupError):  # whatever it started ends with it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            giving.join()
            if process.stdout is not None:
                process.stdout.close()

    def _answer(self, process: "subprocess.Popen[bytes]") -> tuple[int, bytes]:
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                answered, _ = process.communicate(timeout=LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                if self._stopping():
                    raise Unavailable("the training process", "the bot is about to end") from None
                if time.monotonic() > deadline:
                    raise Refused(f"Training took longer than {self._seconds:g} seconds.") from None
                continue
            return process.returncode, answered


def _give(stream: IO[bytes], asked: bytes) -> None:
    with suppress(BrokenPipeError), stream:  # it may end before it has read all
        stream.write(asked)


def job_for(spec: ModelSpec) -> TrainingJob:
    """What a retrain would be told, without a place to write to."""
    return TrainingJob(
        run_id="trial", model=spec.name, problem=spec.problem, data="", target=spec.target, trainer=spec.trainer,
        workdir="", drop_columns=spec.drop_columns, positive_label=spec.positive_label, seed=spec.seed,
        search_candidates=spec.search_candidates, folds=spec.folds, memory_limit_mb=spec.memory_limit_mb,
    )  # fmt: skip


def main() -> None:
    """In the process apart: one JSON object in, one out."""
    os.nice(NICENESS)
    most = int(2 * TIME_LIMIT_SECONDS)  # of all its threads: should the bot die, it ends by itself
    resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a trainer that prints does not print into the answer
    answer = _answered(json.loads(sys.stdin.buffer.read()))
    told.write(json.dumps(answer).encode())
    told.close()


def _answered(asked: dict[str, object]) -> dict[str, object]:
    from pipelines.retrain.challenger import challenger_errors
    from pipelines.retrain.memory import MemoryWatch
    from pipelines.retrain.own_trainer import MISTAKES, TrainerFailed

    job = from_json(TrainingJob, asked["job"])  # type: ignore[arg-type]
    try:
        with MemoryWatch(job.memory_limit_mb, lambda: os._exit(EXCESS_EXIT)):
            return {"errors": challenger_errors(job, asked["rows"], asked["labels"], asked["folds"])}  # type: ignore[arg-type]
    except Refused as refusal:
        return {"refused": str(refusal)}
    except TrainerFailed:
        return {"refused": f"The trainer {job.trainer} failed on the recent rows."}
    except MISTAKES as mistake:
        return {"refused": f"No challenger could be trained on the recent rows ({type(mistake).__name__})."}
