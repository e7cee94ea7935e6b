"""Keeps the port Channels: ids behind names, and who reads where, as Slack says it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.clients.directory import Memory
from bot.clients.slack import SlackConversation
from pipelines.errors import Refused, Unavailable

# Shorter than for names and roles: who has left a channel must soon stop reading its documents.
FRESH_SECONDS = 60.0
FRESH_NAMES_SECONDS = 300.0
JUST_NOW_SECONDS = 10.0
PAGE = 200
# Slack's word for a channel that is gone, or that the bot is not in and may not look into.
UNSEEN = frozenset({"channel_not_found", "not_in_channel", "method_not_supported_for_channel_type", "missing_scope"})


class SlackChannels:
    """Names are remembered for minutes, and for an hour while Slack is away; who reads where for one minute."""

    def __init__(self, conversation: SlackConversation, clock: Callable[[], float] = time.monotonic) -> None:
        self._conversation = conversation
        self._clock = clock
        self._names = Memory(self._all_names, clock)
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def find(self, name: str) -> str:
        wanted = name.strip().removeprefix("#")
        if wanted[:1] == "D" and wanted.isalnum() and wanted.isupper():
            return wanted
        # Whoever was just told to invite us did so a moment ago.
        for fresh_seconds in (FRESH_NAMES_SECONDS, JUST_NOW_SECONDS):
            known = self._names.get("", fresh_seconds)
            found = next((one for one, title in known.items() if wanted == one or wanted.lower() == title), None)
            if found:
                return found
        raise Refused(f"I see no channel #{wanted[:80]}. If it is private, invite me there: `/invite @shipmate`")

    def name(self, channel: str) -> str:
        if channel.startswith("D"):
            return "direct messages"
        try:
            title = self._names.get("").get(channel)
        except Unavailable:
            title = None
        return f"#{title}" if title else channel

    def includes(self, channel: str, person_id: str) -> bool:
        known = self._members.get(channel)
        if known is None or self._clock() - known[0] > FRESH_SECONDS:
            known = self._members[channel] = (self._clock(), frozenset(self._members_of(channel)))
        return person_id in known[1]

    def _all_names(self, _all: str) -> dict[str, str]:
        """Id -> name of every channel that the bot can see."""
        try:
            pages = self._pages(
                "conversations_list", "channels", types="public_channel,private_channel", exclude_archived=True
            )
            return {one["id"]: one["name"] for one in pages if one.get("name")}
        except SlackApiError as error:
            raise Unavailable("Slack", f"could not list channels: {error.response['error']}") from None

    def _members_of(self, channel: str) -> Iterator[str]:
        try:
            yield from self._pages("conversations_members", "members", channel=channel)
        except SlackApiError as error:
            if error.response["error"] not in UNSEEN:
                raise Unavailable("Slack", f"could not say who is in a channel: {error.response['error']}") from None

    def _pages(self, method: str, holds: str, **arguments: Any) -> Iterator[Any]:
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self._conversation.call(method, limit=PAGE, **arguments, **more)
            yield from page[holds]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
