"""App Home: open approvals, models, how they drift, last runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipelines.drift.trend import DriftTrend
from pipelines.people import Permission, Person
from pipelines.retrain.desk import RetrainDesk
from pipelines.retrain.overview import Home
from pipelines.waiting import OpenApprovals, WaitingList


@dataclass(frozen=True, slots=True)
class HomePage:
    """`trends` are by model, those that drifted most on top."""

    approvals: OpenApprovals
    home: Home
    trends: tuple[DriftTrend, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenHome:
    waiting: WaitingList
    desk: RetrainDesk
    trends: Callable[[], Sequence[DriftTrend]] = tuple
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, person: Person) -> HomePage:
        return HomePage(self.waiting.seen_by(person), self.desk.home(), tuple(self.trends()))
