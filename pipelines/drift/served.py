"""Which version of the registry answered: serving has names of its own for versions, or says nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

_NUMBERED = re.compile(r"\s*(?:v|version[ ._-]?)?0*([1-9][0-9]{0,8})\s*", re.IGNORECASE)
How = Literal["registry", "catalogue", "champion"]
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class ServedName:
    """Under which name serving spoke of a version, and which one it was counted as."""

    name: str
    version: str
    how: How

    @property
    def note(self) -> str:
        """A sentence for people; empty where there is nothing to explain."""
        if self.how == "champion":
            return (
                f"Records name the version {self.name}, which the registry does not know: counted as version "
                f"{self.version}, the champion then. `versions` in the catalogue says which one it is."
            )
        if self.how == "catalogue":
            return f"Records of {self.name} are those of version {self.version}, as the catalogue says."
        return ""


@dataclass(frozen=True, slots=True)
class Naming:
    """The names that the catalogue knows, by model: name -> the registry's number."""

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def number(self, model: str, name: str) -> tuple[str, How] | None:
        """The number that a served name means; None for one that only serving knows."""
        known = self.names.get(model, {})
        if name in known:
            return known[name], "catalogue"
        found = _NUMBERED.fullmatch(name)
        return (found[1], "registry") if found else None


class ServedNames(Protocol):
    """Which names serving used lately."""

    def seen(self, model: str, served: ServedName, at: datetime) -> None: ...

    def since(self, model: str, moment: datetime) -> Sequence[ServedName]:
        """Those seen at `moment` or later, by name."""
        ...
