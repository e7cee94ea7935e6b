"""The state of the workspace, and the news of its changes. Everything here runs on the server's one event loop."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.roster import APP_ID, BOT_ID, BOT_USER, TEAM, InstalledApp, Member, Roster
from bot.sandbox.slack.store import Document, Store
from bot.sandbox.slack.uploads import Uploads

NEWS_KEPT = 2_000


class World:
    def __init__(self, store: Store, roster: Roster, app: InstalledApp) -> None:
        self.store = store
        self.roster = roster
        self.app = app
        self.users: dict[str, Document] = {}
        self.channels: dict[str, Document] = {}
        self.messages: dict[str, dict[str, Document]] = defaultdict(dict)  # channel -> ts -> message
        self.ephemerals: dict[str, dict[str, Document]] = defaultdict(dict)  # person -> ts -> message with channel
        self.views: dict[str, Document] = {}
        self.stacks: dict[str, list[str]] = defaultdict(list)  # person -> open modals, the topmost last
        self.homes: dict[str, Document] = {}
        self.files: dict[str, Document] = {}
        self.scheduled: dict[str, Document] = {}
        self.marks: dict[str, str] = {}  # "person channel" -> ts of the last message read
        self.suggested: dict[str, Document] = {}
        self.bookmarks: dict[str, Document] = {}
        self.uploads = Uploads()
        self._news: list[tuple[int, str | None, Document]] = []
        self._number = int(time.time() * 1000)
        self._listeners: set[asyncio.Event] = set()
        self._last_ts = 0.0
        self._load()

    # Names and times

    def new_ts(self) -> str:
        """A time stamp that no other message has."""
        self._last_ts = max(time.time(), self._last_ts + 0.000_01)
        return f"{self._last_ts:.6f}"

    def new_id(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}{self._number:X}"

    # News for the page

    def tell(self, event: Document, to: str | None = None) -> None:
        """Let every open page know, or only those of one person."""
        self._number += 1
        self._news.append((self._number, to, event))
        del self._news[:-NEWS_KEPT]
        for listener in self._listeners:
            listener.set()

    def news_since(self, number: int, person: str) -> list[tuple[int, Document]]:
        return [(at, event) for at, to, event in self._news if at > number and to in (None, person)]

    @property
    def latest_news(self) -> int:
        return self._number

    def listen(self) -> asyncio.Event:
        listener = asyncio.Event()
        self._listeners.add(listener)
        return listener

    def unlisten(self, listener: asyncio.Event) -> None:
        self._listeners.discard(listener)

    # Looking things up

    def user(self, user_id: str) -> Document:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str, code: str = "channel_not_found") -> Document:
        """A channel by id; a person's or the bot's user id means their direct message, as in Slack."""
        if channel_id in self.users:
            return self.direct(channel_id)
        found = self.channels.get(channel_id) or self.channels.get(self._named(channel_id))
        if found is None:
            raise SlackError(code)
        return found

    def direct(self, user_id: str) -> Document:
        """The direct message between a person and the bot, opened when there is none."""
        channel_id = f"D{user_id[1:]}"
        if channel_id not in self.channels:
            channel = _channel(channel_id, "", "", [user_id, BOT_USER]) | {"is_im": True, "is_channel": False}
            self.put_channel(channel | {"user": user_id})
        return self.channels[channel_id]

    def message(self, channel_id: str, ts: str, code: str = "message_not_found") -> Document:
        found = self.messages[channel_id].get(ts)
        if found is None:
            raise SlackError(code)
        return found

    def replies(self, channel_id: str, thread_ts: str) -> list[Document]:
        """The messages of a thread without its parent, oldest first."""
        return [
            message for message in self.messages[channel_id].values()
            if message.get("thread_ts") == thread_ts and message["ts"] != thread_ts
        ]  # fmt: skip

    def parents(self, channel_id: str) -> list[Document]:
        """What stands in the channel itself, oldest first."""
        return [message for message in self.messages[channel_id].values() if _in_channel(message)]

    def is_member(self, channel: Document, user_id: str) -> bool:
        return user_id in channel["members"]

    # Changing things

    def put_channel(self, channel: Document) -> None:
        self.channels[channel["id"]] = channel
        self.store.put("channel", channel["id"], channel)

    def add_message(self, channel_id: str, message: Document) -> Document:
        self.messages[channel_id][message["ts"]] = message
        self.store.put("message", f"{channel_id} {message['ts']}", message)
        thread_ts = message.get("thread_ts")
        if thread_ts and thread_ts != message["ts"]:
            self._count_reply(channel_id, thread_ts, message)
        self.tell({"type": "message", "channel": channel_id, "message": message})
        return message

    def save_message(self, channel_id: str, message: Document, event: str = "message_changed") -> None:
        self.messages[channel_id][message["ts"]] = message
        self.store.put("message", f"{channel_id} {message['ts']}", message)
        self.tell({"type": event, "channel": channel_id, "message": message})

    def drop_message(self, channel_id: str, ts: str) -> None:
        self.messages[channel_id].pop(ts, None)
        self.store.remove("message", f"{channel_id} {ts}")
        self.tell({"type": "message_deleted", "channel": channel_id, "ts": ts})

    def add_ephemeral(self, person: str, channel_id: str, message: Document) -> Document:
        shown = message | {"ephemeral": True, "channel": channel_id}
        self.ephemerals[person][message["ts"]] = shown
        self.tell({"type": "ephemeral", "channel": channel_id, "message": shown}, to=person)
        return shown

    def drop_ephemeral(self, person: str, ts: str) -> None:
        gone = self.ephemerals[person].pop(ts, None)
        if gone:
            self.tell({"type": "ephemeral_deleted", "channel": gone["channel"], "ts": ts}, to=person)

    def put_home(self, person: str, view: Document) -> None:
        self.homes[person] = view
        self.store.put("home", person, view)
        self.tell({"type": "home", "view": view}, to=person)

    def put_file(self, file: Document) -> None:
        self.files[file["id"]] = file
        self.store.put("file", file["id"], file)

    def mark(self, person: str, channel_id: str, ts: str) -> None:
        self.marks[f"{person} {channel_id}"] = ts
        self.store.put("mark", f"{person} {channel_id}", ts)
        self.tell({"type": "channel", "channel": self.shown_channel(self.channels[channel_id], person)}, to=person)

    def notice(self, person: str, channel_id: str, text: str) -> None:
        """What Slack itself says under the composer."""
        self.tell({"type": "notice", "channel": channel_id, "text": text}, to=person)

    # For the page

    def shown_channel(self, channel: Document, person: str) -> Document:
        read = self.marks.get(f"{person} {channel['id']}", "0")
        parents = self.parents(channel["id"])
        fresh = [message for message in parents if message["ts"] > read and message.get("user") != person]
        mentions = sum(f"<@{person}>" in str(message.get("text")) for message in fresh)
        return {
            "id": channel["id"], "name": channel["name"], "type": "im" if channel.get("is_im") else "channel",
            "is_member": self.is_member(channel, person), "topic": channel["topic"]["value"],
            "purpose": channel["purpose"]["value"], "unread": len(fresh),
            "mentions": len(fresh) if channel.get("is_im") else mentions,
            "last_ts": parents[-1]["ts"] if parents else "", "user": BOT_USER if channel.get("is_im") else None,
            "members": len(channel["members"]),
        }  # fmt: skip

    def channels_of(self, person: str) -> Iterable[Document]:
        """Public channels, and this person's direct messages."""
        return [
            channel for channel in self.channels.values() if not channel.get("is_im") or person in channel["members"]
        ]

    def _count_reply(self, channel_id: str, thread_ts: str, reply: Document) -> None:
        parent = self.messages[channel_id].get(thread_ts)
        if parent is None:
            return
        author = reply.get("user") or BOT_USER
        users = list(dict.fromkeys([*parent.get("reply_users", []), author]))
        parent |= {
            "thread_ts": thread_ts, "reply_count": parent.get("reply_count", 0) + 1, "reply_users": users,
            "reply_users_count": len(users), "latest_reply": reply["ts"],
        }  # fmt: skip
        self.save_message(channel_id, parent)

    def _named(self, name: str) -> str:
        wanted = name.removeprefix("#")
        return next((key for key, channel in self.channels.items() if channel["name"] == wanted and wanted), "")

    def _load(self) -> None:
        self.users = {member.id: _user(member) for member in self.roster.people} | {BOT_USER: _bot_user(self.app.name)}
        people = [member.id for member in self.roster.people]
        for room in self.roster.rooms:
            members = [*people, *([BOT_USER] if room.bot_is_member else [])]
            self.channels[room.id] = _channel(room.id, room.name, room.topic, members)
        self.channels |= self.store.all("channel")
        for key, message in self.store.all("message").items():
            self.messages[key.split()[0]][message["ts"]] = message
            self._last_ts = max(self._last_ts, float(message["ts"]))  # whatever the clock says now
        self.homes = self.store.all("home")
        self.files = self.store.all("file")
        self.scheduled = self.store.all("scheduled")
        self.marks = self.store.all("mark")
        self.bookmarks = self.store.all("bookmark")
        for person in people:
            self.direct(person)


