"""What Slack offers beside plain messages: modals, suggested prompts, a status line, and messages that are streamed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError

from bot.clients.slack import NOT_THERE, Posting, SlackConversation
from pipelines.errors import Refused, Unavailable
from pipelines.help import Greeting
from pipelines.ports import Place

LATE = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"})
# What a stream answers once it has ended by itself: after five minutes, or because a process was killed.
OVER = frozenset({"message_not_in_streaming_state", "message_not_found", "streaming_state_conflict"})


class Postings(Protocol):
    def intend(self, key: str, channel: str) -> Posting: ...

    def posted(self, key: str, place: Place) -> None: ...


class SlackSurfaces:
    """Keeps the port Replies, and opens forms for the listeners."""

    def __init__(
        self,
        conversation: SlackConversation,
        postings: Postings,
        draw_form: Callable[[object], Mapping[str, Any] | None],
        draw_text: Callable[[object], str],
    ) -> None:
        self._conversation = conversation
        self._postings = postings
        self._draw_form = draw_form
        self._draw_text = draw_text
        self._team = ""

    def open_form(self, trigger_id: str, value: object, pack: Callable[[str], str]) -> bool:
        """Open the modal of `value`; False when it has none. `pack` wraps what the view carries unseen.

        Raises Refused when Slack's three seconds for opening one have passed.
        """
        drawn = self._draw_form(value)
        if drawn is None:
            return False
        metadata = pack(str(drawn.get("private_metadata", "")))
        view = self._conversation.redacted({**drawn, "private_metadata": metadata})
        try:
            self._conversation.call("views_open", trigger_id=trigger_id, view=view)
        except SlackApiError as error:
            if error.response["error"] not in LATE:
                raise
            raise Refused("The form came too late for Slack, which waits three seconds. Choose it once more.") from None
        return True

    def suggest(self, channel: str, thread_ts: str, greeting: Greeting) -> None:
        """Offer questions to begin with. `thread_ts` is empty where the conversation has no threads of its own."""
        prompts = [{"title": prompt[:70], "message": prompt} for prompt in greeting.prompts]
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        arguments = {"channel_id": channel, "prompts": prompts, "title": greeting.title, **thread}
        self._conversation.call("assistant_threads_setSuggestedPrompts", **arguments)

    def tell_payload(self, person_id: str, channel: str, payload: Mapping[str, Any]) -> None:
        """Show a drawn answer to one person: in `channel`, or as a direct message where the bot is not in it."""
        try:
            self._conversation.call("chat_postEphemeral", channel=channel, user=person_id, **payload)
        except SlackApiError as error:
            if error.response["error"] not in NOT_THERE:
                raise
            self._conversation.call("chat_postMessage", channel=self._conversation.direct(person_id), **payload)

    def working(self, thread: Place, status: str) -> bool:
        """Show under `thread` that an answer is being made; False where this workspace shows no such line."""
        try:
            self._conversation.call(
                "assistant_threads_setStatus", channel_id=thread.channel, thread_ts=thread.ts, status=status
            )
        except (SlackApiError, Refused, Unavailable):
            return False
        return True

    def stream(self, key: str, thread: Place, person_id: str) -> "SlackStream":
        """A reply under `thread` that grows. Under a key that was streamed before, what was left open is ended."""
        posting = self._postings.intend(f"stream:{key}", thread.channel)
        made = SlackStream(self._conversation, self._draw_text, thread, self._recipient(thread.channel, person_id))
        made.opened = lambda place: self._postings.posted(f"stream:{key}", place)
        made.place, made.broken = posting.place, posting.place is not None
        return made

    def _recipient(self, channel: str, person_id: str) -> dict[str, str]:
        if channel.startswith("D"):
            return {}
        if not self._team:
            self._team = str(self._conversation.call("auth_test")["team_id"])
        return {"recipient_team_id": self._team, "recipient_user_id": person_id}


@dataclass
class SlackStream:
    """One streamed reply. Nothing is lost when Slack ends the stream early: the last call draws the whole answer."""

    conversation: SlackConversation
    draw_text: Callable[[object], str]
    thread: Place
    recipient: dict[str, str]
    place: Place | None = None
    broken: bool = False
    opened: Callable[[Place], None] = field(default=lambda _place: None)

    def write(self, value: object) -> None:
        """Add `value` to what people read already."""
        text = self.conversation.redacted(self.draw_text(value))
        if self.broken:
            return
        try:
            if self.place is None:
                self._open(text)
            else:
                where = {"channel": self.place.channel, "ts": self.place.ts}
                self.conversation.call("chat_appendStream", **where, markdown_text=text)
        except (SlackApiError, Unavailable):
            self.broken = True

    def finish(self, value: object) -> Place | None:
        """End the stream and draw the whole of `value` over it; None where nothing had been written."""
        if self.place is None:
            return None
        try:
            self.conversation.call("chat_stopStream", channel=self.place.channel, ts=self.place.ts)
        except SlackApiError as error:
            if error.response["error"] not in OVER:
                raise
        self.conversation.update(self.place, lambda: value)
        return self.place

    def _open(self, text: str) -> None:
        where = {"channel": self.thread.channel, "thread_ts": self.thread.ts}
        answer = self.conversation.call("chat_startStream", **where, markdown_text=text, **self.recipient)
        self.place = Place(answer["channel"], answer["ts"])
        self.opened(self.place)
