"""The one bridge to Bolt: acknowledge, de-duplicate, check the role, call, show the value or the refusal.

Each listener acknowledges and hands the work to a pool of its own, because Slack shows an error after three
seconds while the work of others may keep every thread busy.
"""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog
from slack_bolt import Ack, App, Respond

from bot.arrivals import Arrivals
from bot.cards.outcomes import Breakdown, Outage, Refusal
from bot.clients.slack import SlackConversation
from bot.registrations import ClickHandler, Command, Registrations
from bot.telemetry import Telemetry, reference
from pipelines.durable.workflow import DurableWork, Stopping
from pipelines.errors import Refused, Unavailable
from pipelines.people import Permission, Person
from pipelines.ports import Directory, Place
from pipelines.requests import Click, TypedCommand

log = structlog.get_logger("bot.listeners")

WORKERS = 32
DOUBLE_CLICK = timedelta(seconds=3)
# Slack retries an event up to five minutes later; a day covers a queue that was held up on its side.
REDELIVERY = timedelta(days=1)
ANYTHING = re.compile(".*")


class Deliveries(Protocol):
    def first_time(self, key: str, lifetime: timedelta) -> bool:
        """Whether this key is new; it is remembered for `lifetime`, across restarts."""
        ...


@dataclass(frozen=True, slots=True)
class ListenerRooms:
    registrations: Registrations
    directory: Directory
    conversation: SlackConversation
    deliveries: Deliveries
    telemetry: Telemetry
    arrivals: Arrivals


