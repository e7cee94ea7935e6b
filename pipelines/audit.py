"""The audit trail: append-only, each row chained to the one before by its hash."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what; `detail` is JSON-able and holds what is needed to check it later."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    number: int  # 1, 2, 3 … without gaps
    entry: AuditEntry
    previous_hash: str
    hash: str


class AuditTrail(Protocol):
    def append(self, entry: AuditEntry) -> AuditRow: ...

    def rows(self) -> Iterable[AuditRow]:
        """All rows, oldest first."""
        ...

    def newest(self, limit: int, about: str = "") -> Sequence[AuditRow]:
        """Newest first; with `about`, those whose actor, action or subject holds it, in any case of letters."""
        ...


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The newest rows that there are `about` something, newest first; all are meant where it is empty."""

    rows: tuple[AuditRow, ...]
    about: str = ""


def chain_hash(number: int, entry: AuditEntry, previous_hash: str) -> str:
    """SHA-256 over the canonical JSON of the row and the hash before it."""
    body = [number, entry.at.isoformat(), entry.actor, entry.action, entry.subject, entry.detail, previous_hash]
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def faults(rows: Iterable[AuditRow]) -> list[str]:
    """What is wrong with the chain, one sentence each; empty when it is whole."""
    found: list[str] = []
    previous, expected = GENESIS, 1
    for row in rows:
        if row.number != expected:
            found.append(f"Row {expected} is missing: the next one is {row.number}.")
        if row.previous_hash != previous:
            found.append(f"Row {row.number} does not follow the row before it.")
        if row.hash != chain_hash(row.number, row.entry, row.previous_hash):
            found.append(f"Row {row.number} was changed after it was written.")
        previous, expected = row.hash, row.number + 1
    return found
