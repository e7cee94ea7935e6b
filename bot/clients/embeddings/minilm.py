"""all-MiniLM-L6-v2 on onnxruntime: a sentence encoder that reads the first 256 tokens of a text."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bot.clients.embeddings.onnx_graph import build_graph
from bot.clients.embeddings.weights import MINILM_TOKENIZER, MINILM_WEIGHTS

if TYPE_CHECKING:
    import numpy as np

DIMENSION = 384
LONGEST = 256  # tokens that the model was trained on; its tables would hold 512
# A batch holds so many tokens, padding included; larger ones were slower and needed more memory.
BATCH_TOKENS = 512


class _OneByOne(dict[str, Any]):
    """Weights that are read from the file when they are asked for; all at once would be 90 MB."""

    def __init__(self, weights: Any) -> None:
        super().__init__()
        self._weights = weights

    def __missing__(self, name: str) -> Any:
        return self._weights.get_tensor(name)


class MiniLm:
    """Loaded at once (about half a second of one core, 130 MB); safe to call from several threads."""

    def __init__(self, threads: int) -> None:
        import onnxruntime
        from safetensors import safe_open
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait for work by spinning would take the processor from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with safe_open(MINILM_WEIGHTS.located(), framework="numpy") as weights:
            graph = build_graph(_OneByOne(weights))
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(MINILM_TOKENIZER.located()))
        self._tokenizer.no_padding()  # as packaged it pads everything to 128
        self._tokenizer.enable_truncation(LONGEST)

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """float32, texts x 384, each row of unit length."""
        import numpy as np

        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        for batch in _batches([len(ids) for ids in tokens]):
            vectors[batch] = self._encode([tokens[number] for number in batch])
        return vectors

    def _encode(self, tokens: Sequence[Sequence[int]]) -> "np.ndarray":
        import numpy as np

        ids = np.zeros((len(tokens), max(len(each) for each in tokens)), np.int32)
        mask = np.zeros_like(ids)
        for row, each in enumerate(tokens):
            ids[row, : len(each)] = each
            mask[row, : len(each)] = 1
        feed: dict[str, Any] = {"ids": ids, "types": np.zeros_like(ids), "mask": mask}
        hidden = np.asarray(self._session.run(["hidden"], feed)[0])
        # The mean over the tokens, as the model's card says.
        pooled = np.einsum("btw,bt->bw", hidden, mask.astype(np.float32))
        lengths: np.ndarray = np.linalg.norm(pooled, axis=1, keepdims=True)
        unit: np.ndarray = pooled / np.maximum(lengths, np.float32(1e-9))
        return unit


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of texts of about the same length, so that little is padded."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda each: lengths[each]):
        if batch and (len(batch) + 1) * lengths[number] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
