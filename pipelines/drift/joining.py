"""Requests and responses of KServe's logger, put together to records."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.drift.answers import NOTHING, Answers, Gap, answers_of
from pipelines.drift.events import Half
from pipelines.drift.payloads import named_rows
from pipelines.drift.records import InferenceRecord
from pipelines.drift.signatures import Signature

MOST_REMEMBERED = 500_000
UNKNOWN_MODEL = Signature()
# Of rows that were taken, and how: a model need not read all that it is sent.
LACKING, UNKNOWN = "lacking columns", "unknown columns"
GAPS: Mapping[Gap, str] = {
    "lost": "response lost", "error": "model error", "rows": "other number of rows", "scores": "unknown classes",
    "answer": "broken answer",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A request and its response, `first` the one that came first; one without a response was let go."""

    first: Half
    second: Half | None = None

    @property
    def last(self) -> Half:
        return self.second or self.first

    def records(self, signature: Signature = UNKNOWN_MODEL) -> "Joined":
        """A record a row; `signature` names what the bodies only count. Raises Refused for a request that tells no row.

        A response that waited in vain for its request tells nothing.
        """
        request = next((half for half in (self.first, self.second) if half is not None and half.is_request), None)
        response = next((half for half in (self.first, self.second) if half is not None and not half.is_request), None)
        return _joined(request, response, signature) if request is not None else Joined()


@dataclass(frozen=True, slots=True)
class Joined:
    """What a pair became. `faults` say of rows that could not be taken why, `gaps` count rows that were taken in part,
    by what they lack; `why` says so of the first."""

    records: Sequence[InferenceRecord] = ()
    faults: Sequence[str] = ()
    gaps: Mapping[str, int] = field(default_factory=dict)
    why: str = ""


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


def _joined(request: Half, response: Half | None, signature: Signature) -> Joined:
    rows = named_rows(request.body, signature)
    count = len(rows.features)
    lost = Answers(gap="lost", why="The response did not come.", without=count)
    answers = answers_of(response.body, signature, count) if response is not None else lost
    at, version = request.at, response.version if response is not None else ""
    found = []
    for place, features in enumerate(rows.features):
        if features is not None:
            prediction, confidence = answers.said[place] if answers.said else NOTHING
            record_id = request.id if count == 1 else f"{request.id}#{place}"
            found.append(InferenceRecord(record_id, request.model, version, at, features, prediction, confidence))
    if not (answers.gap or rows.lacking or rows.unknown):
        return Joined(found, rows.faults)
    gaps = {LACKING: rows.lacking, UNKNOWN: rows.unknown}
    if answers.gap:
        gaps[GAPS[answers.gap]] = answers.without
    why = answers.why or ("Rows lack columns that the model reads." if rows.lacking else "")
    return Joined(found, rows.faults, {name: number for name, number in gaps.items() if number}, why)
