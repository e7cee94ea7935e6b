"""What a training process leaves in the folder of its run, read with the distrust that foreign files deserve."""

import json
from pathlib import PurePath
from typing import Any

from pipelines.errors import Refused
from pipelines.json_values import from_json
from pipelines.retrain.values import Progress, TrainingJob, TrainingResult

JOB, PROGRESS, RESULT, ERROR = "job.json", "progress.json", "result.json", "error.json"
LONGEST_SENTENCE = 1_000


def progress_of(content: bytes | None) -> Progress | None:
    """How far the run says it is; None while it says nothing that can be read."""
    try:
        return from_json(Progress, _object(content)) if content else None
    except ValueError:
        return None


def refusal_of(content: bytes | None) -> str:
    """The trainer's own sentence in error.json; empty when there is none."""
    if content is None:
        return ""
    try:
        sentence = _object(content).get("sentence")
    except ValueError:
        sentence = None
    return str(sentence)[:LONGEST_SENTENCE] if sentence else "The trainer refused and left no reason."


def result_of(content: bytes | None, job: TrainingJob) -> TrainingResult:
    """Raises Refused for a result that is missing, malformed, of another run, or that points out of its folder."""
    if content is None:
        raise Refused(f"The training of {job.model} left no result.")
    try:
        result = from_json(TrainingResult, _object(content))
    except ValueError as mistake:
        raise Refused(f"The trainer of {job.model} left a result that cannot be read: {mistake}") from None
    if result.run_id != job.run_id:
        raise Refused(f"The trainer of {job.model} left the result of another run, {result.run_id}.")
    if PurePath(result.model_file).name != result.model_file or result.model_file in ("", ".", ".."):
        raise Refused(f"The trainer of {job.model} names a model file outside the folder of its run.")
    return result


def _object(content: bytes) -> dict[str, Any]:
    document = json.loads(content)  # raises ValueError, for wrong UTF-8 too
    if not isinstance(document, dict):
        raise ValueError("expected an object")
    return document
