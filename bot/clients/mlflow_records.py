"""What a retrain leaves in MLflow: metrics, parameters and tags."""

import json
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.json_values import from_json
from pipelines.profiles import FORMAT, ReferenceProfile
from pipelines.retrain.promotion_plan import DIGEST_TAG
from pipelines.retrain.values import Retrain, TrainingResult

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param, RunTag

RUN_TAG = "shipmate.run_id"
METRICS_TAG = "shipmate.metrics"


def batch_of(
    retrain: Retrain, result: TrainingResult, tags: dict[str, str]
) -> "tuple[list[Metric], list[Param], list[RunTag]]":
    """The arguments of log_batch. Logging the same again adds nothing: the moment is that of the run."""
    from mlflow.entities import Metric, Param, RunTag

    moment = milliseconds(retrain.started_at) or 0
    metrics = [Metric(name, value, moment, 0) for name, value in all_metrics(result).items()]
    parameters = [Param(name, value) for name, value in _parameters(retrain, result).items()]
    return metrics, parameters, [RunTag(name, value) for name, value in version_tags(retrain, result, tags).items()]


def all_metrics(result: TrainingResult) -> dict[str, float]:
    found = dict(result.metrics)
    for metric, spread in result.cross_validation.items():
        found |= {f"cv_mean_{metric}": spread.mean, f"cv_deviation_{metric}": spread.deviation}
    for metric, value in (result.champion_metrics or {}).items():
        found[f"champion_{metric}"] = value
    if result.coverage:
        found |= {"coverage_asked": result.coverage.level, "coverage_measured": result.coverage.measured}
    return found | {"seconds": result.seconds, "peak_memory_mb": result.peak_memory_mb}


def version_tags(retrain: Retrain, result: TrainingResult, tags: dict[str, str]) -> dict[str, str]:
    """They are stored in one transaction with their version, so a version is never seen without them."""
    return tags | {
        RUN_TAG: retrain.run_id,
        METRICS_TAG: json.dumps(result.metrics, sort_keys=True),
        DIGEST_TAG: result.model_sha256,
        "shipmate.data_sha256": result.data_sha256,
        "shipmate.version": package_version("shipmate"),
    }


def metrics_of(recorded: str) -> dict[str, float]:
    """Metrics as version_tags wrote them; empty when somebody else wrote there."""
    try:
        found = json.loads(recorded)
        return {str(name): float(value) for name, value in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def milliseconds(moment: datetime | None) -> int | None:
    return int(moment.astimezone(UTC).timestamp() * 1000) if moment else None


def _parameters(retrain: Retrain, result: TrainingResult) -> dict[str, str]:
    plan = retrain.plan
    values = {
        "data": plan.data, "target": plan.target, "trainer": plan.trainer, "seed": plan.seed,
        "estimator": result.estimator, "rows_train": result.rows_train, "rows_test": result.rows_test,
    }  # fmt: skip
    return {name: str(value)[:500] for name, value in values.items()}


def read_profile(path: Path) -> ReferenceProfile | None:
    """The reference profile in this file; None where it is of another format, or no profile of ours at all."""
    try:
        document = json.loads(path.read_bytes())
        known = isinstance(document, dict) and document.get("format") == FORMAT
        return from_json(ReferenceProfile, document) if known else None
    except ValueError:
        return None


def read_importance(path: Path) -> dict[str, float]:
    """Feature -> permutation importance, as a training's result tells it; empty where the file is not ours.

    A feature whose shuffling made the model better by chance counts as none.
    """
    try:
        listed = json.loads(path.read_bytes())["importance"]
        return {str(each["feature"]): max(0.0, float(each["mean"])) for each in listed}
    except (ValueError, TypeError, KeyError):
        return {}
