"""How this process collects its garbage."""

import gc

# Python looks for cycles after each 700 new objects; one delivery of inference records makes more than that, without
# any cycle. Measured by tests/benchmarks/inference_records.py: half of the time of reading JSON went there.
NEW_OBJECTS = 50_000


def settle_memory() -> None:
    """Once everything is built: what stays is never looked through again, and cycles are looked for less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
