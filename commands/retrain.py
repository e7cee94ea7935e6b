"""/retrain: order a model trained again."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.errors import Refused
from pipelines.people import Permission
from pipelines.requests import TypedCommand, parse_arguments
from pipelines.retrain.desk import RetrainDesk

USAGE = "/retrain MODEL [data=FILE-OR-URL] [note=WORDS]"


@dataclass(frozen=True, slots=True)
class RetrainCommand:
    """Train a model again, once somebody has approved the plan.

    Usage: /retrain MODEL [data=FILE-OR-URL] [note=WORDS]
    """

    desk: RetrainDesk
    permission: ClassVar[Permission] = Permission.ORDER

    def __call__(self, command: TypedCommand) -> object:
        asked = parse_arguments(command.text, names=("data", "note"), prose="note", usage=USAGE)
        if len(asked.words) != 1:
            raise Refused(f"Which model? Usage: `{USAGE}`. `/models` lists them.")
        return self.desk.order(
            command.person, asked.words[0], command.channel, asked.named.get("data"), asked.named.get("note", "")
        )