class Listeners:
    def __init__(self, app: App, rooms: ListenerRooms) -> None:
        self._app = app
        self._r = rooms
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="listener-work")

    def register(self) -> None:
        """Hang everything into Bolt; the catch-alls come last, because an unanswered payload counts against us."""
        for name, command in self._r.registrations.commands.items():
            self._app.command(name)(self._command_listener(name, command))
        for handler in self._r.registrations.clicks:
            self._app.action(handler.action)(self._click_listener(handler))
        self._app.event("app_home_opened")(self._home_listener)
        self._app.event("app_mention")(self._mention_listener)
        self._app.event("message")(self._message_listener)
        self._register_catch_alls()

    def drain(self) -> None:
        """Let what was begun end; nothing new is taken."""
        self._pool.shutdown(wait=True)

    # Commands

    def _command_listener(self, name: str, command: Command) -> Callable[..., None]:
        def listener(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
            began = time.perf_counter()
            ack()
            self._r.telemetry.acknowledged(name, time.perf_counter() - began)
            self._hand_over(name, _answer_by(respond), lambda: self._command(name, command, body, respond))

        return listener

    def _command(self, name: str, command: Command, body: dict[str, Any], respond: Respond) -> None:
        if not self._r.deliveries.first_time(f"command:{body['trigger_id']}", REDELIVERY):
            return
        person = self._allowed(body["user_id"], command.permission)
        typed = TypedCommand(name, body.get("text") or "", person, body["channel_id"])
        respond(**self._r.conversation.answer(command(typed)), response_type="ephemeral")

    # Clicks

    def _click_listener(self, handler: ClickHandler) -> Callable[..., None]:
        def listener(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
            began = time.perf_counter()
            ack()
            self._r.telemetry.acknowledged(handler.action, time.perf_counter() - began)
            answer = _answer_by(respond) if body.get("response_url") else self._answer_privately(body["user"]["id"])
            self._hand_over(handler.action, answer, lambda: self._click(handler, body, respond))

        return listener

    def _click(self, handler: ClickHandler, body: dict[str, Any], respond: Respond) -> None:
        pressed = body["actions"][0]
        user_id = body["user"]["id"]
        again = f"click:{user_id}:{handler.action}:{pressed.get('value', '')}"
        if not self._r.deliveries.first_time(f"action:{body['trigger_id']}", REDELIVERY):
            return
        if not self._r.deliveries.first_time(again, DOUBLE_CLICK):
            return
        container = body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
        place = Place(channel, container["message_ts"]) if container.get("type") == "message" else None
        person = self._allowed(user_id, handler.permission)
        value = handler(Click(handler.action, pressed.get("value", ""), person, place, channel))
        self._show_click(handler, body, value, person, respond)

    def _show_click(
        self, handler: ClickHandler, body: dict[str, Any], value: object, person: Person, respond: Respond
    ) -> None:
        """A card in a channel was redrawn by whoever changed it; what only this person sees is redrawn here."""
        container = body.get("container") or {}
        if container.get("type") == "view":
            self._r.conversation.publish_home(person.id, self._r.registrations.home(person))
        elif container.get("is_ephemeral"):
            respond(**self._r.conversation.answer(value), replace_original=True)
        elif body.get("response_url") and not handler.redraws:
            respond(**self._r.conversation.answer(value), replace_original=False, response_type="ephemeral")

    # Events

    def _home_listener(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        event = body["event"]
        if event.get("tab", "home") == "home":
            self._hand_over("home", self._answer_privately(event["user"]), lambda: self._home(event["user"]))

    def _home(self, user_id: str) -> None:
        home = self._r.registrations.home
        person = self._allowed(user_id, home.permission)
        self._r.conversation.publish_home(person.id, home(person))

    def _mention_listener(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        user = body["event"].get("user")
        if user:
            self._hand_over("mention", self._answer_privately(user), lambda: self._mention(body))

    def _message_listener(self, ack: Ack, body: dict[str, Any]) -> None:
        """Direct messages are talk to us; in channels we answer only when mentioned."""
        ack()
        event = body["event"]
        plain = event.get("subtype") in (None, "file_share") and not event.get("bot_id")
        if plain and event.get("channel_type") == "im" and event.get("user"):
            answer = self._answer_privately(event["user"])
            self._hand_over("message", answer, lambda: self._mention(body))

    def _mention(self, body: dict[str, Any]) -> None:
        event = body["event"]
        # A message that mentions us in a direct channel comes as two events; its channel and ts are the same.
        said = f"{event['channel']}:{event['ts']}"
        if not self._r.deliveries.first_time(f"said:{said}", REDELIVERY):
            return
        mention = self._r.registrations.mention
        value = mention(self._allowed(event["user"], mention.permission))
        self._r.conversation.reply_once(f"answer:{said}", Place(event["channel"], event["ts"]), value)

    # What all share

    def _allowed(self, user_id: str, permission: Permission) -> Person:
        person = self._r.directory.person(user_id)
        if not person.may(permission):
            needed = permission.value.title
            holders = ", ".join(self._r.directory.holders(needed)) or "nobody yet"
            raise Refused(f"This takes the role {needed}; you are {person.role.title}. Who may: {holders}.")
        return person

    def _hand_over(self, name: str, answer: Callable[[dict[str, Any]], object], work: Callable[[], None]) -> None:
        self._pool.submit(self._attempt, name, answer, work)

    def _attempt(self, name: str, answer: Callable[[dict[str, Any]], object], work: Callable[[], None]) -> None:
        """Do the work; whatever goes wrong, the person reads of it."""
        self._r.arrivals.let_through()
        try:
            work()
            self._r.telemetry.handled(name, "ok")
        except Refused as refusal:
            self._r.telemetry.handled(name, "refused")
            self._answer(answer, Refusal(str(refusal)))
        except Unavailable as outage:
            log.warning("unavailable", listener=name, service=outage.service, reason=outage.reason)
            self._r.telemetry.handled(name, "unavailable")
            self._answer(answer, Outage(str(outage)))
        except Exception:
            found_by = reference()
            log.exception("listener broke", listener=name, reference=found_by)
            self._r.telemetry.handled(name, "broke")
            self._answer(answer, Breakdown(found_by))

    def _answer(self, answer: Callable[[dict[str, Any]], object], value: object) -> None:
        try:
            answer(self._r.conversation.answer(value))
        except Exception:
            # There is no way left to reach this person; the log is what remains.
            log.exception("could not answer", reference=reference())

    def _answer_privately(self, user_id: str) -> Callable[[dict[str, Any]], object]:
        def answer(payload: dict[str, Any]) -> object:
            opened = self._app.client.conversations_open(users=[user_id])
            return self._app.client.chat_postMessage(channel=opened["channel"]["id"], **payload)

        return answer

    def _register_catch_alls(self) -> None:
        def acknowledge(ack: Ack) -> None:
            ack()

        def unknown_command(ack: Ack, body: dict[str, Any]) -> None:
            ack(f"I do not know {body.get('command')}. `/shipmate help` says what I can do.")

        self._app.event(ANYTHING)(acknowledge)
        self._app.action(ANYTHING)(acknowledge)
        self._app.command(ANYTHING)(unknown_command)
        self._app.shortcut(ANYTHING)(acknowledge)
        self._app.view_submission(ANYTHING)(acknowledge)
        self._app.view_closed(ANYTHING)(acknowledge)
        self._app.options(ANYTHING)(lambda ack: ack(options=[]))


def guarded(
    durable: DurableWork, telemetry: Telemetry
) -> Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]:
    """A guard for the bodies of durable work: what nobody foresaw is logged once and told under its reference."""

    def guard(body: Callable[[str], None], broke: Callable[[str, str], None]) -> Callable[[str], None]:
        def run(argument: str) -> None:
            try:
                body(argument)
            except Exception:
                if durable.stopping:
                    # The engine was closed under a running step: not an outcome, it goes on after the start.
                    raise Stopping from None
                found_by = reference()
                log.exception("durable work broke", work=body.__qualname__, reference=found_by)
                telemetry.handled(body.__qualname__, "broke")
                _tell_broke(broke, argument, found_by)

        return run

    return guard


def _tell_broke(broke: Callable[[str, str], None], argument: str, found_by: str) -> None:
    try:
        broke(argument, found_by)
    except Exception:
        # The store or Slack is away too; the sweep ends what is left unfinished.
        log.exception("could not tell that work broke", reference=found_by)


def _answer_by(respond: Respond) -> Callable[[dict[str, Any]], object]:
    return lambda payload: respond(**payload, response_type="ephemeral", replace_original=False)
