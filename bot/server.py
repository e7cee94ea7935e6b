"""The HTTP side: health, readiness, metrics, and in HTTP mode the requests that Slack sends."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog
import uvicorn
from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import FastAPI, Request, Response
from slack_bolt import App, BoltRequest

from bot.arrivals import Arrivals
from bot.telemetry import Telemetry, reference

log = structlog.get_logger("bot.server")

THREADS = 100
BODY_LIMIT = 1_000_000  # Slack's largest payload is far below; a larger body is not Slack's


def build_server(
    bolt: App, telemetry: Telemetry, problems: Callable[[], list[str]], http_mode: bool, arrivals: Arrivals
) -> FastAPI:
    """`problems` says why the bot is not ready, one sentence each; empty when it is."""
    server = FastAPI(title="Shipmate", docs_url=None, redoc_url=None, openapi_url=None)

    @server.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @server.get("/ready")
    def ready(response: Response) -> dict[str, object]:
        found = problems()
        response.status_code = 503 if found else 200
        return {"ready": not found, "problems": found}

    @server.get("/metrics")
    def metrics() -> Response:
        return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4")

    if http_mode:
        server.post("/slack/events")(_slack(bolt, arrivals))
    return server


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
