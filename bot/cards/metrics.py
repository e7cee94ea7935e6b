"""Metrics as people read them."""

from collections.abc import Mapping, Sequence

from pipelines.retrain.values import LOWER_IS_BETTER, GateVerdict, TrainingResult

NAMES = {
    "mse": "MSE", "rmse": "RMSE", "mae": "MAE", "r2": "R²", "accuracy": "Accuracy", "precision": "Precision",
    "recall": "Recall", "f1": "F1", "roc_auc": "ROC AUC", "log_loss": "Log loss",
}  # fmt: skip


def metric_name(metric: str) -> str:
    return NAMES.get(metric, metric)


def number(value: float) -> str:
    """Four significant digits, without an exponent for the usual sizes."""
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def in_short(metrics: Mapping[str, float], first: str, most: int = 3) -> str:
    """The metric that decides, then a few others."""
    names = [first, *(name for name in metrics if name != first)]
    return " · ".join(f"{metric_name(name)} {number(metrics[name])}" for name in names if name in metrics)[: most * 40]


def change(metric: str, ours: float, theirs: float) -> str:
    """An arrow that points up when it became better."""
    if ours == theirs:
        return "="
    better = (ours < theirs) == (metric in LOWER_IS_BETTER)
    return f"{'▲' if better else '▼'} {number(abs(ours - theirs))}"


def comparison(result: TrainingResult, verdict: GateVerdict | None) -> Sequence[Sequence[str]]:
    """Rows for a table: metric, challenger, champion on the same rows, change, five-fold spread, gate."""
    champion = result.champion_metrics
    rows = [["Metric", "Challenger", *(["Champion", "Change"] if champion else []), "Cross-validation", "Gate"]]
    for metric, value in result.metrics.items():
        spread = result.cross_validation.get(metric)
        theirs = _against(metric, value, champion)
        folds = f"{number(spread.mean)} ± {number(spread.deviation)}" if spread else ""
        rows.append([metric_name(metric), number(value), *theirs, folds, _gate(metric, verdict)])
    return rows


def _against(metric: str, value: float, champion: Mapping[str, float] | None) -> list[str]:
    if champion is None:
        return []
    if metric not in champion:
        return ["", ""]
    return [number(champion[metric]), change(metric, value, champion[metric])]


def _gate(metric: str, verdict: GateVerdict | None) -> str:
    checks = [check for check in verdict.checks if check.metric == metric] if verdict else []
    if not checks:
        return ""
    return " ".join(
        f"{'✓' if check.passed else '✗'} {'≤' if check.lower_is_better else '≥'} {number(check.limit)}"
        for check in checks
    )
