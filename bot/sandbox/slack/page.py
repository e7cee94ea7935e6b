"""The protocol between the page and the workspace, described in docs/sandbox.md."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.slack.acts import Acts
from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.files import accept_upload
from bot.sandbox.slack.roster import APP_ID, BOT_USER, TEAM
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.wire import parsed
from bot.sandbox.slack.world import World

HEARTBEAT_SECONDS = 15.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Page:
    def __init__(self, world: World, delivery: Delivery, acts: Acts, faults: Faults, panel: list[Document]) -> None:
        self._world = world
        self._delivery = delivery
        self._acts = acts
        self._faults = faults
        self._panel = panel

    def routes(self) -> list[Route]:
        posts = {
            "messages": self._say, "files": self._upload, "commands": self._command, "actions": self._press,
            "views/submit": self._submit, "views/close": self._close, "shortcuts": self._shortcut,
            "options": self._options, "home": self._home, "im": self._im, "reactions": self._react,
            "mark": self._mark, "join": self._join, "switches": self._switch,
        }  # fmt: skip
        return [
            Route("/page/workspace", guarded(self._workspace)),
            Route("/page/messages", guarded(self._messages)),
            Route("/page/ephemerals", guarded(self._ephemerals)),
            Route("/page/views", guarded(self._views)),
            Route("/page/events", guarded(self._events)),
            Route("/page/permalink/{channel}/{ts}", guarded(self._permalink)),
            *(Route(f"/page/{name}", guarded(answer), methods=["POST"]) for name, answer in posts.items()),
        ]

    # Looking

    async def _workspace(self, request: Request) -> Response:
        world, person = self._world, self._person(request)
        app = self._delivery.app
        commands = [
            {"command": known["command"], "description": known.get("description", ""),
             "usage_hint": known.get("usage_hint", "")}
            for known in app.commands
        ]  # fmt: skip
        return JSONResponse(
            {
                "team": TEAM, "me": self._shown_user(person), "commands": commands, "shortcuts": app.shortcuts,
                "users": [self._shown_user(user_id) for user_id in world.users],
                "channels": [world.shown_channel(channel, person) for channel in world.channels_of(person)],
                "app": {"id": APP_ID, "name": app.name, "bot_user_id": BOT_USER,
                        "connected": self._delivery.sockets.connected or not app.socket_mode},
                "switches": self._faults.shown(), "panel": self._panel,
            }
        )  # fmt: skip

    async def _messages(self, request: Request) -> Response:
        person = self._person(request)
        channel = self._world.channel(request.query_params.get("channel", ""))
        thread_ts = request.query_params.get("thread_ts")
        found = self._world.parents(channel["id"])
        if thread_ts:
            found = [self._world.message(channel["id"], thread_ts), *self._world.replies(channel["id"], thread_ts)]
        before = request.query_params.get("before")
        found = [message for message in found if not before or message["ts"] < before]
        limit = max(1, min(500, int(request.query_params.get("limit", "100"))))
        hidden = [
            message for message in self._world.ephemerals[person].values()
            if message["channel"] == channel["id"] and message.get("thread_ts") == thread_ts and not before
        ]  # fmt: skip
        shown = sorted([*found[-limit:], *hidden], key=lambda message: float(message["ts"]))
        return JSONResponse({"messages": shown, "has_more": len(found) > limit})

    async def _ephemerals(self, request: Request) -> Response:
        return JSONResponse({"messages": list(self._world.ephemerals[self._person(request)].values())})

    async def _views(self, request: Request) -> Response:
        stack = self._world.stacks[self._person(request)]
        return JSONResponse({"stack": [self._world.views[view_id] for view_id in stack]})

    async def _events(self, request: Request) -> Response:
        person = self._person(request)
        last = request.headers.get("Last-Event-ID", "")
        since = int(last) if last.isdigit() else self._world.latest_news
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(person, since), media_type="text/event-stream", headers=headers)

    async def _stream(self, person: str, since: int) -> AsyncIterator[str]:
        listener = self._world.listen()
        yield "retry: 1000\n\n"
        try:
            while True:
                listener.clear()
                for since, event in self._world.news_since(since, person):  # noqa: B020
                    yield f"id: {since}\ndata: {json.dumps(event)}\n\n"
                try:
                    await asyncio.wait_for(listener.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._world.unlisten(listener)

    async def _permalink(self, request: Request) -> Response:
        channel, ts = request.path_params["channel"], request.path_params["ts"]
        return RedirectResponse(f"/#/{channel}/p{ts.replace('.', '')}")

    # Doing

    async def _say(self, request: Request) -> Response:
        body = await _body(request)
        files = [self._world.files[key] for key in body.get("files", []) if key in self._world.files]
        message = self._acts.say(
            self._person(request), body["channel"], body.get("text", ""), body.get("thread_ts", ""), files
        )
        return JSONResponse({"ts": message["ts"]})

    async def _upload(self, request: Request) -> Response:
        person = self._person(request)
        async with request.form() as form:
            file = await accept_upload(self._world, form["file"], person, self._delivery.base_url)
            text, channel, thread = (str(form.get(name) or "") for name in ("text", "channel", "thread_ts"))
        message = self._acts.say(person, channel, text, thread, [file])
        return JSONResponse({"file": file, "ts": message["ts"]})

    async def _command(self, request: Request) -> Response:
        body = await _body(request)
        return JSONResponse(await self._acts.command(self._person(request), body["channel"], body["text"]))

    async def _press(self, request: Request) -> Response:
        body = await _body(request)
        action = {"action_id": body["action_id"], "block_id": body["block_id"], **body["value"]}
        container, state = body["container"], body.get("state") or {}
        return JSONResponse(await self._acts.press(self._person(request), container, action, state))

    async def _submit(self, request: Request) -> Response:
        body = await _body(request)
        return JSONResponse(await self._acts.submit(self._person(request), body["view_id"], body.get("state") or {}))

    async def _close(self, request: Request) -> Response:
        body = await _body(request)
        return JSONResponse(await self._acts.close(self._person(request), body["view_id"], bool(body.get("clear"))))

    async def _shortcut(self, request: Request) -> Response:
        body = await _body(request)
        channel, ts = body.get("channel", ""), body.get("ts", "")
        return JSONResponse(await self._acts.shortcut(self._person(request), body["callback_id"], channel, ts))

    async def _options(self, request: Request) -> Response:
        body = await _body(request)
        action = {"action_id": body["action_id"], "block_id": body["block_id"], "type": "external_select"}
        found = await self._acts.suggest(self._person(request), body["container"], action, body.get("value", ""))
        return JSONResponse(found)

    async def _home(self, request: Request) -> Response:
        return JSONResponse({"view": self._acts.open_home(self._person(request))})

    async def _im(self, request: Request) -> Response:
        person = self._person(request)
        return JSONResponse({"channel": self._world.shown_channel(self._world.direct(person), person)})

    async def _react(self, request: Request) -> Response:
        body = await _body(request)
        self._acts.react(self._person(request), body["channel"], body["ts"], body["name"], bool(body.get("remove")))
        return JSONResponse({"ok": True})

    async def _mark(self, request: Request) -> Response:
        body = await _body(request)
        self._world.mark(self._person(request), self._world.channel(body["channel"])["id"], body["ts"])
        return JSONResponse({"ok": True})

    async def _join(self, request: Request) -> Response:
        body = await _body(request)
        self._acts.join(self._person(request), body["channel"])
        return JSONResponse({"ok": True})

    async def _switch(self, request: Request) -> Response:
        return JSONResponse({"switches": self._faults.switch(await _body(request))})

    def _person(self, request: Request) -> str:
        person = request.query_params.get("as", "")
        if person not in self._world.users or person == BOT_USER:
            raise SlackError("user_not_found", 404)
        return person

    def _shown_user(self, user_id: str) -> Document:
        user = self._world.users[user_id]
        return {
            "id": user_id, "name": user["name"], "real_name": user["real_name"], "title": user["profile"]["title"],
            "is_bot": user["is_bot"], "color": user["color"],
        }  # fmt: skip


def guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Only pages of this machine may act: a foreign page that a person has open must not be able to."""

    async def answered(request: Request) -> Response:
        if not from_here(request):
            return JSONResponse({"ok": False, "error": "foreign_origin"}, status_code=403)
        try:
            return await answer(request)
        except SlackError as error:
            return JSONResponse(
                {"ok": False, "error": error.code}, status_code=400 if error.status == 200 else error.status
            )
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:  # what hostile JSON leads to
            return JSONResponse({"ok": False, "error": "invalid_request", "detail": str(error)}, status_code=400)

    return answered


def from_here(request: Request) -> bool:
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    origin = request.headers.get("origin")
    return host in LOOPBACK and (origin is None or urlsplit(origin).netloc == request.headers.get("host"))


async def _body(request: Request) -> dict[str, Any]:
    body = parsed(await request.body())
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")
    return body


STATIC = Path(__file__).with_name("page")
