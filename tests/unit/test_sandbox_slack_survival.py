"""A workspace keeps what it was told: over a restart, and over kill -9."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.roster import Secrets
from bot.sandbox.slack.workspace import Workspace

CHECKOUT = Path(__file__).resolve().parents[2]
SERVE = """
import sys, threading
from pathlib import Path
from bot.sandbox.slack import SlackSandbox
sandbox = SlackSandbox(Path(sys.argv[1]))
sandbox.start()
print(sandbox.url, flush=True)
threading.Event().wait()
"""


def web_of(sandbox: SlackSandbox) -> WebClient:
    return WebClient(sandbox.bot_token, base_url=sandbox.api_url)


def test_a_restart_keeps_messages_threads_reactions_files_homes_and_members(tmp_path: Path) -> None:
    before = _full_workspace(tmp_path / "slack.sqlite")
    after = SlackSandbox(tmp_path / "slack.sqlite")
    after.start()
    shown = _everything(after)
    after.stop()
    assert shown == before


def test_after_a_restart_everything_goes_on_from_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "slack.sqlite"
    first = SlackSandbox(path)
    first.start()
    parent = web_of(first).chat_postMessage(channel="C0ML", text="parent")["ts"]
    web_of(first).chat_postMessage(channel="C0ML", text="reply", thread_ts=parent)
    first.stop()
    second = SlackSandbox(path)
    second.start()
    web = web_of(second)
    web.chat_postMessage(channel="C0ML", text="second reply", thread_ts=parent)
    web.chat_update(channel="C0ML", ts=parent, text="parent, edited")
    thread = web.conversations_replies(channel="C0ML", ts=parent)["messages"]
    second.stop()
    assert [message["text"] for message in thread] == ["parent, edited", "reply", "second reply"]
    assert thread[0]["reply_count"] == 2


def test_a_clock_that_was_set_back_gives_no_time_stamp_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SlackSandbox(tmp_path / "slack.sqlite")
    first.start()
    posted = web_of(first).chat_postMessage(channel="C0ML", text="x")["ts"]
    first.stop()
    monkeypatch.setattr("bot.sandbox.slack.world.time.time", lambda: float(posted) - 3_600)
    second = SlackSandbox(tmp_path / "slack.sqlite")
    stamp = second.world.new_ts()
    second.start()
    second.stop()
    assert float(stamp) > float(posted)


def test_what_was_answered_before_kill_9_is_there_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "slack.sqlite"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    web = WebClient(Secrets().bot_token, base_url=f"{url}/api/")
    stamps = [str(web.chat_postMessage(channel="C0ML", text=f"message {number}")["ts"]) for number in range(30)]
    web.reactions_add(channel="C0ML", timestamp=stamps[0], name="eyes")
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    after = SlackSandbox(path)
    after.start()
    found = web_of(after).conversations_history(channel="C0ML", limit=100)["messages"]
    after.stop()
    assert [message["ts"] for message in found] == stamps[::-1]
    assert found[-1]["reactions"] == [{"name": "eyes", "users": ["U0SHIPMATE"], "count": 1}]


def test_a_message_that_was_scheduled_is_posted_after_the_restart(tmp_path: Path) -> None:
    path = tmp_path / "slack.sqlite"
    first = SlackSandbox(path)
    first.start()
    web_of(first).chat_scheduleMessage(channel="C0ML", text="later", post_at=int(time.time()) + 1)
    first.stop()
    second = SlackSandbox(path)
    second.start()
    workspace = Workspace(second.url)
    seen = workspace.wait_for_message("#ml", containing="later", as_=workspace.person("ben"))
    workspace.close()
    second.stop()
    assert seen.text == "later"


def test_a_port_that_is_taken_is_said_plainly(tmp_path: Path) -> None:
    first = SlackSandbox(tmp_path / "one.sqlite")
    with pytest.raises(OSError, match=f"Port {first.port} is in use"):
        SlackSandbox(tmp_path / "two.sqlite", port=first.port)
    first.start()
    first.stop()


def _full_workspace(path: Path) -> dict[str, object]:
    sandbox = SlackSandbox(path)
    sandbox.start()
    web = web_of(sandbox)
    workspace = Workspace(sandbox.url)
    ben = workspace.person("ben")
    parent = str(
        web.chat_postMessage(channel="C0ML", text="parent", metadata={"event_type": "e", "event_payload": {}})["ts"]
    )
    workspace.say("reply", as_=ben, channel="#ml", thread=workspace.messages("#ml", as_=ben)[-1])
    web.reactions_add(channel="C0ML", timestamp=parent, name="eyes")
    web.pins_add(channel="C0ML", timestamp=parent)
    workspace.upload("log.txt", b"one line", as_=ben, channel="#ml")
    workspace.say("in private", as_=ben, channel="@bot")
    web.views_publish(user_id=ben.id, view={"type": "home", "blocks": [{"type": "divider"}]})
    web.conversations_join(channel="C0GENERAL")
    web.bookmarks_add(channel_id="C0ML", title="Runbook", type="link", link="https://runbook.example")
    workspace.close()
    before = _everything(sandbox)
    sandbox.stop()
    return before


def _everything(sandbox: SlackSandbox) -> dict[str, object]:
    world = sandbox.world
    return {
        "messages": {key: list(messages.values()) for key, messages in world.messages.items() if messages},
        "channels": world.channels, "homes": world.homes, "marks": world.marks, "bookmarks": world.bookmarks,
        "files": {key: (_named(file), world.store.blob(key)) for key, file in world.files.items()},
    }  # fmt: skip


def _named(file: dict[str, object]) -> object:
    return file["name"]
