"""The published copies: models/<name>/model-YYYYMMDD_HHMMSS.pkl and metrics/<name>/metrics-YYYYMMDD_HHMMSS.json.

The newest copy of a model is that of its champion. The moment is that at which a run began, or at which a promotion
was approved, so that doing it again overwrites the same.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.errors import Refused
from pipelines.json_values import to_json
from pipelines.ports import Storage
from pipelines.retrain.promotion import Promotion
from pipelines.retrain.values import ModelVersion, Publication, Retrain


def publish(retrain: Retrain, folder: Path, storage: Storage) -> Publication:
    """Copy model and metrics of a run out."""
    result, started = retrain.result, retrain.started_at
    if result is None or retrain.version is None or started is None:
        raise Refused(f"Run {retrain.run_id} has nothing to publish.")
    metrics = {**_of_run(retrain), "version": retrain.version.version, "approved_by": retrain.settled_by}
    return _written(retrain.plan.model, started, folder / result.model_file, result.model_sha256, metrics, storage)


def publish_version(
    promotion: Promotion, version: ModelVersion, made_by: Retrain | None, model: Path, storage: Storage
) -> Publication:
    """Copy a registered version out; `made_by` is the run that made it, where it is still known."""
    plan, approved_at = promotion.plan, promotion.settled_at
    if approved_at is None:
        raise Refused(f"Version {plan.version} of {plan.model} was not approved; nothing was published.")
    known = _of_run(made_by) if made_by is not None and made_by.result is not None else {}
    metrics = {
        "model": plan.model, "run_id": version.run_id, "metrics": version.metrics, **known,
        "version": plan.version, "model_sha256": plan.sha256, "approved_by": promotion.settled_by,
        "approved_at": approved_at.isoformat(), "in_place_of": plan.champion_version,
    }  # fmt: skip
    return _written(plan.model, approved_at, model, plan.sha256, metrics, storage)


def copy_names(model: str, moment: datetime) -> tuple[str, str]:
    """Where the copies of this moment lie: the model, its metrics."""
    stamp = f"{moment:%Y%m%d_%H%M%S}"
    return f"models/{model}/model-{stamp}.pkl", f"metrics/{model}/metrics-{stamp}.json"


def take_back(names: Sequence[str], storage: Storage) -> None:
    for name in names:
        storage.remove(name)


def _of_run(retrain: Retrain) -> dict[str, Any]:
    result, started = retrain.result, retrain.started_at
    if result is None:
        return {}
    return {
        "model": retrain.plan.model, "run_id": retrain.run_id, "started_at": started.isoformat() if started else None,
        "metrics": result.metrics, "champion_metrics": result.champion_metrics,
        "cross_validation": {metric: to_json(spread) for metric, spread in result.cross_validation.items()},
        "data": {"uri": retrain.plan.data, "sha256": result.data_sha256}, "model_sha256": result.model_sha256,
    }  # fmt: skip


def _written(
    name: str, moment: datetime, model: Path, sha256: str, metrics: dict[str, Any], storage: Storage
) -> Publication:
    model_name, metrics_name = copy_names(name, moment)
    body = json.dumps(metrics, indent=2, sort_keys=True).encode()
    return Publication(
        model_url=storage.write(model_name, model), model_sha256=sha256, metrics_url=storage.write(metrics_name, body)
    )
