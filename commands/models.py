"""/models: what is in the registry."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.people import Permission
from pipelines.requests import TypedCommand
from pipelines.retrain.desk import RetrainDesk


@dataclass(frozen=True, slots=True)
class ModelsCommand:
    """Show each model's champion, challenger, metrics, age and owner.

    Usage: /models [MODEL]
    """

    desk: RetrainDesk
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> object:
        return self.desk.overview(command.text.strip())
