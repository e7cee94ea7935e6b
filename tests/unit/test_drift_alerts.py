"""What Alertmanager's notifications become."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.clients.clock import SystemClock
from bot.clients.ledger import Ledger
from pipelines.drift.alert_rules import MODEL_LABELS, AlertRules, usual_kind
from pipelines.drift.alerts import MOST_ALERTS, AlertDesk, look_key, read_notification
from pipelines.errors import Refused

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Looks:
    """Durable work under its id: a second start of the same changes nothing."""

    def __init__(self) -> None:
        self.begun: dict[str, tuple[str, str]] = {}

    def look(self, model: str, key: str, reason: str) -> None:
        self.begun.setdefault(key, (model, reason))

    @property
    def models(self) -> list[str]:
        return [model for model, _ in self.begun.values()]


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", SystemClock())
    yield made
    made.close()


@pytest.fixture
def desk(ledger, looks):
    rules = AlertRules({"ChurnScore": "performance", "ModelAccuracyMuted": "ignored"})
    return AlertDesk(ledger.notifications, looks, SystemClock(), {"churn": 1, "fraud": 1}, rules)


def alert(name: str = "ModelAccuracyLow", model: str = "churn", **changed: Any) -> dict[str, Any]:
    labels = {"alertname": name, "model": model, "severity": "critical"} | changed.pop("labels", {})
    return {
        "status": "firing", "labels": labels, "annotations": {"summary": "accuracy 0.61"},
        "startsAt": "2026-11-22T14:52:04.568Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://vm/graph",
        "fingerprint": f"{name}-{model}",
    } | changed  # fmt: skip


def body(*alerts: Any, **changed: Any) -> bytes:
    return json.dumps({
        "receiver": "shipmate", "status": "firing", "alerts": list(alerts), "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://vm:9093", "version": "4", "groupKey": '{}:{model="churn"}',
        "truncatedAlerts": 0,
    } | changed).encode()  # fmt: skip


def test_an_alert_on_a_model_has_it_looked_at(desk, looks) -> None:
    heard = desk.take(body(alert()))
    assert (heard.news, heard.looks, heard.others) == (True, ("churn",), 0)
    [(model, reason)] = looks.begun.values()
    assert model == "churn"
    assert reason == "Alertmanager (ModelAccuracyLow: its performance is below the threshold)"


def test_the_same_notification_again_is_one(desk, looks, ledger) -> None:
    told = body(alert(), alert("PredictionShift"))
    turned = body(alert("PredictionShift"), alert())
    assert [desk.take(each).news for each in (told, told, turned)] == [True, False, False]
    assert looks.models == ["churn"]
    assert len(ledger.notifications.since(LONG_AGO)) == 1


def test_a_look_that_was_lost_between_storing_and_beginning_is_begun_by_the_repeat(desk, looks, monkeypatch) -> None:
    class Killed(BaseException):
        pass

    def killed(model: str, key: str, reason: str) -> None:
        raise Killed

    monkeypatch.setattr(looks, "look", killed)
    with pytest.raises(Killed):
        desk.take(body(alert()))
    monkeypatch.undo()
    assert desk.take(body(alert())).news is False
    assert looks.models == ["churn"]


def test_a_group_that_grows_and_shrinks_is_looked_at_once_for_each_new_alert(desk, looks) -> None:
    early, late = alert(), alert("PredictionShift", startsAt="2026-11-22T15:00:00Z")
    gone = early | {"status": "resolved", "endsAt": "2026-11-22T16:00:00Z"}
    desk.take(body(early))
    desk.take(body(early, late))
    desk.take(body(gone, late))
    assert looks.models == ["churn", "churn"]
    again = early | {"startsAt": "2026-11-23T01:00:00Z"}
    desk.take(body(again, late))
    assert looks.models == ["churn"] * 3


def test_resolved_alerts_inside_a_firing_notification_want_nothing(desk, looks) -> None:
    gone = alert(status="resolved", endsAt="2026-11-22T16:00:00Z")
    heard = desk.take(body(gone, alert("PredictionShift", "fraud")))
    assert (heard.looks, looks.models) == (("fraud",), ["fraud"])
    assert desk.take(body(gone, status="resolved")).looks == ()


def test_alerts_of_unknown_models_or_about_other_things_are_kept_and_told_in_one_line(
    desk, looks, ledger, caplog
) -> None:
    caplog.set_level("INFO", "pipelines.drift")
    heard = desk.take(
        body(alert(model="nobody"), alert("PodCrashLooping"), alert("ModelAccuracyMuted"), truncatedAlerts=7)
    )
    assert (heard.looks, heard.others, looks.models) == ((), 3, [])
    [kept] = ledger.notifications.since(LONG_AGO)
    assert [one.name for one in kept.alerts] == ["ModelAccuracyLow", "PodCrashLooping", "ModelAccuracyMuted"]
    assert (kept.alerts[0].annotations["summary"], kept.truncated) == ("accuracy 0.61", 7)
    line, warning = (record.getMessage() for record in caplog.records)
    assert "ModelAccuracyLow" in warning
    assert "3 stored only (ModelAccuracyLow, ModelAccuracyMuted, PodCrashLooping)" in line
    assert "7 were left out" in line


@pytest.mark.parametrize(
    "labels",
    [
        {"model": "churn"}, {"model_name": "Churn"}, {"inferenceservice": "churn"},
        {"inferenceservice_name": "churn-predictor-default"}, {"serving_kserve_io_inferenceservice": "churn"},
        {"model": "sentiment-v2", "inferenceservice": "churn-predictor"},
    ],
)  # fmt: skip
def test_any_of_the_usual_labels_names_the_model(desk, looks, labels) -> None:
    told = alert()
    told["labels"] = {"alertname": "PredictionShift", **labels}
    assert desk.take(body(told)).looks == ("churn",)


# As rules of exporters, Evidently, KServe, Seldon, Knative and kube-state-metrics have them.
NAMED = [
    ("DataDriftDetected", {"model_id": "models:/churn/7"}, "churn"),
    ("ModelAccuracyDrop", {"model_name": "churn@champion", "job": "fraud-api"}, "churn"),
    ("FeatureDrift", {"namespace": "ml", "deployment": "fraud-serving"}, "fraud"),
    ("PredictionDistributionShift", {"service_name": "churn-predictor-00012", "namespace_name": "ml"}, "churn"),
    ("ModelPerformanceDegradation", {"revision_name": "churn-predictor-default-00003"}, "churn"),
    ("MLModelDegradation", {"pod": "fraud-v2-7d9f8b6c5d-x2x7k"}, "fraud"),
    ("ModelDecay", {"pod": "churn-predictor-00012-deployment-6f7c9d8b5-abcde"}, "churn"),
    ("DriftScoreHigh", {"deployment_name": "ml/churn_model"}, "churn"),
    ("DriftScoreHigh", {"label_serving_kserve_io_inferenceservice": "CHURN"}, "churn"),
    ("DriftScoreHigh", {"seldon_deployment": "model-fraud", "service": "prometheus"}, "fraud"),
    ("LowFraudRecall", {"severity": "critical"}, "fraud"),
    ("ChurnPredictionShift", {"job": "exporter"}, "churn"),
    ("DataDriftDetected", {"model": "lifetime-value-eu"}, "churn"),  # the catalogue says so
    ("LowFraudRecall", {"model": "another"}, None),
    ("DataDriftDetected", {"job": "evidently", "instance": "evidently:8085"}, None),
    ("DataDriftDetected", {"app": "fraud-model-score"}, None),
    ("DataDriftDetected", {}, None),
    ("FraudPodCrashLooping", {"deployment": "fraud"}, None),
]


@pytest.mark.parametrize(("name", "labels", "model"), NAMED)
def test_the_model_is_found_by_whatever_names_it(ledger, looks, caplog, name, labels, model) -> None:
    rules = AlertRules(models={"lifetime-value-eu": "churn"})
    desk = AlertDesk(ledger.notifications, looks, SystemClock(), {"churn": 1, "fraud": 1}, rules)
    told = alert(name)
    told["labels"] = {"alertname": name, **labels}
    heard = desk.take(body(told))
    assert heard.looks == ((model,) if model else ())
    about = usual_kind(name) is not None
    assert heard.unmatched == ((name,) if about and not model else ())
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert ["alerts.models" in line and name in line for line in warned] == [True] * len(heard.unmatched)


def test_the_only_model_of_the_catalogue_is_meant_where_nothing_says_otherwise(ledger, looks) -> None:
    desk = AlertDesk(ledger.notifications, looks, SystemClock(), {"churn": 1})
    unnamed, other = alert("DataDriftDetected"), alert("ModelAccuracyLow", "credit")
    unnamed["labels"] = {"alertname": "DataDriftDetected", "job": "evidently"}
    heard = desk.take(body(unnamed, other, alert("TargetDown")))
    assert (heard.looks, heard.others, heard.unmatched) == (("churn",), 2, ("ModelAccuracyLow",))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConfigDrift", None), ("ModelDegraded", "performance"), ("SevereDriftDetected", "data drift"),
        ("ModelAccuracyLow", "performance"), ("model_accuracy_below_threshold", "performance"),
        ("F1BelowThreshold", "performance"), ("ModelROCAUCLow", "performance"), ("PredictionShift", "prediction shift"),
        ("prediction-distribution-changed", "prediction shift"), ("ConfidenceVarianceHigh", "confidence"),
        ("FeatureDrift", "data drift"), ("ShipmateNoRecords", "no records"), ("ModelErrorRateHigh", None),
        ("PodCrashLooping", None), ("KubePodNotReady", None), ("PredictionLatencyHigh", None), ("", None),
        ("ClockSkewDetected", None), ("NodeClockDrift", None),
    ],
)  # fmt: skip
def test_alerts_are_known_by_the_words_in_their_names(name, kind) -> None:
    assert usual_kind(name) == kind


def test_the_catalogue_says_what_the_words_do_not() -> None:
    rules = AlertRules({"ChurnScore": "performance", "FeatureDrift": "ignored"}, MODEL_LABELS)
    assert [rules.kind(name) for name in ("ChurnScore", "FeatureDrift", "DataDrift")] == [
        "performance", "ignored", "data drift",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no json", b"\xff\xfe", b"[]", b"[" * 200_000, b'{"alerts": []}', b'{"alerts": {}, "groupKey": "g"}',
        b'{"alerts": [], "groupKey": ""}', b'{"alerts": [], "groupKey": 7}', body(1), body({"status": "firing"}),
        body(alert(status="maybe")), body(alert(status=None)), body({"status": "firing", "labels": "x"}),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_refused_and_not_stored(desk, ledger, content) -> None:
    with pytest.raises(Refused):
        desk.take(content)
    assert ledger.notifications.since(LONG_AGO) == []


def test_values_of_the_wrong_type_beside_the_ones_that_matter_are_passed_over(desk, ledger) -> None:
    odd = alert(
        annotations=[1], startsAt=3, endsAt=None, generatorURL={"a": 1}, fingerprint=None,
        labels={"n": 7, "deep": {"a": [1]}, "long": "x" * 100_000, "lone": "\ud800", "nul": "a\0b"},
    )  # fmt: skip
    assert desk.take(body(odd, truncatedAlerts="many", receiver=5, externalURL=None)).looks == ("churn",)
    [kept] = ledger.notifications.since(LONG_AGO)
    assert kept.alerts[0].fingerprint
    assert len(kept.alerts[0].labels["long"]) == 4_000
    assert "n" not in kept.alerts[0].labels


def test_ten_thousand_alerts_are_taken_in_bounded_time_and_more_are_refused(desk, looks) -> None:
    many = [
        alert(f"ModelAccuracyLow{number}", ("churn", "fraud", "other")[number % 3]) for number in range(MOST_ALERTS)
    ]
    content = body(*many)
    started = time.process_time()
    heard = desk.take(content)
    assert time.process_time() - started < 20
    assert sorted(heard.looks) == ["churn", "fraud"]
    assert heard.others == MOST_ALERTS // 3
    with pytest.raises(Refused, match="more than 10,000"):
        desk.take(body(*many, alert()))


def test_what_is_old_is_forgotten(ledger) -> None:
    now = datetime.now(UTC)
    ledger.notifications.add(read_notification(body(alert())), now - timedelta(days=50))
    ledger.notifications.add(read_notification(body(alert("PredictionShift"))), now)
    assert ledger.notifications.forget(now - timedelta(days=45)) == 1
    assert len(ledger.notifications.since(LONG_AGO)) == 1


def test_each_occurrence_of_an_alert_has_a_look_of_its_own() -> None:
    [one, other] = (read_notification(body(alert(startsAt=at))).alerts[0] for at in ("2026-01-01", "2026-01-02"))
    assert look_key(one) != look_key(other)


RECORDED = (
    "firing-first-1-alert", "firing-grouped-3-alerts", "firing-mixed-2-resolved-1-firing", "firing-repeat-3-alerts",
    "firing-resent-after-500", "resolved-1-alert",
)  # fmt: skip


def test_every_recorded_body_is_taken_and_repeats_are_seen_as_such(desk, shipmate_data) -> None:
    bodies = {file.stem: file.read_bytes() for file in sorted((shipmate_data / "alertmanager").glob("*.json"))}
    assert set(RECORDED) <= set(bodies)
    news = {name: desk.take(bodies[name]).news for name in RECORDED}
    assert [name for name, new in news.items() if not new] == ["firing-repeat-3-alerts", "firing-resent-after-500"]
    for name, content in bodies.items():
        desk.take(content)
        assert not desk.take(content).news, f"{name} is known by now"
