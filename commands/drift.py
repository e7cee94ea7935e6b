"""/drift: whether a model's data, concept or performance changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from pipelines.drift.desk import DriftDesk, ModelDrift, parse_window
from pipelines.errors import Refused
from pipelines.people import Permission
from pipelines.requests import TypedCommand, parse_arguments

USAGE = "/drift MODEL [window=24h]"


@dataclass(frozen=True, slots=True)
class DriftCommand:
    """Judge a model's last hours by what it was trained on.

    Usage: /drift MODEL [window=24h]
    """

    desk: DriftDesk
    explain: Callable[[ModelDrift], object] = lambda drift: drift
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> object:
        asked = parse_arguments(command.text, names=("window",), usage=USAGE)
        if len(asked.words) != 1:
            raise Refused(f"Which model? Usage: `{USAGE}`. `/models` lists them.")
        return self.explain(self.desk.look(asked.words[0], parse_window(asked.named.get("window", "24h"))))
