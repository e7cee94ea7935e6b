"""The door of the HTTP server: who may call which route, and how much they may send. It looks before a body is read."""

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope

from bot.routes import Routes

TOKENS_SETTING = "SHIPMATE_HTTP_BEARER_TOKENS"
PATHS_KNOWN = 256


@dataclass(frozen=True, slots=True)
class Doorway:
    """What holds for one route."""

    matches: Callable[[Scope], bool]
    protected: bool
    body_limit: int


class Door:
    """`tokens` are the bearer tokens that open protected routes; `body_limit` holds where a route names none."""

    def __init__(self, routes: Sequence[Routes], tokens: Sequence[str], body_limit: int) -> None:
        self._tokens = [token.encode() for token in tokens]
        self._doorways = list(_doorways(routes))
        self._other = Doorway(lambda _scope: True, protected=False, body_limit=body_limit)
        # Doorways hang on the path alone, and trying all routes takes longer than some of them work.
        self._by_path: dict[tuple[str, str], Doorway] = {}

    def refusal(self, scope: Scope) -> JSONResponse | None:
        """The answer to a caller who may not come in; None to one who may."""
        doorway = self._doorway(scope)
        headers = Headers(scope=scope)
        if doorway.protected and (refusal := self._without_token(headers)):
            return refusal
        length = headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > doorway.body_limit:
            return _too_large(doorway.body_limit)
        return None

    def counted(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, that ends where the body grows beyond what it may; a length can be left out or lie."""
        limit = self._doorway(scope).body_limit
        taken = 0

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, f"The body is larger than {limit:,} bytes.")
            return message

        return counting

    def _without_token(self, headers: Headers) -> JSONResponse | None:
        if not self._tokens:
            return JSONResponse({"detail": f"No tokens are configured. Set {TOKENS_SETTING}."}, status_code=403)
        kind, _, token = headers.get("Authorization", "").partition(" ")
        given = token.strip().encode()
        # All are compared, each in constant time, so that an answer's time tells nothing.
        known = [hmac.compare_digest(given, each) for each in self._tokens]
        if kind.lower() == "bearer" and any(known):
            return None
        detail = f"Send the header `Authorization: Bearer TOKEN` with one of the tokens of {TOKENS_SETTING}."
        return JSONResponse({"detail": detail}, status_code=401, headers={"WWW-Authenticate": "Bearer"})

    def _doorway(self, scope: Scope) -> Doorway:
        key = scope.get("root_path", ""), scope["path"]
        if (known := self._by_path.get(key)) is not None:
            return known
        found = next((one for one in self._doorways if one.matches(scope)), self._other)
        if len(self._by_path) < PATHS_KNOWN:
            self._by_path[key] = found
        return found


def _doorways(routes: Sequence[Routes]) -> Iterator[Doorway]:
    for group in routes:
        for route in group.router.routes:
            yield Doorway(_matcher(route), group.protected, group.body_limit)


def _matcher(route: BaseRoute) -> Callable[[Scope], bool]:
    return lambda scope: route.matches(scope)[0] is not Match.NONE


def _too_large(limit: int) -> JSONResponse:
    return JSONResponse({"detail": f"The body is larger than {limit:,} bytes."}, status_code=413)
