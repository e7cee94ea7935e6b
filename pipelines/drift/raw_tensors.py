"""Tensors as bytes: little-endian values in row-major order, as the Open Inference Protocol has them."""

from typing import Any

from pipelines.errors import Refused

# Open Inference Protocol, "Tensor Data Types", and numpy's names of them. numpy has no BF16.
NUMPY_TYPES = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip


def unpacked_tensor(datatype: str, content: bytes, size: int) -> list[Any]:
    """The values in `size` bytes. Raises Refused, as a clause, where they are of no known type or not all there."""
    import numpy as np

    kind = datatype.upper()
    if len(content) < size:
        raise Refused(f"has a tensor of {size:,} bytes of which only {len(content):,} came.")
    if kind == "BYTES":
        return _texts(content)
    if kind != "BF16" and kind not in NUMPY_TYPES:
        raise Refused(f"has a tensor of the type {datatype[:40]}, which is none of the protocol.")
    width = 2 if kind == "BF16" else np.dtype(NUMPY_TYPES[kind]).itemsize
    if size % width:
        raise Refused(f"has a tensor of {size:,} bytes, which are no whole values of {kind}.")
    if kind == "BF16":  # the upper half of an FP32
        halves = np.frombuffer(content, "<u2").astype("<u4") << 16
        return list(halves.view("<f4").tolist())
    return list(np.frombuffer(content, NUMPY_TYPES[kind]).tolist())


def _texts(content: bytes) -> list[str]:
    """Each with its length before it, four bytes."""
    found, place = [], 0
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "little")
        text = content[place + 4 : place + 4 + length]
        if len(text) < length or place + 4 > len(content):
            raise Refused("has a tensor of texts whose end is missing.")
        found.append(text.decode(errors="replace"))
        place += 4 + length
    return found
