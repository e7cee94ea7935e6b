"""The published copies: models/<name>/model-YYYYMMDD_HHMMSS.pkl and metrics/<name>/metrics-YYYYMMDD_HHMMSS.json."""

import json
from pathlib import Path

from pipelines.errors import Refused
from pipelines.json_values import to_json
from pipelines.ports import Storage
from pipelines.retrain.values import Publication, Retrain


def publish(retrain: Retrain, folder: Path, storage: Storage) -> Publication:
    """Copy model and metrics out. The names come from the start of the run, so doing it again overwrites the same."""
    result, version, started = retrain.result, retrain.version, retrain.started_at
    if result is None or version is None or started is None:
        raise Refused(f"Run {retrain.run_id} has nothing to publish.")
    name, stamp = retrain.plan.model, f"{started:%Y%m%d_%H%M%S}"
    metrics = {
        "model": name, "version": version.version, "run_id": retrain.run_id, "started_at": started.isoformat(),
        "metrics": result.metrics, "champion_metrics": result.champion_metrics,
        "cross_validation": {metric: to_json(spread) for metric, spread in result.cross_validation.items()},
        "data": {"uri": retrain.plan.data, "sha256": result.data_sha256},
        "model_sha256": result.model_sha256, "approved_by": retrain.settled_by,
    }  # fmt: skip
    body = json.dumps(metrics, indent=2, sort_keys=True).encode()
    return Publication(
        model_url=storage.write(f"models/{name}/model-{stamp}.pkl", folder / result.model_file),
        model_sha256=result.model_sha256,
        metrics_url=storage.write(f"metrics/{name}/metrics-{stamp}.json", body),
    )
