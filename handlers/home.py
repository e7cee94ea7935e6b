"""App Home: open approvals, models, last runs."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.people import Permission, Person
from pipelines.retrain.desk import RetrainDesk
from pipelines.retrain.overview import Home


@dataclass(frozen=True, slots=True)
class OpenHome:
    desk: RetrainDesk
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, person: Person) -> Home:
        return self.desk.home(person)
