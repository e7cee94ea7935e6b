"""Keeps Documents: hybrid search over vectors and words, in LanceDB or Postgres, with vectors of any embedding."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bot.clients.documents_store import Entry, Hit, Kept, PassageStore, union
from bot.clients.embeddings import Embedding
from pipelines.ask.fusion import fuse
from pipelines.ask.values import Chunk, Document, Passage
from pipelines.ask.words import search_words
from pipelines.errors import Refused, Unavailable

if TYPE_CHECKING:
    import numpy as np

    from bot.config import Settings

log = structlog.get_logger("bot.clients.documents")

Progress = Callable[[int, int], None]
CANDIDATES = 100  # that each search gives; more changed nothing on three judged sets
# Rocchio's feedback with the SMART system's own weight (Salton and Buckley 1990): the question moves towards what was
# found first, by the best passage of each document, and the vectors are searched again.
FEEDBACK_DOCUMENTS, FEEDBACK_WEIGHT = 3, 0.75
LONGEST_QUESTION = 4_000  # characters
GLANCES = 5  # at an index that changes between the two searches
MOST_WORDS = 256  # of a question that the full-text search sees; a word that is repeated counts more
BATCH_CHUNKS = 256  # embedded at once
BATCH_DOCUMENTS = 200  # committed at once
# Chunks since the index was compacted, of which each commit counts as so many: small files slow searches down too.
TIDY_AFTER, COMMIT_COUNTS_AS = 4_000, 60


class KnowledgeIndex:
    """Nothing is opened or loaded before the first call. Safe to share between threads and processes."""

    def __init__(self, store: PassageStore, embedding: Embedding) -> None:
        self._store = store
        self._embedding = embedding
        self._untidy, self._tidy_after = 0, TIDY_AFTER
        self._tidying = threading.Lock()

    def put(self, document: Document, chunks: Sequence[Chunk], progress: Progress = lambda _done, _all: None) -> None:
        """Add a document, or replace the one of the same id. Whoever is killed here leaves the old or the new.

        `progress` is told, now and then, how many chunks of how many are ready.
        """
        self.put_all([(document, chunks)], progress)

    def put_all(
        self, documents: Sequence[tuple[Document, Sequence[Chunk]]], progress: Progress = lambda _done, _all: None
    ) -> None:
        """The same for many, some at once, each of them whole; faster than one by one."""
        ready, total = 0, sum(len(chunks) for _, chunks in documents)
        for document, chunks in documents:
            if not chunks:
                raise Refused(
                    f"There is no text in {document.title or document.source}, so there is nothing to find in it."
                )
        for batch in _batches(documents):
            kept = self._store.kept([document.sha256 for document, _ in batch])
            cut = [
                (each, kept[each.sha256].shared(each, chunks) if each.sha256 in kept else chunks)
                for each, chunks in batch
            ]
            new = [each for each in cut if each[0].sha256 not in kept or not kept[each[0].sha256].same_as(*each)]
            if new:
                self._store.replace(self._entries(new, kept, partial(_onwards, progress, ready, total)))
                self._untidy += COMMIT_COUNTS_AS + sum(len(chunks) for _, chunks in new)
            ready += sum(len(chunks) for _, chunks in batch)
            progress(ready, total)
            if self._untidy >= self._tidy_after:
                self.tidy()

    def remove(self, document_id: str) -> bool:
        """Other documents of the same content stay."""
        return self._store.remove(document_id)

    def get(self, document_id: str) -> Document | None:
        return self._store.get(document_id)

    def all(self) -> Sequence[Document]:
        """Newest first; documents of one content are one, which all their channels may see."""
        groups: dict[str, list[Document]] = {}
        for document in self._store.documents():
            groups.setdefault(document.sha256, []).append(document)
        return [replace(same[-1], channels=union(same)) for same in groups.values()]

    def every(self) -> Sequence[Document]:
        """Every document under its own id, also where several have one content; newest first."""
        return self._store.documents()

    def search(self, question: str, channel: str | None, limit: int = 5) -> Sequence[Passage]:
        """Vectors and words, fused. While vectors are made anew, or cannot be asked for, words alone."""
        asked = question.strip()[:LONGEST_QUESTION]
        if not asked or limit < 1:
            return ()
        depth = max(CANDIDATES, limit)
        words = " ".join(search_words(asked).split()[:MOST_WORDS])
        vector = self._question(asked)
        for _ in range(GLANCES):
            by_words = self._store.matching(words, channel, depth) if words else ()
            by_vector = self._nearest(vector, by_words, channel, depth) if vector is not None else ()
            found = {hit.key: hit for hit in (*by_words, *by_vector)}
            if _one_state(found.values()):
                break
        else:
            by_words = ()  # what one search alone has seen is one state
        ranked = fuse([[hit.key for hit in by_words], [hit.key for hit in by_vector]])
        return [_passage(found[key], score, vector) for key, score in ranked[:limit]]

    @property
    def notice(self) -> str:
        """A sentence for people where searches go by words alone; empty when all is well."""
        if self._store.complete():
            return ""
        return "The index is being renewed for another embedding; until then documents are found by their words."

    def renew(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Make the vectors that are missing since the embedding was changed; answers how many.

        Goes on where it was when it is called again, and lets go soon after `stopped` says so.
        """
        made = 0
        while not stopped() and (waiting := self._store.waiting(BATCH_CHUNKS)):
            texts = [embedded_text(each.chunk, each.title) for each in waiting]
            self._store.fill([each.key for each in waiting], self._embedding.passages(texts))
            made += len(waiting)
        if made and not stopped():
            self._store.tidy()
        return made

    def tidy(self) -> None:
        """Compact what many small changes left behind; skipped while another thread is at it."""
        if self._tidying.acquire(blocking=False):
            try:
                self._untidy = 0
                # Each time all of it is written anew, so the larger it is, the more rarely.
                self._tidy_after = max(TIDY_AFTER, self._store.tidy() // 4)
            finally:
                self._tidying.release()

    def warm(self) -> None:
        """Open the index and load the embedding, which the first question would otherwise wait for."""
        self.search("ready", None, 1)

    def close(self) -> None:
        self._store.close()

    def _entries(
        self,
        batch: Sequence[tuple[Document, Sequence[Chunk]]],
        kept: Mapping[str, Kept],
        progress: Callable[[int], None],
    ) -> list[Entry]:
        """With the vectors of contents that are kept already, and new ones for the rest."""
        known = {
            document.sha256: kept[document.sha256].vectors
            for document, chunks in batch
            if document.sha256 in kept and kept[document.sha256].chunks == tuple(chunks)
        }
        texts = [
            embedded_text(chunk, document.title)
            for document, chunks in batch
            if known.get(document.sha256) is None
            for chunk in chunks
        ]
        made = self._embedded(texts, progress)
        entries, position = [], 0
        for document, chunks in batch:
            vectors = known.get(document.sha256)
            if vectors is None:
                vectors = made[position : position + len(chunks)]
                position += len(chunks)
            words = [search_words(embedded_text(chunk, document.title)) for chunk in chunks]
            entries.append(Entry(document, chunks, words, vectors))
        return entries

    def _embedded(self, texts: Sequence[str], progress: Callable[[int], None]) -> "np.ndarray":
        import numpy as np

        parts = [np.zeros((0, 0), np.float32)] if not texts else []
        for start in range(0, len(texts), BATCH_CHUNKS):
            parts.append(self._embedding.passages(texts[start : start + BATCH_CHUNKS]))
            progress(min(start + BATCH_CHUNKS, len(texts)))
        return np.concatenate(parts)

    def _question(self, asked: str) -> "np.ndarray | None":
        if not self._store.complete():
            return None
        try:
            return self._embedding.question(asked)
        except Unavailable as outage:
            log.warning("searching by words alone", reason=str(outage))
            return None

    def _nearest(self, vector: "np.ndarray", by_words: Sequence[Hit], channel: str | None, depth: int) -> Sequence[Hit]:
        import numpy as np

        first = self._store.nearest(vector, channel, depth)
        found = {hit.key: hit for hit in (*by_words, *first)}
        ranked = fuse([[hit.key for hit in by_words], [hit.key for hit in first]])
        best = {content: number for (content, number), _ in reversed(ranked)}  # of each document the best passage
        order = list(dict.fromkeys(content for (content, _), _ in ranked))[:FEEDBACK_DOCUMENTS]
        vectors = [found[content, best[content]].vector for content in order]
        similar = [each for each in vectors if each is not None]
        if not similar:
            return first
        moved = vector + np.float32(FEEDBACK_WEIGHT) * np.mean(similar, axis=0)
        return self._store.nearest(moved / np.linalg.norm(moved), channel, depth)


def build_documents(settings: "Settings", embedding: Embedding) -> KnowledgeIndex:
    """LanceDB in a folder or a bucket, or Postgres with pgvector, by `SHIPMATE_KNOWLEDGE_URL`."""
    url = settings.knowledge_url
    if url.startswith(("postgresql://", "postgres://")):
        from bot.clients.documents_postgres import PostgresStore

        return KnowledgeIndex(PostgresStore(url, embedding.name), embedding)
    from bot.clients.documents_lance import LanceStore

    return KnowledgeIndex(LanceStore(url, embedding.name), embedding)


def embedded_text(chunk: Chunk, title: str) -> str:
    """What stands for a chunk in both searches: where it stands, then what it says."""
    path = " > ".join(chunk.headings or ((title,) if title else ()))
    return f"{path}\n{chunk.text}" if path else chunk.text


def _onwards(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _one_state(hits: Iterable[Hit]) -> bool:
    """Whether no document was seen both before and after an edit."""
    contents = {(hit.document.id, hit.document.sha256) for hit in hits}
    return len({document for document, _ in contents}) == len(contents)


def _batches(documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> Iterator[list[tuple[Document, Sequence[Chunk]]]]:
    """No more than so many chunks or documents at once, and never one id twice: the later one counts."""
    batch: dict[str, tuple[Document, Sequence[Chunk]]] = {}
    size = 0
    for document, chunks in documents:
        if batch and (size + len(chunks) > 4 * BATCH_CHUNKS or len(batch) >= BATCH_DOCUMENTS or document.id in batch):
            yield list(batch.values())
            batch, size = {}, 0
        batch[document.id] = (document, chunks)
        size += len(chunks)
    if batch:
        yield list(batch.values())


def _passage(hit: Hit, score: float, vector: "np.ndarray | None") -> Passage:
    if vector is None or hit.vector is None:
        return Passage(hit.document, hit.chunk, score, 0.0)
    return Passage(hit.document, hit.chunk, score, max(-1.0, min(1.0, float(hit.vector @ vector))))


__all__ = ["KnowledgeIndex", "build_documents", "embedded_text"]
