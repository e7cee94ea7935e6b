"""assistant.threads.*: the status line, title and suggestions of a conversation with the app."""

from typing import Any

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.store import Document

MOST_PROMPTS = 4
MOST_LOADING_MESSAGES = 10


@method("assistant.threads.setStatus", "chat:write", per_minute=None)
def set_status(call: Call) -> Answer:
    """An empty status takes the line away; so does the app's next message in the thread."""
    channel, thread_ts = _thread(call)
    status = call.get("status", "")
    loading = call.get("loading_messages", [])
    if not isinstance(status, str) or not _strings(loading) or len(loading) > MOST_LOADING_MESSAGES:
        raise SlackError("invalid_arguments")
    event = {"type": "status", "channel": channel["id"], "thread_ts": thread_ts, "status": status}
    call.world.tell(event | ({"loading_messages": loading} if loading else {}))
    return {}


@method("assistant.threads.setTitle", "assistant:write", per_minute=100)
def set_title(call: Call) -> Answer:
    channel, thread_ts = _thread(call)
    title = call.need("title")
    if not isinstance(title, str):
        raise SlackError("invalid_arguments")
    message = call.world.message(channel["id"], thread_ts, "invalid_thread_ts")
    call.world.save_message(channel["id"], message | {"assistant_app_thread": {"title": title}})
    return {}


@method("assistant.threads.setSuggestedPrompts", "assistant:write", per_minute=100)
def set_suggested_prompts(call: Call) -> Answer:
    """Newer apps leave the thread away: then the prompts stand in the direct message itself."""
    channel = call.world.channel(call.need("channel_id", "channel_not_found"))
    thread_ts = str(call.get("thread_ts", ""))
    if thread_ts:
        call.world.message(channel["id"], thread_ts, "invalid_thread_ts")
    prompts, title = call.need("prompts"), call.get("title", "")
    if not _are_prompts(prompts) or len(prompts) > MOST_PROMPTS or not isinstance(title, str):
        raise SlackError("invalid_arguments")
    shown: Document = {"channel": channel["id"], "thread_ts": thread_ts, "title": title, "prompts": prompts}
    call.world.suggested[f"{channel['id']} {thread_ts}"] = shown
    call.world.tell({"type": "suggested_prompts", **shown})
    return {}


def _thread(call: Call) -> tuple[Document, str]:
    channel = call.world.channel(call.need("channel_id", "channel_not_found"))
    thread_ts = str(call.need("thread_ts", "invalid_thread_ts"))
    call.world.message(channel["id"], thread_ts, "invalid_thread_ts")
    return channel, thread_ts


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(member, str) for member in value)


def _are_prompts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(prompt, dict) and isinstance(prompt.get("title"), str) and isinstance(prompt.get("message"), str)
        for prompt in value
    )
