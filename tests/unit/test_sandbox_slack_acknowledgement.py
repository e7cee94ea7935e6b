"""Three seconds to acknowledge, trigger ids, response urls: the sandbox is as strict with Bolt as Slack is."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Seen, Someone, Workspace

# Where an ack or a trigger id is to be in time, a busy machine gets all the time that it may need.
PATIENT_SECONDS, SHORT_SECONDS = 60.0, 0.5
MANIFEST = {
    "features": {
        "slash_commands": [{"command": f"/{name}"} for name in ("answer", "blocks", "late", "silent", "open", "store")]
    }
}
FIELD = {"type": "input", "block_id": "name", "label": {"type": "plain_text", "text": "Name"},
         "element": {"type": "plain_text_input", "action_id": "name"}}  # fmt: skip


def form(title: str, callback_id: str = "form") -> dict[str, Any]:
    return {"type": "modal", "callback_id": callback_id, "title": {"type": "plain_text", "text": title},
            "submit": {"type": "plain_text", "text": "Send"}, "blocks": [FIELD]}  # fmt: skip


def buttons(*labels: str) -> list[dict[str, Any]]:
    elements = [
        {"type": "button", "action_id": label.lower(), "text": {"type": "plain_text", "text": label}}
        for label in labels
    ]
    return [{"type": "actions", "block_id": "acts", "elements": elements}]


@dataclass
class Ship:
    """A workspace, an app in it, and what the app was handed last."""

    sandbox: SlackSandbox
    workspace: Workspace
    web: WebClient
    handed: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: threading.Event = field(default_factory=threading.Event)  # that the app did not respond
    late: threading.Event = field(default_factory=threading.Event)

    @property
    def ben(self) -> Someone:
        return self.workspace.person("ben")

    def card(self, *labels: str) -> Seen:
        """A fresh message with buttons."""
        posted = self.web.chat_postMessage(channel="C0ML", text="card", blocks=buttons(*labels))
        return next(seen for seen in self.workspace.messages("#ml", as_=self.ben) if seen.ts == posted["ts"])

    @contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        """The time to acknowledge and to use a trigger id is over soon."""
        delivery = self.sandbox.delivery
        delivery.ack_seconds = delivery.triggers.seconds = SHORT_SECONDS
        try:
            yield
        finally:
            delivery.ack_seconds = delivery.triggers.seconds = PATIENT_SECONDS

    def ephemeral(self, text: str) -> bool:
        seen = self.workspace.ephemerals(as_=self.ben, channel="#ml")
        return any(text in one.plain for one in seen)


@pytest.fixture(scope="module")
def ship(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ship]:
    path = tmp_path_factory.mktemp("slack") / "slack.sqlite"
    sandbox = SlackSandbox(path, app=MANIFEST, ack_seconds=PATIENT_SECONDS)
    sandbox.start()
    web = WebClient(sandbox.bot_token, base_url=sandbox.api_url)
    ship = Ship(sandbox, Workspace(sandbox.url), web)
    app = App(client=web)
    _listen(app, ship)
    handler = SocketModeHandler(app, sandbox.app_token, web_client=WebClient(base_url=sandbox.api_url))
    handler.client.connect()
    ship.workspace.wait_until(lambda: sandbox.delivery.sockets.connected)
    yield ship
    handler.client.auto_reconnect_enabled = False
    ship.workspace.close()
    sandbox.stop()
    handler.client.close()


def _listen(app: App, ship: Ship) -> None:
    app.command("/answer")(lambda ack: ack("at once"))
    app.command("/blocks")(lambda ack: ack(response_type="in_channel", text="for all", blocks=buttons("Fine")))
    app.command("/silent")(lambda: None)

    @app.command("/late")
    def late(ack: Ack) -> None:
        assert ship.told.wait(PATIENT_SECONDS)
        ack("too late to be seen")
        ship.late.set()

    @app.command("/store")
    def store(ack: Ack, body: dict[str, Any]) -> None:
        ship.handed["/store"] = body
        ack()

    @app.action("press")
    def press(ack: Ack, body: dict[str, Any]) -> None:
        ship.handed["press"] = body
        ack()

    @app.view("form")
    def submitted(ack: Ack, view: dict[str, Any]) -> None:
        name = view["state"]["values"]["name"]["name"]["value"]
        if name == "bad":
            ack(response_action="errors", errors={"name": "Not this one."})
        elif name == "push":
            ack(response_action="push", view=form("Pushed"))
        elif name == "update":
            ack(response_action="update", view=form("Updated"))
        elif name == "clear":
            ack(response_action="clear")
        elif name != "silence":
            ack()


def test_the_text_of_an_ack_is_an_answer_for_the_person_alone(ship: Ship) -> None:
    ship.workspace.type("/answer", as_=ship.ben, channel="#ml")
    assert ship.ephemeral("at once")
    assert not any("at once" in one.plain for one in ship.workspace.messages("#ml", as_=ship.ben))


def test_an_ack_may_answer_in_the_channel(ship: Ship) -> None:
    ship.workspace.type("/blocks", as_=ship.ben, channel="#ml")
    seen = ship.workspace.wait_for_message("#ml", containing="Fine", as_=ship.ben)
    assert seen.text == "for all"


def test_a_late_ack_is_a_timeout_for_the_person_and_says_nothing(ship: Ship) -> None:
    with ship.in_a_hurry():
        assert not ship.workspace.try_type("/late", as_=ship.ben, channel="#ml")
    ship.told.set()
    assert ship.late.wait(PATIENT_SECONDS)
    ship.workspace.type("/answer", as_=ship.ben, channel="#ml")
    assert not ship.ephemeral("too late")


def test_a_command_that_nobody_acknowledges_says_operation_timeout(ship: Ship) -> None:
    with ship.in_a_hurry(), pytest.raises(AssertionError, match='/silent failed with the error "operation_timeout"'):
        ship.workspace.type("/silent", as_=ship.ben, channel="#ml")


def test_a_command_that_the_app_does_not_have_never_reaches_it(ship: Ship) -> None:
    with pytest.raises(AssertionError, match="/nothing is not a valid command"):
        ship.workspace.type("/nothing", as_=ship.ben, channel="#ml")


def test_a_trigger_id_opens_one_form_and_no_second(ship: Ship) -> None:
    trigger = _trigger(ship)
    ship.web.views_open(trigger_id=trigger, view=form("Form"))
    assert _refused(ship, trigger) == "exchanged_trigger_id"
    assert _refused(ship, "1.2.made-up") == "invalid_trigger_id"
    _leave(ship)


def test_a_trigger_id_expires_with_the_time_to_acknowledge(ship: Ship) -> None:
    trigger = _trigger(ship)
    with ship.in_a_hurry():
        time.sleep(SHORT_SECONDS * 1.2)
        assert _refused(ship, trigger) == "expired_trigger_id"


def test_a_broken_form_does_not_use_the_trigger_id_up(ship: Ship) -> None:
    trigger = _trigger(ship)
    with pytest.raises(SlackApiError) as caught:
        ship.web.views_open(trigger_id=trigger, view=form("A title that is longer than 24 characters"))
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    ship.web.views_open(trigger_id=trigger, view=form("Form"))
    _leave(ship)


def test_an_answer_to_a_form_shows_errors_updates_pushes_and_clears(ship: Ship) -> None:
    ship.web.views_open(trigger_id=_trigger(ship), view=form("Form"))
    assert _submit(ship, "bad") == {"ok": False, "errors": {"name": "Not this one."}}
    assert _submit(ship, "update") == {"ok": True}
    assert _titles(ship) == ["Updated"]
    assert _submit(ship, "push") == {"ok": True}
    assert _titles(ship) == ["Updated", "Pushed"]
    assert _submit(ship, "fine") == {"ok": True}
    assert _titles(ship) == ["Updated"]
    _submit(ship, "push")
    assert _submit(ship, "clear") == {"ok": True}
    assert _titles(ship) == []


def test_a_form_that_nobody_acknowledges_stays_open(ship: Ship) -> None:
    ship.web.views_open(trigger_id=_trigger(ship), view=form("Form"))
    with ship.in_a_hurry():
        assert _submit(ship, "silence") == {"ok": False, "error": "operation_timeout"}
    assert _titles(ship) == ["Form"]
    _leave(ship)


def test_at_most_three_forms_lie_on_each_other(ship: Ship) -> None:
    ship.web.views_open(trigger_id=_trigger(ship), view=form("One"))
    ship.web.views_push(trigger_id=_trigger(ship), view=form("Two"))
    ship.web.views_push(trigger_id=_trigger(ship), view=form("Three"))
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        ship.web.views_push(trigger_id=_trigger(ship), view=form("Four"))
    assert _titles(ship) == ["One", "Two", "Three"]
    _leave(ship)


def test_a_form_is_not_updated_over_a_newer_one(ship: Ship) -> None:
    opened = ship.web.views_open(trigger_id=_trigger(ship), view=form("One"))["view"]
    ship.web.views_update(view_id=opened["id"], hash=opened["hash"], view=form("Two"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        ship.web.views_update(view_id=opened["id"], hash=opened["hash"], view=form("Three"))
    assert _titles(ship) == ["Two"]
    _leave(ship)
    with pytest.raises(SlackApiError, match="not_found"):
        ship.web.views_update(view_id=opened["id"], view=form("Gone"))


def test_a_response_url_takes_five_answers(ship: Ship) -> None:
    ship.workspace.type("/store", as_=ship.ben, channel="#ml")
    url = WebhookClient(ship.handed["/store"]["response_url"])
    statuses = [url.send(text=f"answer {number}").status_code for number in range(6)]
    assert statuses == [200] * 5 + [404]
    assert ship.ephemeral("answer 4")
    assert not ship.ephemeral("answer 5")


def test_a_response_url_replaces_and_deletes_the_message_of_the_button(ship: Ship) -> None:
    card = ship.card("Press")
    ship.workspace.press(card, "Press", as_=ship.ben)
    url = WebhookClient(ship.handed["press"]["response_url"])
    url.send(text="replaced", blocks=buttons("Other"), replace_original=True)
    assert ship.workspace.message(card, as_=ship.ben).button("Other")
    url.send(delete_original=True)
    assert card.ts not in {one.ts for one in ship.workspace.messages("#ml", as_=ship.ben)}


def test_a_response_url_refuses_what_slack_refuses(ship: Ship) -> None:
    ship.workspace.type("/store", as_=ship.ben, channel="#ml")
    url = WebhookClient(ship.handed["/store"]["response_url"])
    assert url.send().status_code == 400
    broken = url.send(text="x", blocks=[{"type": "section"}])
    assert (broken.status_code, broken.body) == (400, "invalid_blocks")


def test_a_response_url_ends_after_its_time(tmp_path: Path) -> None:
    sandbox = SlackSandbox(tmp_path / "slack.sqlite", time_scale=0.0)
    sandbox.start()
    url = sandbox.delivery.response_url("U0BEN", "C0ML")
    assert WebhookClient(url).send(text="after half an hour").status_code == 404
    sandbox.stop()


def _trigger(ship: Ship) -> str:
    ship.workspace.type("/store", as_=ship.ben, channel="#ml")
    return str(ship.handed["/store"]["trigger_id"])


def _refused(ship: Ship, trigger: str) -> str:
    with pytest.raises(SlackApiError) as caught:
        ship.web.views_open(trigger_id=trigger, view=form("Form"))
    return str(caught.value.response["error"])


def _submit(ship: Ship, name: str) -> dict[str, Any]:
    modal = ship.workspace.modal(as_=ship.ben)
    assert modal is not None
    return ship.workspace.submit(modal, {"name": {"name": {"type": "plain_text_input", "value": name}}}, as_=ship.ben)


def _titles(ship: Ship) -> list[str]:
    world = ship.sandbox.world
    return [world.views[view_id]["title"]["text"] for view_id in world.stacks[ship.ben.id]]


def _leave(ship: Ship) -> None:
    modal = ship.workspace.modal(as_=ship.ben)
    assert modal is not None
    ship.workspace.dismiss(modal, as_=ship.ben, clear=True)
