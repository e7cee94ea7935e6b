"""What is counted of drift, by model."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from pipelines.drift.alerts import Heard
from pipelines.drift.report import ModelDrift
from pipelines.drift.values import Urgency
from pipelines.drift.windows import WindowProfile
from pipelines.profiles import Numbers, Reference

URGENCIES: dict[Urgency | None, int] = {None: 0, "P2": 1, "P1": 2, "P0": 3}


class DriftMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._notifications = self._counter(
            "alertmanager_notifications", "Notifications of Alertmanager: news, or repeats of what was told", "kind"
        )
        self._alerts = self._counter(
            "alertmanager_alerts",
            "Firing alerts that were news: look, stored, or unmatched (no model)",
            "outcome",
        )
        self._records = self._counter("drift_records", "Inference records that were taken", "model", "version")
        self._refused = self._counter(
            "drift_records_refused", "Events, rows, labels, lines or files that could not be taken", "source"
        )
        self._incomplete = self._counter(
            "drift_records_incomplete", "Rows that were taken in part, by what they lack", "model", "what"
        )
        self._changed = self._counter(
            "drift_labels_changed", "Labels that differ from the first of their record, which counts", "model"
        )
        self._confidence = {
            part: self._counter(f"drift_confidence_{part}", f"Confidence of the records: its {meaning}", "model")
            for part, meaning in (("values", "number"), ("sum", "sum"), ("squares", "sum of squares"))
        }
        self._usual_variance = self._gauge(
            "drift_confidence_reference_variance", "Variance of the confidence in the champion's reference", "model"
        )
        self._looks = self._counter("drift_looks", "Looks at a model by what they found", "model", "verdict")
        self._psi = self._gauge("drift_psi_max", "The largest PSI of a feature at the last look", "model")
        self._share = self._gauge("drift_drifted_share", "Share of the features that drifted at the last look", "model")
        self._shift = self._gauge("drift_prediction_psi", "PSI of the predictions at the last look", "model")
        self._performance = self._gauge("drift_performance", "Performance at the last look", "model", "metric")
        self._usual = self._gauge(
            "drift_performance_baseline", "What the performance is compared with", "model", "metric"
        )
        self._estimated = self._gauge(
            "drift_estimated_performance", "Performance estimated without labels", "model", "metric"
        )
        self._urgency = self._gauge("drift_urgency", "Urgency at the last look: 0 none, 1 P2, 2 P1, 3 P0", "model")
        self._looked_at = self._gauge("drift_last_look_timestamp_seconds", "When the model was looked at last", "model")
        self._age = self._gauge(
            "drift_last_window_age_seconds", "Since the end of the last hour that holds records", "model"
        )
        self._labels_waiting = self._gauge("drift_labels_waiting", "Labels whose prediction is not known", "model")

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"shipmate_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"shipmate_{name}", meaning, labels, registry=self._registry)

    def heard(self, heard: Heard) -> None:
        self._notifications.labels("news" if heard.news else "repeat").inc()
        if heard.news:
            self._alerts.labels("look").inc(len(heard.looks))
            self._alerts.labels("stored").inc(heard.others)
            self._alerts.labels("unmatched").inc(len(heard.unmatched))

    def kept(self, windows: Sequence[WindowProfile]) -> None:
        for window in windows:
            total = window.total
            self._records.labels(window.model, window.version).inc(total.rows)
            if total.confidence is not None:
                self._sure(window.model, total.confidence)

    def refused(self, source: str, count: int) -> None:
        """`source` is "http", "files" or "labels"."""
        self._refused.labels(source).inc(count)

    def incomplete(self, model: str, gaps: Mapping[str, int]) -> None:
        for what, count in gaps.items():
            self._incomplete.labels(model, what).inc(count)

    def changed(self, model: str, labels: int) -> None:
        self._changed.labels(model).inc(labels)

    def _sure(self, model: str, seen: Numbers) -> None:
        """Sums, from which Prometheus makes the variance of any window."""
        count = seen.count
        self._confidence["values"].labels(model).inc(count)
        self._confidence["sum"].labels(model).inc(max(0.0, seen.mean * count))
        self._confidence["squares"].labels(model).inc(seen.squares + count * seen.mean * seen.mean)

    def observed(self, drift: ModelDrift) -> None:
        """What the last look found; what it could not measure is NaN."""
        model, verdict = drift.model, drift.verdict
        features = [feature for feature in verdict.features if feature.role == "feature"]
        said = [feature.psi for feature in verdict.features if feature.role == "prediction"]
        drifted = sum(feature.drifted for feature in features)
        self._looks.labels(model, verdict.kind).inc()
        self._psi.labels(model).set(max((feature.psi for feature in features), default=float("nan")))
        self._share.labels(model).set(drifted / len(features) if features else float("nan"))
        self._shift.labels(model).set(max(said, default=float("nan")))
        self._urgency.labels(model).set(URGENCIES[verdict.urgency])
        self._looked_at.labels(model).set(drift.until.timestamp())
        if verdict.performance is not None:
            self._performance.labels(model, verdict.performance.metric).set(verdict.performance.now)
            self._usual.labels(model, verdict.performance.metric).set(verdict.performance.before)
        if verdict.estimated is not None:
            self._estimated.labels(model, verdict.estimated.metric).set(verdict.estimated.now)

    def aged(self, model: str, last: datetime | None, now: datetime, waiting: int) -> None:
        """What changes without a look. `last` is the end of the last hour with records."""
        if last is not None:
            self._age.labels(model).set(max(0.0, (now - last).total_seconds()))
        self._labels_waiting.labels(model).set(waiting)

    def judged_by(self, model: str, reference: Reference) -> None:
        """What the confidence varies by usually."""
        usual = reference.profile.confidence
        if usual is not None and usual.count:
            self._usual_variance.labels(model).set(usual.squares / usual.count)
