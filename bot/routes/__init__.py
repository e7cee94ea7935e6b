"""HTTP routes by feature. A route reads, asks a desk, and returns plain JSON; bot/server.py does the rest."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute


class Direct(APIRoute):
    """A route that reads its request and writes its response itself. Nothing of FastAPI but its
    documentation stands between it and the door: that would cost more than storing an inference record."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


@dataclass(frozen=True, slots=True)
class Routes:
    """What a feature adds to the server. `protected` routes need a bearer token, others check their caller themselves
    (a webhook its signature). `body_limit` is in bytes."""

    router: APIRouter
    protected: bool = True
    body_limit: int = 1_000_000
