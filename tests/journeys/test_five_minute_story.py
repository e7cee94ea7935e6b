"""The demo's story, with nothing played: a served model, live traffic, a bot, and people who press two buttons.

Once at the wire and once in a browser; the second story goes on where the first one ended, or begins by itself.
"""

import json
import shutil
import threading
import time
import urllib.error
import urllib.request

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bot.config import Settings, prepare_environment
from bot.demo.lending import MODEL
from bot.demo.run import start_demo
from bot.demo.traffic import Pace
from bot.sandbox.slack.workspace import Workspace

# A story takes half a minute when nothing else runs on the machine, and several times that beside other tests.
pytestmark = pytest.mark.timeout(400)
# An hour in two seconds; the demo itself takes ten.
PACE = Pace(seconds_per_hour=2.0, rows_per_second=150.0, days_of_history=5)
UP, SEEN, TRAINED, SERVED, GONE = 240, 90, 120, 20, 90


class Timeline:
    """Prints what was reached, and how long after the button was pressed."""

    def __init__(self) -> None:
        self._pressed = time.monotonic()

    def reached(self, what: str) -> None:
        print(f"{self.seconds:6.1f} s  {what}")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._pressed


@pytest.fixture(scope="module")
def demo(tmp_path_factory, empty_registry):
    folder = tmp_path_factory.mktemp("demo")
    shutil.copyfile(empty_registry, folder / "mlflow.sqlite")
    prepare_environment(Settings(slack_api_url="http://127.0.0.1/api/"))
    running = start_demo(folder, port=0, pace=PACE)
    with_ready_traffic(running)
    yield running
    # In a thread of its own: the engine refuses a thread with an event loop, which Playwright leaves in ours.
    stopper = threading.Thread(target=running.stop)
    stopper.start()
    stopper.join()


@pytest.fixture
def space(demo):
    made = Workspace(demo.url)
    yield made
    made.close()


def with_ready_traffic(demo):
    deadline = time.monotonic() + UP
    while not panel(demo)["ready"]:
        assert time.monotonic() < deadline, panel(demo)["notice"]
        time.sleep(0.2)


def panel(demo):
    with urllib.request.urlopen(demo.url + "/demo/traffic") as answer:
        return json.load(answer)


def running_scenario(demo):
    return next(choice["label"] for choice in panel(demo)["choices"] if choice["chosen"])


def press(demo, scenario, headers=None):
    request = urllib.request.Request(f"{demo.url}/demo/traffic/{scenario}", b"", headers or {}, method="POST")
    with urllib.request.urlopen(request) as answer:
        return answer.status


def served_version(demo):
    url = f"{demo.live.serving.url}/v2/models/{MODEL}"
    return int(httpx.get(url, trust_env=False, timeout=10).json()["versions"][0])


def hours_pass(demo, space, hours):
    until = demo.live.clock.now().timestamp() + hours * 3600
    space.wait_until(lambda: demo.live.clock.now().timestamp() >= until, seconds=60)


def test_drift_is_seen_approved_retrained_promoted_and_gone(demo, space):
    ana = space.person("ana")
    hours_pass(demo, space, 5)
    assert space.messages("#ml", as_=ana) == []
    before = served_version(demo)
    assert press(demo, "income") == 200
    line = Timeline()
    card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", as_=ana, seconds=SEEN)
    line.reached("the card asks for a retrain")
    assert "income" in card.plain
    assert "Data drift, P0" in card.plain
    space.press(card, "Approve retrain", as_=ana)
    label = f"Promote version {before + 1}"
    promotion = space.wait_until(
        lambda: next((said for said in space.thread(card, as_=ana) if said.button(label)), None), seconds=TRAINED
    )
    line.reached("trained; its promotion is asked for")
    space.press(promotion, label, as_=ana)
    space.wait_until(lambda: served_version(demo) == before + 1, seconds=SERVED)
    line.reached(f"version {before + 1} serves")
    gone = space.wait_for_message("#ml", containing=f"Drift of {MODEL} is gone", as_=ana, seconds=GONE)
    line.reached("gone")
    assert gone.ts == card.ts
    told = [said.plain for said in space.thread(card, as_=ana)]
    assert "Gone since" in told[-1], told
    assert f"after retraining (version {before + 1})" in told[-1]
    assert line.seconds < 180


def test_what_is_no_scenario_and_a_foreign_page_change_nothing(demo):
    before = running_scenario(demo)
    for scenario, headers, status in (("earthquake", {}, 404), ("unit", {"Origin": "https://evil.example"}, 403)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            press(demo, scenario, headers)
        refused.value.close()
        assert refused.value.code == status
    assert running_scenario(demo) == before


def test_a_model_server_that_was_killed_comes_back_and_the_traffic_goes_on(demo, space):
    before = served_version(demo)
    demo.live.serving.kill()
    space.wait_until(lambda: panel(demo)["notice"] != "", seconds=20)
    space.wait_until(lambda: panel(demo)["notice"] == "" and demo.live.serving.alive, seconds=UP)
    assert served_version(demo) == before


def test_in_the_page_somebody_presses_a_scenario_approves_and_sees_another_version_serve(demo, browser: Browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
    page.goto(f"{demo.url}/?as=U0ANA#/C0ML")
    steps = page.get_by_role("region", name="Live demo")
    expect(steps).to_contain_text("an hour passes every 2 s", timeout=20_000)
    before = served_version(demo)
    expect(steps).to_contain_text(f"{MODEL} v{before}")
    label = "Concept change"  # which no model was trained on, whatever ran before
    steps.get_by_role("button", name=label).click()
    expect(steps.get_by_role("button", name=label)).to_have_attribute("aria-pressed", "true", timeout=5_000)
    card = page.locator("#main article.message").filter(has_text=f"Retrain {MODEL}?").last
    expect(card).to_contain_text("P0", timeout=SEEN * 1000)
    card.get_by_role("button", name="Approve retrain").click()
    open_thread(page)
    thread = page.locator("#thread")
    thread.get_by_role("button", name=f"Promote version {before + 1}").click(timeout=TRAINED * 1000)
    expect(steps).to_contain_text(f"{MODEL} v{before + 1}", timeout=SERVED * 1000)
    context.close()


def open_thread(page):
    message = page.locator("#main article.message").filter(has_text=MODEL).last
    message.get_by_role("button", name="repl").first.click(timeout=30_000)
