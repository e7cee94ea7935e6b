"""The other host: logs and artifacts are fetched from here, by a signed address and without any token."""

import secrets
import threading
import time
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.github.store import Store
from bot.sandbox.loopback import LoopbackServer

VALID_SECONDS = 60  # as for job logs: docs.github.com/rest/actions/workflow-jobs


@dataclass
class Switches:
    """`broken` answers 503 so many times, `slow_seconds` lies before each answer."""

    broken: int = 0
    slow_seconds: float = 0.0
    # Requests that brought a token along: none should.
    leaked: list[str] = field(default_factory=list)


class Downloads:
    """Answers under the name localhost, where the API answers under 127.0.0.1: another origin for every client."""

    def __init__(self, store: Store) -> None:
        self.switches = Switches()
        self._store = store
        self._tickets: dict[str, tuple[str, str, float]] = {}
        self._turn = threading.Lock()
        self._server = LoopbackServer(Starlette(routes=[Route("/{ticket}", self._answer)]), 0, "github-downloads")
        self.url = self._server.url.replace("127.0.0.1", "localhost")

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def sign(self, blob: str, media_type: str) -> str:
        """An address that gives this blob for a minute."""
        ticket, until = secrets.token_urlsafe(16), time.time() + VALID_SECONDS
        with self._turn:
            self._tickets[ticket] = (blob, media_type, until)
        return f"{self.url}/{ticket}?se={int(until)}&sig={secrets.token_urlsafe(24)}"

    async def _answer(self, request: Request) -> Response:
        return await run_in_threadpool(self._fetch, request)

    def _fetch(self, request: Request) -> Response:
        time.sleep(self.switches.slow_seconds)
        if "authorization" in request.headers:
            self.switches.leaked.append(str(request.url.path))
            return PlainTextResponse("InvalidAuthenticationInfo", status_code=400)
        if self.switches.broken > 0:
            self.switches.broken -= 1
            return PlainTextResponse("ServerBusy", status_code=503)
        with self._turn:
            blob, media_type, until = self._tickets.get(request.path_params["ticket"], ("", "", 0.0))
        if until < time.time():
            return PlainTextResponse("AuthenticationFailed: Signature not valid in the specified time", status_code=403)
        content = self._store.blob(blob)
        if content is None:
            return PlainTextResponse("BlobNotFound", status_code=404)
        return Response(content, media_type=media_type)
