"""all-MiniLM-L6-v2 in 32 bits on onnxruntime, as the peers use it: the same weights, the same runtime, all cores.

Run with the bot's Python to write the model (`minilm32.py FOLDER`); the peers import `MiniLm32` and read it.
"""

import sys
from pathlib import Path

import numpy as np

LONGEST, BATCH = 256, 32


class MiniLm32:
    """Sentence embeddings the usual way: batches of 32, padded, mean over tokens, unit length."""

    def __init__(self, folder: str, threads: int = 0) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(f"{folder}/minilm32.onnx", options, ["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()

    def embed(self, texts: list[str]) -> np.ndarray:
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # as sentence-transformers does
        vectors = np.empty((len(texts), 384), np.float32)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            encoded = self.tokenizer.encode_batch([texts[number] for number in batch])
            ids = np.array([each.ids for each in encoded], np.int32)
            mask = np.array([each.attention_mask for each in encoded], np.int32)
            hidden = self.session.run(["hidden"], {"ids": ids, "types": np.zeros_like(ids), "mask": mask})[0]
            mean = np.einsum("btw,bt->bw", hidden, mask.astype(np.float32))
            vectors[batch] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return vectors


def write(folder: Path) -> None:
    """The graph of bot/clients/embeddings/onnx_graph.py, without its eight bits."""
    from safetensors.numpy import load_file

    from bot.clients.embeddings import onnx_graph
    from bot.clients.embeddings.weights import MINILM_TOKENIZER, MINILM_WEIGHTS

    class Graph(onnx_graph._Graph):
        def attention(self, layer: int) -> None:
            own, name = f"encoder.layer.{layer}.attention.", f"attention{layer}"
            parts = [own + f"self.{part}." for part in ("query", "key", "value")]
            weight = np.concatenate([self._weights[part + "weight"].T for part in parts], axis=1)
            bias = np.concatenate([self._weights[part + "bias"] for part in parts])
            inputs = [
                f"layer{layer}",
                self._constant(f"{name}.w", weight),
                self._constant(f"{name}.b", bias),
                "lengths",
            ]
            self._node("Attention", inputs, [f"{name}.out"], num_heads=onnx_graph.HEADS)
            self._product(f"{name}.out", own + "output.dense.weight", f"{name}.dense")
            self._added(f"layer{layer}", f"{name}.dense", own + "output.", f"middle{layer}")

        def _product(self, left: str, weight: str, out: str) -> None:
            kept = self._constant(weight + ".t", np.ascontiguousarray(self._weights[weight].T))
            self._node("MatMul", [left, kept], [out], domain="")

    folder.mkdir(parents=True, exist_ok=True)
    eight_bits, onnx_graph._Graph = onnx_graph._Graph, Graph
    try:
        (folder / "minilm32.onnx").write_bytes(onnx_graph.build_graph(load_file(MINILM_WEIGHTS.located())))
    finally:
        onnx_graph._Graph = eight_bits
    (folder / "tokenizer.json").write_bytes(MINILM_TOKENIZER.located().read_bytes())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
