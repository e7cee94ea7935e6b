"""What turns texts into vectors for the knowledge index: `bundled` (no network) or `openai` (any compatible server)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from bot.clients.embeddings.bundled import BundledEmbedding
from bot.clients.embeddings.openai import OpenaiEmbedding

if TYPE_CHECKING:
    import numpy as np

    from bot.config import Settings

__all__ = ["BundledEmbedding", "Embedding", "OpenaiEmbedding", "build_embedding"]


class Embedding(Protocol):
    """Vectors have unit length, so that their dot product is the cosine. Nothing is loaded before the first call."""

    @property
    def name(self) -> str:
        """Names model and version; two embeddings of one name give vectors that may be compared."""
        ...

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        """float32, one row a text. Raises Unavailable where the model cannot be asked now."""
        ...

    def question(self, text: str) -> "np.ndarray":
        """One vector; some models read questions differently from passages."""
        ...


def build_embedding(settings: "Settings", redact: Callable[[str], str]) -> Embedding:
    """What the settings ask for. Texts that leave for a server pass `redact` first."""
    if settings.embeddings == "bundled":
        return BundledEmbedding()
    prefixes = settings.embeddings_passage_prefix, settings.embeddings_question_prefix
    token = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    return OpenaiEmbedding(settings.embeddings_model, settings.embeddings_url, token, redact, prefixes)
