"""A document on its way into the index, as rows and cards show it. All values are frozen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipelines.ask.values import Document, SourceKind
from pipelines.people import Person

IngestStage = Literal["waiting", "reading", "indexing", "added", "replaced", "unchanged", "failed"]
FINISHED: tuple[IngestStage, ...] = ("added", "replaced", "unchanged", "failed")


@dataclass(frozen=True, slots=True)
class Ingest:
    """`origin` is what to fetch, in the way of its kind; `channels` may see the document, none means everybody.

    `told_in` is where the card stands; empty where nobody waits in Slack. `document_id` is known from reading on.
    `shown_as` is the origin as a person would say it, `file_name` tells the converter what it is.
    """

    id: str
    kind: SourceKind
    origin: str
    title: str
    added_by: str
    begun_at: datetime
    channels: tuple[str, ...] = ()
    told_in: str = ""
    stage: IngestStage = "waiting"
    document_id: str = ""
    chunks: int = 0
    words: int = 0
    ready: int = 0  # chunks that have their vectors
    reason: str = ""
    shown_as: str = ""
    file_name: str = ""
    url: str = ""

    @property
    def finished(self) -> bool:
        return self.stage in FINISHED


@dataclass(frozen=True, slots=True)
class Taken:
    """A document was ordered in; its card tells the rest. `elsewhere` says that the card stands in direct messages."""

    ingest: Ingest
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents that can be read from where somebody asked. `names` maps channel ids to names."""

    documents: tuple[Document, ...]
    person: Person
    names: tuple[tuple[str, str], ...] = ()
    hidden: int = 0  # how many there are that cannot be seen from here; counted for admins only


@dataclass(frozen=True, slots=True)
class Removed:
    document: Document


@dataclass(frozen=True, slots=True)
class AddForm:
    """The modal behind "Add to knowledge"; `files` are (id, name) pairs, `private` names them for the submission."""

    files: tuple[tuple[str, str], ...]
    private: str
    channel_name: str = ""


@dataclass(frozen=True, slots=True)
class FilesOffered:
    """Files came without a question; `value` names them for the button that adds them."""

    names: tuple[str, ...]
    value: str
