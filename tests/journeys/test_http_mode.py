"""The same bot in HTTP mode: Slack calls it, and every request is signed."""

import json

import httpx
import pytest

from bot.app import build_bot
from bot.catalogue import load_catalogue
from bot.demo.run import demo_settings

MODEL = "diabetes-progression"


@pytest.fixture
def called_bot(ship):
    """The bot, started anew in HTTP mode; the workspace knows its address."""
    ship.stop()
    settings = demo_settings(ship.folder, ship.sandbox, "").model_copy(update={"slack_mode": "http"})
    ship.bot = build_bot(settings, load_catalogue(ship.catalogue, ship.folder))
    ship.bot.start()
    address = f"http://127.0.0.1:{ship.bot.server.port}/slack/events"
    ship.sandbox.install(over_http(ship.sandbox.world.app.manifest, address))
    return address


def over_http(manifest, address):
    commands = [{**command, "url": address} for command in manifest["features"]["slash_commands"]]
    events = {**manifest["settings"]["event_subscriptions"], "request_url": address}
    interactivity = {**manifest["settings"]["interactivity"], "request_url": address}
    settings = {"event_subscriptions": events, "interactivity": interactivity, "socket_mode_enabled": False}
    return {
        **manifest,
        "features": {**manifest["features"], "slash_commands": commands},
        "settings": {**manifest["settings"], **settings},
    }


def test_the_story_is_the_same_when_slack_calls(ship, called_bot):
    space = ship.workspace
    ana, ben = space.person("ana"), space.person("ben")
    space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", seconds=30, as_=ben)
    space.press(card, "Approve", as_=ana)
    space.wait_for_message("#ml", containing="version 1 is the new champion", seconds=90, as_=ben)
    space.say("<@U0SHIPMATE> hello", as_=ben, channel="#ci")
    asked = space.messages("#ci", as_=ben)[0]
    space.wait_until(lambda: space.thread(asked, as_=ben))


def test_a_request_with_a_forged_or_old_signature_is_refused(ship, called_bot):
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    good = ship.sandbox.delivery.signed(body) | {"Content-Type": "application/json"}
    assert httpx.post(called_bot, content=body, headers=good, trust_env=False).json() == {"challenge": "abc"}
    forged = {**good, "X-Slack-Signature": "v0=" + "0" * 64}
    assert httpx.post(called_bot, content=body, headers=forged, trust_env=False).status_code == 401
    old = {**good, "X-Slack-Request-Timestamp": "1000000000"}
    assert httpx.post(called_bot, content=body, headers=old, trust_env=False).status_code == 401
    assert httpx.post(called_bot, content=body, trust_env=False).status_code == 401


def test_rubbish_and_huge_bodies_break_nothing(ship, called_bot):
    for body in (b"", b"\x00\xff" * 100, b"{" * 1_000, b"x" * 2_000_000):
        headers = ship.sandbox.delivery.signed(body.decode(errors="replace")) | {"Content-Type": "application/json"}
        assert httpx.post(called_bot, content=body, headers=headers, trust_env=False).status_code in (
            400,
            401,
            404,
            413,
        )
    space = ship.workspace
    space.type("/models", as_=space.person("vera"), channel="#ml")


def test_health_readiness_and_metrics_are_served(ship, called_bot):
    base = called_bot.removesuffix("/slack/events")
    assert httpx.get(f"{base}/health", trust_env=False).json() == {"status": "ok"}
    assert httpx.get(f"{base}/ready", trust_env=False).json() == {"ready": True, "problems": []}
    space = ship.workspace
    space.type("/models", as_=space.person("vera"), channel="#ml")
    space.wait_for_ephemeral(containing="Champion", as_=space.person("vera"), channel="#ml")
    metrics = httpx.get(f"{base}/metrics", trust_env=False).text
    assert 'shipmate_handled_total{name="/models",outcome="ok"} 1.0' in metrics
    assert "shipmate_ack_seconds_bucket" in metrics
