"""Each value is posted exactly once for its key, by the real client against a workspace on loopback."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from slack_sdk import WebClient

from bot.cards import draw
from bot.cards.blocks import Card, line_chart, section
from bot.cards.outcomes import Refusal
from bot.clients.ledger import Ledger
from bot.clients.slack import SlackConversation
from bot.redaction import Redactor
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Place

HELLO = Refusal("Hello there.")
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"


class Now:
    def now(self):
        return datetime.now(UTC)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    made = SlackSandbox(tmp_path_factory.mktemp("slack") / "slack.sqlite")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def space(sandbox):
    made = Workspace(sandbox.url)
    yield made
    made.close()


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", Now())
    yield made
    made.close()


@pytest.fixture
def calls():
    return []


@pytest.fixture
def talk(sandbox, ledger, calls):
    client = WebClient(sandbox.bot_token, base_url=sandbox.api_url, timeout=60)
    return SlackConversation(client, ledger.postings, draw, Redactor().redact_value, lambda *call: calls.append(call))


def seen(space, channel="#ops"):
    return [message.plain for message in space.messages(channel, as_=space.person("ana"))]


def test_the_same_key_is_one_message(talk, space):
    before = len(seen(space))
    places = {talk.post_once("key-1", "C0OPS", HELLO) for _ in range(3)}
    assert len(places) == 1
    assert len(seen(space)) == before + 1


def test_many_threads_with_one_key_are_one_message(talk, space):
    before = len(seen(space))
    with ThreadPoolExecutor(8) as crowd:
        places = set(crowd.map(lambda _: talk.post_once("key-race", "C0OPS", HELLO), range(8)))
    assert len(places) == 1
    assert len(seen(space)) == before + 1


def test_a_process_killed_between_posting_and_noting_finds_its_message(talk, ledger, space, monkeypatch):
    before = len(seen(space))
    monkeypatch.setattr(ledger.postings, "posted", lambda *_: None)
    first = talk.post_once("key-2", "C0OPS", HELLO)
    monkeypatch.undo()
    assert talk.post_once("key-2", "C0OPS", HELLO) == first
    assert len(seen(space)) == before + 1


def test_a_process_killed_between_noting_and_posting_posts_after_all(talk, ledger, space):
    ledger.postings.intend("key-3", "C0OPS")
    before = len(seen(space))
    talk.post_once("key-3", "C0OPS", HELLO)
    assert len(seen(space)) == before + 1


def test_replies_are_posted_once_too(talk, space):
    parent = talk.post_once("key-4", "C0OPS", HELLO)
    places = {talk.reply_once("key-4-reply", parent, HELLO) for _ in range(2)}
    assert len(places) == 1


def test_an_update_of_a_message_that_is_gone_is_no_error(talk, sandbox):
    place = talk.post_once("key-5", "C0OPS", HELLO)
    WebClient(sandbox.bot_token, base_url=sandbox.api_url).chat_delete(channel=place.channel, ts=place.ts)
    talk.update(place, lambda: HELLO)
    assert talk.link(place) == ""


def test_of_several_updates_the_last_one_shows_the_newest_state(talk, space):
    place = talk.post_once("key-6", "C0OPS", HELLO)
    state = {"number": 0}

    def advance(_):
        state["number"] += 1
        talk.update(place, lambda: Refusal(f"State {state['number']}"))

    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(advance, range(12)))
    assert any("State 12" in text for text in seen(space))


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_slack_that_does_not_answer_is_unavailable(talk, space, status, calls):
    space.switch(fail={"method": "chat.postMessage", "status": status, "times": 1})
    with pytest.raises(Unavailable, match="Slack"):
        talk.post_once(f"key-fail-{status}", "C0OPS", HELLO)
    assert calls[-1][0] == "chat_postMessage"
    assert calls[-1][1] != "ok"
    talk.post_once(f"key-fail-{status}", "C0OPS", HELLO)


def test_nobody_there_is_unavailable(ledger):
    client = WebClient("xoxb-1", base_url="http://127.0.0.1:9/api/", timeout=2)
    talk = SlackConversation(client, ledger.postings, draw, lambda payload: payload, lambda *_: None)
    with pytest.raises(Unavailable, match="did not answer"):
        talk.post_once("key", "C0OPS", HELLO)


def test_a_wrong_token_is_refused_with_what_to_do(ledger, sandbox):
    client = WebClient("xoxb-wrong", base_url=sandbox.api_url)
    talk = SlackConversation(client, ledger.postings, draw, lambda payload: payload, lambda *_: None)
    with pytest.raises(Refused, match="shipmate doctor"):
        talk.post_once("key", "C0OPS", HELLO)


def test_what_only_one_person_may_see_goes_to_their_direct_message_where_the_bot_is_not(talk, space):
    ben = space.person("ben")
    talk.tell(ben.id, "C0OPS", HELLO)
    assert space.wait_for_ephemeral(containing="Hello there", as_=ben, channel="#ops")
    talk.tell(ben.id, "C0GENERAL", HELLO)
    assert space.wait_for_message("@bot", containing="Hello there", as_=ben)


def test_the_bot_knows_where_it_can_post(talk):
    assert talk.reaches("C0OPS")
    assert talk.reaches("D0ANA")
    assert not talk.reaches("C0GENERAL")
    assert not talk.reaches("C0NOWHERE")


def test_secrets_do_not_leave(talk, space):
    talk.post_once("key-secret", "C0OPS", Refusal(f"The token {SECRET} was in the log."))
    assert not any(SECRET in text for text in seen(space))
    assert any("secret:" in text for text in seen(space))


def test_a_file_is_attached_once(talk, space):
    place = talk.post_once("key-7", "C0OPS", HELLO)
    for _ in range(2):
        talk.attach_once("key-7-file", place, "metrics.json", b"{}", "Metrics")
    ana = space.person("ana")
    parent = next(message for message in space.messages("#ops", as_=ana) if message.ts == place.ts)
    files = [file["name"] for reply in space.thread(parent, as_=ana) for file in reply.raw.get("files", [])]
    assert files == ["metrics.json"]


def test_a_link_leads_to_the_message(talk, sandbox):
    place = talk.post_once("key-8", "C0OPS", HELLO)
    assert talk.link(place) == f"{sandbox.url}/#/C0OPS/p{place.ts.replace('.', '')}"
    assert talk.link(Place("C0OPS", "1.0")) == ""


@pytest.mark.parametrize("refusal", ["invalid_blocks", "invalid_arguments"])
def test_a_home_tab_with_blocks_that_a_workspace_does_not_know_is_shown_without_them(slack_wire, ledger, refusal):
    published = []

    def publish(sent):
        blocks = json.loads(sent["view"])["blocks"] if isinstance(sent["view"], str) else sent["view"]["blocks"]
        published.append([block["type"] for block in blocks])
        return {"error": refusal} if "data_visualization" in published[-1] else {"view": {}}

    slack_wire.answers["views.publish"] = publish
    charts = Card("Home", (section("Models"), line_chart("churn", ["1", "2"], [("PSI", [0.1, 0.2])], "PSI")))
    client = WebClient("xoxb-1", base_url=slack_wire.api_url, timeout=60)
    talk = SlackConversation(client, ledger.postings, lambda _value: charts, Redactor().redact_value, lambda *_: None)
    talk.publish_home("U0BEN", object())
    assert published == [["section", "data_visualization"], ["section"]]
