"""Keeps the port Channels: ids behind names, and who reads where, as Slack says it; fresh for a minute."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.clients.slack import SlackConversation
from pipelines.errors import Refused, Unavailable

# Shorter than for names and roles: who has left a channel must soon stop reading its documents.
FRESH_SECONDS = 60.0
PAGE = 200
# Slack's word for a channel that is gone, or that the bot is not in and may not look into.
UNSEEN = frozenset({"channel_not_found", "not_in_channel", "method_not_supported_for_channel_type", "missing_scope"})


class SlackChannels:
    def __init__(self, conversation: SlackConversation, clock: Callable[[], float] = time.monotonic) -> None:
        self._conversation = conversation
        self._clock = clock
        self._names: tuple[float, dict[str, str]] = (float("-inf"), {})
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def find(self, name: str) -> str:
        wanted = name.strip().removeprefix("#")
        known = self._by_id()
        if wanted in known:
            return wanted
        for channel, title in known.items():
            if title == wanted.lower():
                return channel
        if wanted[:1] == "D" and wanted.isalnum() and wanted.isupper():
            return wanted
        raise Refused(f"I see no channel #{wanted[:80]}. If it is private, invite me there: `/invite @shipmate`")

    def name(self, channel: str) -> str:
        if channel.startswith("D"):
            return "direct messages"
        try:
            title = self._by_id().get(channel)
        except Unavailable:
            title = None
        return f"#{title}" if title else channel

    def includes(self, channel: str, person_id: str) -> bool:
        known = self._members.get(channel)
        if known is None or self._clock() - known[0] > FRESH_SECONDS:
            known = self._members[channel] = (self._clock(), frozenset(self._members_of(channel)))
        return person_id in known[1]

    def _by_id(self) -> dict[str, str]:
        at, known = self._names
        if self._clock() - at > FRESH_SECONDS:
            known = {one["id"]: one["name"] for one in self._pages("conversations_list", "channels",
                     types="public_channel,private_channel", exclude_archived=True)}  # fmt: skip
            self._names = (self._clock(), known)
        return known

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
