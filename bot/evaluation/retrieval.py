"""`shipmate evaluate retrieval`: what production would find in a judged set, through the same code."""

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.clients.documents import KnowledgeIndex
from bot.clients.documents_lance import LanceStore
from bot.clients.embeddings import BundledEmbedding, Embedding
from bot.evaluation.judged import JudgedSet, read_judged_set
from bot.evaluation.measures import mean, ndcg, recall, reciprocal_rank
from pipelines.ask.chunks import Window, split
from pipelines.ask.values import Chunk, Document
from pipelines.errors import Refused

PASSAGES = 200  # asked for a query, so that long documents leave room for a hundred others
LISTED = 100  # documents a query in the run file


def evaluate(folder: Path, as_json: bool, run_file: Path | None = None) -> int:
    """Print ndcg@10, recall@5, mrr@10 and seconds; answers the exit code."""
    started = time.monotonic()
    judged = read_judged_set(folder)
    if not judged.corpus or not judged.queries:
        raise Refused(f"{folder} holds no documents or no queries.")
    run = rank(judged, BundledEmbedding())
    if run_file is not None:
        run_file.write_text(json.dumps(run, ensure_ascii=False) + "\n", encoding="utf-8")
    asked = {query: grades for query, grades in judged.judgements.items() if query in judged.queries}
    scores = ndcg(run, asked)
    outcome = {
        "ndcg@10": round(mean(scores), 4),
        "recall@5": round(mean(recall(run, asked)), 4),
        "mrr@10": round(mean(reciprocal_rank(run, asked)), 4),
        "documents": len(judged.corpus),
        "queries": len(scores),
        "seconds": round(time.monotonic() - started, 1),
    }
    lines = (f"{name}: {value}" for name, value in outcome.items())
    sys.stdout.write((json.dumps(outcome) if as_json else "\n".join(lines)) + "\n")
    return 0


def rank(judged: JudgedSet, embedding: Embedding, window: Window = Window()) -> dict[str, list[str]]:  # noqa: B008
    """Index the corpus in a folder that goes away afterwards; documents for every query, best first."""
    documents = list(_documents(judged, window))
    # Texts that are there twice are one document to the index; the judges know each by its own id.
    owners: dict[str, list[str]] = {}
    for document, _ in documents:
        owners.setdefault(document.sha256, []).append(document.id)
    with tempfile.TemporaryDirectory(prefix="shipmate-evaluation-") as folder:
        index = KnowledgeIndex(LanceStore(folder, embedding.name), embedding)
        index.put_all(documents)
        index.tidy()
        run = {query: _ranked(index, text, owners) for query, text in judged.queries.items()}
        index.close()
    return run


def _ranked(index: KnowledgeIndex, question: str, owners: Mapping[str, list[str]]) -> list[str]:
    contents = dict.fromkeys(passage.document.sha256 for passage in index.search(question, None, PASSAGES))
    return [name for content in contents for name in owners[content]][:LISTED]


def _documents(judged: JudgedSet, window: Window) -> Iterator[tuple[Document, tuple[Chunk, ...]]]:
    added = datetime.now(UTC)
    for name, (title, text) in judged.corpus.items():
        if chunks := split(text, title, window):
            content = hashlib.sha256(f"{title}\n{text}".encode(errors="replace")).hexdigest()
            yield Document(name, title, name, "folder", content, added, "evaluation"), chunks
