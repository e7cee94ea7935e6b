"""Which alerts say something of a model, and of which: by what people call alerts and labels in practice.

Labels: Kubernetes and Knative (knative.dev, "Metrics reference"), KServe's pods and kube-state-metrics, Seldon's
executor, and what rules for Evidently, NannyML and exporters of one's own say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

AlertKind = Literal["performance", "prediction shift", "confidence", "data drift", "no records", "ignored"]
SPOKEN: Mapping[AlertKind, str] = {
    "performance": "its performance is below the threshold",
    "prediction shift": "its predictions have shifted",
    "confidence": "its confidence varies more than usual",
    "data drift": "its inputs have moved",
    "no records": "no inference records come in",
}
# Labels that name a model and nothing else, in the order in which they are believed.
OWN_LABELS = (
    "model", "model_name", "modelname", "model_id", "ml_model", "ml_model_name", "inferenceservice",
    "inferenceservice_name", "isvc", "isvc_name", "serving_kserve_io_inferenceservice",
    "label_serving_kserve_io_inferenceservice", "seldon_deployment", "seldon_deployment_name", "seldon_deployment_id",
    "model_deployment",
)  # fmt: skip
# Labels of what serves it, which may be anything else as well.
PLACE_LABELS = (
    "deployment_name", "service_name", "configuration_name", "revision_name", "deployment", "service", "app",
    "app_kubernetes_io_name", "app_kubernetes_io_instance", "label_app", "container", "job", "pod",
)  # fmt: skip
MODEL_LABELS = OWN_LABELS + PLACE_LABELS
# What serving and Kubernetes put behind a name: replica sets and pods, revisions, parts of a service, and habits.
_BEHIND = re.compile(
    r"-(?:[0-9a-f]{6,10}-[a-z0-9]{5}|(?=[a-z]*\d)[a-z0-9]{4,10}-[a-z0-9]{5}|\d{1,5}|v\d+|predictor|transformer|explainer|default"
    r"|deployment|service|svc|server|serving|inference|api|model|prod|production|canary)$"
)
_BEFORE = re.compile(r"^(?:ml|model|isvc|predictor)-")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_METRICS = frozenset(
    {"accuracy", "precision", "recall", "f", "f1", "auc", "roc", "rocauc", "auroc", "rmse", "mae", "mse"}
)
_MOVES = frozenset({"shift", "shifted", "drift", "drifted", "skew", "distribution"})
_WORSE = frozenset({"performance", "degradation", "degraded", "decay", "decayed"})
# What else drifts.
_OTHER_DRIFT = frozenset({"clock", "time", "ntp", "config", "configuration", "terraform", "infrastructure", "argo"})
MOST_TRIES = 8


@dataclass(frozen=True, slots=True)
class AlertRules:
    """`kinds` by the name of an alert; alerts that it does not name are known by the words in their name. `models` by
    what a label says, where that is no name of the catalogue."""

    kinds: Mapping[str, AlertKind] = field(default_factory=dict)
    labels: tuple[str, ...] = MODEL_LABELS
    models: Mapping[str, str] = field(default_factory=dict)

    def kind(self, name: str) -> AlertKind | None:
        """What an alert of this name says of a model; None for one that is not about drift."""
        return self.kinds[name] if name in self.kinds else usual_kind(name)

    def model(self, name: str, labels: Mapping[str, str], models: Mapping[str, object]) -> str | None:
        """The model of the catalogue that an alert is about: one that its labels name.

        Where no label says which model it is, the one that the alert's own name holds, or the only one there is.
        """
        for label in self.labels:
            found = self._named(labels.get(label, ""), models)
            if found is not None:
                return found
        if any(labels.get(label) for label in OWN_LABELS):
            return None
        return _spoken_of(name, models) or (next(iter(models)) if len(models) == 1 else None)

    def _named(self, value: str, models: Mapping[str, object]) -> str | None:
        if not value:
            return None
        if value in self.models:
            return self.models[value]
        return next((name for name in _spellings(value) if name in models), None)


def _spellings(value: str) -> Iterator[str]:
    """The name as it is, without namespace, MLflow's scheme or version, and without what serving puts around it."""
    name = value.strip().lower().removeprefix("models:/").partition("@")[0]
    parts = [part for part in name.split("/") if part and not part.isdecimal()]
    name = (parts[-1] if parts else "").replace("_", "-").replace(" ", "-")
    for _ in range(MOST_TRIES):
        yield name
        yield _BEFORE.sub("", name)
        shorter = _BEHIND.sub("", name)
        if shorter == name:
            return
        name = shorter


def _spoken_of(alert: str, models: Mapping[str, object]) -> str | None:
    """The longest name of a model whose words stand in the alert's name, one after the other."""
    words = _words(alert)
    found = [name for name in models if _holds(words, name.split("-"))]
    return max(found, key=len, default=None)


def _holds(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(list(wanted) == list(words[start : start + len(wanted)]) for start in range(len(words)))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def usual_kind(name: str) -> AlertKind | None:
    """By the words of the name: ModelAccuracyLow, prediction_shift, ConfidenceVarianceHigh, FeatureDrift."""
    words = set(_words(name))
    if words & {"prediction", "predictions", "output"} and words & _MOVES:
        return "prediction shift"
    if "confidence" in words:
        return "confidence"
    if words & _METRICS - {"f"} or {"f", "1"} <= words or ("model" in words and words & _WORSE):
        return "performance"
    if words & {"drift", "drifted", "psi"} and not words & _OTHER_DRIFT:
        return "data drift"
    return "no records" if {"no", "records"} <= words else None
