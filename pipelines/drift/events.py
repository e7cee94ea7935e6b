"""CloudEvents of inference loggers: KServe's (kserve/kserve, pkg/logger/worker.go), Seldon's, or a broker's batches.

A request and a response of one id, in either order. In binary mode the event's attributes are headers; structured ones
are JSON, whose `data` is the body, or text that holds it, or `data_base64` (CloudEvents JSON format 1.0.2, 3.1).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from pipelines.drift.bodies import MOST_UNPACKED, read_body, read_json
from pipelines.drift.records import moment_of, record_id, storable
from pipelines.errors import Refused

REQUEST, RESPONSE = "inference.request", "inference.response"
READ = ("id", "type", "inferenceservicename", "source", "time")
# So many times its size may a delivery become, of bodies that are packed inside of it: a group of deliveries is read
# at once.
MOST_PACKED, SMALL = 20, 64_000


@dataclass(frozen=True, slots=True)
class Half:
    """A request or a response, as an event brought it; a batch holds several rows. `text` is the body as JSON in
    UTF-8 where it came by itself."""

    id: str
    model: str
    at: datetime
    is_request: bool
    body: Mapping[str, Any]
    text: bytes = field(default=b"", compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.model, self.id

    @property
    def version(self) -> str:
        """What a response calls the version that answered; "" where it does not say."""
        return storable(str(self.body.get("model_version") or ""))


@dataclass(frozen=True, slots=True)
class Events:
    """What one delivery held: `faults` are events that are none, `others` are no requests or responses."""

    halves: list[Half] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.halves) + len(self.faults) + len(self.others)


def read_events(content: bytes, headers: Mapping[str, str]) -> Events:
    """The halves in one delivery: binary mode (ce-… headers), structured, or a batch of structured events."""
    events, most = Events(), SMALL + MOST_PACKED * len(content)
    lowered = headers if "ce-id" in headers else {name.lower(): value for name, value in headers.items()}
    if "ce-id" in lowered:
        attributes = {name: _unquoted(lowered[f"ce-{name}"]) for name in READ if f"ce-{name}" in lowered}
        _add(events, attributes, content, most)
        return events
    try:
        document = read_json(content)
    except Refused as refusal:
        return Events(faults=[f"The event {refusal}"])
    for event in document if isinstance(document, list) else [document]:
        if not isinstance(event, dict) or "id" not in event or "type" not in event:
            events.faults.append(
                "The delivery is no CloudEvent: it needs an id and a type, in its headers or its body."
            )
        else:
            named = {str(name).lower(): value for name, value in event.items()}
            encoded = "data_base64" in named
            most -= _add(events, named, named["data_base64"] if encoded else named.get("data"), most, encoded)
    return events


def _unquoted(value: str) -> str:
    """Values of headers are percent-encoded (CloudEvents HTTP binding 1.0.2, 3.1.3.2)."""
    return unquote(value) if "%" in value else value


def _add(events: Events, attributes: Mapping[str, Any], data: Any, most: int, encoded: bool = False) -> int:
    """Answers how many bytes of text it became."""
    kind = str(attributes.get("type", ""))
    if not kind.endswith((REQUEST, RESPONSE)):
        events.others.append(f"An event of the type {kind[:100]} is no inference request or response.")
        return 0
    try:
        body, text = _body(data, most, encoded)
    except Refused as refusal:
        events.faults.append(f"The event {refusal}")
        return 0
    if not isinstance(body, dict):
        events.faults.append("An inference event needs a JSON object as its body.")
        return 0
    model = storable(str(attributes.get("inferenceservicename") or attributes.get("source") or ""))
    at, is_request = moment_of(attributes.get("time")), kind.endswith(REQUEST)
    events.halves.append(Half(record_id(attributes["id"]), model, at, is_request, body, text))
    return len(text)


def _body(data: Any, most: int, encoded: bool) -> tuple[Any, bytes]:
    """The body and, where it is a JSON object by itself that a database takes as text, its text."""
    if encoded:
        try:
            data = base64.b64decode(data, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise Refused("has a data_base64 that is none.") from None
    if isinstance(data, str):
        data = data.encode(errors="replace")
    if not isinstance(data, bytes):
        return data, b""
    body, text = read_body(data, max(1, min(most, MOST_UNPACKED)))
    return body, text if text[:1] == b"{" and b"\0" not in text else b""
