"""The demo's story, with nothing played: a served model, live traffic, a bot, and people who press two buttons."""

import json
import time
import urllib.request

import httpx
import pytest

from bot.config import Settings, prepare_environment
from bot.demo.lending import MODEL
from bot.demo.run import start_demo
from bot.demo.traffic import Pace
from bot.sandbox.slack.workspace import Workspace

# An hour in two seconds; the demo itself takes ten.
PACE = Pace(seconds_per_hour=2.0, rows_per_second=150.0, days_of_history=5)
UP, SEEN, TRAINED, GONE = 90, 60, 90, 60


class Timeline:
    """Prints what was reached, and how long after the button was pressed."""

    def __init__(self) -> None:
        self._pressed = time.monotonic()

    def reached(self, what: str) -> None:
        print(f"{time.monotonic() - self._pressed:6.1f} s  {what}")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._pressed


@pytest.fixture
def demo(tmp_path):
    prepare_environment(Settings(slack_api_url="http://127.0.0.1/api/"))
    running = start_demo(tmp_path / "demo", port=0, pace=PACE)
    yield running
    running.stop()


def panel(demo):
    with urllib.request.urlopen(demo.url + "/demo/traffic") as answer:
        return json.load(answer)


def press(demo, scenario):
    request = urllib.request.Request(f"{demo.url}/demo/traffic/{scenario}", b"", method="POST")
    with urllib.request.urlopen(request) as answer:
        return answer.status


def served_version(demo):
    url = f"{demo.live.serving.url}/v2/models/{MODEL}"
    return httpx.get(url, trust_env=False, timeout=10).json()["versions"][0]


def test_drift_is_seen_approved_retrained_promoted_and_gone(demo):
    space = Workspace(demo.url)
    ana = space.person("ana")
    space.wait_until(lambda: panel(demo)["ready"], seconds=UP)
    assert served_version(demo) == "1"
    assert press(demo, "income") == 200
    line = Timeline()
    card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", as_=ana, seconds=SEEN)
    line.reached("the card asks for a retrain")
    assert "income" in card.plain
    assert "P0" in card.plain
    space.press(card, "Approve retrain", as_=ana)
    line.reached("approved")

    def asked():
        return next((said for said in space.thread(card, as_=ana) if said.button("Promote version 2")), None)

    promotion = space.wait_until(asked, seconds=TRAINED)
    line.reached("trained; its promotion is asked for")
    space.press(promotion, "Promote version 2", as_=ana)
    space.wait_until(lambda: served_version(demo) == "2", seconds=20)
    line.reached("version 2 serves")
    gone = space.wait_for_message("#ml", containing=f"Drift of {MODEL} is gone", as_=ana, seconds=GONE)
    line.reached("gone")
    assert gone.ts == card.ts
    told = [said.plain for said in space.thread(card, as_=ana)]
    assert "Gone since" in told[-1], told
    assert "after retraining (version 2)" in told[-1]
    assert line.seconds < 180
    space.close()
