"""What travels between the rooms when documents are kept and questions answered. All values are frozen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SourceKind = Literal["slack", "upload", "url", "folder", "git", "report"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as the index keeps it. `channels` may see it; an empty tuple means everybody.

    `id` is stable over edits: it is made from the source. `sha256` is that of the converted text, so that the same
    content is never indexed twice.
    """

    id: str
    title: str
    source: str  # where it came from, as a person would say it: a path, an URL, a permalink
    kind: SourceKind
    sha256: str
    added_at: datetime
    added_by: str
    channels: tuple[str, ...] = ()
    url: str = ""  # where a person can open it; empty where there is no such place
    words: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document. `headings` is the path from the title down to where `text` stands."""

    number: int  # 0-based, in the order of the document
    headings: tuple[str, ...]
    text: str
    first_line: int = 1  # 1-based, in the converted text
    last_line: int = 1


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found for a question. `score` orders passages of one search and means nothing beyond it.

    `closeness` is the cosine of question and chunk under the index's own embedding, from -1 to 1.
    """

    document: Document
    chunk: Chunk
    score: float
    closeness: float
