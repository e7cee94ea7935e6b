"""Takes deliveries of KServe's logger in groups: one transaction for all that came at the same moment."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from pipelines.drift.intake import Intake, IntakeCounts
from pipelines.drift.joining import Pair, Remembered, paired
from pipelines.drift.payloads import readable
from pipelines.drift.ports import Halves
from pipelines.drift.records import Half, InferenceRecord, read_events
from pipelines.drift.windows import WindowProfile
from pipelines.errors import Refused
from pipelines.ports import Clock

# A response that has not come by then is lost; the request still tells of the inputs.
LONGEST_WAIT = timedelta(minutes=10)
# Some 100 MB of requests with a hundred columns.
MOST_WAITING = 50_000
# So many are let go in one transaction.
LET_GO_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a sender: headers by name, and what it holds."""

    content: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """`records` were complete and are kept; about `waiting` requests and responses wait for their other half.

    `refused` could not be taken, of several events in one delivery or rows of one request; `reason` says why.
    """

    records: int
    waiting: int = 0
    refused: int = 0
    reason: str = ""


@dataclass(slots=True)
class _Read:
    """What a delivery held, and what became of it."""

    halves: list[Half] = field(default_factory=list)
    events: int = 1
    faults: list[str] = field(default_factory=list)
    records: int = 0

    def answer(self, waiting: int) -> Taken | Refused:
        if self.faults and len(self.faults) >= self.events:
            return Refused(self.faults[0])
        return Taken(self.records, waiting, len(self.faults), self.faults[0] if self.faults else "")


class Receiver:
    """What waits for its other half is stored as well: requests and responses may come to different processes.

    `together` makes one transaction of all that the intake and `halves` write meanwhile. One thread at a time.
    """

    def __init__(
        self, intake: Intake, halves: Halves, together: Callable[[], AbstractContextManager[None]], clock: Clock,
        counts: IntakeCounts | None = None, most_waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        self._intake = intake
        self._halves = halves
        self._together = together
        self._clock = clock
        self._counts = counts
        self._most_waiting = most_waiting
        self._joined = Remembered()
        self._waiting: int | None = None

    def take(self, deliveries: Sequence[Delivery]) -> list[Taken | Refused]:
        """An answer each, in their order; when they are given, what they tell of is stored.

        A delivery that cannot be taken is refused alone. Raises Unavailable where none could be stored, and anything
        else where one of them holds what nobody thought of: then each can be tried alone.
        """
        read = [self._read(delivery) for delivery in deliveries]
        owners = {(half.key, half.is_request): one for one in reversed(read) for half in one.halves}
        halves = [half for one in read for half in one.halves if half.key not in self._joined]
        with self._together():
            pairs, waiting = self._meet(halves)
            let_go = self._let_go(waiting)
            windows = self._write([*pairs, *let_go], owners)
        self._waiting = waiting - len(let_go)
        for pair in pairs:
            self._joined.add(pair.first.key)
        self._intake.count(windows)
        for one in read:
            if one.faults and self._counts:
                self._counts.refused("http", len(one.faults))
        return [one.answer(self._waiting) for one in read]

    def tidy(self) -> int:
        """Let go of what has waited for too long, in this process or another; answers how many records came of it."""
        before, kept = self._clock.now() - LONGEST_WAIT, 0
        while True:
            with self._together():
                gone = self._halves.let_go(LET_GO_AT_ONCE, before)
                windows = self._write([Pair(half) for half in gone], {})
            self._intake.count(windows)
            kept += sum(window.total.rows for window in windows)
            if len(gone) < LET_GO_AT_ONCE:
                self._waiting = None  # other processes join as well: it is counted anew
                return kept

    def _read(self, delivery: Delivery) -> _Read:
        try:
            halves = read_events(delivery.content, delivery.headers)
        except Refused as refusal:
            return _Read(faults=[str(refusal)])
        read = _Read(events=max(1, len(halves)))
        for half in halves:
            try:
                self._intake.columns(half.model, half.version)
                if half.is_request:
                    readable(half.body)
            except Refused as refusal:
                read.faults.append(str(refusal))
            else:
                read.halves.append(half)
        return read

    def _meet(self, halves: Sequence[Half]) -> tuple[list[Pair], int]:
        """Those that are complete now, and how many wait."""
        waiting = self._halves.waiting() if self._waiting is None else self._waiting
        pairs, alone = paired(halves)
        if not alone:
            return pairs, waiting
        met, kept = self._halves.meet(alone, self._clock.now())
        return [*pairs, *met], waiting + kept - len(met)

    def _let_go(self, waiting: int) -> list[Pair]:
        """The oldest, where more wait than may."""
        if waiting <= self._most_waiting:
            return []
        # Some more than must go, so that not each delivery lets one go.
        most = waiting - self._most_waiting + self._most_waiting // 25
        return [Pair(half) for half in self._halves.let_go(most)]

    def _write(
        self, pairs: Sequence[Pair], owners: Mapping[tuple[tuple[str, str], bool], _Read]
    ) -> list[WindowProfile]:
        by_model: dict[str, list[InferenceRecord]] = {}
        for pair in pairs:
            owner = owners.get((pair.last.key, pair.last.is_request), _Read())
            try:
                records = pair.records(self._intake.columns(pair.last.model))
            except Refused as refusal:  # a tensor that is none, or a model that went away meanwhile
                owner.faults.append(str(refusal))
                continue
            owner.records += len(records)
            by_model.setdefault(pair.last.model, []).extend(records)
        return [window for model, records in by_model.items() for window in self._intake.write(model, records)]
