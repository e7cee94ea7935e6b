"""Keeps the port Channels: which id a channel of the catalogue has."""

import re
import time
from collections.abc import Callable

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.clients.directory import UNREACHABLE, Memory
from pipelines.errors import Refused, Unavailable

ID = re.compile(r"[CGD][A-Z0-9]{2,}")


class SlackChannels:
    """Ids of channels that the bot can see, remembered for minutes, and for an hour while Slack is away."""

    def __init__(self, client: WebClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ids = Memory(self._fetch, clock)

    def id_of(self, channel: str) -> str:
        if ID.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        found = self._ids.get("").get(name)
        if found is None:
            raise Refused(f"There is no channel #{name} that I can see. `/invite @shipmate` shows it to me.")
        return found

    def _fetch(self, _all: str) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        while True:
            try:
                page = self._client.conversations_list(
                    types="public_channel,private_channel", exclude_archived=True, limit=999, cursor=cursor or None
                )
            except SlackApiError as error:
                raise Unavailable("Slack", f"could not list channels: {error.response['error']}") from None
            except UNREACHABLE as error:
                raise Unavailable("Slack", f"did not answer ({type(error).__name__})") from None
            found |= {channel["name"]: channel["id"] for channel in page["channels"] if channel.get("name")}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found
