"""The stand-in as a server: who may ask, what is switched wrong, which operation answers."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.github import operations as _operations  # noqa: F401  (importing registers the API)
from bot.sandbox.github import pages
from bot.sandbox.github.actions import Actions, Run, Workflow
from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, not_found, page_of, refusal, response_of
from bot.sandbox.github.git import GitError
from bot.sandbox.github.registry import Call, find
from bot.sandbox.github.world import World
from bot.sandbox.loopback import LoopbackServer

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# What values of a wrong type, or names that git does not take, lead to in an operation.
WRONG_TYPES = (TypeError, AttributeError, KeyError, ValueError, OverflowError, GitError)
API = ("/repos/", "/user", "/users/", "/rate_limit", "/search/")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, for tests that hold them against GitHub's own description."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes


class GithubSandbox:
    """One repository. `url` is the base of the API and of the pages for people; every caller must bear `token`.

    `folder` keeps it for the next start; without one it is forgotten at the end. `login` is whom the token belongs to.
    """

    def __init__(
        self, repository: str, token: str, workflows: Sequence[Workflow] = (), run: Run | None = None,
        environment: Mapping[str, str] | None = None, port: int = 0, folder: Path | None = None,
        login: str = "shipmate-bot", default_branch: str = "main",
    ) -> None:  # fmt: skip
        self._temporary = tempfile.TemporaryDirectory() if folder is None else None
        place = folder or Path(self._temporary.name if self._temporary else "")
        around = dict(environment or {"PATH": os.defpath})
        self.world = World(place, repository, tuple(workflows), run, around, default_branch)
        self.tokens = {token: login}
        self.watch: Callable[[Exchange], None] = lambda _exchange: None
        routes = [
            *pages.routes(self.world, API),
            Route("/{rest:path}", self._answer, methods=METHODS),
        ]
        self._server = LoopbackServer(Starlette(routes=routes), port, "github-sandbox")
        self.url = self._server.url
        self.world.at(self.url)
        self.world.actions.changed = self.world.tell_run

    @property
    def actions(self) -> Actions:
        return self.world.actions

    def start(self) -> None:
        self.world.hooks.start()
        self.world.downloads.start()
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.world.downloads.stop()
        self.world.hooks.stop()
        self.world.close()
        if self._temporary:
            self._temporary.cleanup()

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(self._respond, request, body)

    def _respond(self, request: Request, body: bytes) -> Response:
        limits = self.world.faults.headers
        try:
            answer = self._asked(request, body)
            response = response_of(answer, request.headers.get("if-none-match", ""))
        except ApiError as error:
            response = refusal(error)
        for name, value in limits().items():
            response.headers.setdefault(name, value)
        response.headers["X-GitHub-Request-Id"] = f"{time.monotonic_ns():X}"
        query, answered = dict(request.query_params), bytes(response.body)
        self.watch(Exchange(request.method, request.url.path, query, body, response.status_code, answered))
        return response

    def _asked(self, request: Request, body: bytes) -> Answer:
        path = request.url.path
        actor = self._actor(request)
        fault = self.world.faults.strike(request.method, path)
        if fault and (error := fault.error()):
            raise error
        if fault:
            time.sleep(fault.seconds)
        operation, parameters = find(request.method, path)
        owner = f"{parameters.get('owner', '')}/{parameters.get('repo', '')}"
        if "owner" in parameters and owner.lower() != self.world.name.lower():
            raise not_found()
        query = dict(request.query_params)
        call = Call(self.world, parameters, query, _document(body), actor)
        with self.world.turn:
            try:
                found = operation.run(call)
                return page_of(found, query, f"{self.url}{path}") if isinstance(found, Listing) else found
            except WRONG_TYPES as error:
                raise ApiError(422, f"Invalid request.\n\n{error!r:.200}") from error

    def _actor(self, request: Request) -> str:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() not in ("token", "bearer") or token not in self.tokens:
            raise ApiError(401, "Bad credentials")
        return self.tokens[token]


def _document(body: bytes) -> Document:
    if not body:
        return {}
    try:
        found: Any = json.loads(body)
        json.dumps(found, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError):
        raise ApiError(400, "Problems parsing JSON") from None
    if isinstance(found, list):
        return {"labels": found}  # labels may be given as a bare list
    if not isinstance(found, dict):
        raise ApiError(400, "Body should be a JSON object")
    return found
