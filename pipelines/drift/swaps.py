"""Columns that changed places: each of them now holds what another one held."""

from collections.abc import Mapping, Sequence

from pipelines.drift.comparison import compare
from pipelines.drift.pairing import Pair, make_pair
from pipelines.drift.values import FeatureDrift, SchemaBreak
from pipelines.profiles import Numbers

# Floors by which a column left its own past, and by which it may differ from that of the other.
LEFT, ALIKE = 6.0, 1.5
# Few rows tell no more: chance may have made that difference.
BY_CHANCE = 0.001
LEAST_ROWS = 50
# What moved all at once is another world, and one column of many looks like another one by chance.
MOST_CANDIDATES = 12
# Of so few different values two columns are alike by chance.
LEAST_BINS = 5


def find_swaps(pairs: Sequence[Pair], features: Sequence[FeatureDrift]) -> list[SchemaBreak]:
    """Columns of numbers that went far from what they were, in a ring in which each looks like the next one did."""
    far = {each.name for each in features if each.role == "feature" and each.drifted and each.strength >= LEFT}
    candidates = [pair for pair in pairs if pair.name in far and _rich(pair)]
    if not 2 <= len(candidates) <= MOST_CANDIDATES:
        return []
    like = {pair.name: _like(pair, candidates) for pair in candidates}
    found = []
    for name, other in like.items():
        if other and name in _ring(name, like):
            found.append(SchemaBreak(name, "swapped", "current", f"holds what `{other}` held"))
    return found


def _rich(pair: Pair) -> bool:
    enough = len(pair.before) >= LEAST_ROWS and len(pair.now) >= LEAST_ROWS
    return enough and isinstance(pair.reference, Numbers) and len(pair.reference.counts) >= LEAST_BINS


def _like(pair: Pair, candidates: Sequence[Pair]) -> str:
    """The column whose past it looks most like; "" where that is none."""
    found = []
    for other in candidates:
        if other.name == pair.name:
            continue
        crossed = make_pair(pair.name, other.before, pair.now)
        compared = compare(crossed.reference, crossed.current)
        if compared.strength < ALIKE or compared.value_p > BY_CHANCE:
            found.append((compared.strength, other.name))
    return min(found)[1] if found else ""


def _ring(name: str, like: Mapping[str, str]) -> set[str]:
    """The columns on the way from here, until one comes again or looks like none."""
    seen: set[str] = set()
    while (name := like.get(name, "")) and name not in seen:
        seen.add(name)
    return seen
