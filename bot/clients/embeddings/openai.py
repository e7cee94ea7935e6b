"""Embeddings of OpenAI, or of any server that speaks its API: vLLM, Ollama, llama.cpp, a gateway."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from openai import OpenAI

SERVICE = "the embeddings server"
TIMEOUT_SECONDS = 30
RETRIES = 3  # with growing pauses, or as long as Retry-After says
BATCH_TEXTS = 128
BATCH_CHARACTERS = 200_000  # the API takes 300,000 tokens a request
LONGEST_TEXT = 8_000  # characters: below the 8,191 tokens of the API in any language


class OpenaiEmbedding:
    """What leaves passes `redact` first. Prefixes are for models that want them ("passage: ", "query: ")."""

    def __init__(
        self,
        model: str,
        base_url: str,
        token: str,
        redact: Callable[[str], str],
        prefixes: tuple[str, str] = ("", ""),
    ) -> None:
        self._model = model
        self._base_url = base_url
        self._token = token
        self._redact = redact
        self._passage_prefix, self._question_prefix = prefixes
        self._connecting = threading.Lock()
        self._client: OpenAI | None = None
        self._dimension: int | None = None

    @property
    def name(self) -> str:
        prefixes = f", prefixes {self._passage_prefix!r} {self._question_prefix!r}"
        return f"openai: {self._model}" + (prefixes if self._passage_prefix or self._question_prefix else "")

    def passages(self, texts: Sequence[str]) -> "np.ndarray":
        return self._embed([self._passage_prefix + text for text in texts])

    def question(self, text: str) -> "np.ndarray":
        vector: np.ndarray = self._embed([self._question_prefix + text])[0]
        return vector

    def _embed(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        # A text without a letter is refused by the API, and a document may hold one.
        ready = [self._redact(text)[:LONGEST_TEXT] if text.strip() else "-" for text in texts]
        rows = [vector for batch in _batches(ready) for vector in self._ask(batch)]
        if not texts:
            return np.zeros((0, self._dimension or 1), np.float32)
        widths = {len(row) for row in rows}
        if len(rows) != len(texts) or len(widths) != 1 or {0} == widths:
            raise Unavailable(SERVICE, f"{self._model} did not answer with one vector for each text")
        try:
            vectors = np.asarray(rows, np.float32)
        except ValueError as error:
            raise Unavailable(SERVICE, "answered with something else than embeddings") from error
        lengths: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all():
            raise Unavailable(SERVICE, f"{self._model} answered with what is no number")
        self._dimension = vectors.shape[1]
        unit: np.ndarray = vectors / np.maximum(lengths, np.float32(1e-9))
        return unit

    def _ask(self, batch: Sequence[str]) -> list[list[float]]:
        import openai

        try:
            answer = self._connected().embeddings.create(model=self._model, input=list(batch), encoding_format="float")
        except openai.RateLimitError as error:
            raise Unavailable(SERVICE, "has no capacity for us now", _retry_after(error)) from error
        except openai.APIStatusError as error:
            raise Unavailable(SERVICE, _why(error.status_code, self._model)) from error
        except openai.APIConnectionError as error:
            raise Unavailable(SERVICE, f"{self._base_url} does not answer") from error
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise Unavailable(SERVICE, "answered with something else than embeddings") from error
        # Some gateways answer 200 with a page of their own, which the library hands on as it is.
        if not isinstance(getattr(answer, "data", None), list):
            raise Unavailable(SERVICE, "answered with something else than embeddings")
        return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]

    def _connected(self) -> "OpenAI":
        with self._connecting:
            if self._client is None:
                from openai import OpenAI

                # Servers of one's own often want no key, the library always does.
                self._client = OpenAI(
                    api_key=self._token or "none", base_url=self._base_url, timeout=TIMEOUT_SECONDS, max_retries=RETRIES
                )
            return self._client


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) >= BATCH_TEXTS or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _retry_after(error: "Exception") -> float | None:
    response = getattr(error, "response", None)
    seconds = str(response.headers.get("retry-after", "")) if response is not None else ""
    return float(seconds) if seconds.replace(".", "", 1).isdigit() else None


def _why(status: int, model: str) -> str:
    if status in (401, 403):
        return "does not accept our key; check SHIPMATE_OPENAI_API_KEY"
    if status == 404:
        return f"does not know {model}; check SHIPMATE_EMBEDDINGS_MODEL and SHIPMATE_EMBEDDINGS_URL"
    return f"answered with status {status}"
