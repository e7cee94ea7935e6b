"""From the workspace to the app: commands, clicks, forms and events, over sockets or signed HTTP."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx

from bot.sandbox.slack.permits import Limits, ResponseUrls, Triggers
from bot.sandbox.slack.roster import APP_ID, BOT_USER, TEAM, InstalledApp, Secrets
from bot.sandbox.slack.sockets import Sockets
from bot.sandbox.slack.store import Document

ACK_SECONDS = 3.0
EVENT_RETRY_SECONDS = (0.0, 60.0, 300.0)
Kind = Literal["slash_commands", "interactive", "events_api"]
VERIFICATION_TOKEN = "sandbox-verification-token"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the app said within three seconds: `payload` may be None. `error` is what people see otherwise."""

    payload: Any = None
    error: Literal["", "operation_timeout", "dispatch_failed"] = ""


@dataclass
class Delivery:
    """`time_scale` shortens every waiting time but the ack's (`ack_seconds`, which trigger ids share), for tests."""

    app: InstalledApp
    secrets: Secrets
    time_scale: float = 1.0
    base_url: str = ""
    ack_seconds: float = ACK_SECONDS
    limits: Limits = field(default_factory=Limits)
    acks: list[tuple[str, float]] = field(default_factory=list)  # kind and seconds of each ack, for measurements
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sockets = Sockets(self.time_scale)
        self.triggers = Triggers(self.ack_seconds)
        self.response_urls = ResponseUrls(self.time_scale)

    def response_url(self, person: str, channel: str, message: Document | None = None) -> str:
        return f"{self.base_url}/response/{self.response_urls.new(person, channel, message)}"

    async def command(self, payload: Document) -> Acknowledged:
        url = next((known.get("url", "") for known in self.app.commands if known["command"] == payload["command"]), "")
        return await self._deliver("slash_commands", payload, url or self.app.interactivity_url)

    async def interaction(self, payload: Document) -> Acknowledged:
        return await self._deliver("interactive", payload, self.app.interactivity_url)

    def event(self, event: Document) -> None:
        """Send an event if the manifest subscribes to it; unacknowledged it comes again under the same id."""
        if _subscription(event) not in self.app.events:
            return
        body = {
            "token": VERIFICATION_TOKEN, "team_id": TEAM["id"], "api_app_id": APP_ID, "event": event,
            "type": "event_callback", "event_id": f"Ev{secrets.token_hex(5).upper()}", "event_time": int(time.time()),
            "authorizations": [
                {"enterprise_id": None, "team_id": TEAM["id"], "user_id": BOT_USER, "is_bot": True,
                 "is_enterprise_install": False}
            ],
            "context_team_id": TEAM["id"], "context_enterprise_id": None,
            "is_ext_shared_channel": False, "event_context": secrets.token_hex(12),
        }  # fmt: skip
        task = asyncio.get_running_loop().create_task(self._event_until_acknowledged(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def verified(self, url: str) -> bool:
        """Whether the app at this request url repeats a challenge, as Slack asks it to before it saves the url."""
        challenge = secrets.token_urlsafe(24)
        body = json.dumps({"token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification"})
        headers = self.signed(body) | {"Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(timeout=self.ack_seconds, trust_env=False) as client:
                answer = await client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        payload = _payload(answer.text)
        said = (payload.get("challenge") or payload.get("text")) if isinstance(payload, dict) else None
        return answer.status_code == 200 and said == challenge

    async def _event_until_acknowledged(self, body: Document) -> None:
        found = await self._deliver("events_api", body, self.app.events_url)
        for attempt, wait in enumerate(EVENT_RETRY_SECONDS, start=1):
            if not found.error:
                return
            await asyncio.sleep(wait * self.time_scale)
            reason = "timeout" if found.error == "operation_timeout" else "http_error"
            found = await self._deliver("events_api", body, self.app.events_url, attempt, reason)

    async def _deliver(self, kind: Kind, payload: Document, url: str, retry: int = 0, reason: str = "") -> Acknowledged:
        began = time.perf_counter()
        if self.app.socket_mode:
            found = await self._over_socket(kind, payload, retry, reason)
        else:
            found = await self._over_http(kind, payload, url, retry, reason)
        if not found.error:
            self.acks.append((kind, time.perf_counter() - began))
        return found

    async def _over_socket(self, kind: Kind, payload: Document, retry: int, reason: str) -> Acknowledged:
        envelope: Document = {"envelope_id": secrets.token_hex(16), "payload": payload, "type": kind}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        ack = await self.sockets.send(envelope)
        if ack is None:
            return Acknowledged(error="dispatch_failed")
        try:
            return Acknowledged(await asyncio.wait_for(ack, self.ack_seconds))
        except TimeoutError:
            self.sockets.forget(envelope["envelope_id"])
            return Acknowledged(error="operation_timeout")

    async def _over_http(self, kind: Kind, payload: Document, url: str, retry: int, reason: str) -> Acknowledged:
        body, content_type = _encoded(kind, payload)
        headers = self.signed(body) | {"Content-Type": content_type}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            async with httpx.AsyncClient(timeout=self.ack_seconds, trust_env=False) as client:
                answer = await client.post(url, content=body, headers=headers)
        except httpx.TimeoutException:
            return Acknowledged(error="operation_timeout")
        except (httpx.HTTPError, httpx.InvalidURL):
            return Acknowledged(error="dispatch_failed")
        if answer.status_code != 200:
            return Acknowledged(error="dispatch_failed")
        return Acknowledged(_payload(answer.text))

    def signed(self, body: str) -> dict[str, str]:
        """The headers of Slack's v0 signature (docs.slack.dev/authentication/verifying-requests-from-slack)."""
        stamp = str(int(time.time()))
        digest = hmac.new(self.secrets.signing_secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}


def _encoded(kind: Kind, payload: Document) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    if kind == "slash_commands":
        return urlencode(payload), form
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}), form
    return json.dumps(payload), "application/json"


def _payload(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text}


def _subscription(event: Document) -> str:
    """The name under which a manifest subscribes to an event."""
    if event["type"] != "message":
        return str(event["type"])
    return {"im": "message.im", "group": "message.groups"}.get(event.get("channel_type", ""), "message.channels")
