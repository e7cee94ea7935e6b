"""The app's reactions, pins, bookmarks, streams, files and assistant threads, and what Slack refuses of them."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.methods import streams
from bot.sandbox.slack.server import SlackSandbox

TASK = {"type": "task_update", "id": "1", "title": "Read the logs", "status": "in_progress"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackSandbox]:
    running = SlackSandbox(tmp_path_factory.mktemp("workspace") / "slack.db")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: SlackSandbox) -> WebClient:
    return WebClient(sandbox.bot_token, base_url=sandbox.api_url)


@pytest.fixture
def ts(client: WebClient) -> str:
    return str(client.chat_postMessage(channel="C0ML", text="parent")["ts"])


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    return str(refused.value.response["error"])


def started(client: WebClient, ts: str, **more: Any) -> str:
    answer = client.chat_startStream(
        channel="C0ML", thread_ts=ts, recipient_team_id="T0SHIPYARD", recipient_user_id="U0ANA", **more
    )
    return str(answer["ts"])


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["blocks"]]


# Reactions, pins, bookmarks


def test_a_reaction_is_added_once_and_taken_back_once(client: WebClient, ts: str) -> None:
    item = {"channel": "C0ML", "timestamp": ts, "name": "eyes"}
    client.reactions_add(**item)
    assert refusal(client.reactions_add, **item) == "already_reacted"
    client.reactions_remove(**item)
    assert refusal(client.reactions_remove, **item) == "no_reaction"


@pytest.mark.parametrize("name", ["white_check_mark", "+1", "wave::skin-tone-3", ":tada:", "e-mail"])
def test_names_of_emoji_are_taken_with_tone_and_colons(client: WebClient, ts: str, name: str) -> None:
    client.reactions_add(channel="C0ML", timestamp=ts, name=name)
    assert client.reactions_get(channel="C0ML", timestamp=ts)["message"]["reactions"][0]["name"] == name.strip(":")


@pytest.mark.parametrize("name", ["<script>", "two words", "x" * 101, "EYES", "wave::skin-tone-9"])
def test_what_is_no_name_of_an_emoji_is_refused(client: WebClient, ts: str, name: str) -> None:
    assert refusal(client.reactions_add, channel="C0ML", timestamp=ts, name=name) == "invalid_name"


def test_a_reaction_needs_a_message_that_exists(client: WebClient) -> None:
    there = {"channel": "C0ML", "name": "eyes"}
    assert refusal(client.reactions_add, **there, timestamp="1.2") == "message_not_found"
    assert refusal(client.reactions_add, **there, timestamp="yesterday") == "bad_timestamp"
    assert refusal(client.reactions_get, channel="C0ML") == "no_item_specified"


def test_a_message_is_pinned_once(client: WebClient, ts: str) -> None:
    client.pins_add(channel="C0ML", timestamp=ts)
    assert refusal(client.pins_add, channel="C0ML", timestamp=ts) == "already_pinned"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"type": "link", "link": "javascript:alert(1)"}, "invalid_link"),
        ({"type": "link"}, "invalid_link"),
        ({"type": "folder", "link": "https://a.example"}, "invalid_bookmark_type"),
    ],
)
def test_a_bookmark_is_a_link_to_the_web(client: WebClient, more: dict[str, str], error: str) -> None:
    assert refusal(client.bookmarks_add, channel_id="C0ML", title="Docs", **more) == error


# Streams


def test_text_grows_and_ends_with_the_blocks_of_the_end(client: WebClient, ts: str) -> None:
    stream = started(client, ts, markdown_text="The ")
    client.chat_appendStream(channel="C0ML", ts=stream, markdown_text="model ")
    client.chat_appendStream(channel="C0ML", ts=stream, markdown_text="drifts.")
    message = client.chat_stopStream(channel="C0ML", ts=stream, blocks=[{"type": "divider"}])["message"]
    assert message["text"] == "The model drifts."
    assert message["blocks"][0]["text"] == "The model drifts."
    assert kinds(message) == ["markdown", "divider"]
    assert message["streaming_state"] == "completed"


def test_a_task_changes_where_it_stands_and_a_plan_gathers_tasks(client: WebClient, ts: str) -> None:
    stream = started(client, ts, chunks=[TASK])
    client.chat_appendStream(channel="C0ML", ts=stream, chunks=[TASK | {"status": "complete", "output": "12 lines"}])
    second = TASK | {"id": "2", "title": "Compare"}
    client.chat_appendStream(channel="C0ML", ts=stream, chunks=[{"type": "plan_update", "title": "Search"}, second])
    client.chat_appendStream(channel="C0ML", ts=stream, chunks=[{"type": "plan_update", "title": "Found"}])
    (plan,) = client.chat_stopStream(channel="C0ML", ts=stream)["message"]["blocks"]
    assert plan["title"] == "Found"
    assert [(task["task_id"], task["status"]) for task in plan["tasks"]] == [("1", "complete"), ("2", "in_progress")]


@pytest.mark.parametrize(
    "chunks",
    [
        "text", [7], [{"type": "sound"}], [{"type": "markdown_text"}], [{"type": "markdown_text", "text": 7}],
        [TASK | {"status": "asleep"}], [{**TASK, "id": None}], [{"type": "plan_update"}], [{"type": "blocks"}],
    ],
)  # fmt: skip
def test_chunks_of_another_form_are_refused_and_change_nothing(client: WebClient, ts: str, chunks: Any) -> None:
    stream = started(client, ts, markdown_text="so far")
    body = {"channel": "C0ML", "ts": stream, "chunks": chunks}
    assert refusal(client.api_call, api_method="chat.appendStream", json=body) == "invalid_chunks"
    assert client.chat_stopStream(channel="C0ML", ts=stream)["message"]["text"] == "so far"


def test_blocks_within_a_stream_are_judged(client: WebClient, ts: str) -> None:
    stream = started(client, ts)
    chunk = {"type": "blocks", "blocks": [{"type": "header"}]}
    assert refusal(client.chat_appendStream, channel="C0ML", ts=stream, chunks=[chunk]) == "invalid_blocks"
    assert refusal(client.chat_appendStream, channel="C0ML", ts=stream) == "no_text"


def test_all_the_text_of_a_stream_has_a_limit(client: WebClient, ts: str) -> None:
    stream = started(client, ts, markdown_text="x" * 12_000)
    assert refusal(client.chat_appendStream, channel="C0ML", ts=stream, markdown_text="y") == "invalid_blocks"
    assert refusal(client.chat_stopStream, channel="C0ML", ts=stream, markdown_text="x" * 12_001) == (
        "msg_blocks_too_long"
    )


def test_a_stream_that_has_ended_takes_no_more(client: WebClient, ts: str) -> None:
    stream = started(client, ts)
    client.chat_stopStream(channel="C0ML", ts=stream, markdown_text="done")
    for call in (client.chat_appendStream, client.chat_stopStream):
        assert refusal(call, channel="C0ML", ts=stream, markdown_text="more") == "message_not_in_streaming_state"
    client.chat_update(channel="C0ML", ts=stream, text="edited")


def test_a_stream_is_not_edited_while_it_runs(client: WebClient, ts: str) -> None:
    stream = started(client, ts)
    assert refusal(client.chat_update, channel="C0ML", ts=stream, text="x") == "streaming_state_conflict"


def test_a_stream_ends_by_itself(client: WebClient, ts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = started(client, ts)
    monkeypatch.setattr(streams, "STREAM_SECONDS", 0.0)
    assert refusal(client.chat_appendStream, channel="C0ML", ts=stream, markdown_text="late") == (
        "message_not_in_streaming_state"
    )


def test_a_stream_into_a_channel_names_its_reader(client: WebClient, ts: str) -> None:
    place = {"channel": "C0ML", "thread_ts": ts}
    assert refusal(client.chat_startStream, **place) == "missing_recipient_team_id"
    assert refusal(client.chat_startStream, **place, recipient_team_id="T0SHIPYARD") == "missing_recipient_user_id"
    direct = str(client.chat_postMessage(channel="U0ANA", text="hello")["ts"])
    assert client.chat_startStream(channel="U0ANA", thread_ts=direct)["ok"]


def test_two_writers_of_one_stream_lose_no_word(client: WebClient, ts: str) -> None:
    stream = started(client, ts)

    def write(word: str) -> None:
        for _ in range(10):
            client.chat_appendStream(channel="C0ML", ts=stream, markdown_text=word)

    writers = [threading.Thread(target=write, args=(word,)) for word in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    text = client.chat_stopStream(channel="C0ML", ts=stream)["message"]["text"]
    assert sorted(text) == ["a"] * 10 + ["b"] * 10


# Files


def announced(client: WebClient, content: bytes, name: str = "rows.csv") -> tuple[str, str]:
    answer = client.files_getUploadURLExternal(filename=name, length=len(content))
    return str(answer["upload_url"]), str(answer["file_id"])


def test_a_file_is_shared_with_its_bytes(sandbox: SlackSandbox, client: WebClient, ts: str) -> None:
    shared = client.files_upload_v2(channel="C0ML", thread_ts=ts, content="a,b\n1,2", filename="rows.csv", title="Rows")
    file = client.files_info(file=shared["file"]["id"])["file"]
    assert (file["title"], file["size"], file["channels"]) == ("Rows", 7, ["C0ML"])
    assert httpx.get(file["url_private"], trust_env=False).text == "a,b\n1,2"
    reply = client.conversations_replies(channel="C0ML", ts=ts)["messages"][-1]
    assert reply["files"][0]["id"] == file["id"]


def test_a_file_cannot_be_completed_before_its_bytes_or_twice(client: WebClient) -> None:
    url, file_id = announced(client, b"abc")
    complete = client.files_completeUploadExternal
    assert refusal(complete, files=[{"id": file_id}], channel_id="C0ML") == "file_not_found"
    httpx.post(url, content=b"abc", trust_env=False).raise_for_status()
    complete(files=[{"id": file_id}], channel_id="C0ML")
    assert refusal(complete, files=[{"id": file_id}], channel_id="C0ML") == "file_not_found"


def test_bytes_of_another_length_are_refused(client: WebClient) -> None:
    url, file_id = announced(client, b"abc")
    assert httpx.post(url, content=b"abcd", trust_env=False).status_code == 400
    assert refusal(client.files_info, file=file_id) == "file_not_found"


def test_a_file_for_a_channel_without_the_bot_stays_unshared(client: WebClient) -> None:
    url, file_id = announced(client, b"abc")
    httpx.post(url, content=b"abc", trust_env=False).raise_for_status()
    complete = client.files_completeUploadExternal
    assert refusal(complete, files=[{"id": file_id}], channels=["C0ML", "C0GENERAL"]) == "not_in_channel"
    assert refusal(client.files_info, file=file_id) == "file_not_found"
    assert complete(files=[{"id": file_id}], channel_id="C0ML")["ok"]


@pytest.mark.parametrize(
    ("length", "error"), [(0, "missing_argument"), (-1, "missing_argument"), (10**12, "file_upload_size_restricted")]
)
def test_files_have_a_size(client: WebClient, length: int, error: str) -> None:
    assert refusal(client.files_getUploadURLExternal, filename="a", length=length) == error


# Assistant threads


def test_a_status_reaches_the_page(sandbox: SlackSandbox, client: WebClient, ts: str) -> None:
    before = sandbox.world.latest_news
    client.assistant_threads_setStatus(channel_id="C0ML", thread_ts=ts, status="is reading logs")
    client.assistant_threads_setStatus(channel_id="C0ML", thread_ts=ts, status="")
    events = [event for _, event in sandbox.world.news_since(before, "U0ANA") if event["type"] == "status"]
    assert [(event["thread_ts"], event["status"]) for event in events] == [(ts, "is reading logs"), (ts, "")]


def test_no_more_than_four_prompts_are_suggested(client: WebClient, ts: str) -> None:
    place = {"channel_id": "C0ML", "thread_ts": ts}
    prompt = {"title": "Drift?", "message": "Which models drift?"}
    assert client.assistant_threads_setSuggestedPrompts(**place, prompts=[prompt] * 4)["ok"]
    assert refusal(client.assistant_threads_setSuggestedPrompts, **place, prompts=[prompt] * 5) == "invalid_arguments"


def test_a_thread_that_is_none_has_no_title(client: WebClient) -> None:
    place = {"channel_id": "C0ML", "thread_ts": "1.000001"}
    assert refusal(client.assistant_threads_setTitle, **place, title="T") == "invalid_thread_ts"


# A restart


def test_streams_and_pins_are_there_after_a_restart(tmp_path: Path) -> None:
    first = SlackSandbox(tmp_path / "slack.db")
    first.start()
    client = WebClient(first.bot_token, base_url=first.api_url)
    ts = str(client.chat_postMessage(channel="C0ML", text="parent")["ts"])
    client.pins_add(channel="C0ML", timestamp=ts)
    stream = started(client, ts, markdown_text="half ")
    first.stop()
    second = SlackSandbox(tmp_path / "slack.db")
    second.start()
    client = WebClient(second.bot_token, base_url=second.api_url)
    assert client.chat_stopStream(channel="C0ML", ts=stream, markdown_text="done")["message"]["text"] == "half done"
    assert refusal(client.pins_add, channel="C0ML", timestamp=ts) == "already_pinned"
    second.stop()
