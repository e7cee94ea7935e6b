"""HTTP routes by feature. A route reads, asks a desk, and returns plain JSON; bot/server.py does the rest."""

from dataclasses import dataclass

from fastapi import APIRouter


@dataclass(frozen=True, slots=True)
class Routes:
    """What a feature adds to the server. `protected` routes need a bearer token, others check their caller themselves
    (a webhook its signature). `body_limit` is in bytes."""

    router: APIRouter
    protected: bool = True
    body_limit: int = 1_000_000
