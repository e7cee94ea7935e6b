"""What people do in the workspace: say, type, press, submit. The page and the tests both come through here."""

import time
from typing import Any

from bot.sandbox.slack import payloads
from bot.sandbox.slack.blockkit import judge_blocks, judge_view
from bot.sandbox.slack.delivery import Acknowledged, Delivery
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.posting import bot_message, refuse, with_ids
from bot.sandbox.slack.methods.views import announce, push, replace
from bot.sandbox.slack.permits import ResponseUrl
from bot.sandbox.slack.reactions import set_reaction
from bot.sandbox.slack.roster import BOT_USER, TEAM
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.world import World

FAILED = {
    "operation_timeout": '{name} failed with the error "operation_timeout"',
    "dispatch_failed": '{name} failed with the error "dispatch_failed"',
}
TROUBLE = "We had some trouble connecting. Try again?"


class Acts:
    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._delivery = delivery

    # Talking

    def say(
        self, person: str, channel_id: str, text: str, thread_ts: str = "", files: list[Document] | None = None
    ) -> Document:
        """A person's message, and the events that it causes."""
        channel = self._world.channel(channel_id)
        if not self._world.is_member(channel, person):
            raise SlackError("not_in_channel")
        if not text.strip() and not files:
            raise SlackError("no_text")
        message: Document = {
            "type": "message", "user": person, "text": text, "ts": self._world.new_ts(), "team": TEAM["id"],
            "client_msg_id": self._world.new_id("M"),
        }  # fmt: skip
        if thread_ts:
            self._world.message(channel["id"], thread_ts, "thread_not_found")
            message["thread_ts"] = thread_ts
        if files:
            del message["team"]
            message |= {"subtype": "file_share", "files": files, "upload": True, "display_as_bot": False}
        self._world.add_message(channel["id"], message)
        self._world.mark(person, channel["id"], message["ts"])
        self._events_of(channel, message)
        return message

    def _events_of(self, channel: Document, message: Document) -> None:
        where = {"channel": channel["id"], "event_ts": message["ts"]}
        if self._world.is_member(channel, BOT_USER):
            kind = "im" if channel.get("is_im") else "channel"
            self._delivery.event(message | where | {"channel_type": kind})
        if f"<@{BOT_USER}>" in message["text"] and not channel.get("is_im"):
            mention = {name: value for name, value in message.items() if name not in ("subtype", "upload")}
            self._delivery.event(mention | where | {"type": "app_mention"})
        for file in message.get("files", []):
            shared = {
                "type": "file_shared",
                "file_id": file["id"],
                "user_id": message["user"],
                "file": {"id": file["id"]},
            }
            self._delivery.event(shared | {"channel_id": channel["id"], "event_ts": message["ts"]})

    def react(self, person: str, channel_id: str, ts: str, name: str, remove: bool) -> None:
        message = self._world.message(self._world.channel(channel_id)["id"], ts)
        set_reaction(message, person, name, remove)
        self._world.save_message(channel_id, message, "reaction")
        item = {"type": "message", "channel": channel_id, "ts": ts}
        kind = "reaction_removed" if remove else "reaction_added"
        self._delivery.event(
            {"type": kind, "user": person, "reaction": name, "item": item, "item_user": message.get("user", BOT_USER),
             "event_ts": f"{time.time():.6f}"}
        )  # fmt: skip

    def join(self, person: str, channel_id: str) -> None:
        """Somebody comes into a channel; the app hears of it when it is there itself."""
        channel = self._world.channel(channel_id)
        if channel.get("is_im"):
            raise SlackError("method_not_supported_for_channel_type")
        if self._world.is_member(channel, person):
            return
        self._world.put_channel(channel | {"members": [*channel["members"], person]})
        self._world.mark(person, channel["id"], f"{time.time():.6f}")
        if self._world.is_member(channel, BOT_USER):
            self._delivery.event(payloads.joined(channel, person))

    # Commands

    async def command(self, person: str, channel_id: str, line: str) -> Document:
        """A slash command; what Slack itself says of it comes back as {"ok", "error", "message"}."""
        name, _, text = line.strip().partition(" ")
        channel = self._world.channel(channel_id)
        if name not in {known["command"] for known in self._delivery.app.commands}:
            message = f"{name} is not a valid command. Use a valid command."
            return self._notice(person, channel["id"], "unknown_command", message)
        body = payloads.slash_command(self._world, self._delivery, person, channel, name, text.strip())
        found = await self._delivery.command(body)
        if found.error:
            return self._notice(person, channel["id"], found.error, FAILED[found.error].format(name=name))
        if isinstance(found.payload, dict) and (found.payload.get("text") or found.payload.get("blocks")):
            self._answer(ResponseUrl(person, channel["id"], None, 0.0), found.payload)
        return {"ok": True}

    def _notice(self, person: str, channel_id: str, error: str, message: str) -> Document:
        self._world.notice(person, channel_id, message)
        return {"ok": False, "error": error, "message": message}

    # Blocks and views

    async def press(self, person: str, container: Document, action: Document, state: Document) -> Document:
        body = payloads.block_actions(self._world, self._delivery, person, container, action, state)
        found = await self._delivery.interaction(body)
        if found.error and container["type"] == "message":
            self._world.notice(person, container["channel"], TROUBLE)
        return _outcome(found)

    async def suggest(self, person: str, container: Document, action: Document, typed: str) -> Document:
        body = payloads.block_suggestion(self._world, self._delivery, person, container, action, typed)
        found = await self._delivery.interaction(body)
        payload = found.payload if isinstance(found.payload, dict) else {}
        return {name: payload[name] for name in ("options", "option_groups") if name in payload} or {"options": []}

    async def submit(self, person: str, view_id: str, state: Document) -> Document:
        view = self._world.views.get(view_id)
        if view is None:
            return {"ok": False, "error": "not_found"}
        view["state"] = {"values": state}
        found = await self._delivery.interaction(
            payloads.view_submission(self._world, self._delivery, person, view, state)
        )
        if found.error:
            return {"ok": False, "error": found.error}
        return self._after_submission(person, view, found.payload if isinstance(found.payload, dict) else {})

    def _after_submission(self, person: str, view: Document, payload: Document) -> Document:
        action = payload.get("response_action")
        if action == "errors":
            return {"ok": False, "errors": payload.get("errors", {})}
        if action in ("update", "push"):
            refuse(judge_view(payload["view"]))
            if action == "update":
                replace(self._world, view, payload["view"])
            else:
                push(self._world, person, payload["view"])
            return {"ok": True}
        self._close(person, view["id"], everything=action == "clear")
        return {"ok": True}

    async def close(self, person: str, view_id: str, everything: bool) -> Document:
        view = self._world.views.get(view_id)
        if view is None:
            return {"ok": True}
        self._close(person, view_id, everything)
        if view.get("notify_on_close"):
            await self._delivery.interaction(
                payloads.view_closed(self._world, self._delivery, person, view, everything)
            )
        return {"ok": True}

    def _close(self, person: str, view_id: str, everything: bool) -> None:
        stack = self._world.stacks[person]
        gone = list(stack) if everything else [view_id]
        for closed in gone:
            if closed in stack:
                stack.remove(closed)
            self._world.views.pop(closed, None)
            self._world.tell({"type": "view_closed", "view_id": closed}, to=person)
        if stack:
            announce(self._world, person, stack[-1])

    async def shortcut(self, person: str, callback_id: str, channel_id: str, ts: str) -> Document:
        if ts:
            channel = self._world.channel(channel_id)
            message = self._world.message(channel["id"], ts)
            body = payloads.message_shortcut(self._world, self._delivery, person, callback_id, channel, message)
        else:
            body = payloads.global_shortcut(self._world, self._delivery, person, callback_id)
        found = await self._delivery.interaction(body)
        if found.error and channel_id:
            self._world.notice(person, channel_id, TROUBLE)
        return _outcome(found)

    def open_home(self, person: str) -> Document | None:
        """App Home comes to the front: the app is told, and what it published before is shown meanwhile."""
        view = self._world.homes.get(person)
        event: Document = {
            "type": "app_home_opened", "user": person, "channel": self._world.direct(person)["id"], "tab": "home",
            "event_ts": f"{time.time():.6f}",
        }  # fmt: skip
        self._delivery.event(event | ({"view": payloads.shown_view(view)} if view else {}))
        return view

    # What the app answers to a response url

    def respond(self, token: str, body: Document) -> tuple[int, str]:
        """The HTTP status and text that Slack would give."""
        url = self._delivery.response_urls.use(token)
        if url is None:
            return 404, "expired_url"
        try:
            self._answer(url, body)
        except SlackError as error:
            return 400, error.code
        return 200, "ok"

    def _answer(self, url: ResponseUrl, body: Document) -> None:
        if url.message and body.get("delete_original"):
            self._forget(url)
            return
        if not (body.get("text") or body.get("blocks") or body.get("attachments")):
            raise SlackError("no_text")
        found = _content(body, self._world)
        if url.message and body.get("replace_original"):
            self._replace(url, found)
            return
        message = bot_message(self._world, found, body.get("thread_ts"))
        if body.get("response_type") == "in_channel":
            self._world.add_message(url.channel, message)
        else:
            self._world.add_ephemeral(url.person, url.channel, message)

    def _replace(self, url: ResponseUrl, found: Document) -> None:
        place = url.message or {}
        if place["ephemeral"]:
            old = self._world.ephemerals[url.person].get(place["ts"], {})
            self._world.add_ephemeral(url.person, url.channel, old | found | {"ts": place["ts"]})
            return
        message = self._world.message(place["channel"], place["ts"])
        self._world.save_message(place["channel"], message | found)

    def _forget(self, url: ResponseUrl) -> None:
        place = url.message or {}
        if place["ephemeral"]:
            self._world.drop_ephemeral(url.person, place["ts"])
        else:
            self._world.drop_message(place["channel"], place["ts"])


def _content(body: Document, world: World) -> Document:
    found: dict[str, Any] = {"text": body.get("text", "")}
    if body.get("blocks"):
        refuse(judge_blocks(body["blocks"], "message"))
        found["blocks"] = with_ids(body["blocks"], world)
    if body.get("attachments"):
        found["attachments"] = body["attachments"]
    return found


def _outcome(found: Acknowledged) -> Document:
    return {"ok": not found.error} | ({"error": found.error} if found.error else {})
