"""One ASGI app on one loopback port: the page, the Web API, Socket Mode, files and response urls."""

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bot.sandbox.slack import methods as _methods  # noqa: F401  (importing registers the Web API)
from bot.sandbox.slack.acts import Acts
from bot.sandbox.slack.delivery import ACK_SECONDS, Delivery
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.faults import Dropped, Faults, HalfAnAnswer
from bot.sandbox.slack.page import STATIC, Page, from_here
from bot.sandbox.slack.policy import ContentPolicy
from bot.sandbox.slack.registry import METHODS, Call, Method
from bot.sandbox.slack.roster import InstalledApp, Roster, Secrets
from bot.sandbox.slack.store import Document, Store
from bot.sandbox.slack.uploads import Uploads
from bot.sandbox.slack.wire import parsed
from bot.sandbox.slack.world import World

START_SECONDS = 60.0
PING_SECONDS = 5.0


class SlackSandbox:
    """A Slack workspace on this machine. `app` is the app's manifest.

    For tests, `time_scale` shortens waits (retries, expiry of response urls) and `ack_seconds` the time in which the
    app has to acknowledge and to use a trigger id.
    """

    def __init__(
        self, path: Path, *, port: int = 0, app: Document | None = None, roster: Roster | None = None,
        routes: Sequence[BaseRoute] = (), panel: Sequence[Document] = (), time_scale: float = 1.0,
        ack_seconds: float = ACK_SECONDS,
    ) -> None:  # fmt: skip
        self._secrets = Secrets()
        installed = InstalledApp(app or {})
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._store = Store(path)
        self.world = World(self._store, roster or Roster(), installed)
        self.delivery = Delivery(installed, self._secrets, time_scale, self.url, ack_seconds)
        self.delivery.sockets.changed = self._tell_connected
        self.faults = Faults(self.delivery.limits)
        self.acts = Acts(self.world, self.delivery)
        page = Page(self.world, self.delivery, self.acts, self.faults, list(panel))
        self._asgi = _build(self, page, routes)
        self._uvicorn: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self._secrets.bot_token

    @property
    def app_token(self) -> str:
        return self._secrets.app_token

    @property
    def signing_secret(self) -> str:
        return self._secrets.signing_secret

    def start(self) -> None:
        """Serve in a thread of its own; returns once it answers."""
        config = uvicorn.Config(
            self._asgi, log_config=None, access_log=False, lifespan="off", ws="websockets-sansio",
            timeout_graceful_shutdown=1, ws_ping_interval=PING_SECONDS,
        )  # fmt: skip
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="slack-sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._uvicorn.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise OSError(f"The sandbox could not start on port {self.port}.")
            time.sleep(0.005)

    def stop(self) -> None:
        if self._uvicorn and self._thread:
            self._uvicorn.should_exit = True
            self._thread.join(10)
        self._listener.close()
        self._store.close()

    def install(self, manifest: Document) -> None:
        """Replace the app's manifest while running."""
        self.world.app = self.delivery.app = InstalledApp(manifest)

    def on_loop(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Run a coroutine on the server's own loop, from any thread."""
        if self.loop is None:
            raise RuntimeError("The sandbox is not running.")

        async def run() -> Any:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    async def call(self, name: str, arguments: Document, token: str) -> Document:
        """One method of the Web API, with the checks that come before it."""
        if name not in METHODS:
            raise SlackError("unknown_method", req_method=name)
        found = METHODS[name]
        self._authorize(found, token)
        await self.faults.strike(name)
        self.delivery.limits.method(name, found.per_minute)
        answer = found.run(Call(name, arguments, self.world, self.delivery, self.url))
        return await answer if inspect.isawaitable(answer) else answer

    def _authorize(self, found: Method, token: str) -> None:
        if found.caller == "anybody":
            return
        if not token:
            raise SlackError("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackError("invalid_auth")
        if (token == self.app_token) != (found.caller == "app"):
            raise SlackError("not_allowed_token_type")
        granted = self.world.app.scopes
        if found.caller == "bot" and found.scopes and granted and not granted & set(found.scopes):
            raise SlackError("missing_scope", needed=found.scopes[0], provided=",".join(sorted(granted)))

    def _tell_connected(self) -> None:
        self.world.tell({"type": "app", "connected": self.delivery.sockets.connected})

    def _run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            timekeeper = self.loop.create_task(self._post_scheduled())
            try:
                await self._uvicorn.serve(sockets=[self._listener])  # type: ignore[union-attr]
            finally:
                timekeeper.cancel()

        asyncio.run(serve())

    async def _post_scheduled(self) -> None:
        while True:
            due = [(key, entry) for key, entry in self.world.scheduled.items() if entry["post_at"] <= time.time()]
            for key, entry in due:
                self.world.add_message(entry["channel"], entry["message"] | {"ts": self.world.new_ts()})
                del self.world.scheduled[key]
                self._store.remove("scheduled", key)
            await asyncio.sleep(0.5)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()  # at once: two sockets that only are bound could share the port
    except OSError as error:
        listener.close()
        raise OSError(f"Port {port} is in use. Choose another one, for example: make demo PORT={port + 1}") from error
    return listener


def _build(sandbox: SlackSandbox, page: Page, routes: Sequence[BaseRoute]) -> Starlette:
    uploads = sandbox.world.uploads
    return Starlette(
        routes=[
            *routes,
            Route("/api/{method:path}", _web_api(sandbox), methods=["POST", "GET"]),
            Route("/response/{token}", _response_url(sandbox), methods=["POST"]),
            Route("/upload/{ticket}", _upload(sandbox, uploads), methods=["POST"]),
            Route("/files/{file_id}/{name:path}", _file(sandbox)),
            WebSocketRoute("/link/", sandbox.delivery.sockets.serve),
            *page.routes(),
            Route("/", _index),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ],
        middleware=[Middleware(ContentPolicy)],
    )


async def _index(request: Request) -> Response:
    if not from_here(request):
        return PlainTextResponse("This page is for this machine only.", status_code=403)
    return FileResponse(STATIC / "index.html")


def _web_api(sandbox: SlackSandbox) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            arguments = await _arguments(request)
            token = request.headers.get("Authorization", "").removeprefix("Bearer ") or arguments.pop("token", "")
            found = await sandbox.call(request.path_params["method"], arguments, token)
        except Dropped:
            return HalfAnAnswer()
        except SlackError as error:
            body = {"ok": False, "error": error.code, **error.more}
            return JSONResponse(body, error.status, headers=error.headers)
        scopes = {"X-OAuth-Scopes": ",".join(sorted(sandbox.world.app.scopes))}
        return JSONResponse({"ok": True, **found}, headers=scopes)

    return answer


async def _arguments(request: Request) -> Document:
    """Arguments as JSON, a form or a query; in forms, Slack reads what looks like JSON as such."""
    kind = request.headers.get("Content-Type", "").partition(";")[0]
    arguments: Document = dict(request.query_params)
    if kind == "application/json":
        try:
            body = parsed(await request.body() or b"{}")
        except (ValueError, RecursionError):
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | body
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form() as form:
            arguments |= {name: _read(value) for name, value in form.items() if isinstance(value, str)}
    return arguments


def _read(value: str) -> Any:
    if value[:1] in "[{":
        try:
            return parsed(value)
        except (ValueError, RecursionError):
            return value
    return value


def _response_url(sandbox: SlackSandbox) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not from_here(request):
            return PlainTextResponse("foreign origin", status_code=403)
        try:
            body = parsed(await request.body())
        except (ValueError, RecursionError):
            return PlainTextResponse("invalid_payload", status_code=400)
        if not isinstance(body, dict):
            return PlainTextResponse("invalid_payload", status_code=400)
        status, text = sandbox.acts.respond(request.path_params["token"], body)
        return PlainTextResponse(text, status_code=status)

    return answer


def _upload(sandbox: SlackSandbox, uploads: Uploads) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        announced = uploads.take(request.path_params["ticket"])
        if announced is None:
            return PlainTextResponse("unknown upload", status_code=404)
        file, length = announced
        content = await request.body()
        if len(content) != length:
            return PlainTextResponse(f"{length} bytes were announced, {len(content)} came", status_code=400)
        sandbox.world.store.put_blob(file["id"], content)
        uploads.arrived(file)
        return PlainTextResponse(f"OK - {length}")

    return answer


def _file(sandbox: SlackSandbox) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        file = sandbox.world.files.get(request.path_params["file_id"])
        content = sandbox.world.store.blob(file["id"]) if file else None
        if file is None or content is None:
            return PlainTextResponse("not found", status_code=404)
        # Never rendered as a page of this origin: what was uploaded is foreign.
        shown = file["mimetype"] if file["mimetype"] in ("image/png", "image/jpeg", "image/gif") else "text/plain"
        if file["mimetype"] == "application/octet-stream":
            shown = file["mimetype"]
        return Response(content, media_type=shown)

    return answer
