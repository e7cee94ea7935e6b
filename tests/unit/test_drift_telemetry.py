"""What Prometheus reads of drift, from what really happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.telemetry import Telemetry
from pipelines.drift.report import ModelDrift, report
from pipelines.drift.values import FeatureDrift, Performance, Verdict
from pipelines.drift.windows import Tally, WindowProfile
from pipelines.profiles import Categories, Numbers, Reference, ReferenceProfile, tally_numbers

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def shown(telemetry: Telemetry) -> dict[str, float]:
    lines = telemetry.exposition().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("shipmate_") and "_created" not in line)
    return {name.removeprefix("shipmate_drift_"): float(value) for name, value in pairs}


def feature(name: str, psi: float, role: Any = "feature", drifted: bool = False) -> FeatureDrift:
    return FeatureDrift(name, role, "number", psi, 0, 0, None, 0, 0, 1, 0, 0, 0, 0, 0, drifted, "moved")


def look(**given: Any) -> ModelDrift:
    verdict = Verdict("data drift", "P1", (), (), **given)
    return ModelDrift("churn", "3", timedelta(days=1), report(verdict), verdict, NOW)


def test_a_look_sets_what_was_measured_and_leaves_out_what_was_not() -> None:
    telemetry = Telemetry()
    features = (feature("a", 0.3, drifted=True), feature("b", 0.1), feature("(prediction)", 0.5, "prediction"))
    measured = Performance("accuracy", 0.9, 0.8, 100, 0.01, worse=True)
    telemetry.drift.observed(look(features=features, performance=measured))
    seen = shown(telemetry)
    assert seen['psi_max{model="churn"}'] == 0.3
    assert seen['drifted_share{model="churn"}'] == 0.5
    assert seen['prediction_psi{model="churn"}'] == 0.5
    assert seen['urgency{model="churn"}'] == 2
    assert seen['performance{metric="accuracy",model="churn"}'] == 0.8
    assert seen['performance_baseline{metric="accuracy",model="churn"}'] == 0.9
    assert seen['looks_total{model="churn",verdict="data drift"}'] == 1
    assert seen['last_look_timestamp_seconds{model="churn"}'] == NOW.timestamp()
    assert not any(name.startswith("estimated_performance{") for name in seen)
    telemetry.drift.observed(look(features=()))
    assert shown(telemetry)['psi_max{model="churn"}'] != shown(telemetry)['psi_max{model="churn"}']  # NaN


def test_sums_of_the_confidence_give_the_variance_of_any_window() -> None:
    import numpy as np

    telemetry = Telemetry()
    values = np.array([0.5, 0.7, 0.9, 1.0, 0.6])
    for part in (values[:2], values[2:]):
        tally = Tally(len(part), confidence=tally_numbers(part, (0.7,)))
        telemetry.drift.kept([WindowProfile("churn", "3", NOW, {"records:x": tally})])
    seen = shown(telemetry)
    count, total, squares = (seen[f'confidence_{part}_total{{model="churn"}}'] for part in ("values", "sum", "squares"))
    assert abs(squares / count - (total / count) ** 2 - values.var()) < 1e-12
    assert seen['records_total{model="churn",version="3"}'] == 5
    usual = Numbers((0.7,), (2, 3), 0, 0.74, 0.172)
    said = Categories({"1": 5})
    telemetry.drift.judged_by("churn", Reference("3", ReferenceProfile("churn", "r", 5, {}, said, said, usual)))
    assert abs(shown(telemetry)['confidence_reference_variance{model="churn"}'] - 0.172 / 5) < 1e-12


def test_ages_are_those_of_the_last_hour_and_never_negative() -> None:
    telemetry = Telemetry()
    telemetry.drift.aged("churn", NOW - timedelta(hours=3), NOW, 7)
    telemetry.drift.aged("ahead", NOW + timedelta(minutes=20), NOW, 0)
    telemetry.drift.aged("never", None, NOW, 0)
    seen = shown(telemetry)
    assert seen['last_window_age_seconds{model="churn"}'] == 3 * 3600
    assert seen['last_window_age_seconds{model="ahead"}'] == 0
    assert 'last_window_age_seconds{model="never"}' not in seen
    assert seen['labels_waiting{model="churn"}'] == 7
