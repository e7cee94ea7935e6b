"""Alertmanager's notifications: what was told, whether it is news, and which models it wants looked at.

The body is that of webhooks, version 4 (prometheus.io/docs/alerting/latest/configuration/#webhook_config). A group's
first notification may lack some of its alerts, a firing one may hold resolved alerts, and repeats are byte-identical.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from pipelines.drift.alert_rules import SPOKEN, AlertRules
from pipelines.errors import Refused
from pipelines.ports import Clock

log = logging.getLogger("pipelines.drift")

MOST_ALERTS = 10_000
MOST_LABELS = 100
LONGEST_VALUE = 4_000
LONGEST_NAME = 200
LONGEST_KEY = 8_000
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `starts_at` as Alertmanager writes it, which with `fingerprint` tells one occurrence from another."""

    firing: bool
    fingerprint: str
    starts_at: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    ends_at: str = ""
    url: str = ""

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class Notification:
    """What one POST told of one group of alerts. `truncated` alerts of it were left out by Alertmanager."""

    group_key: str
    firing: bool
    alerts: tuple[Alert, ...]
    receiver: str = ""
    external_url: str = ""
    truncated: int = 0

    @property
    def key(self) -> str:
        """The same for the same state of the same group, however often and in which order it is told."""
        parts = sorted(
            [alert.fingerprint, "firing" if alert.firing else "resolved", alert.starts_at] for alert in self.alerts
        )
        return hashlib.sha256(json.dumps([self.group_key, parts]).encode()).hexdigest()[:40]


class DriftLooks(Protocol):
    def look(self, model: str, key: str, reason: str) -> None:
        """Begin to judge the model, durably and once for this key; `reason` ends "Noticed by …"."""
        ...


