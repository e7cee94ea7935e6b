"""Requests and responses of KServe's logger, put together to records."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.drift.payloads import named_rows, outputs_of
from pipelines.drift.records import Half, InferenceRecord

MOST_WAITING = 50_000
MOST_REMEMBERED = 500_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A request and its response, `first` the one that came first; one without a response was let go."""

    first: Half
    second: Half | None = None

    @property
    def key(self) -> str:
        return f"{self.first.model}/{self.first.id}"

    def records(self, columns: Sequence[str] = ()) -> list[InferenceRecord]:
        """A record a row; `columns` name what the request only counts. Raises Refused for a body of neither protocol.

        A response that waited in vain for its request tells nothing.
        """
        request = next((half for half in (self.first, self.second) if half is not None and half.is_request), None)
        response = next((half for half in (self.first, self.second) if half is not None and not half.is_request), None)
        return _records(request, response, columns) if request is not None else []


class Joiner:
    """Puts requests and responses together, whichever comes first; what waits and what is remembered is bounded.

    A request whose response never comes still tells of the inputs: it is let go as a record without a prediction.
    """

    def __init__(self, columns: Sequence[str] = (), most_waiting: int = MOST_WAITING) -> None:
        self._columns = columns
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, Half] = OrderedDict()
        self._seen = Remembered()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, half: Half) -> list[InferenceRecord]:
        """The records that this half completes, or that had to be let go to make room."""
        pair = self.meet(half)
        return pair.records(self._columns) if pair else []

    def meet(self, half: Half) -> Pair | None:
        """The pair that this half completes, or that had to be let go to make room."""
        key = f"{half.model}/{half.id}"
        other = self._waiting.get(key)
        if key in self._seen or (other is not None and other.is_request == half.is_request):
            return None
        if other is None:
            self._waiting[key] = half
            return self._let_go() if len(self._waiting) > self._most_waiting else None
        del self._waiting[key]
        self._seen.add(key)
        return Pair(other, half)

    def put_back(self, pair: Pair) -> None:
        """As if the later half of this pair had not come yet: it was not kept, and will be sent again."""
        self._seen.forget(pair.key)
        self._waiting[pair.key] = pair.first

    def flush(self) -> list[InferenceRecord]:
        """All requests that still wait, as records without a prediction."""
        found = [record for half in self._waiting.values() for record in Pair(half).records(self._columns)]
        self._waiting.clear()
        return found

    def _let_go(self) -> Pair | None:
        key, half = self._waiting.popitem(last=False)
        self._seen.add(key)
        return Pair(half) if half.is_request else None


class Remembered:
    """The last ids, at most MOST_REMEMBERED of them, in two generations of which the older is forgotten at once."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most // 2
        self._young: set[int] = set()
        self._old: set[int] = set()

    def __contains__(self, key: str) -> bool:
        mark = _mark(key)
        return mark in self._young or mark in self._old

    def add(self, key: str) -> None:
        if len(self._young) >= self._most:
            self._old, self._young = self._young, set()
        self._young.add(_mark(key))

    def forget(self, key: str) -> None:
        mark = _mark(key)
        self._young.discard(mark)
        self._old.discard(mark)


def _mark(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def _records(request: Half, response: Half | None, columns: Sequence[str]) -> list[InferenceRecord]:
    rows = named_rows(request.body, columns)
    said = outputs_of(response.body) if response is not None else []
    version = str(response.body.get("model_version") or "") if response is not None else ""
    at = request.at
    found = []
    for place, features in enumerate(rows):
        prediction, confidence = said[place] if place < len(said) else (None, None)
        record_id = request.id if len(rows) == 1 else f"{request.id}#{place}"
        found.append(InferenceRecord(record_id, request.model, version, at, features, prediction, confidence))
    return found
