"""Requests and responses of KServe's logger, put together to records."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.drift.payloads import named_rows, outputs_of
from pipelines.drift.records import Half, InferenceRecord

MOST_REMEMBERED = 500_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A request and its response, `first` the one that came first; one without a response was let go."""

    first: Half
    second: Half | None = None

    @property
    def last(self) -> Half:
        return self.second or self.first

    def records(self, columns: Sequence[str] = ()) -> list[InferenceRecord]:
        """A record a row; `columns` name what the request only counts. Raises Refused for a body of neither protocol.

        A response that waited in vain for its request tells nothing.
        """
        request = next((half for half in (self.first, self.second) if half is not None and half.is_request), None)
        response = next((half for half in (self.first, self.second) if half is not None and not half.is_request), None)
        return _records(request, response, columns) if request is not None else []


def paired(halves: Iterable[Half]) -> tuple[list[Pair], list[Half]]:
    """Those that meet among themselves, in either order, and those that are alone; of a half twice the first counts."""
    waiting: dict[tuple[str, str], Half] = {}
    met: dict[tuple[str, str], Pair] = {}
    for half in halves:
        if half.key in met:
            continue
        other = waiting.get(half.key)
        if other is None:
            waiting[half.key] = half
        elif other.is_request != half.is_request:
            met[half.key] = Pair(waiting.pop(half.key), half)
    return list(met.values()), list(waiting.values())


class Remembered:
    """The last ids, at most MOST_REMEMBERED of them, in two generations of which the older is forgotten at once."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most // 2
        self._young: set[int] = set()
        self._old: set[int] = set()

    def __contains__(self, key: tuple[str, str]) -> bool:
        mark = _mark(key)
        return mark in self._young or mark in self._old

    def add(self, key: tuple[str, str]) -> None:
        if len(self._young) >= self._most:
            self._old, self._young = self._young, set()
        self._young.add(_mark(key))


def _mark(key: tuple[str, str]) -> int:
    return int.from_bytes(hashlib.blake2b("/".join(key).encode(errors="replace"), digest_size=8).digest(), "big")


def _records(request: Half, response: Half | None, columns: Sequence[str]) -> list[InferenceRecord]:
    rows = named_rows(request.body, columns)
    said = outputs_of(response.body) if response is not None else []
    at, version = request.at, response.version if response is not None else ""
    found = []
    for place, features in enumerate(rows):
        prediction, confidence = said[place] if place < len(said) else (None, None)
        record_id = request.id if len(rows) == 1 else f"{request.id}#{place}"
        found.append(InferenceRecord(record_id, request.model, version, at, features, prediction, confidence))
    return found
