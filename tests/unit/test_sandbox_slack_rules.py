"""What Slack refuses, the sandbox refuses: over the wire, with Slack's own client."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.workspace import Workspace


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SlackSandbox]:
    running = SlackSandbox(tmp_path / "slack.sqlite")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def web(sandbox: SlackSandbox) -> WebClient:
    return WebClient(sandbox.bot_token, base_url=sandbox.api_url)


@pytest.fixture
def workspace(sandbox: SlackSandbox) -> Iterator[Workspace]:
    person = Workspace(sandbox.url)
    yield person
    person.close()


def refusal(web: WebClient, method: str, **arguments: Any) -> str:
    """The error that a call is answered with."""
    with pytest.raises(SlackApiError) as caught:
        web.api_call(method, json=arguments)
    return str(caught.value.response["error"])


def switch(sandbox: SlackSandbox, **switches: Any) -> None:
    httpx.post(f"{sandbox.url}/page/switches", json=switches, trust_env=False).raise_for_status()


def test_every_post_is_refused_for_its_own_reason(web: WebClient, workspace: Workspace) -> None:
    said = workspace.say("mine", as_=workspace.person("ben"), channel="#ml")
    posted = web.chat_postMessage(channel="C0ML", text="the bot's")["ts"]
    assert refusal(web, "chat.postMessage", channel="C0GENERAL", text="x") == "not_in_channel"
    assert refusal(web, "chat.postMessage", channel="C0NOWHERE", text="x") == "channel_not_found"
    assert refusal(web, "chat.postMessage", channel="C0ML") == "no_text"
    assert refusal(web, "chat.postMessage", channel="C0ML", text="x" * 40_001) == "msg_too_long"
    assert refusal(web, "chat.postMessage", channel="C0ML", text=7) == "invalid_arguments"
    assert refusal(web, "chat.postMessage", channel="C0ML", text="x", thread_ts="1.000001") == "thread_not_found"
    assert refusal(web, "chat.postMessage", channel="C0ML", text="x", metadata={}) == "invalid_metadata_format"
    assert refusal(web, "chat.update", channel="C0ML", ts=posted, text="x" * 4_001) == "msg_too_long"
    assert refusal(web, "chat.update", channel="C0ML", ts=said, text="x") == "cant_update_message"
    assert refusal(web, "chat.update", channel="C0ML", ts="1.000001", text="x") == "message_not_found"
    assert refusal(web, "chat.delete", channel="C0ML", ts=said) == "cant_delete_message"
    assert refusal(web, "chat.postEphemeral", channel="C0ML", text="x", user="U0NOBODY") == "user_not_in_channel"
    assert refusal(web, "chat.scheduleMessage", channel="C0ML", text="x", post_at=1) == "time_in_past"
    assert refusal(web, "chat.postMassage", channel="C0ML") == "unknown_method"


@pytest.mark.parametrize("hostile", [None, [], {}, 7, True, "", "C0ML'; DROP TABLE documents", "\x00", "💥" * 50])
def test_a_channel_of_any_type_is_answered_not_crashed_on(web: WebClient, hostile: Any) -> None:
    for method in ("chat.postMessage", "conversations.info", "conversations.history", "reactions.add", "chat.update"):
        error = refusal(web, method, channel=hostile, text="x", ts="1.000001", name="eyes", timestamp="1.000001")
        assert error in ("channel_not_found", "invalid_arguments", "no_item_specified")


@pytest.mark.parametrize("hostile", [[], {}, 7, True, {"a": 1}, [None], [[]], "text", [{"blocks": 7}]])
def test_blocks_views_and_attachments_of_any_type_are_answered_not_crashed_on(web: WebClient, hostile: Any) -> None:
    for method, name in (
        ("chat.postMessage", "blocks"),
        ("chat.postMessage", "attachments"),
        ("views.publish", "view"),
    ):
        if method == "chat.postMessage" and not hostile:
            assert refusal(web, method, channel="C0ML", **{name: hostile}) in ("no_text", "invalid_blocks")
            continue
        error = refusal(web, method, channel="C0ML", user_id="U0BEN", **{name: hostile})
        assert error in ("invalid_blocks", "invalid_attachments", "invalid_arguments", "invalid_blocks_format")


def test_tokens_open_only_what_they_are_for(sandbox: SlackSandbox) -> None:
    for token, method, error in (
        ("", "auth.test", "not_authed"),
        ("xoxb-somebody-else", "auth.test", "invalid_auth"),
        (sandbox.app_token, "chat.postMessage", "not_allowed_token_type"),
        (sandbox.bot_token, "apps.connections.open", "not_allowed_token_type"),
    ):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.post(f"{sandbox.api_url}{method}", headers=headers, trust_env=False)
        assert answer.json() == {"ok": False, "error": error}


def test_a_scope_that_the_manifest_lacks_is_named(sandbox: SlackSandbox, web: WebClient) -> None:
    sandbox.install({"oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    web.chat_postMessage(channel="C0ML", text="may")
    with pytest.raises(SlackApiError) as caught:
        web.reactions_add(channel="C0ML", timestamp="1.000001", name="eyes")
    answer = caught.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "reactions:write", "chat:write")


def test_too_long_a_text_is_refused_with_its_place(web: WebClient) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}
    with pytest.raises(SlackApiError) as caught:
        web.chat_postMessage(channel="C0ML", text="x", blocks=[{"type": "divider"}, section])
    messages = caught.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"]


def test_more_than_fits_on_a_screen_is_refused(web: WebClient) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}
    web.chat_postMessage(channel="C0ML", text="x", blocks=[section] * 4)
    assert refusal(web, "chat.postMessage", channel="C0ML", text="x", blocks=[section] * 5) == "msg_blocks_too_long"
    assert refusal(web, "chat.postMessage", channel="C0ML", blocks=[{"type": "divider"}] * 51) == "invalid_blocks"


def test_with_rates_on_a_flood_is_told_when_to_come_back(sandbox: SlackSandbox, web: WebClient) -> None:
    switch(sandbox, rate_limits=True)
    for number in range(5):
        web.chat_postMessage(channel="C0ML", text=str(number))
    with pytest.raises(SlackApiError) as caught:
        web.chat_postMessage(channel="C0ML", text="one too many")
    answer = caught.value.response
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    web.chat_postMessage(channel="C0OPS", text="another channel has its own rate")
    switch(sandbox, rate_limits=False)
    web.chat_postMessage(channel="C0ML", text="free again")


def test_methods_have_the_rates_of_their_tiers(sandbox: SlackSandbox, web: WebClient) -> None:
    switch(sandbox, rate_limits=True)
    for _ in range(20):
        web.users_list()
    with pytest.raises(SlackApiError, match="ratelimited"):
        web.users_list()
    web.users_info(user="U0BEN")


def test_a_method_fails_as_often_as_it_is_told_to(sandbox: SlackSandbox, web: WebClient) -> None:
    switch(sandbox, fail={"method": "auth.test", "status": 500, "times": 2})
    for _ in range(2):
        with pytest.raises((SlackApiError, SlackRequestError)):
            web.auth_test()
    assert web.auth_test()["ok"]


def test_slacks_own_retry_handlers_get_past_faults(sandbox: SlackSandbox, web: WebClient) -> None:
    web.retry_handlers += [RateLimitErrorRetryHandler(max_retry_count=1), ServerErrorRetryHandler(max_retry_count=1)]
    for status in (429, 503):
        switch(sandbox, fail={"method": "*", "status": status, "times": 1})
        assert web.auth_test()["ok"]


def test_a_dropped_connection_drops_the_answer(sandbox: SlackSandbox) -> None:
    switch(sandbox, fail={"method": "chat.postMessage", "drop": True, "times": 1})
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    body = {"channel": "C0ML", "text": "lost"}
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{sandbox.api_url}chat.postMessage", headers=headers, json=body, trust_env=False)
    assert httpx.post(f"{sandbox.api_url}chat.postMessage", headers=headers, json=body, trust_env=False).json()["ok"]


def test_a_slow_method_is_slow_and_the_others_are_not_kept_waiting(sandbox: SlackSandbox, web: WebClient) -> None:
    switch(sandbox, slow={"method": "users.list", "seconds": 30})
    impatient = WebClient(sandbox.bot_token, base_url=sandbox.api_url, timeout=1, retry_handlers=[])
    with pytest.raises(TimeoutError):
        impatient.users_list()
    assert web.auth_test()["ok"]


def test_time_stamps_are_unique_however_many_post_at_once(sandbox: SlackSandbox) -> None:
    def post(number: int) -> str:
        own = WebClient(sandbox.bot_token, base_url=sandbox.api_url)
        return str(own.chat_postMessage(channel="C0ML", text=f"message {number}")["ts"])

    with ThreadPoolExecutor(16) as pool:
        stamps = list(pool.map(post, range(200)))
    assert len(set(stamps)) == 200
    listed = WebClient(sandbox.bot_token, base_url=sandbox.api_url).conversations_history(channel="C0ML", limit=999)
    in_order = [message["ts"] for message in listed["messages"]]
    assert in_order == sorted(stamps, reverse=True)


def test_pages_of_history_have_every_message_once(web: WebClient) -> None:
    stamps = [web.chat_postMessage(channel="C0ML", text=str(number))["ts"] for number in range(23)]
    found = [
        message["ts"] for page in web.conversations_history(channel="C0ML", limit=5) for message in page["messages"]
    ]
    assert found == stamps[::-1]
    assert refusal(web, "conversations.history", channel="C0ML", cursor="not a cursor") == "invalid_cursor"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"},
    ],
)
def test_a_foreign_page_may_neither_act_nor_look(sandbox: SlackSandbox, headers: dict[str, str]) -> None:
    response_url = sandbox.delivery.response_url("U0BEN", "C0ML")
    for method, path in (
        ("GET", "/"),
        ("GET", "/page/workspace?as=U0BEN"),
        ("GET", "/page/events?as=U0BEN"),
        ("POST", "/page/messages?as=U0BEN"),
        ("POST", "/page/switches"),
        ("POST", response_url.removeprefix(sandbox.url)),
    ):
        answer = httpx.request(method, f"{sandbox.url}{path}", headers=headers, json={"text": "x"}, trust_env=False)
        assert answer.status_code == 403, path


def test_the_page_comes_with_a_policy_that_runs_nothing_foreign(sandbox: SlackSandbox) -> None:
    policy = httpx.get(sandbox.url, trust_env=False).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py", "/files/x/../../etc/passwd"])
def test_no_path_leads_out_of_the_pages_folder(sandbox: SlackSandbox, path: str) -> None:
    assert httpx.get(f"{sandbox.url}{path}", trust_env=False).status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "null", '"text"', "{", '{"channel": 7}', "\x00", "[" * 5_000])
def test_nonsense_from_the_page_is_a_bad_request(sandbox: SlackSandbox, body: str) -> None:
    for name in (
        "messages",
        "commands",
        "actions",
        "views/submit",
        "shortcuts",
        "options",
        "reactions",
        "join",
        "mark",
    ):
        answer = httpx.post(f"{sandbox.url}/page/{name}?as=U0BEN", content=body, trust_env=False)
        assert answer.status_code == 400, (name, answer.text)
        assert answer.json()["ok"] is False


def test_what_people_upload_is_never_a_page_of_this_origin(sandbox: SlackSandbox, workspace: Workspace) -> None:
    ben = workspace.person("ben")
    workspace.upload("evil.html", b"<script>alert(1)</script>", as_=ben, channel="#ml")
    file = workspace.messages("#ml", as_=ben)[-1].raw["files"][0]
    answer = httpx.get(file["url_private"], trust_env=False)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_upload_must_be_as_long_as_announced(sandbox: SlackSandbox, web: WebClient) -> None:
    announced = web.files_getUploadURLExternal(filename="log.txt", length=5)
    assert httpx.post(announced["upload_url"], content=b"four", trust_env=False).status_code == 400
    refused = refusal(web, "files.completeUploadExternal", files=[{"id": announced["file_id"]}])
    assert refused == "file_not_found"
    sent = web.files_upload_v2(channel="C0ML", filename="log.txt", content="five!")
    assert json.loads(httpx.get(sent["file"]["url_private"], trust_env=False).text.join('""')) == "five!"
