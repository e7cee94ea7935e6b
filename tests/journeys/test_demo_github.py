"""The demo's button: a broken change is pushed, CI fails with a real log, GitHub's webhooks reach the bot."""

import json
import urllib.request

import pytest

from bot.demo.repository import REPOSITORY
from bot.demo.repository.tools import ACCESS_KEY
from bot.demo.run import start_demo
from bot.sandbox.slack.workspace import Workspace


@pytest.fixture
def demo(tmp_path):
    running = start_demo(tmp_path / "demo", port=0)
    yield running
    running.stop()


def press(demo, entry, headers=None):
    request = urllib.request.Request(demo.url + entry, b"", headers or {}, method="POST")
    with urllib.request.urlopen(request) as answer:
        return answer.status


def test_the_button_pushes_a_broken_change_and_the_bot_hears_of_it(demo):
    with urllib.request.urlopen(f"{demo.url}/page/workspace?as=U0ANA") as answer:
        panel = json.load(answer)["panel"]
    (button,) = [entry for entry in panel if entry["method"] == "POST"]
    assert press(demo, f"{button['url']}?kind=gitleaks") == 202
    for pushing in demo.github._pushing:
        pushing.join()
    world = demo.github.sandbox.world
    world.hooks.settled()
    (hook,) = world.store.all("hook")
    heard = world.hooks.deliveries(hook["id"])
    assert ("workflow_run", "completed") in {(one["event"], one["action"]) for one in heard}
    assert hook["config"]["url"].startswith(f"http://127.0.0.1:{demo.bot.server.port}/")
    assert {one["status_code"] for one in heard} & {502, 504} == set()
    space = Workspace(demo.url)
    report = space.wait_for_message("#ci", containing="failed on", as_=space.person("ana"), seconds=30)
    assert "Read the customers from the warehouse" in report.plain
    assert "GitHub told of it" in report.plain
    (pull,) = world.pulls()
    commented = space.wait_until(lambda: [one["body"] for one in world.comments(pull["number"])], 30)
    assert "failed on `" in commented[0]
    assert "Revoke the secret first" in report.plain
    assert "Revoke the secret first" in commented[0]
    told = [*space.messages("#ci", as_=space.person("ana")), *space.thread(report, as_=space.person("ana"))]
    assert ACCESS_KEY.encode() in world.git.read("warehouse", "churn/warehouse.py")
    assert ACCESS_KEY not in json.dumps([commented, *(one.raw for one in told)])
    space.close()
    link = next(entry["url"] for entry in panel if entry["method"] == "GET")
    with urllib.request.urlopen(demo.url + link) as answer:
        page = answer.read().decode()
        assert answer.url == f"{demo.github.url}/{REPOSITORY}"
    assert "Read the customers from the warehouse" in page


def test_a_foreign_page_cannot_press_it_and_an_unknown_kind_is_told(demo):
    for entry, headers, status in (
        ("/demo/broken-change", {"Origin": "https://evil.example"}, 403),
        ("/demo/broken-change?kind=earthquake", {}, 400),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            press(demo, entry, headers)
        refused.value.close()
        assert refused.value.code == status
    assert demo.github.sandbox.world.pulls() == []
