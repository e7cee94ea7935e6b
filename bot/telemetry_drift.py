"""What is counted of drift, by model."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from pipelines.drift.alerts import Heard


class DriftMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._notifications = self._counter(
            "alertmanager_notifications", "Notifications of Alertmanager: news, or repeats of what was told", "kind"
        )
        self._alerts = self._counter(
            "alertmanager_alerts", "Firing alerts that were news: one look a model, or only stored", "outcome"
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"shipmate_{name}", meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"shipmate_{name}", meaning, labels, registry=self._registry)

    def heard(self, heard: Heard) -> None:
        self._notifications.labels("news" if heard.news else "repeat").inc()
        if heard.news:
            self._alerts.labels("look").inc(len(heard.looks))
            self._alerts.labels("stored").inc(heard.others)
