"""What the knowledge index needs from where it is kept; LanceDB and Postgres keep these promises."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from pipelines.ask.values import Chunk, Document

if TYPE_CHECKING:
    import numpy as np

SERVICE = "the knowledge index"


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found. `vector` is None while it has none under the embedding in use."""

    document: Document
    chunk: Chunk
    vector: "np.ndarray | None"

    @property
    def key(self) -> tuple[str, int]:
        """Content and number: the same text in two documents is found once."""
        return self.document.sha256, self.chunk.number


@dataclass(frozen=True, slots=True)
class Entry:
    """A document to be kept: `words` is what the full-text search sees of each chunk, one vector a chunk."""

    document: Document
    chunks: Sequence[Chunk]
    words: Sequence[str]
    vectors: "np.ndarray"


@dataclass(frozen=True, slots=True)
class Kept:
    """A content as it is kept. `vectors` is None unless every chunk has one under the embedding in use."""

    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...]
    vectors: "np.ndarray | None"

    def shared(self, document: Document, chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
        """The chunks as they are kept, where another document has the same text under another title."""
        others = any(each.id != document.id for each in self.documents)
        same_text = [chunk.text for chunk in self.chunks] == [chunk.text for chunk in chunks]
        return self.chunks if others and same_text else tuple(chunks)

    def same_as(self, document: Document, chunks: Sequence[Chunk]) -> bool:
        """Whether putting this would change nothing; when and by whom it was added does not count."""
        own = next((each for each in self.documents if each.id == document.id), None)
        if own is None or self.chunks != tuple(chunks):
            return False
        return own == replace(document, added_at=own.added_at, added_by=own.added_by)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A kept chunk without a vector under the embedding in use."""

    key: str
    title: str
    chunk: Chunk


class PassageStore(Protocol):
    """Changes are whole or do not happen, also when the process is killed; many readers and writers may work at once.

    Raises Unavailable when the place where it is kept cannot be used.
    """

    def replace(self, entries: Sequence[Entry]) -> None: ...

    def remove(self, document_id: str) -> bool: ...

    def kept(self, contents: Sequence[str]) -> Mapping[str, Kept]:
        """What is kept of these contents, by SHA-256."""
        ...

    def get(self, document_id: str) -> Document | None: ...

    def documents(self) -> Sequence[Document]:
        """Every document, also where several have one content; newest first."""
        ...

    def nearest(self, vector: "np.ndarray", channel: str | None, limit: int) -> Sequence[Hit]:
        """By cosine, best first, among what `channel` may see."""
        ...

    def matching(self, words: str, channel: str | None, limit: int) -> Sequence[Hit]:
        """By words (BM25 or the store's nearest to it), best first, among what `channel` may see."""
        ...

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Chunks without a vector under the embedding in use; empty when all have one."""
        ...

    def fill(self, keys: Sequence[str], vectors: "np.ndarray") -> None: ...

    def complete(self) -> bool:
        """Whether every chunk has a vector under the embedding in use."""
        ...

    def tidy(self) -> int:
        """Compact, refresh indexes, and let go of old versions; answers how many chunks there are."""
        ...

    def close(self) -> None: ...


def may_see(document: Document, channel: str | None) -> bool:
    return not document.channels or channel in document.channels


def union(documents: Iterable[Document]) -> tuple[str, ...]:
    """Channels that may see at least one of these; empty means everybody."""
    seen: set[str] = set()
    for document in documents:
        if not document.channels:
            return ()
        seen.update(document.channels)
    return tuple(sorted(seen))
