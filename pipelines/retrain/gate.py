"""Is the challenger good enough? Thresholds of the catalogue, then the champion on the same test rows."""

import math
from typing import Literal

from pipelines.errors import Refused
from pipelines.retrain.values import LOWER_IS_BETTER, GateCheck, GateRule, GateVerdict, Problem, TrainingResult

METRICS: dict[Problem, tuple[str, ...]] = {
    "regression": ("mse", "rmse", "mae", "r2"),
    "classification": ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"),
}
KNOWN_METRICS = frozenset(metric for metrics in METRICS.values() for metric in metrics)

# The same fit on another number of cores adds floats in another order: that is not "worse".
ROUNDING = 1e-9


def judge(rule: GateRule, result: TrainingResult) -> GateVerdict:
    """Hold `result` against `rule`. Raises Refused for a metric that nobody measures.

    A metric that is missing or not a number fails. Without a champion there is nothing to be worse than.
    """
    _check_known(rule)
    checks = [_against_threshold(metric, limit, result) for metric, limit in rule.thresholds.items()]
    if rule.not_worse_than_champion and result.champion_metrics is not None:
        checks.append(_against_champion(rule, result, result.champion_metrics))
    failed = [check for check in checks if not check.passed]
    reason = "; ".join(map(_failure, failed)) if failed else _success(rule, result, checks)
    return GateVerdict(not failed, tuple(checks), f"{reason[:1].upper()}{reason[1:]}.")


def champion_limit(metric: str, champion: float, tolerance: float) -> float:
    """The worst value that still counts as "not worse": relative to the champion's size, whatever its sign."""
    slack = tolerance * abs(champion)
    return champion + slack if metric in LOWER_IS_BETTER else champion - slack


def _check_known(rule: GateRule) -> None:
    unknown = sorted({rule.metric, *rule.thresholds} - KNOWN_METRICS)
    if unknown:
        raise Refused(
            f"The gate asks for `{unknown[0]}`, which nobody measures. "
            f"Write one of {', '.join(sorted(KNOWN_METRICS))} under `gate` in the catalogue."
        )


def _against_threshold(metric: str, limit: float, result: TrainingResult) -> GateCheck:
    return _check(metric, result.metrics.get(metric, math.nan), limit, "threshold")


def _against_champion(rule: GateRule, result: TrainingResult, champion: dict[str, float]) -> GateCheck:
    value = result.metrics.get(rule.metric, math.nan)
    limit = champion_limit(rule.metric, champion.get(rule.metric, math.nan), rule.tolerance)
    return _check(rule.metric, value, limit, "champion")


def _check(metric: str, value: float, limit: float, against: Literal["threshold", "champion"]) -> GateCheck:
    lower = metric in LOWER_IS_BETTER
    rounding = ROUNDING * max(1.0, abs(limit))
    # A comparison with NaN is false, so what could not be measured fails.
    passed = value <= limit + rounding if lower else value >= limit - rounding
    return GateCheck(metric, value, limit, passed, against, lower)


def _failure(check: GateCheck) -> str:
    if math.isnan(check.limit) and check.against == "champion":
        return (
            f"the champion's {check.metric} could not be measured on the same test rows "
            "(`not_worse_than_champion: false` under `gate` in the catalogue lets a new model through)"
        )
    if math.isnan(check.value):
        return f"{check.metric} was not measured"
    side = ("at most" if check.lower_is_better else "at least") + f" {check.limit:.4g}"
    asked = f"{side} is asked for" if check.against == "threshold" else f"the champion asks for {side}"
    return f"{check.metric} is {check.value:.4g}, {asked}"


def _success(rule: GateRule, result: TrainingResult, checks: list[GateCheck]) -> str:
    if not checks:
        return "nothing to hold it against: no thresholds, and no champion to compare with"
    parts = []
    if rule.thresholds:
        count = len(rule.thresholds)
        parts.append("the threshold is met" if count == 1 else f"all {count} thresholds are met")
    last = checks[-1]
    if last.against == "champion":
        champion = (result.champion_metrics or {})[last.metric]
        parts.append(f"not worse than the champion ({last.metric} {last.value:.4g} against {champion:.4g})")
    elif rule.not_worse_than_champion:
        parts.append("there is no champion yet")
    return ", and ".join(parts)
