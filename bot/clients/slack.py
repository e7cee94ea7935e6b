"""Keeps the port Conversation with Slack's Web API: values are drawn, redacted, and posted once for their key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from threading import Lock
from typing import Any, Protocol
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.cards.blocks import Card
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Place

EVENT_TYPE = "shipmate_card"
GONE = frozenset({"message_not_found", "cant_update_message", "channel_not_found", "is_archived"})
NOT_THERE = frozenset({"not_in_channel", "channel_not_found", "user_not_in_channel", "is_archived"})
LATER = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
# Slack's clock and ours may differ a little when we look for a message that a killed process may have posted.
CLOCK_SKEW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Posting:
    """What is known of a message that is posted once: `place` is None while nobody knows whether it went out."""

    first_time: bool
    place: Place | None
    intended_at: datetime


class Postings(Protocol):
    def intend(self, key: str, channel: str) -> Posting:
        """Note that a message is about to be posted; `first_time` when nobody noted it before."""
        ...

    def posted(self, key: str, place: Place) -> None: ...


class SlackConversation:
    """`draw` makes cards of values; every payload passes `redact`; `called` counts methods and how they answered."""

    def __init__(
        self,
        client: WebClient,
        postings: Postings,
        draw: Callable[[object], Card],
        redact: Callable[[Any], Any],
        called: Callable[[str, str], None],
    ) -> None:
        self._client = client
        self._postings = postings
        self._draw = draw
        self._redact = redact
        self._called = called
        self._turns = [Lock() for _ in range(64)]

    def post_once(self, key: str, channel: str, value: object) -> Place:
        return self._once(key, channel, None, value)

    def reply_once(self, key: str, place: Place, value: object) -> Place:
        return self._once(key, place.channel, place.ts, value)

    def update(self, place: Place, current: Callable[[], object]) -> None:
        try:
            with self._turns[hash(place) % len(self._turns)]:
                self._send("chat_update", self._draw(current()), channel=place.channel, ts=place.ts)
        except SlackApiError as error:
            if error.response["error"] not in GONE:
                raise

    def tell(self, person_id: str, channel: str, value: object) -> None:
        card = self._draw(value)
        if channel and self._told_there(person_id, channel, card):
            return
        self._send("chat_postMessage", card, channel=self.direct(person_id))

    def direct(self, person_id: str) -> str:
        """The channel of this person's direct messages with the bot."""
        return str(self.call("conversations_open", users=[person_id])["channel"]["id"])

    def call(self, method: str, **arguments: Any) -> Any:
        """Any method of the SDK's client, counted. Raises Unavailable for outages, Refused for a token at fault."""
        return self._call(method, **arguments)

    def redacted(self, payload: Any) -> Any:
        return self._redact(payload)

    def _told_there(self, person_id: str, channel: str, card: Card) -> bool:
        try:
            self._send("chat_postEphemeral", card, channel=channel, user=person_id)
        except SlackApiError as error:
            if error.response["error"] in NOT_THERE:
                return False
            raise
        return True

    def reaches(self, channel: str) -> bool:
        try:
            found = self._call("conversations_info", channel=channel)["channel"]
        except SlackApiError as error:
            if error.response["error"] in NOT_THERE:
                return False
            raise
        return bool(found.get("is_im") or found.get("is_member")) and not found.get("is_archived")

    def link(self, place: Place) -> str:
        try:
            return str(self._call("chat_getPermalink", channel=place.channel, message_ts=place.ts)["permalink"])
        except SlackApiError as error:
            if error.response["error"] in GONE:
                return ""
            raise

    def attach_once(self, key: str, place: Place, name: str, content: bytes, title: str) -> None:
        posting = self._postings.intend(key, place.channel)
        if posting.place is None:
            self._call(
                "files_upload_v2",
                channel=place.channel,
                thread_ts=place.ts,
                filename=name,
                content=content,
                title=title,
            )
            self._postings.posted(key, place)

    def posted(self, key: str, channel: str) -> Place | None:
        posting = self._postings.intend(key, channel)
        if posting.place or posting.first_time:
            return posting.place
        return self._find(key, channel, None, posting.intended_at)

    def publish_home(self, person_id: str, value: object) -> None:
        """Show `value` as this person's App Home tab."""
        view = {"type": "home", "blocks": self._redact(list(self._draw(value).blocks))}
        self._call("views_publish", user_id=person_id, view=view)

    def answer(self, value: object, newest_blocks: bool = True) -> dict[str, Any]:
        """The payload of an answer to a command or click that Bolt sends to its response_url."""
        card = self._draw(value) if newest_blocks else self._draw(value).without_new_blocks()
        return {"text": self._redact(card.text), "blocks": self._redact(list(card.blocks))}

    def _once(self, key: str, channel: str, thread_ts: str | None, value: object) -> Place:
        # Two threads with one key: the second waits, and finds what the first has posted.
        with self._turns[hash(key) % len(self._turns)]:
            return self._post_unless_posted(key, channel, thread_ts, value)

    def _post_unless_posted(self, key: str, channel: str, thread_ts: str | None, value: object) -> Place:
        posting = self._postings.intend(key, channel)
        place = posting.place
        if place is None and not posting.first_time:
            place = self._find(key, channel, thread_ts, posting.intended_at)
        if place is None:
            metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
            more = {"thread_ts": thread_ts} if thread_ts else {}
            answer = self._send("chat_postMessage", self._draw(value), channel=channel, metadata=metadata, **more)
            place = Place(answer["channel"], answer["ts"])
        self._postings.posted(key, place)
        return place

    def _find(self, key: str, channel: str, thread_ts: str | None, since: datetime) -> Place | None:
        """The message that an earlier process posted under this key before it was killed, if it did."""
        cursor = ""
        oldest = str((since - CLOCK_SKEW).timestamp())
        while True:
            page = self._history(channel, thread_ts, oldest, cursor)
            for message in page["messages"]:
                metadata = message.get("metadata") or {}
                if metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload", {}).get("key") == key:
                    return Place(channel, message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    def _history(self, channel: str, thread_ts: str | None, oldest: str, cursor: str) -> Any:
        asked = {"channel": channel, "include_all_metadata": True, "limit": 200, "oldest": oldest}
        if cursor:
            asked["cursor"] = cursor
        if thread_ts:
            return self._call("conversations_replies", ts=thread_ts, **asked)
        return self._call("conversations_history", **asked)

    def _send(self, method: str, card: Card, **arguments: Any) -> Any:
        try:
            return self._call(method, **self._payload(card), **arguments)
        except SlackApiError as error:
            # A workspace that does not know the newest blocks refuses the whole message.
            if error.response["error"] != "invalid_blocks" or card == card.without_new_blocks():
                raise
            return self._call(method, **self._payload(card.without_new_blocks()), **arguments)

    def _payload(self, card: Card) -> dict[str, Any]:
        return {"text": self._redact(card.text), "blocks": self._redact(list(card.blocks))}

    def _call(self, method: str, **arguments: Any) -> Any:
        try:
            answer = getattr(self._client, method)(**arguments)
            self._called(method, "ok")
            return answer
        except SlackApiError as error:
            self._called(method, str(error.response["error"]))
            if error.response.status_code >= 500 or error.response["error"] in LATER:
                wait = error.response.headers.get("Retry-After") if error.response.headers else None
                raise Unavailable(
                    "Slack", f"answered {error.response['error']}", float(wait) if wait else None
                ) from None
            if error.response["error"] in ("invalid_auth", "token_revoked", "account_inactive", "missing_scope"):
                raise Refused(
                    f"Slack refused us: {error.response['error']}. `shipmate doctor` says what to do."
                ) from None
            raise
        except (URLError, HTTPException, ConnectionError, TimeoutError, SlackClientError) as error:
            self._called(method, "no answer")
            raise Unavailable("Slack", f"did not answer ({type(error).__name__})") from None
