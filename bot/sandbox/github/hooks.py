"""Webhooks: signed, delivered by a thread of its own in their order, remembered, delivered again on request."""

import hashlib
import hmac
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress

from bot.sandbox.github.answers import ApiError, Document, not_found
from bot.sandbox.github.store import Store

ANSWER_SECONDS = 10  # GitHub's own limit: docs.github.com/webhooks, best practices
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MOST_KEPT = 500
Sending = tuple[Document, Document]


class Hooks:
    """`now` tells the time as GitHub writes it."""

    def __init__(self, store: Store, now: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._queue: queue.Queue[Sending | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="github-webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(ANSWER_SECONDS + 1)

    def add(self, url: str, secret: str, events: list[str], content_type: str = "json") -> Document:
        if urllib.parse.urlsplit(url).hostname not in LOOPBACK:
            raise ApiError(422, "Validation Failed", ["The sandbox sends webhooks to this machine only."])
        number = self._store.next_number("hook", 101)
        config = {"url": url, "content_type": content_type, "insecure_ssl": "0", "secret": secret}
        hook: Document = {
            "id": number, "active": True, "events": events, "config": config, "created_at": self._now(),
            "updated_at": self._now(), "last_response": {"code": None, "status": "unused", "message": None},
        }  # fmt: skip
        self._store.put("hook", number, hook)
        return hook

    def get(self, number: int) -> Document:
        found = self._store.get("hook", number)
        if found is None:
            raise not_found()
        return found

    def deliveries(self, hook: int) -> list[Document]:
        """Newest first."""
        return [one for one in self._store.all("delivery") if one["hook"] == hook][::-1]

    def tell(self, event: str, payload: Document) -> None:
        """To every active hook that asked for this event."""
        for hook in self._store.all("hook"):
            if hook["active"] and ("*" in hook["events"] or event in hook["events"]):
                self.send(hook, event, payload)

    def send(self, hook: Document, event: str, payload: Document) -> None:
        number = self._store.next_number("delivery", 12_000_000_001)
        delivery: Document = {
            "id": number, "hook": hook["id"], "guid": str(uuid.uuid4()), "event": event,
            "action": payload.get("action"), "redelivery": False, "url": hook["config"]["url"],
            "request": {"headers": {}, "payload": payload},
        }  # fmt: skip
        self._queue.put((hook, delivery))

    def redeliver(self, hook: int, number: int) -> None:
        """The same delivery id again, as GitHub does."""
        found = self._store.get("delivery", number)
        if found is None or found["hook"] != hook:
            raise not_found()
        again = found | {"id": self._store.next_number("delivery", 12_000_000_001), "redelivery": True}
        self._queue.put((self.get(hook), again))

    def settled(self) -> None:
        """Wait until all that was told is delivered."""
        self._queue.join()

    def _work(self) -> None:
        while (sending := self._queue.get()) is not None:
            hook, delivery = sending
            self._deliver(hook, delivery)
            self._queue.task_done()
        self._queue.task_done()

    def _deliver(self, hook: Document, delivery: Document) -> None:
        content, kind = _encoded(delivery["request"]["payload"], hook["config"]["content_type"])
        headers = _headers(hook, delivery, content, kind)
        delivery["request"]["headers"] = headers
        began = time.monotonic()
        code, text = _post(hook["config"]["url"], content, headers)
        delivery |= {
            "delivered_at": self._now(), "duration": round(time.monotonic() - began, 2), "status_code": code,
            "status": "OK" if 200 <= code < 300 else text[:80] or f"Invalid HTTP Response: {code}",
            "response": {"headers": {}, "payload": text},
        }  # fmt: skip
        state = "active" if 200 <= code < 300 else "failed"
        with suppress(ApiError):  # it may have been deleted meanwhile
            hook = self.get(hook["id"])
            self._store.put(
                "hook", hook["id"], hook | {"last_response": {"code": code, "status": state, "message": None}}
            )
        self._store.put("delivery", delivery["id"], delivery)
        self._store.remove("delivery", delivery["id"] - MOST_KEPT)


def _encoded(payload: Document, content_type: str) -> tuple[bytes, str]:
    text = json.dumps(payload, ensure_ascii=False)
    if content_type == "form":
        return urllib.parse.urlencode({"payload": text}).encode(), "application/x-www-form-urlencoded"
    return text.encode(), "application/json"


def _headers(hook: Document, delivery: Document, content: bytes, kind: str) -> dict[str, str]:
    headers = {
        "Content-Type": kind, "User-Agent": "GitHub-Hookshot/5a2c0de", "Accept": "*/*",
        "X-GitHub-Event": delivery["event"], "X-GitHub-Delivery": delivery["guid"],
        "X-GitHub-Hook-ID": str(hook["id"]), "X-GitHub-Hook-Installation-Target-Type": "repository",
    }  # fmt: skip
    if secret := hook["config"].get("secret"):
        for name, algorithm in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
            headers[name] = f"{algorithm}={hmac.new(secret.encode(), content, getattr(hashlib, algorithm)).hexdigest()}"
    return headers


def _post(url: str, content: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """(status, body); 502 and 504 stand for nobody there and for too slow."""
    asked = urllib.request.Request(url, content, headers, method="POST")  # noqa: S310 - loopback, see `add`
    try:
        with _opener.open(asked, timeout=ANSWER_SECONDS) as answer:
            return int(answer.status), answer.read(100_000).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(100_000).decode(errors="replace")
    except TimeoutError:
        return 504, "timed out"
    except OSError as error:
        return (504, "timed out") if "timed out" in str(error) else (502, "failed to connect to host")


# A proxy of the person's environment must not see what stays on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
