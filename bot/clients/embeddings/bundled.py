"""The embedding that needs no network: all-MiniLM-L6-v2 and WordLlama side by side in one vector.

The cosine of two such vectors is the weighted mean of both cosines, so that one search asks both models. What was
measured and why: docs/decisions/0006-retrieval.md.
"""

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from bot.clients.embeddings.minilm import MiniLm
from bot.clients.embeddings.wordllama import WordLlama

if TYPE_CHECKING:
    import numpy as np

POLITE = 10  # 0 is usual, 19 the lowest priority
WORDLLAMA_SHARE = 0.5  # its cosine against MiniLM's


_LOADING = threading.Lock()


@cache
def _models(threads: int) -> tuple[MiniLm, WordLlama]:
    """Read-only and large: one pair a process, however many indexes it opens."""
    with ThreadPoolExecutor(1) as loader:
        return loader.submit(_load_politely, threads).result()


class BundledEmbedding:
    """Passages are embedded by one caller at a time; a question does not wait for them."""

    name = "bundled: all-MiniLM-L6-v2 (int8) + 0.5 WordLlama l2_supercat_256, 1"

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._turn = threading.Lock()

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        """float32, texts x 640, each row of unit length; the first 256 tokens of a text count most."""
        with self._turn:
            return self._embed(texts)

    def question(self, text: str) -> "np.ndarray":
        """Neither model tells questions from passages."""
        vector: np.ndarray = self._embed([text])[0]
        return vector

    def _embed(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        with _LOADING:
            minilm, wordllama = _models(self._threads)
        both = [minilm.embed(texts), np.sqrt(np.float32(WORDLLAMA_SHARE)) * wordllama.embed(texts)]
        vectors = np.concatenate(both, axis=1)
        lengths: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: np.ndarray = vectors / np.maximum(lengths, np.float32(1e-9))
        return unit


def _load_politely(threads: int) -> tuple[MiniLm, WordLlama]:
    """Threads inherit the priority of the one that makes them: all cores work, but after those of the bot."""
    if sys.platform == "linux":  # elsewhere the whole process would be meant
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), POLITE)
    return MiniLm(threads), WordLlama()
