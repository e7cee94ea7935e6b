"""Secrets out, placeholders in; the same secret has the same number for as long as the redactor lives."""

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Any

from bot.redaction.patterns import SECRET_NAME
from bot.redaction.spans import MARK, find_secrets

DEEPEST = 200  # Slack's and Kubernetes' own JSON is nested some ten deep
REMEMBERED = 10_000  # secrets with a number; the oldest are forgotten, and would get a new one


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was taken out, without the secret itself."""

    kind: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class Redacted:
    text: str
    found: tuple[Finding, ...] = ()


class Redactor:
    """Safe to share between threads. It remembers digests of secrets, never a secret."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._placeholders: OrderedDict[bytes, str] = OrderedDict()
        self._counts: dict[str, int] = {}

    def redact(self, text: str) -> Redacted:
        """Replace every secret with a placeholder such as ‹secret:aws-key:1›. Redacting twice changes nothing."""
        spans = find_secrets(text)
        if not spans:
            return Redacted(text)
        pieces, found, position = [], [], 0
        for span in spans:
            placeholder = self._placeholder(span.kind, text[span.start : span.end])
            pieces += [text[position : span.start], placeholder]
            found.append(Finding(span.kind, placeholder))
            position = span.end
        return Redacted("".join([*pieces, text[position:]]), tuple(found))

    def redact_lines(self, lines: Sequence[str]) -> list[str]:
        """The same for lines that follow each other; of a secret that runs over several, the rest are left empty."""
        text = "\n".join(lines)
        pieces, position = [], 0
        for span in find_secrets(text):
            secret = text[span.start : span.end]
            pieces += [text[position : span.start], self._placeholder(span.kind, secret), "\n" * secret.count("\n")]
            position = span.end
        return "".join([*pieces, text[position:]]).split("\n") if lines else []

    def redact_value(self, value: Any) -> Any:
        """The same for JSON-like values, keys included; the text under a name such as "password" goes whole."""
        return self._value(value, 0)

    def processor(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """A structlog processor: what is logged passes here too."""
        redacted: Mapping[str, Any] = self.redact_value(dict(event))
        return redacted

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.redact(value).text
        if isinstance(value, bytes):
            return self.redact(value.decode(errors="replace")).text
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth > DEEPEST:
            return "‹nested too deeply to be shown›"
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        if isinstance(value, list | set | frozenset | tuple):
            return type(value)(self._value(item, depth + 1) for item in value)
        return self.redact(str(value)).text

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        named = value.get("name")
        if isinstance(named, str) and SECRET_NAME.search(named) and isinstance(value.get("value"), str):
            # A variable of a container: {"name": "DB_PASSWORD", "value": "…"}
            value = {**value, "value": self._whole(value["value"])}
        if value.get("kind") == "Secret":
            held = {key: value[key] for key in ("data", "stringData") if isinstance(value.get(key), Mapping)}
            whole = {key: {name: self._whole(str(text)) for name, text in part.items()} for key, part in held.items()}
            value = {**value, **whole}
        return {self._value(key, depth): self._under(key, item, depth) for key, item in value.items()}

    def _whole(self, text: str) -> str:
        return text if MARK in text or not text else self._placeholder("named-secret", text)

    def _under(self, key: Any, value: Any, depth: int) -> Any:
        if isinstance(key, str) and isinstance(value, str) and SECRET_NAME.search(key):
            return self._whole(value)
        return self._value(value, depth)

    def _placeholder(self, kind: str, secret: str) -> str:
        key = sha256(secret.encode(errors="surrogatepass")).digest()
        with self._lock:
            if key not in self._placeholders:
                self._counts[kind] = self._counts.get(kind, 0) + 1
                self._placeholders[key] = f"{MARK}{kind}:{self._counts[kind]}›"
            self._placeholders.move_to_end(key)
            if len(self._placeholders) > REMEMBERED:
                self._placeholders.popitem(last=False)
            return self._placeholders[key]
