"""Taking a document in: convert it, see whether it is there already, cut it, and put it into the index at once."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from pipelines.ask.ingests import Ingest
from pipelines.ask.values import Chunk, Document
from pipelines.errors import Refused
from pipelines.ports import Clock, Converter, Documents

LARGEST_BYTES = 30_000_000


def incoming(ingest_id: str) -> str:
    """Where the bytes of a document wait until it is in the index."""
    return f"knowledge/incoming/{ingest_id}"


@dataclass(frozen=True, slots=True)
class Taking:
    documents: Documents
    converter: Converter
    split: Callable[[str, str], Sequence[Chunk]]  # text and title
    clock: Clock
    # Two uploads of the same content at once are one document: the second looks when the first is in. Other contents
    # do not wait for a long one.
    turns: tuple[Lock, ...] = field(default_factory=lambda: tuple(Lock() for _ in range(64)))

    def take(self, ingest: Ingest, content: bytes, progress: Callable[[Ingest], None]) -> Ingest:
        """The finished ingest. Raises Refused for what cannot be read. Taking the same in again is fine."""
        if len(content) > LARGEST_BYTES:
            raise Refused(f"The document has {len(content):,} bytes; at most {LARGEST_BYTES:,} are read. Split it.")
        converted = self.converter.convert(ingest.file_name or ingest.origin, content)
        title = ingest.title or converted.title or ingest.file_name
        chunks = self.split(converted.text, title)
        if not chunks:
            raise Refused("There is no text in this document that could be read.")
        words = len(converted.text.split())
        document = Document(
            document_id(ingest), title, ingest.shown_as or ingest.origin, ingest.kind,
            hashlib.sha256(converted.text.encode()).hexdigest(), self.clock.now(), ingest.added_by,
            ingest.channels, ingest.url, words,
        )  # fmt: skip
        known = replace(ingest, stage="indexing", title=title, document_id=document.id, chunks=len(chunks), words=words)
        progress(known)
        with self.turns[int(document.sha256[:8], 16) % len(self.turns)]:
            return self._put(known, document, chunks, progress)

    def _put(
        self, ingest: Ingest, document: Document, chunks: Sequence[Chunk], progress: Callable[[Ingest], None]
    ) -> Ingest:
        same = next((one for one in self.documents.all() if one.sha256 == document.sha256), None)
        if same and same.id != document.id:
            return self._shared(ingest, same, document.channels, chunks)
        before = self.documents.get(document.id)
        if before and before == replace(document, added_at=before.added_at, added_by=before.added_by):
            # Also the way of a step that was killed after the index had taken the document.
            return replace(ingest, stage="unchanged" if before.added_at < ingest.begun_at else "added")
        self.documents.put(document, chunks, lambda ready, _all: progress(replace(ingest, ready=ready)))
        return replace(ingest, stage="replaced" if before else "added")

    def _shared(self, ingest: Ingest, same: Document, channels: Sequence[str], chunks: Sequence[Chunk]) -> Ingest:
        """The same content from elsewhere: one document, which those may read too who brought it."""
        readers = tuple(sorted({*same.channels, *channels})) if same.channels and channels else ()
        if readers != same.channels:
            self.documents.put(replace(same, channels=readers), chunks)
        return replace(ingest, stage="unchanged", document_id=same.id, title=same.title)


def document_id(ingest: Ingest) -> str:
    """Stable over edits: made of where it came from and for whom, so that teams do not overwrite each other."""
    key = "\n".join((ingest.kind, ingest.origin, *sorted(ingest.channels)))
    return hashlib.sha256(key.encode()).hexdigest()[:12]
