"""chat.*: posting, editing, deleting."""

import time

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.posting import UPDATE_LIMIT, bot_message, content, for_app, open_channel
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import BOT_ID, BOT_USER, TEAM

SCHEDULE_DAYS = 120
# What the answer of chat.update leaves away of the message: where it stands, and what hangs on it.
OF_THE_PLACE = frozenset(
    {"ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply", "pinned_to"}
)


@method("chat.postMessage", "chat:write", per_minute=None)
def post_message(call: Call) -> Answer:
    channel = open_channel(call)
    found = content(call)
    thread_ts = call.get("thread_ts")
    if thread_ts:
        call.world.message(channel["id"], thread_ts, "thread_not_found")
    call.delivery.limits.message(channel["id"])
    message = bot_message(call.world, found, thread_ts)
    if thread_ts and call.flag("reply_broadcast"):
        message["subtype"] = "thread_broadcast"
    call.world.add_message(channel["id"], message)
    return {"channel": channel["id"], "ts": message["ts"], "message": message}


@method("chat.postEphemeral", "chat:write", per_minute=100)
def post_ephemeral(call: Call) -> Answer:
    channel = open_channel(call)
    person = call.need("user", "user_not_in_channel")
    if not call.world.is_member(channel, person):
        raise SlackError("user_not_in_channel")
    message = bot_message(call.world, content(call), call.get("thread_ts"))
    call.world.add_ephemeral(person, channel["id"], message)
    return {"message_ts": message["ts"]}


@method("chat.update", "chat:write")
def update(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    message = call.world.message(channel["id"], call.need("ts", "message_not_found"))
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_update_message")
    if message.get("streaming"):
        raise SlackError("streaming_state_conflict")
    found = content(call, UPDATE_LIMIT)
    kept = {name: value for name, value in message.items() if name not in ("blocks", "attachments")}
    if "blocks" not in found and "text" not in call.arguments:
        kept |= {name: message[name] for name in ("blocks", "attachments") if name in message}
    changed = kept | found | {"edited": {"user": BOT_USER, "ts": f"{time.time():.6f}"}}
    call.world.save_message(channel["id"], changed)
    shown = {name: value for name, value in for_app(changed).items() if name not in OF_THE_PLACE}
    return {"channel": channel["id"], "ts": message["ts"], "text": changed["text"], "message": shown}


@method("chat.delete", "chat:write")
def delete(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    message = call.world.message(channel["id"], call.need("ts", "message_not_found"))
    if message.get("bot_id") != BOT_ID:
        raise SlackError("cant_delete_message")
    call.world.drop_message(channel["id"], message["ts"])
    return {"channel": channel["id"], "ts": message["ts"]}


@method("chat.getPermalink", per_minute=None)
def get_permalink(call: Call) -> Answer:
    channel = call.world.channel(call.need("channel", "channel_not_found"))
    message = call.world.message(channel["id"], call.need("message_ts", "message_not_found"))
    thread = message.get("thread_ts")
    suffix = f"?thread_ts={thread}&cid={channel['id']}" if thread and thread != message["ts"] else ""
    place = f"{channel['id']}/p{message['ts'].replace('.', '')}"
    return {"channel": channel["id"], "permalink": f"{call.base_url}/#/{place}{suffix}"}


@method("chat.scheduleMessage", "chat:write")
def schedule_message(call: Call) -> Answer:
    channel = open_channel(call)
    try:
        post_at = int(call.need("post_at"))
    except (TypeError, ValueError, OverflowError):
        raise SlackError("invalid_time") from None
    if post_at <= time.time():
        raise SlackError("time_in_past")
    if post_at > time.time() + SCHEDULE_DAYS * 86_400:
        raise SlackError("time_too_far")
    message = bot_message(call.world, content(call), call.get("thread_ts"))
    scheduled_id = call.world.new_id("Q")
    entry = {"channel": channel["id"], "post_at": post_at, "message": message}
    call.world.scheduled[scheduled_id] = entry
    call.world.store.put("scheduled", scheduled_id, entry)
    shown = {"text": message["text"], "type": "delayed_message", "team": TEAM["id"], "bot_id": BOT_ID, "user": BOT_USER}
    return {"channel": channel["id"], "scheduled_message_id": scheduled_id, "post_at": post_at, "message": shown}
