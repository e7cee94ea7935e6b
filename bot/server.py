"""The HTTP side: health, readiness, metrics, the routes of features, and in HTTP mode the requests that Slack sends."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
import uvicorn
from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import FastAPI, HTTPException, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from slack_bolt import App, BoltRequest
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.arrivals import Arrivals
from bot.door import Door
from bot.routes import Direct, Routes
from bot.routes.page import POLICY, page
from bot.telemetry import Telemetry, reference
from pipelines.errors import Refused, Unavailable

log = structlog.get_logger("bot.server")

THREADS = 100
BODY_LIMIT = 1_000_000  # Slack's largest payload is far below; a larger body is not Slack's
RETRY_SECONDS = 30
ABOUT = "Protected routes take the header `Authorization: Bearer TOKEN`, with a token of SHIPMATE_HTTP_BEARER_TOKENS."


def build_server(
    bolt: App, telemetry: Telemetry, problems: Callable[[], list[str]], http_mode: bool, arrivals: Arrivals,
    routes: Sequence[Routes] = (), tokens: Sequence[str] = (),
) -> FastAPI:  # fmt: skip
    """`problems` says why the bot is not ready, one sentence each; empty when it is. `tokens` open protected ones."""
    door = Door(routes, tokens, BODY_LIMIT)
    server = _Server(title="Shipmate", description=ABOUT, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    server.add_middleware(Entrance, door=door)
    server.direct = {path: Entrance(app, door) for path, app in _direct(routes)}
    for failure, told in TOLD.items():
        server.exception_handler(failure)(told)
    server.exception_handler(RequestValidationError)(_malformed)

    @server.get("/health", tags=["bot"])
    def health() -> dict[str, str]:
        """Whether the process lives."""
        return {"status": "ok"}

    @server.get("/ready", tags=["bot"])
    def ready(response: Response) -> dict[str, object]:
        """Whether it can serve people, and why not."""
        found = problems()
        response.status_code = 503 if found else 200
        return {"ready": not found, "problems": found}

    @server.get("/metrics", tags=["bot"])
    def metrics() -> Response:
        """Prometheus metrics."""
        return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4")

    @server.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        shown = page(server.openapi(), str(request.base_url))
        return HTMLResponse(shown, headers={"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})

    for group in routes:
        bearer = [Security(HTTPBearer(auto_error=False))] if group.protected else []
        server.include_router(group.router, dependencies=bearer)
    if http_mode:
        server.post("/slack/events", include_in_schema=False)(_slack(bolt, arrivals))
    return server


class _Server(FastAPI):
    """POST requests of `direct` paths go by no other middleware than their own: each costs as much as the parsing."""

    direct: Mapping[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        direct = self.direct.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if direct is not None:
            await direct(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Entrance:
    """Lets callers in by the door's rules, and tells those inside of what broke by its reference."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := self._door.refusal(scope):
            await refusal(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, self._door.counted(scope, receive), sending)
        except Exception:
            found_by = reference()
            log.exception("a request broke", path=scope["path"], reference=found_by)
            if not begun:
                answer = JSONResponse({"detail": f"Something broke, reference {found_by}."}, status_code=500)
                await answer(scope, receive, send)


def _refused(_request: Request, refusal: Exception) -> Response:
    return JSONResponse({"detail": str(refusal)}, status_code=400)


def _unavailable(_request: Request, outage: Exception) -> Response:
    wait = getattr(outage, "retry_after_seconds", None) or RETRY_SECONDS
    return JSONResponse({"detail": str(outage)}, status_code=503, headers={"Retry-After": str(round(wait))})


TOLD: Mapping[Any, Callable[[Request, Exception], Response]] = {Refused: _refused, Unavailable: _unavailable}


def _direct(routes: Sequence[Routes]) -> Iterator[tuple[str, ASGIApp]]:
    for group in routes:
        for route in group.router.routes:
            if isinstance(route, Direct):
                yield route.path, _plain(route.endpoint)


def _plain(endpoint: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except (Refused, Unavailable) as failure:
            response = TOLD[type(failure)](request, failure)
        except HTTPException as refusal:
            response = JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)
        await response(scope, receive, send)

    return app


def _malformed(_request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    lines = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults]
    return JSONResponse({"detail": "; ".join(lines) or "The request cannot be read."}, status_code=400)


def _slack(bolt: App, arrivals: Arrivals) -> Callable[[Request], object]:
    async def receive(request: Request) -> Response:
        """Commands, clicks and events; Bolt checks the signature."""
        # Bolt's dispatch blocks until the listener has acknowledged: 40 threads, the default, would not do.
        current_default_thread_limiter().total_tokens = THREADS
        body = await request.body()
        if len(body) > BODY_LIMIT:
            return Response("too large", status_code=413)
        query = str(request.url.query)
        headers: dict[str, str | Sequence[str]] = dict(request.headers)
        try:
            asked = BoltRequest(body=body.decode(), query=query, headers=headers)
        except ValueError:
            return Response("not what Slack sends", status_code=400)
        try:
            with arrivals.one():
                answer = await run_sync(bolt.dispatch, asked)
        except Exception:
            found_by = reference()
            log.exception("a request of Slack broke", reference=found_by)
            return Response(f"reference {found_by}", status_code=500)
        return Response(answer.body, status_code=answer.status, headers=answer.first_headers_without_set_cookie())

    return receive


class ServerThread:
    """Uvicorn beside the bot; `port` is the real one once it has started, also when 0 was asked for."""

    def __init__(self, server: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(server, host=host, port=port, log_config=None, access_log=False, lifespan="off")
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="http-server", daemon=True)
        self.port = port

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        self._thread.start()
        while not self._uvicorn.started:
            if not self._thread.is_alive():
                raise OSError(f"The HTTP server could not listen on port {self.port}. Is it in use?")
            self._thread.join(0.01)
        self.port = self._uvicorn.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(5)

    def _run(self) -> None:
        with suppress(SystemExit, asyncio.CancelledError):
            self._uvicorn.run()
