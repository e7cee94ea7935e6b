"""Alertmanager's webhook: what it tells is stored and answered; what follows from it happens afterwards."""

import base64
import binascii
import hmac
from collections.abc import Callable

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from bot.config import Settings
from bot.routes import Routes
from pipelines.drift.alerts import AlertDesk, Heard

# Ten thousand alerts of a dozen labels each; `max_alerts` of the receiver keeps notifications far below.
BODY_LIMIT = 12_000_000
SECRET_SETTING = "SHIPMATE_ALERTMANAGER_SECRET"  # noqa: S105 - the name of it


class Told(BaseModel):
    """`news` is false for a repeat; `looks` are the models that are looked at; `others` firing alerts are stored.
    Of those, `unmatched` are about a model that the catalogue does not have."""

    news: bool
    looks: list[str]
    others: int
    unmatched: list[str] = []


def alertmanager_routes(desk: AlertDesk, settings: Settings, count: Callable[[Heard], object]) -> Routes:
    """Without the secret that both sides know, nothing is believed."""
    secret = settings.alertmanager_secret.get_secret_value() if settings.alertmanager_secret else ""
    router = APIRouter(tags=["alertmanager"])

    @router.post("/webhooks/alertmanager", response_model_exclude_defaults=True)
    async def webhook(request: Request) -> Told:
        """Notifications of Alertmanager, version 4; a bearer token, or basic authentication with any user name."""
        _check(secret, request.headers.get("authorization", ""))
        content = await request.body()
        heard = await run_in_threadpool(desk.take, content)
        count(heard)
        return Told(news=heard.news, looks=list(heard.looks), others=heard.others, unmatched=list(heard.unmatched))

    return Routes(router, protected=False, body_limit=BODY_LIMIT)


def _check(secret: str, authorization: str) -> None:
    """Raises HTTPException for whoever does not know the secret."""
    if not secret:
        raise HTTPException(403, f"No secret is configured. Set {SECRET_SETTING}.")
    if not hmac.compare_digest(_given(authorization).encode(), secret.encode()):
        detail = f"Send {SECRET_SETTING} as a bearer token, or as the password of basic authentication."
        raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer, Basic"})


def _given(authorization: str) -> str:
    kind, _, rest = authorization.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
