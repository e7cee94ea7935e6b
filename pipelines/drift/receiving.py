"""Takes deliveries of KServe's logger in groups: one transaction for all that came at the same moment."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipelines.drift.events import Half, read_events
from pipelines.drift.intake import Intake, IntakeCounts
from pipelines.drift.joining import UNKNOWN, Joined, Pair, Remembered, paired
from pipelines.drift.payloads import readable
from pipelines.drift.ports import Halves
from pipelines.drift.records import InferenceRecord
from pipelines.drift.windows import WindowProfile
from pipelines.errors import Refused
from pipelines.ports import Clock

log = logging.getLogger("pipelines.drift")

# The same of one model is logged again after this time at the earliest.
LOGGED_AGAIN = timedelta(hours=1)
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

    `refused` could not be taken, of several events in one delivery or rows of one request; `incomplete` rows were
    taken without their prediction, or without a column that the model reads. `reason` says why.
    """

    records: int
    waiting: int = 0
    refused: int = 0
    reason: str = ""
    incomplete: int = 0


@dataclass(slots=True)
class _Read:
    """What a delivery of `events` held, and what became of it: `broken` events and `faults` of rows."""

    halves: list[Half] = field(default_factory=list)
    events: int = 1
    broken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    records: int = 0
    incomplete: int = 0
    why: str = ""

    def answer(self, waiting: int) -> Taken | Refused:
        if self.broken and len(self.broken) >= self.events:
            return Refused(self.broken[0])
        told = [*self.broken, *self.faults]
        return Taken(self.records, waiting, len(told), told[0] if told else self.why, self.incomplete)


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
        self._logged: dict[tuple[str, str], datetime] = {}

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
            if self._counts and (one.broken or one.faults):
                self._counts.refused("http", len(one.broken) + len(one.faults))
        return [one.answer(self._waiting) for one in read]

    def turned_away(self, reason: str) -> Refused:
        """A delivery that could not even be unpacked, counted."""
        if self._counts:
            self._counts.refused("http", 1)
        return Refused(reason)

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
        events = read_events(delivery.content, delivery.headers)
        # Events of other types break nothing, and whoever sends them is not asked to send them again.
        read = _Read(events=max(1, events.count), broken=events.faults, faults=events.others)
        for half in events.halves:
            try:
                self._intake.prepare(half.model, half.version)
                if half.is_request:
                    readable(half.body)
            except Refused as refusal:
                read.broken.append(str(refusal))
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
        by_model = defaultdict[str, list[InferenceRecord]](list)
        for pair in pairs:
            owner, model = owners.get((pair.last.key, pair.last.is_request), _Read()), pair.last.model
            try:
                joined = pair.records(self._intake.signature(model))
            except Refused as refusal:  # a tensor that is none, or a model that went away meanwhile
                owner.broken.append(str(refusal))
                self._log(model, "refused", str(refusal))
                continue
            owner.records += len(joined.records)
            if joined.faults:
                owner.faults += joined.faults
                self._log(model, "refused", joined.faults[0])
            if joined.gaps:
                self._incomplete(model, joined, owner)
            by_model[model] += joined.records
        return [window for model, records in by_model.items() for window in self._intake.write(model, records)]

    def _incomplete(self, model: str, joined: Joined, owner: _Read) -> None:
        owner.incomplete += max((count for what, count in joined.gaps.items() if what != UNKNOWN), default=0)
        owner.why = owner.why or joined.why
        for what in joined.gaps:
            if what != UNKNOWN:
                self._log(model, what, joined.why)
        if self._counts:
            self._counts.incomplete(model, joined.gaps)

    def _log(self, model: str, what: str, why: str) -> None:
        now = self._clock.now()
        if now - self._logged.get((model, what), now - LOGGED_AGAIN) >= LOGGED_AGAIN:
            self._logged[model, what] = now
            log.warning("inference records of %s: %s: %s", model, what, why)
