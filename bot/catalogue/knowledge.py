"""The section `knowledge` of shipmate.yaml: folders and repositories whose documents answers may draw on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from bot.catalogue.shapes import ChannelName, Entry, Name

_SCP = re.compile(r"^[\w.-]+@[\w.-]+:[\w./~-]+$")
OUTSIDE = re.compile(r"(^|/)\.\.(/|$)|^/")


class FolderEntry(Entry):
    path: str = Field(min_length=1, examples=["${data_dir}/documents"])
    """The folder; a relative path starts at the catalogue's folder. What lies below it is read, too."""
    channels: list[ChannelName] = Field([], examples=['["#ml"]'])
    """Channels that may read answers from it; everybody when left out."""
    every_minutes: int = Field(10, ge=1, le=24 * 60, examples=["10"])
    """How often it is looked through for changes."""


class RepositoryEntry(Entry):
    repository: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        examples=["https://github.com/acme/handbook.git"]
    )
    """What `git clone` takes: https://…, ssh://…, git@host:path, or a folder."""
    branch: str = Field("", max_length=200, pattern=r"^[\w./-]*$", examples=["main"])
    """The branch; the repository's own default when left out."""
    folder: str = Field("", max_length=300, examples=["docs"])
    """The folder in it that is read; all of it when left out."""
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
class WatchedFolder:
    """Documents below `path`, read by `channels`, or everybody where that is empty."""

    name: str
    path: str
    channels: tuple[str, ...]
    every_minutes: int


@dataclass(frozen=True, slots=True)
class WatchedRepository:
    name: str
    repository: str
    branch: str
    folder: str
    channels: tuple[str, ...]
    every_minutes: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is watched. Names are unique over both."""

    folders: tuple[WatchedFolder, ...] = ()
    repositories: tuple[WatchedRepository, ...] = ()


def repository_mistakes(entry: RepositoryEntry) -> Iterator[tuple[str, str]]:
    """Field and what is wrong with it, beyond its shape."""
    parts = urlsplit(entry.repository)
    if parts.password or (parts.username and parts.scheme in ("http", "https")):
        yield "repository", "carries a password. Use a credential helper of git, or ssh."
    elif (
        parts.scheme
        and parts.scheme not in ("https", "http", "ssh", "git", "file")
        and not _SCP.match(entry.repository)
    ):
        yield "repository", f"cannot be cloned ({parts.scheme}:). Write e.g. https://github.com/acme/handbook.git"
    elif entry.repository.startswith("-"):
        yield "repository", "begins with a hyphen, which git takes for an option."
    if OUTSIDE.search(entry.folder):
        yield "folder", "leads out of the repository. Write e.g. folder: docs"
