"""WordLlama's static embeddings: a text is the mean of the vectors of its tokens, whatever their order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.clients.embeddings.weights import WORDLLAMA_TOKENIZER, WORDLLAMA_WEIGHTS

if TYPE_CHECKING:
    import numpy as np

DIMENSION = 256
BATCH_TEXTS = 64


class WordLlama:
    """Loaded at once (35 MB); safe to call from several threads."""

    def __init__(self) -> None:
        import numpy as np
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._table = load_file(WORDLLAMA_WEIGHTS.located())["embedding.weight"].astype(np.float32)
        self._tokenizer = Tokenizer.from_file(str(WORDLLAMA_TOKENIZER.located()))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """float32, texts x 256, each row of unit length; zeros for a text without tokens."""
        import numpy as np

        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = list(texts[start : start + BATCH_TEXTS])
            for number, encoding in enumerate(self._tokenizer.encode_batch(batch, add_special_tokens=False), start):
                if encoding.ids:
                    mean = self._table[np.minimum(encoding.ids, len(self._table) - 1)].mean(axis=0)
                    vectors[number] = mean / max(float(np.linalg.norm(mean)), 1e-9)
        return vectors