class Notifications(Protocol):
    """What Alertmanager told, kept for whoever asks later."""

    def add(self, notification: Notification, at: datetime) -> bool:
        """Store it; False where a notification of this key is there already."""
        ...

    def since(self, moment: datetime) -> Sequence[Notification]:
        """What was received at `moment` or later, oldest first."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop what was received before; answers how many."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """`news` is False for a repeat; `looks` are the models that are being looked at because of it. Of the `others`
    those are `unmatched` that are about a model, by their name, and name none of the catalogue."""

    news: bool
    looks: tuple[str, ...]
    others: int
    unmatched: tuple[str, ...] = ()


class AlertDesk:
    """Stores what was told and begins the looks that it wants; nothing else happens before the answer."""

    def __init__(
        self, notifications: Notifications, looks: DriftLooks, clock: Clock, models: Mapping[str, object],
        rules: AlertRules | None = None,
    ) -> None:  # fmt: skip
        self._notifications = notifications
        self._looks = looks
        self._clock = clock
        self._models = models
        self._rules = rules or AlertRules()

    def take(self, content: bytes) -> Heard:
        """Take one notification. Raises Refused for what is none.

        A look is begun for a repeat, too: it has the id of the first, and the process may have been killed between.
        """
        notification = read_notification(content)
        news = self._notifications.add(notification, self._clock.now())
        wanted, others = self._sorted(notification)
        for model, alert in wanted.items():
            self._looks.look(model, look_key(alert), self._reason(alert))
        unmatched = [alert for alert in others if self._rules.kind(alert.name) not in (None, "ignored")]
        if news:
            _tell(notification, wanted, others)
            _tell_unmatched(unmatched, self._rules)
        return Heard(news, tuple(wanted), len(others), tuple(dict.fromkeys(alert.name for alert in unmatched)))

    def _sorted(self, notification: Notification) -> tuple[dict[str, Alert], list[Alert]]:
        """The newest firing drift alert a model; and the firing alerts that want nothing of us."""
        wanted: dict[str, Alert] = {}
        others: list[Alert] = []
        for alert in notification.alerts:
            if not alert.firing:
                continue
            kind = self._rules.kind(alert.name)
            model = self._rules.model(alert.name, alert.labels, self._models) if kind not in (None, "ignored") else None
            if model is None:
                others.append(alert)
            elif model not in wanted or _newness(alert) > _newness(wanted[model]):
                wanted[model] = alert
        return wanted, others

    def _reason(self, alert: Alert) -> str:
        said = SPOKEN.get(self._rules.kind(alert.name) or "ignored", "it is firing")
        return f"Alertmanager ({alert.name}: {said})"


def look_key(alert: Alert) -> str:
    """One look an occurrence of an alert: whichever of its group come, go or are told again beside it."""
    digest = hashlib.sha256(json.dumps([alert.fingerprint, alert.starts_at]).encode()).hexdigest()
    return f"alert:{digest[:32]}"


def _newness(alert: Alert) -> tuple[str, str]:
    return alert.starts_at, alert.fingerprint


def _tell(notification: Notification, wanted: Mapping[str, Alert], others: Sequence[Alert]) -> None:
    names = sorted({alert.name for alert in islice(others, 200)})
    log.info(
        "alertmanager: %d alerts, looking at %s; %d stored only%s%s",
        len(notification.alerts), ", ".join(sorted(wanted)) or "no model", len(others),
        f" ({', '.join(names[:5])}{' …' if len(names) > 5 else ''})" if names else "",
        f"; {notification.truncated} were left out by Alertmanager" if notification.truncated else "",
    )  # fmt: skip


def _tell_unmatched(alerts: Sequence[Alert], rules: AlertRules) -> None:
    for alert in alerts[:MOST_TOLD]:
        said = ", ".join(f"{name}={alert.labels[name][:80]}" for name in rules.labels if alert.labels.get(name))
        log.warning(
            "alertmanager: %s is about a model and names none of the catalogue (%s); `alerts.models` maps it",
            alert.name, said or "no label of a model",
        )  # fmt: skip


def read_notification(content: bytes) -> Notification:
    """The notification in a body. Raises Refused for what is none, or is larger than any that is meant.

    Names and values that are longer than anybody needs are cut; what is not text is passed over.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as mistake:
        raise Refused(f"The notification is not JSON: {str(mistake)[:200]}.") from None
    if not isinstance(document, dict) or not isinstance(document.get("alerts"), list):
        raise Refused("This is no notification of Alertmanager: it needs a list `alerts`. Its version 4 is read.")
    group_key = document.get("groupKey")
    if not isinstance(group_key, str) or not group_key:
        raise Refused("This is no notification of Alertmanager: it needs a `groupKey`.")
    members = document["alerts"]
    if len(members) > MOST_ALERTS:
        raise Refused(f"The notification holds {len(members):,} alerts, more than {MOST_ALERTS:,}. Set `max_alerts`.")
    alerts = tuple(_alerts(members))
    truncated = document.get("truncatedAlerts")
    return Notification(
        group_key=group_key[:LONGEST_KEY], firing=document.get("status") != "resolved", alerts=alerts,
        receiver=_text(document.get("receiver"), LONGEST_NAME),
        external_url=_text(document.get("externalURL"), LONGEST_VALUE),
        truncated=truncated if isinstance(truncated, int) and 0 < truncated < 2**31 else 0,
    )  # fmt: skip


def _alerts(members: Sequence[Any]) -> Iterator[Alert]:
    for place, member in enumerate(members):
        if not isinstance(member, dict) or not isinstance(member.get("labels"), dict):
            raise Refused(f"Alert {place + 1} of the notification is no object with `labels`.")
        labels = _texts(member["labels"])
        status = member.get("status")
        if status not in ("firing", "resolved"):
            raise Refused(f"Alert {place + 1} of the notification is neither firing nor resolved.")
        named = json.dumps(sorted(labels.items())).encode()
        fingerprint = _text(member.get("fingerprint"), LONGEST_NAME) or hashlib.sha256(named).hexdigest()[:16]
        yield Alert(
            firing=status == "firing", fingerprint=fingerprint, labels=labels,
            starts_at=_text(member.get("startsAt"), LONGEST_NAME), annotations=_texts(member.get("annotations")),
            ends_at=_text(member.get("endsAt"), LONGEST_NAME), url=_text(member.get("generatorURL"), LONGEST_VALUE),
        )  # fmt: skip


def _texts(mapping: Any) -> dict[str, str]:
    if not isinstance(mapping, dict):
        return {}
    pairs = islice(mapping.items(), MOST_LABELS)
    return {_text(name, LONGEST_NAME): _text(value, LONGEST_VALUE) for name, value in pairs if isinstance(value, str)}


def _text(value: Any, limit: int) -> str:
    # A lone surrogate, which JSON can spell, fits into no database.
    return value[:limit].encode(errors="replace").decode().replace("\0", "") if isinstance(value, str) else ""
