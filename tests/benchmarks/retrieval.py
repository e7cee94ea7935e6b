"""How well the right documents are found, with a paired bootstrap interval against simpler searches and against peers.

.venv/bin/python tests/benchmarks/retrieval.py [--sets runbooks,cranfield,vaswani] [--peers]

`--peers` adds Haystack's hybrid and LangChain with Chroma on the same pages and weights, each in a venv of its own
(`.venv-peers/`, made at the first run).
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from peer_sides import side

from bot.clients.documents import KnowledgeIndex, embedded_text
from bot.clients.documents_lance import LanceStore
from bot.clients.embeddings import BundledEmbedding
from bot.clients.embeddings.minilm import MiniLm
from bot.evaluation.judged import JudgedSet, read_judged_set
from bot.evaluation.measures import mean, ndcg, recall
from bot.evaluation.retrieval import _documents
from pipelines.ask.chunks import Window
from pipelines.ask.words import search_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DATA = Path(os.environ.get("SHIPMATE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data") / "retrieval"
SAMPLES = 10_000


def main() -> None:
    """One table a set: nDCG@10, Recall@5, and how far ours is ahead of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", default="runbooks,cranfield,vaswani")
    parser.add_argument("--peers", action="store_true")
    asked = parser.parse_args()
    for name in asked.sets.split(","):
        judged = read_judged_set(DATA / name)
        grades = {query: kept for query, kept in judged.judgements.items() if query in judged.queries}
        runs = ours(judged)
        if asked.peers:
            runs |= {peer: side(peer, DATA / name)["run"] for peer in ("side_haystack", "side_langchain")}
        table(name, runs, grades)


def ours(judged: JudgedSet) -> dict[str, dict[str, list[str]]]:
    """What the bot finds, and what parts of it would find alone."""
    embedding, minilm = BundledEmbedding(), MiniLm(1)
    with tempfile.TemporaryDirectory() as folder:
        store = LanceStore(folder, embedding.name)
        index = KnowledgeIndex(store, embedding)
        documents = list(_documents(judged, Window()))
        index.put_all(documents)
        index.tidy()
        pieces = [
            (document.id, embedded_text(chunk, document.title)) for document, chunks in documents for chunk in chunks
        ]
        owners, vectors = [owner for owner, _ in pieces], minilm.embed([text for _, text in pieces])

        def dense(question: str) -> list[str]:
            scores = vectors @ minilm.embed([question])[0]
            return [owners[place] for place in np.argsort(-scores, kind="stable")[:200]]

        searches: dict[str, Callable[[str], Sequence[str]]] = {
            "shipmate": lambda text: [found.document.id for found in index.search(text, None, 200)],
            "BM25 alone": lambda text: [hit.document.id for hit in store.matching(search_words(text), None, 200)],
            "MiniLM alone": dense,
            "bundled vectors alone": lambda text: [
                hit.document.id for hit in store.nearest(embedding.question(text), None, 200)
            ],
        }
        return {
            label: {query: list(dict.fromkeys(search(text))) for query, text in judged.queries.items()}
            for label, search in searches.items()
        }


def table(name: str, runs: dict[str, dict[str, list[str]]], grades: dict[str, dict[str, float]]) -> None:
    best = ndcg(runs["shipmate"], grades)
    sys.stdout.write(f"\n{name}: {len(best)} queries\n\n")
    sys.stdout.write("| search | nDCG@10 | Recall@5 | shipmate ahead by (95 %) |\n|---|---|---|---|\n")
    for label, run in runs.items():
        scores = ndcg(run, grades)
        ahead = "" if label == "shipmate" else interval(best, scores)
        sys.stdout.write(f"| {label} | {100 * mean(scores):.1f} | {100 * mean(recall(run, grades)):.1f} | {ahead} |\n")


def interval(ours: dict[str, float], theirs: dict[str, float]) -> str:
    """Paired bootstrap over the queries (Sakai 2006), percentiles of 10,000 samples."""
    differences = np.array([ours[query] - theirs[query] for query in ours])
    samples = np.random.default_rng(7).choice(differences, (SAMPLES, len(differences))).mean(axis=1)
    low, high = 100 * np.percentile(samples, (2.5, 97.5))
    return f"{100 * differences.mean():+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    main()
