"""The training process: `shipmate train --workdir DIR` ends here. Runs once, tells how far it is, leaves artefacts.

It reads job.json (and the champion's pickle) and writes progress.json as it goes, then model.pkl, profile.json,
mlflow-model/ and, last, result.json. A refusal is error.json: {"sentence": …, "kind": "data"|"memory"|"trainer"}.
"""

import os
import time
from pathlib import Path
from typing import Literal

from pipelines.errors import Refused
from pipelines.retrain.memory import MemoryWatch, excess_sentence
from pipelines.retrain.values import TrainingJob
from pipelines.retrain.workdir import ERROR, RESULT, Workdir

# The exit code of a process that refused; error.json says why.
REFUSED_EXIT = 3

Kind = Literal["data", "memory", "trainer"]


def run_job(location: Path | str) -> None:
    """Train what `<location>/job.json` says. Raises Refused, after writing error.json; finished work is not redone.

    When the memory limit is exceeded the process ends at once, so this is for a process of its own.
    """
    with Workdir(location) as workdir:
        if workdir.has(RESULT):
            return
        workdir.discard(ERROR)
        job = workdir.job()
        workdir.tell("starting", 0.0)

        def stop() -> None:
            _write_error(workdir, "memory", excess_sentence(job.model, job.memory_limit_mb))
            os._exit(REFUSED_EXIT)

        with MemoryWatch(job.memory_limit_mb, stop) as memory:
            _train(job, workdir, memory)


def _train(job: TrainingJob, workdir: Workdir, memory: MemoryWatch) -> None:
    started = time.monotonic()
    # The heavy imports count as memory of the run, and a process that only asks for a finished one skips them.
    from pipelines.retrain.own_trainer import TrainerFailed
    from pipelines.retrain.run import TrainingRun

    try:
        TrainingRun(job, workdir, memory, started).finish()
    except Refused as refusal:
        _write_error(workdir, "data", str(refusal))
        raise
    except TrainerFailed as failure:
        _write_error(workdir, "trainer", str(failure))
        raise Refused(str(failure)) from failure
    except MemoryError as excess:
        sentence = excess_sentence(job.model, job.memory_limit_mb)
        _write_error(workdir, "memory", sentence)
        raise Refused(sentence) from excess


def _write_error(workdir: Workdir, kind: Kind, sentence: str) -> None:
    workdir.write(ERROR, {"sentence": sentence, "kind": kind})
