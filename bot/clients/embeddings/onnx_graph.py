"""Writes the sentence encoder all-MiniLM-L6-v2 as an ONNX graph, in memory, from its published weights.

The message format is protobuf's (protobuf.dev/programming-guides/encoding), the fields are those of onnx.proto (1.17),
the fused operators those of onnxruntime (docs/ContribOperators.md). Writing these few messages by hand spares `onnx`,
which nothing else needs. Weight matrices are stored as 8-bit integers with a scale a column: twice as fast.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LAYERS, HEADS = 6, 12
EPSILON = 1e-12
# 7 of 8 bits: processors without VNNI add two products in 16 bits, and full weights would overflow there.
LARGEST_WEIGHT = 63
FUSED = "com.microsoft"
IR_VERSION, OPSET = 8, 17
Part = bytes | memoryview
_ELEMENT = {"float32": 1, "int8": 3, "int32": 6}


def build_graph(weights: "Mapping[str, np.ndarray]") -> bytes:
    """A model: `ids`, `types`, `mask` (int32, texts x tokens, padded right) -> `hidden` (float32, … x 384)."""
    graph = _Graph(weights)
    graph.embeddings()
    for layer in range(LAYERS):
        graph.attention(layer)
        graph.feed_forward(layer)
    inputs = [_bytes(11, *_value(name, "int32", ("texts", "tokens"))) for name in ("ids", "types", "mask")]
    output = _bytes(12, *_value("hidden", "float32", ("texts", "tokens", "width")))
    nodes = [_bytes(1, *node) for node in graph.nodes]
    tensors = [_bytes(5, *tensor) for tensor in graph.tensors]
    content = [part for message in (*nodes, _bytes(2, b"minilm"), *tensors, *inputs, output) for part in message]
    versions = ((b"", OPSET), (FUSED.encode(), 1))
    opsets = [_bytes(8, *_bytes(1, domain), _number(2, version)) for domain, version in versions]
    return b"".join([_number(1, IR_VERSION), *_bytes(7, *content), *(part for opset in opsets for part in opset)])


class _Graph:
    def __init__(self, weights: "Mapping[str, np.ndarray]") -> None:
        self._weights = weights
        self.nodes: list[list[Part]] = []
        self.tensors: list[list[Part]] = []

    def embeddings(self) -> None:
        tables = [self._kept(f"embeddings.{table}_embeddings.weight") for table in ("word", "position", "token_type")]
        norm = [self._kept(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
        self._node(
            "EmbedLayerNormalization", ["ids", "types", *tables, *norm, "mask"], ["layer0", "lengths"], epsilon=EPSILON
        )

    def attention(self, layer: int) -> None:
        import numpy as np

        own, name = f"encoder.layer.{layer}.attention.", f"attention{layer}"
        parts = [own + f"self.{part}." for part in ("query", "key", "value")]
        matrix = np.concatenate([self._weights[part + "weight"].T for part in parts], axis=1)
        bias = self._constant(name + ".bias", np.concatenate([self._weights[part + "bias"] for part in parts]))
        weight, scale, zero = self._quantized(name, matrix)
        quantized, by, offset = f"{name}.x", f"{name}.x.scale", f"{name}.x.zero"
        self._node("DynamicQuantizeLinear", [f"layer{layer}"], [quantized, by, offset], domain="")
        self._node(
            "QAttention",
            [quantized, weight, bias, by, scale, "lengths", offset, zero],
            [f"{name}.out"],
            num_heads=HEADS,
        )
        self._product(f"{name}.out", own + "output.dense.weight", f"{name}.dense")
        self._added(f"layer{layer}", f"{name}.dense", own + "output.", f"middle{layer}")

    def feed_forward(self, layer: int) -> None:
        own, name = f"encoder.layer.{layer}.", f"forward{layer}"
        self._product(f"middle{layer}", own + "intermediate.dense.weight", f"{name}.wide")
        self._node("BiasGelu", [f"{name}.wide", self._kept(own + "intermediate.dense.bias")], [f"{name}.gelu"])
        self._product(f"{name}.gelu", own + "output.dense.weight", f"{name}.dense")
        last = layer == LAYERS - 1
        self._added(f"middle{layer}", f"{name}.dense", own + "output.", "hidden" if last else f"layer{layer + 1}")

    def _added(self, skip: str, product: str, own: str, out: str) -> None:
        """Bias, the way around, and layer normalisation, in one operator."""
        rest = [self._kept(own + part) for part in ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")]
        self._node("SkipLayerNormalization", [skip, product, *rest], [out], epsilon=EPSILON)

    def _product(self, left: str, weight: str, out: str) -> None:
        self._node("DynamicQuantizeMatMul", [left, *self._quantized(weight, self._weights[weight].T)], [out])

    def _quantized(self, name: str, matrix: "np.ndarray") -> tuple[str, str, str]:
        import numpy as np

        scale = np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-9)) / np.float32(LARGEST_WEIGHT)
        steps = np.rint(matrix / scale).astype(np.int8)
        return (
            self._constant(name + ".steps", steps),
            self._constant(name + ".scale", scale.astype(np.float32)),
            self._constant(name + ".zero", np.zeros(matrix.shape[1], np.int8)),
        )

    def _kept(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _constant(self, name: str, array: "np.ndarray") -> str:
        shape = [_number(1, size) for size in array.shape]
        content = (array if array.flags.c_contiguous else array.copy()).data.cast("B")
        self.tensors.append(
            [*shape, _number(2, _ELEMENT[array.dtype.name]), *_bytes(8, name.encode()), *_bytes(9, content)]
        )
        return name

    def _node(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = FUSED, **attributes: float
    ) -> None:
        fields = [_bytes(1, name.encode()) for name in inputs] + [_bytes(2, name.encode()) for name in outputs]
        fields += [_bytes(4, operator.encode()), *(_bytes(5, *_attribute(*each)) for each in attributes.items())]
        self.nodes.append([part for field in (*fields, _bytes(7, domain.encode())) for part in field])


def _attribute(name: str, value: float) -> list[Part]:
    if isinstance(value, int):
        return [*_bytes(1, name.encode()), _number(3, value), _number(20, 2)]
    return [*_bytes(1, name.encode()), _varint(2 << 3 | 5) + struct.pack("<f", value), _number(20, 1)]


def _value(name: str, kind: str, axes: Iterable[str]) -> list[Part]:
    shape = [part for axis in axes for part in _bytes(1, *_bytes(2, axis.encode()))]
    tensor = _bytes(1, _number(1, _ELEMENT[kind]), *_bytes(2, *shape))
    return [*_bytes(1, name.encode()), *_bytes(2, *tensor)]


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, *content: Part) -> list[Part]:
    """In parts that are put together once at the end: copies at each level would be most of the memory."""
    return [_varint(field << 3 | 2) + _varint(sum(len(part) for part in content)), *content]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
