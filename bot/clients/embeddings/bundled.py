"""The embedding that needs no network: all-MiniLM-L6-v2 and WordLlama side by side in one vector.

The cosine of two such vectors is the weighted mean of both cosines, so that one search asks both models. What was
measured and why: docs/decisions/0006-retrieval.md.
"""

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.clients.embeddings.minilm import MiniLm
from bot.clients.embeddings.wordllama import WordLlama

if TYPE_CHECKING:
    import numpy as np

WORDLLAMA_SHARE = 0.5  # its cosine against MiniLM's


class BundledEmbedding:
    """One call at a time: callers wait for each other rather than for the processor."""

    name = "bundled: all-MiniLM-L6-v2 (int8) + 0.5 WordLlama l2_supercat_256, 1"

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)  # one core stays with the bot
        self._turn = threading.Lock()
        self._models: tuple[MiniLm, WordLlama] | None = None

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        """float32, texts x 640, each row of unit length; the first 256 tokens of a text count most."""
        import numpy as np

        with self._turn:
            if self._models is None:
                self._models = MiniLm(self._threads), WordLlama()
            minilm, wordllama = self._models
            both = [minilm.embed(texts), np.sqrt(np.float32(WORDLLAMA_SHARE)) * wordllama.embed(texts)]
        vectors = np.concatenate(both, axis=1)
        lengths: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: np.ndarray = vectors / np.maximum(lengths, np.float32(1e-9))
        return unit

    def question(self, text: str) -> "np.ndarray":
        """Neither model tells questions from passages."""
        vector: np.ndarray = self.passages([text])[0]
        return vector
