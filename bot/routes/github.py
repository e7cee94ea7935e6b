"""GitHub's webhooks: a run that failed is reported without anybody asking."""

import json
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from bot.config import Settings
from bot.routes import Routes
from pipelines.triage.desk import TriageDesk
from pipelines.triage.events import read_event, signed_by

# GitHub sends no more: docs.github.com/webhooks/webhook-events-and-payloads#payload-cap
LARGEST_PAYLOAD = 25_000_000


def github_routes(desk: TriageDesk, settings: Settings) -> Routes:
    """Without the secret that the webhook was made with, nothing is believed."""
    secret = settings.github_webhook_secret.get_secret_value() if settings.github_webhook_secret else ""
    router = APIRouter(tags=["github"])

    @router.post("/webhooks/github", status_code=202)
    async def webhook(request: Request) -> dict[str, bool]:
        """Webhooks of GitHub, signed. `triage` says whether a report was begun; the same run again is the same one."""
        body = await request.body()
        if not signed_by(secret, body, request.headers.get("x-hub-signature-256", "")):
            raise HTTPException(401, "This is not signed with the webhook's secret.")
        try:
            event = read_event(request.headers.get("x-github-event", ""), _document(body))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return {"triage": bool(event and await run_in_threadpool(desk.hear, event))}

    return Routes(router, protected=False, body_limit=LARGEST_PAYLOAD)


def _document(body: bytes) -> dict[str, Any]:
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("A payload of GitHub is an object; set the webhook's content type to application/json.")
    return document
