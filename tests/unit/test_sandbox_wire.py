"""What must never get into the sandbox, because it could not be written out again."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.wire import parsed

UNWRITABLE = {
    "half a surrogate pair": '{"channel": "C0ML", "text": "\\ud800"}',
    "a key of half a surrogate pair": '{"channel": "C0ML", "text": "a", "metadata": {"\\udc00": 1}}',
    "an infinite number": '{"channel": "C0ML", "text": "a", "metadata": {"event_payload": {"loss": Infinity}}}',
    "a number that is none": '{"channel": "C0ML", "text": "a", "metadata": NaN}',
    "a number beyond all floats": '{"channel": "C0ML", "text": "a", "metadata": 1e999}',
    "a hundred thousand brackets": '{"channel": "C0ML", "text": "a", "blocks": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "bytes that are no text": b'\xff\xfe{"a": 1}\xff',
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlackSandbox]:
    running = SlackSandbox(tmp_path_factory.mktemp("workspace") / "slack.db")
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("document", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_what_could_not_be_written_again_is_not_read(document: str | bytes) -> None:
    with pytest.raises(ValueError):
        parsed(document)


@pytest.mark.parametrize("document", [{}, [1, "\U0001f680", None], "text", 1.5, {"a": [{"b": "\u2028"}]}])
def test_all_other_json_is_read_as_it_is(document: Any) -> None:
    assert parsed(json.dumps(document)) == document


@pytest.mark.parametrize("document", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_a_channel_stays_readable_whatever_is_posted(sandbox: SlackSandbox, document: str | bytes) -> None:
    headers = {"Authorization": f"Bearer {sandbox.bot_token}", "Content-Type": "application/json"}
    with httpx.Client(base_url=sandbox.api_url, headers=headers, trust_env=False) as client:
        refused = client.post("chat.postMessage", content=document)
        assert (refused.status_code, refused.json()["error"]) == (200, "invalid_json")
        history = client.post("conversations.history", json={"channel": "C0ML"}).json()
    assert history == {"ok": True, "messages": [], "has_more": False, "pin_count": 0}
