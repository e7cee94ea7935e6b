"""What the parts of shipmate.yaml share: closed entries, names, references."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# Becomes part of file names, of Kubernetes job names and of what people type.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=120)]
ChannelName = Annotated[str, StringConstraints(pattern=r"^(#?[a-z0-9][a-z0-9_-]{0,79}|[CG][A-Z0-9]{7,})$")]
SlackUser = Annotated[str, StringConstraints(pattern=r"^([UW][A-Z0-9]{2,}|[^@\s]+@[^@\s]+)$")]


class Entry(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def channel_name(name: str) -> str:
    """ "#ml" however it was written; ids stay as they are."""
    return name if name[0].isupper() else f"#{name.removeprefix('#')}"
