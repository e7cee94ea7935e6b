"""The knowledge index beside LangChain with Chroma and Haystack's hybrid, and with 100,000 chunks.

.venv/bin/python tests/benchmarks/knowledge.py [--set runbooks] [--pages 379] [--chunks 100000] [--only peers|size]
"""

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from peer_sides import side

from bot.clients.documents import KnowledgeIndex
from bot.clients.documents_lance import LanceStore
from pipelines.ask.values import Chunk, Document

DATA = Path(os.environ.get("SHIPMATE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data") / "retrieval"
SIDES = ("side_shipmate", "side_langchain", "side_haystack")
WIDTH, TOPICS, WORDS_A_CHUNK, CHUNKS_A_DOCUMENT = 640, 2_000, 150, 10
QUESTIONS = 200


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", default="runbooks")
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--only", choices=("peers", "size"))
    asked = parser.parse_args()
    if asked.only != "size":
        beside_peers(DATA / asked.set, asked.pages)
    if asked.only != "peers":
        at_size(asked.chunks)


def beside_peers(folder: Path, pages: int) -> None:
    sys.stdout.write("| side | documents/s | query p50 ms | p99 ms | peak MB |\n|---|---|---|---|---|\n")
    for name in SIDES:
        found = side(name, folder, pages)
        figures = [f"{found[key]:.1f}" for key in ("documents_per_second", "p50_ms", "p99_ms", "peak_mb")]
        sys.stdout.write(f"| {name} | {' | '.join(figures)} |\n")
        sys.stdout.flush()


class Topics:
    """Stands in for a model, whose speed is measured elsewhere: vectors around topics, as those of texts lie."""

    name = "topics"

    def __init__(self) -> None:
        self.chance = np.random.default_rng(7)
        self.centres = self.chance.standard_normal((TOPICS, WIDTH), np.float32)

    def passages(self, texts: list[str]) -> np.ndarray:
        topics = [int(text.rsplit("topic", 1)[1].split()[0]) for text in texts]
        vectors = self.centres[topics] + self.chance.standard_normal((len(texts), WIDTH), np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def question(self, text: str) -> np.ndarray:
        return self.passages([text])[0]


def at_size(chunks: int) -> None:
    embedding = Topics()
    words = np.array([f"word{number}" for number in range(30_000)])
    odds = np.cumsum(1 / np.arange(1, len(words) + 1))  # Zipf's law

    def text(count: int) -> str:
        chosen = words[np.searchsorted(odds, embedding.chance.random(count) * odds[-1])]
        return f"{' '.join(chosen)} topic{embedding.chance.integers(TOPICS)} "

    with tempfile.TemporaryDirectory() as folder:
        store = LanceStore(folder, embedding.name)
        index = KnowledgeIndex(store, embedding)
        seconds = take(index, chunks, text)
        started = time.perf_counter()
        index.tidy()
        tidied = time.perf_counter() - started
        times, shares = ask(index, store, embedding, text)
        held = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 2**20
        started = time.perf_counter()
        index.put(document(0), [Chunk(0, ("edited",), text(WORDS_A_CHUNK))])
        edited = 1000 * (time.perf_counter() - started)
    rows = [
        ("ingest without the model, chunks/s", f"{chunks / seconds:.0f}"),
        ("compacting and indexing, s", f"{tidied:.1f}"),
        ("hybrid query p50, ms", f"{statistics.median(times):.1f}"),
        ("hybrid query p99, ms", f"{statistics.quantiles(times, n=100)[98]:.1f}"),
        ("recall@10 of the vectors against exact", f"{statistics.mean(shares):.3f}"),
        ("edit of a document, ms", f"{edited:.0f}"),
        ("peak memory, MB", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"),
        ("disk, MB", f"{held:.0f}"),
    ]  # fmt: skip
    sys.stdout.write(
        f"\n| {chunks:,} chunks | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows)
    )


def document(number: int) -> Document:
    return Document(f"d{number}", f"Page {number}", f"{number}.md", "folder", f"{number:064}", datetime.now(UTC), "x")


def take(index: KnowledgeIndex, chunks: int, text) -> float:
    spent = 0.0
    for start in range(0, chunks // CHUNKS_A_DOCUMENT, 500):
        batch = []
        for number in range(start, min(start + 500, chunks // CHUNKS_A_DOCUMENT)):
            path = (f"Page {number}",)
            pieces = [Chunk(place, path, text(WORDS_A_CHUNK)) for place in range(CHUNKS_A_DOCUMENT)]
            batch.append((document(number), pieces))
        started = time.perf_counter()
        index.put_all(batch)
        spent += time.perf_counter() - started
    return spent


def ask(index: KnowledgeIndex, store: LanceStore, embedding: Topics, text) -> tuple[list[float], list[float]]:
    rows = store._table().search().select([store._column]).limit(10_000_000).to_arrow().combine_chunks()
    kept = rows[store._column].chunk(0).values.to_numpy().reshape(-1, WIDTH)
    times, shares = [], []
    for _ in range(QUESTIONS):
        question = text(8)
        started = time.perf_counter()
        index.search(question, None, 5)
        times.append(1000 * (time.perf_counter() - started))
        vector = embedding.question(question)
        exact = {kept[place].tobytes() for place in np.argpartition(-(kept @ vector), 10)[:10]}
        shares.append(len(exact & {hit.vector.tobytes() for hit in store.nearest(vector, None, 10)}) / 10)
    return times, shares


if __name__ == "__main__":
    main()
