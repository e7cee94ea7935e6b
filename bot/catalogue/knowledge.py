"""The section `knowledge` of shipmate.yaml: folders and repositories whose documents answers may draw on."""

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from bot.catalogue.shapes import ChannelName, Entry, Name

# What the clone is made from: an address of git's, host:path, or a bare repository.
_CLONED = re.compile(r"^((https?|ssh|git)://|[\w.-]+@[\w.-]+:)|\.git$")
Link = Annotated[str, StringConstraints(pattern=r"^$|^https?://\S+$", max_length=500)]


class FolderEntry(Entry):
    path: str = Field(min_length=1, examples=["${data_dir}/documents"])
    """The folder; a relative path starts at the catalogue's folder. What lies below it is read, too."""
    link: Link = Field("", examples=["https://wiki.example.org/runbooks"])
    """What stands before a file's path in the address where people read it."""
    channels: list[ChannelName] = Field([], examples=['["#ml"]'])
    """Channels that may read answers from it; everybody when left out."""
    every_minutes: int = Field(10, ge=1, le=24 * 60, examples=["10"])
    """How often it is looked through for changes."""


class RepositoryEntry(Entry):
    repository: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        examples=["https://github.com/acme/handbook.git"]
    )
    """What `git clone` takes: https://…, ssh://…, git@host:path, or a path that ends with .git."""
    link: Link = Field("", examples=["https://github.com/acme/handbook/blob/main"])
    """What stands before a file's path in the address where people read it."""
    channels: list[ChannelName] = Field([], examples=['["#ml"]'])
    """Channels that may read answers from it; everybody when left out."""
    every_minutes: int = Field(30, ge=1, le=24 * 60, examples=["30"])
    """How often it is pulled."""


class KnowledgeEntry(Entry):
    folders: dict[Name, FolderEntry] = Field({}, examples=["{runbooks: {path: ${data_dir}/documents}}"])
    """Folders of documents."""
    git: dict[Name, RepositoryEntry] = Field(
        {}, examples=["{handbook: {repository: https://github.com/acme/handbook.git}}"]
    )
    """Git repositories of documents."""


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """`place` is a folder or a repository; `channels` may read answers from it, everybody where that is empty."""

    name: str
    place: str
    link: str
    channels: tuple[str, ...]
    every_minutes: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is watched. Names are unique over both."""

    folders: tuple[WatchedSource, ...] = ()
    repositories: tuple[WatchedSource, ...] = ()


def repository_mistake(repository: str) -> str | None:
    """What is wrong with the address of a repository, beyond its shape."""
    if urlsplit(repository).password:
        return "carries a password. Use a credential helper of git, or ssh."
    if repository.startswith("-") or not _CLONED.search(repository):
        return "cannot be cloned. Write e.g. https://github.com/acme/handbook.git"
    return None
