"""Alertmanager tells of a model over HTTP, and the model is looked at."""

import base64
import json

import httpx
import pytest
from pydantic import SecretStr

SECRET = "what-alertmanager-knows"


@pytest.fixture
def door(ship):
    """A client that knows the secret."""
    ship.restart(alertmanager_secret=SecretStr(SECRET))
    base = f"http://127.0.0.1:{ship.bot.server.port}"
    headers = {"Authorization": f"Bearer {SECRET}"}
    with httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=30) as client:
        yield client


def notification(name="ModelAccuracyLow", model="tumour", **changed):
    alert = {
        "status": "firing", "labels": {"alertname": name, "model": model}, "annotations": {},
        "startsAt": "2026-11-22T14:52:04.568Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{name}-1",
    }  # fmt: skip
    return {"status": "firing", "version": "4", "groupKey": "{}:{}", "alerts": [alert | changed], "truncatedAlerts": 0}


def metric(client, line):
    return line in client.get("/metrics").text.splitlines()


def test_an_alert_is_taken_once_and_its_model_looked_at(door):
    first = door.post("/webhooks/alertmanager", json=notification())
    assert (first.status_code, first.json()) == (200, {"news": True, "looks": ["tumour"], "others": 0})
    assert door.post("/webhooks/alertmanager", json=notification()).json()["news"] is False
    other = door.post("/webhooks/alertmanager", json=notification("PodCrashLooping"))
    assert (other.status_code, other.json()["looks"]) == (200, [])
    nobody = door.post("/webhooks/alertmanager", json=notification("FeatureDrift", "nobody"))
    assert nobody.json() == {"news": True, "looks": [], "others": 1, "unmatched": ["FeatureDrift"]}
    assert metric(door, 'shipmate_alertmanager_alerts_total{outcome="unmatched"} 1.0')
    assert metric(door, 'shipmate_alertmanager_notifications_total{kind="news"} 3.0')
    assert metric(door, 'shipmate_alertmanager_notifications_total{kind="repeat"} 1.0')
    assert metric(door, 'shipmate_alertmanager_alerts_total{outcome="look"} 1.0')


def test_a_repeat_after_a_restart_is_still_a_repeat(ship, door):
    assert door.post("/webhooks/alertmanager", json=notification()).json()["news"] is True
    ship.restart()
    again = httpx.post(
        f"http://127.0.0.1:{ship.bot.server.port}/webhooks/alertmanager", json=notification(), trust_env=False,
        headers={"Authorization": f"Bearer {SECRET}"},
    )  # fmt: skip
    assert again.json() == {"news": False, "looks": ["tumour"], "others": 0}


def test_only_who_knows_the_secret_is_believed(ship, door):
    def posted(authorization):
        return door.post("/webhooks/alertmanager", json=notification(), headers={"Authorization": authorization})

    def basic(text):
        return "Basic " + base64.b64encode(text.encode()).decode()

    assert posted(basic(f"alertmanager:{SECRET}")).status_code == 200
    for wrong in ("", "Bearer", "Bearer nonsense", basic("a:b"), basic(SECRET), "Basic !!!", f"Digest {SECRET}"):
        assert posted(wrong).status_code == 401, wrong
    ship.restart(alertmanager_secret=None)
    base = f"http://127.0.0.1:{ship.bot.server.port}"
    refused = httpx.post(f"{base}/webhooks/alertmanager", json=notification(), trust_env=False)
    assert refused.status_code == 403
    assert "SHIPMATE_ALERTMANAGER_SECRET" in refused.text


def test_hostile_bodies_are_refused_in_words(door):
    for content in (b"", b"[" * 100_000, b'{"alerts": 3, "groupKey": "g"}', json.dumps([notification()]).encode()):
        answer = door.post("/webhooks/alertmanager", content=content)
        assert answer.status_code == 400
        assert "otification" in answer.json()["detail"]
    assert door.post("/webhooks/alertmanager", content=b"x" * 12_000_001).status_code == 413
    assert door.get("/webhooks/alertmanager").status_code == 405
    assert door.post("/webhooks/alertmanager", json=notification()).status_code == 200