def _in_channel(message: Document) -> bool:
    thread_ts = message.get("thread_ts")
    return not thread_ts or thread_ts == message["ts"] or message.get("subtype") == "thread_broadcast"


def _user(member: Member) -> Document:
    first, _, last = member.real_name.partition(" ")
    profile = {
        "real_name": member.real_name, "display_name": member.name, "title": member.title, "email": member.email,
        "first_name": first, "last_name": last, "real_name_normalized": member.real_name,
        "display_name_normalized": member.name, "team": TEAM["id"],
    }  # fmt: skip
    return {
        "id": member.id, "team_id": TEAM["id"], "name": member.name, "real_name": member.real_name, "deleted": False,
        "color": member.color, "tz": "Europe/Berlin", "tz_label": "Central European Time", "tz_offset": 3600,
        "profile": profile, "is_admin": False, "is_owner": False, "is_primary_owner": False, "is_restricted": False,
        "is_ultra_restricted": False, "is_bot": False, "is_app_user": False, "updated": 1_700_000_000,
    }  # fmt: skip


def _bot_user(name: str) -> Document:
    user = _user(Member(BOT_USER, name.lower(), name, "", "", "e01e5a"))
    user["profile"] |= {"api_app_id": APP_ID, "bot_id": BOT_ID, "always_active": True}
    del user["profile"]["email"]
    return user | {"is_bot": True}


def _channel(channel_id: str, name: str, topic: str, members: list[Any]) -> Document:
    return {
        "id": channel_id, "name": name, "name_normalized": name, "is_channel": True, "is_group": False, "is_im": False,
        "is_mpim": False, "is_private": False, "is_archived": False, "is_general": name == "general",
        "is_shared": False, "is_org_shared": False, "is_ext_shared": False, "created": 1_700_000_000,
        "creator": "U0ANA", "context_team_id": TEAM["id"], "unlinked": 0, "updated": 1_700_000_000_000,
        "topic": {"value": topic, "creator": "U0ANA", "last_set": 1_700_000_000},
        "purpose": {"value": "", "creator": "", "last_set": 0}, "previous_names": [], "members": members,
    }  # fmt: skip
