"""Each method of the sandbox, called with Slack's own client; keys and types as Slack's SDK team recorded them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.registry import METHODS
from bot.sandbox.slack.server import SlackSandbox

Answers = dict[str, list[dict[str, Any]]]
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Title"}, "blocks": [SECTION]}
METADATA = {"event_type": "retrained", "event_payload": {"model": "churn"}}

# Methods of which the recordings hold nothing, and what stands for them.
RECORDED_ELSEWHERE = {
    "reactions.get": "the message is held to conversations.history below",
    "reactions.list": "its items are messages like those of reactions.get",
    "blocks.validate": "newer than the recordings; its page names errors[].pointer, code and message",
}
# Keys that the recordings lack because the recorded call failed or is older; with where they are documented.
NEWER: dict[str, set[str]] = {
    "chat.stopStream": {"channel", "ts", "message"},  # ChatStopStreamResponse of Slack's Node SDK
    "conversations.info": {"channel.user"},  # a direct message, as conversations.list has it
    "conversations.history": {"messages[].pinned_to", "messages[].streaming_state"},  # the page of the message event
    **{f"views.{name}": {"view.state.values"} for name in ("open", "push", "update", "publish")},  # as submitted
}
# Content of apps and people: other tests judge it.
CONTENT = {"blocks", "attachments", "event_payload", "args"}


@pytest.fixture(scope="module")
def answers(sandbox: SlackSandbox) -> Answers:
    """One morning of a bot that uses every method."""
    client = WebClient(sandbox.bot_token, base_url=sandbox.api_url)
    said: Answers = {}

    def note(method: str, answer: Any) -> Any:
        said.setdefault(method, []).append(answer.data)
        return answer

    note("apps.connections.open", client.apps_connections_open(app_token=sandbox.app_token))
    note("api.test", client.api_test(foo="bar"))
    note("auth.test", client.auth_test())
    _directory(client, note)
    ts = _chat(client, note)
    _streams(client, note, ts)
    _marks(client, note, ts)
    _files(client, note, ts)
    _views(client, note, sandbox)
    _reading(client, note, ts)
    return said


def _directory(client: WebClient, note: Any) -> None:
    note("users.info", client.users_info(user="U0ANA"))
    note("users.info", client.users_info(user="U0SHIPMATE"))
    note("users.list", client.users_list(limit=2))
    note("users.lookupByEmail", client.users_lookupByEmail(email="ana@shipyard.example"))
    note("usergroups.list", client.usergroups_list(include_users=True))
    note("usergroups.users.list", client.usergroups_users_list(usergroup="S0MLLEADS"))
    note("team.info", client.team_info())
    note("bots.info", client.bots_info(bot="B0SHIPMATE"))
    note("conversations.list", client.conversations_list(types="public_channel,im", limit=3))
    note("conversations.info", client.conversations_info(channel="C0ML", include_num_members=True))
    note("conversations.info", client.conversations_info(channel="U0ANA"))
    note("conversations.members", client.conversations_members(channel="C0ML", limit=2))
    note("conversations.join", client.conversations_join(channel="C0GENERAL"))
    note("conversations.join", client.conversations_join(channel="C0GENERAL"))
    note("conversations.open", client.conversations_open(users="U0ANA"))


def _chat(client: WebClient, note: Any) -> str:
    posted = note(
        "chat.postMessage", client.chat_postMessage(channel="C0ML", text="hi", blocks=[SECTION], metadata=METADATA)
    )
    ts = str(posted["ts"])
    reply = note("chat.postMessage", client.chat_postMessage(channel="C0ML", text="in the thread", thread_ts=ts))
    note("chat.postEphemeral", client.chat_postEphemeral(channel="C0ML", user="U0ANA", text="psst"))
    note("chat.update", client.chat_update(channel="C0ML", ts=ts, text="better", blocks=[SECTION]))
    note("chat.getPermalink", client.chat_getPermalink(channel="C0ML", message_ts=ts))
    later = int(time.time()) + 3_600
    note("chat.scheduleMessage", client.chat_scheduleMessage(channel="C0ML", post_at=later, text="later"))
    note("chat.delete", client.chat_delete(channel="C0ML", ts=str(reply["ts"])))
    client.chat_postMessage(channel="C0ML", text="again", thread_ts=ts, reply_broadcast=True)
    return ts


def _streams(client: WebClient, note: Any, ts: str) -> None:
    begun = note(
        "chat.startStream",
        client.chat_startStream(
            channel="C0ML", thread_ts=ts, recipient_team_id="T0SHIPYARD", recipient_user_id="U0ANA"
        ),
    )
    task = {"type": "task_update", "id": "1", "title": "Read", "status": "complete", "output": "done"}
    stream = str(begun["ts"])
    note("chat.appendStream", client.chat_appendStream(channel="C0ML", ts=stream, markdown_text="**so** "))
    note("chat.appendStream", client.chat_appendStream(channel="C0ML", ts=stream, chunks=[task]))
    note("chat.stopStream", client.chat_stopStream(channel="C0ML", ts=stream, blocks=[SECTION]))
    status = client.assistant_threads_setStatus(channel_id="C0ML", thread_ts=ts, status="is thinking")
    note("assistant.threads.setStatus", status)
    note("assistant.threads.setTitle", client.assistant_threads_setTitle(channel_id="C0ML", thread_ts=ts, title="T"))
    prompts = [{"title": "Models?", "message": "Which models are there?"}]
    note(
        "assistant.threads.setSuggestedPrompts",
        client.assistant_threads_setSuggestedPrompts(channel_id="C0ML", thread_ts=ts, prompts=prompts),
    )


def _marks(client: WebClient, note: Any, ts: str) -> None:
    note("reactions.add", client.reactions_add(channel="C0ML", timestamp=ts, name="eyes"))
    note("reactions.add", client.reactions_add(channel="C0ML", timestamp=ts, name="tada"))
    note("reactions.remove", client.reactions_remove(channel="C0ML", timestamp=ts, name="eyes"))
    note("reactions.get", client.reactions_get(channel="C0ML", timestamp=ts))
    note("reactions.list", client.reactions_list())
    note("pins.add", client.pins_add(channel="C0ML", timestamp=ts))
    note("bookmarks.add", client.bookmarks_add(channel_id="C0ML", title="Docs", type="link", link="https://a.example"))
    note("blocks.validate", client.blocks_validate(blocks=[SECTION]))


def _files(client: WebClient, note: Any, ts: str) -> None:
    sent = client.files_upload_v2(channel="C0ML", content="a,b", filename="rows.csv", initial_comment="here")
    ticket = note(
        "files.getUploadURLExternal", client.files_getUploadURLExternal(filename="plot.png", length=3, alt_txt="a plot")
    )
    client._upload_file(
        url=str(ticket["upload_url"]), data=b"png", logger=client._logger, timeout=5, proxy=None, ssl=None
    )
    note(
        "files.completeUploadExternal",
        client.files_completeUploadExternal(
            files=[{"id": str(ticket["file_id"]), "title": "Plot"}], channel_id="C0ML", thread_ts=ts
        ),
    )
    note("files.info", client.files_info(file=sent["file"]["id"]))


def _views(client: WebClient, note: Any, sandbox: SlackSandbox) -> None:
    triggers = sandbox.delivery.triggers
    opened = note("views.open", client.views_open(trigger_id=triggers.new("U0ANA"), view=MODAL))
    note("views.push", client.views_push(trigger_id=triggers.new("U0ANA"), view=MODAL))
    note("views.update", client.views_update(view_id=opened["view"]["id"], view=MODAL))
    note("views.publish", client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [SECTION]}))


def _reading(client: WebClient, note: Any, ts: str) -> None:
    note("conversations.history", client.conversations_history(channel="C0ML", include_all_metadata=True))
    note("conversations.history", client.conversations_history(channel="C0ML", limit=1))
    note("conversations.replies", client.conversations_replies(channel="C0ML", ts=ts, include_all_metadata=True))
    note("conversations.replies", client.conversations_replies(channel="C0ML", ts=ts, limit=2))


def test_every_method_of_the_sandbox_is_called(answers: Answers) -> None:
    assert answers.keys() == METHODS.keys()
    assert all(answer["ok"] is True for said in answers.values() for answer in said)


def test_every_key_and_type_is_one_that_slack_answers(answers: Answers, slack_data: Path) -> None:
    unknown: dict[str, dict[str, str]] = {}
    for method in METHODS.keys() - RECORDED_ELSEWHERE.keys():
        known = recorded(slack_data, method)
        if method == "conversations.replies":
            known |= recorded(slack_data, "conversations.history")
        for answer in answers[method]:
            wrong = {path: kind for path, kind in shape(answer) if not is_known(path, kind, known)}
            if wrong:
                unknown.setdefault(method, {}).update(wrong)
    assert unknown == {}


@pytest.mark.parametrize("method", ["reactions.get", "chat.stopStream", "chat.update"])
def test_a_message_has_the_keys_of_a_message_wherever_it_is_answered(
    answers: Answers, slack_data: Path, method: str
) -> None:
    known = recorded(slack_data, "conversations.history")
    seen = list(shape({"messages": [answers[method][0]["message"]]}))
    assert [path for path, kind in seen if not is_known(path, kind, known)] == []


def test_what_was_called_shows_in_the_channel(answers: Answers) -> None:
    parent = answers["conversations.replies"][0]["messages"][0]
    assert parent["text"] == "better"
    assert parent["metadata"] == METADATA
    assert parent["reactions"] == [{"name": "tada", "users": ["U0SHIPMATE"], "count": 1}]
    assert parent["pinned_to"] == ["C0ML"]
    stopped = answers["chat.stopStream"][0]["message"]
    assert stopped["text"] == "**so** "
    assert [block["type"] for block in stopped["blocks"]] == ["markdown", "task_card", "section"]


def test_pages_follow_their_cursors_to_the_end(sandbox: SlackSandbox) -> None:
    client = WebClient(sandbox.bot_token, base_url=sandbox.api_url)
    pages = [page["members"] for page in client.users_list(limit=1)]
    assert [len(page) for page in pages] == [1, 1, 1, 1]
    assert len({user["id"] for page in pages for user in page}) == 4


def test_a_validation_names_each_fault_by_its_place(sandbox: SlackSandbox) -> None:
    client = WebClient(base_url=sandbox.api_url)
    view = MODAL | {"blocks": [{"type": "header"}]}
    with pytest.raises(SlackApiError) as refused:
        client.blocks_validate(view=view)
    fault = {"pointer": "/blocks/0", "code": "failed_constraint", "message": "missing required field: text"}
    assert refused.value.response.data == {"ok": False, "error": "invalid_view", "errors": [fault]}


def recorded(slack_data: Path, method: str) -> dict[str, str]:
    """Dotted paths and their types."""
    folder = slack_data / "java-json-logs"
    found: dict[str, str] = {}
    for path in (folder / "api" / f"{method}.json", folder / "api-shapes" / f"{method}.paths.json"):
        if path.exists():
            document = json.loads(path.read_text())
            found |= document if path.name.endswith(".paths.json") else dict(shape(document))
    assert found, f"nothing is recorded of {method}"
    return found | dict.fromkeys(NEWER.get(method, ()), "any")


def shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if path:
        yield path, type(value).__name__
    if isinstance(value, dict):
        for name, member in value.items():
            yield from shape(member, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for member in value:
            yield from shape(member, f"{path}[]") if isinstance(member, (dict, list)) else ()


def is_known(path: str, kind: str, known: dict[str, str]) -> bool:
    """Content is not looked into; the recordings go five levels deep; null may stand for anything."""
    names = path.replace("[]", "").split(".")
    if any(name in CONTENT for name in names[:-1]) or path.endswith("[]") or len(names) > 5:
        return True
    if any(path.startswith(f"{newer}.") for newer, its in known.items() if its == "any"):
        return True
    numbers = {"int", "float"}
    return path in known and (kind == "NoneType" or known[path] in (kind, "any") or {kind, known[path]} <= numbers)
