"""The one bridge to Bolt: acknowledge, de-duplicate, check the role, call, show the value or the refusal.

Each listener acknowledges and hands the work to a pool of its own, because Slack shows an error after three
seconds while the work of others may keep every thread busy.
"""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

import structlog
from slack_bolt import Ack, App, Respond

from bot.arrivals import Arrivals
from bot.cards.outcomes import Breakdown, Outage, Refusal
from bot.clients.slack import SlackConversation
from bot.clients.slack_surfaces import SlackSurfaces
from bot.listening.payloads import channel_of, click_of, form_of, mention_of, mentions_us, packed, shortcut_of, spoken
from bot.registrations import ClickHandler, Command, FormHandler, Registrations, ShortcutHandler
from bot.telemetry import Telemetry, reference
from pipelines.durable.workflow import DurableWork, Stopping
from pipelines.errors import Refused, Unavailable
from pipelines.people import Permission, Person
from pipelines.ports import Directory, Place
from pipelines.requests import Form, TypedCommand

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
    surfaces: SlackSurfaces
    arrivals: Arrivals


class Listeners:
    def __init__(self, app: App, rooms: ListenerRooms) -> None:
        self._app = app
        self._r = rooms
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="listener-work")

    def register(self) -> "Listeners":
        """Hang everything into Bolt; the catch-alls come last, because an unanswered payload counts against us."""
        for name, command in self._r.registrations.commands.items():
            self._app.command(name)(self._command_listener(name, command))
        for handler in self._r.registrations.clicks:
            self._app.action(handler.action)(self._click_listener(handler))
        for shortcut in self._r.registrations.shortcuts:
            self._app.shortcut(shortcut.name)(self._shortcut_listener(shortcut))
        for form in self._r.registrations.forms:
            self._app.view_submission(form.name)(self._form_listener(form))
        self._app.event("app_home_opened")(self._home_listener)
        self._app.event("assistant_thread_started")(self._assistant_listener)
        self._app.event("app_mention")(self._mention_listener)
        self._app.event("message")(self._message_listener)
        self._register_catch_alls()
        return self

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
        value = command(TypedCommand(name, spoken(body.get("text") or ""), person, body["channel_id"]))
        if value is not None and not self._opened(value, body, body["channel_id"]):
            self._respond(respond, value, response_type="ephemeral")

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
        user_id = body["user"]["id"]
        if not self._r.deliveries.first_time(f"action:{body['trigger_id']}", REDELIVERY):
            return
        person = self._known(user_id)
        click = click_of(handler.action, body, person)
        if not self._r.deliveries.first_time(f"click:{user_id}:{handler.action}:{click.value}", DOUBLE_CLICK):
            return
        self._check(person, handler.permission)
        value = handler(click)
        if value is not None and not self._opened(value, body, click.channel):
            self._show_click(handler, body, value, person, respond)

    def _show_click(
        self, handler: ClickHandler, body: dict[str, Any], value: object, person: Person, respond: Respond
    ) -> None:
        """A card in a channel was redrawn by whoever changed it; what only this person sees is redrawn here."""
        container = body.get("container") or {}
        if container.get("type") == "view":
            self._r.conversation.publish_home(person.id, self._r.registrations.home(person))
        elif container.get("is_ephemeral"):
            self._respond(respond, value, replace_original=True)
        elif body.get("response_url") and not handler.redraws:
            self._respond(respond, value, replace_original=False, response_type="ephemeral")

    def _respond(self, respond: Respond, value: object, **how: Any) -> None:
        """Answer to the response_url, which says in its status what it refuses: the newest blocks, or all of it."""
        answer = respond(**self._r.conversation.answer(value), **how)
        if answer.status_code < 400:
            return
        log.warning("answer refused", status=answer.status_code, reason=str(answer.body)[:200])
        if answer.status_code == 400:
            respond(**self._r.conversation.answer(value, newest_blocks=False), **how)

    # Shortcuts and forms

    def _shortcut_listener(self, handler: ShortcutHandler) -> Callable[..., None]:
        def listener(ack: Ack, body: dict[str, Any], respond: Respond) -> None:
            ack()
            answer = _answer_by(respond) if body.get("response_url") else self._answer_privately(body["user"]["id"])
            self._hand_over(handler.name, answer, lambda: self._shortcut(handler, body, answer))

        return listener

    def _shortcut(
        self, handler: ShortcutHandler, body: dict[str, Any], answer: Callable[[dict[str, Any]], object]
    ) -> None:
        if not self._r.deliveries.first_time(f"shortcut:{body['trigger_id']}", REDELIVERY):
            return
        person = self._allowed(body["user"]["id"], handler.permission)
        value = handler(shortcut_of(handler.name, body, person))
        if value is not None and not self._opened(value, body, channel_of(body)):
            answer(self._r.conversation.answer(value))

    def _opened(self, value: object, body: dict[str, Any], channel: str) -> bool:
        """Open `value` as a modal, if it is a form; False if it is anything else."""
        return self._r.surfaces.open_form(body["trigger_id"], value, lambda private: packed(channel, private))

    def _form_listener(self, handler: FormHandler) -> Callable[..., None]:
        def listener(ack: Ack, body: dict[str, Any]) -> None:
            user_id = body["user"]["id"]
            # What is wrong in a form is told in the answer itself, so it is judged before anything is looked up.
            form = form_of(body, Person(user_id, str(body["user"].get("name") or user_id)))
            if mistakes := handler.mistakes(form):
                ack(response_action="errors", errors=dict(mistakes))
                return
            ack()
            self._hand_over(handler.name, self._answer_in(form.channel, user_id), lambda: self._form(handler, form))

        return listener

    def _form(self, handler: FormHandler, form: Form) -> None:
        if not self._r.deliveries.first_time(f"form:{form.id}", REDELIVERY):
            return
        person = self._allowed(form.person.id, handler.permission)
        value = handler(replace(form, person=person))
        if value is not None:
            self._r.conversation.tell(person.id, form.channel, value)

    # Events

    def _home_listener(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        event = body["event"]
        user, tab = event["user"], event.get("tab", "home")
        if tab == "home":
            self._hand_over("home", self._answer_privately(user), lambda: self._home(user))
        elif tab == "messages" and event.get("channel"):
            # Where an app is an agent, this is how Slack says that somebody opened the conversation with it.
            self._hand_over("greeting", _in_silence, lambda: self._greet(user, event["channel"], ""))

    def _assistant_listener(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        opened = body["event"]["assistant_thread"]
        user, channel, thread = opened["user_id"], opened["channel_id"], opened["thread_ts"]
        self._hand_over("greeting", _in_silence, lambda: self._greet(user, channel, thread))

    def _greet(self, user_id: str, channel: str, thread_ts: str) -> None:
        if greeting := self._r.registrations.greeting:
            value = greeting(self._allowed(user_id, greeting.permission))
            self._r.surfaces.suggest(channel, thread_ts, value)

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
        """Direct messages are talk to us; in channels we answer only when mentioned, and look at files alone."""
        ack()
        event = body["event"]
        plain = event.get("subtype") in (None, "file_share") and not event.get("bot_id")
        if plain and event.get("channel_type") == "im" and event.get("user"):
            answer = self._answer_privately(event["user"])
            self._hand_over("message", answer, lambda: self._mention(body))
        elif plain and event.get("files") and event.get("user") and not mentions_us(body):
            self._hand_over("shared", _in_silence, lambda: self._shared(body))

    def _shared(self, body: dict[str, Any]) -> None:
        """Nobody asked us, so nothing is posted: what there is to say is shown to whoever shared the files."""
        event, handler = body["event"], self._r.registrations.shared
        if handler is None:
            return
        # What is offered takes a click, and then their role is looked up.
        person = Person(event["user"], event["user"])
        if self._r.deliveries.first_time(f"shared:{event['channel']}:{event['ts']}", REDELIVERY):
            value = handler(mention_of(body, person))
            if value is not None:
                self._r.conversation.tell(person.id, event["channel"], value)

    def _mention(self, body: dict[str, Any]) -> None:
        event = body["event"]
        # A message that mentions us in a direct channel comes as two events; its channel and ts are the same.
        said = f"{event['channel']}:{event['ts']}"
        if not self._r.deliveries.first_time(f"said:{said}", REDELIVERY):
            return
        handler = self._r.registrations.mention
        mention = mention_of(body, self._allowed(event["user"], handler.permission))
        value = handler(mention)
        if value is not None:
            self._r.conversation.reply_once(f"answer:{said}", Place(mention.place.channel, mention.thread), value)

    # What all share

    def _known(self, user_id: str) -> Person:
        return self._r.directory.person(user_id)

    def _allowed(self, user_id: str, permission: Permission) -> Person:
        person = self._known(user_id)
        self._check(person, permission)
        return person

    def _check(self, person: Person, permission: Permission) -> None:
        if not person.may(permission):
            needed = permission.value.title
            holders = ", ".join(self._r.directory.holders(needed)) or "nobody yet"
            raise Refused(f"This takes the role {needed}; you are {person.role.title}. Who may: {holders}.")

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

    def _answer_in(self, channel: str, user_id: str) -> Callable[[dict[str, Any]], object]:
        """To one person, in the channel that a form was opened from where the bot is in it."""
        return lambda payload: self._r.surfaces.tell_payload(user_id, channel, payload)

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


def _in_silence(_payload: dict[str, Any]) -> None:
    """Nobody asked for anything, so nobody is told that it failed; the log has it."""


def _answer_by(respond: Respond) -> Callable[[dict[str, Any]], object]:
    return lambda payload: respond(**payload, response_type="ephemeral", replace_original=False)
