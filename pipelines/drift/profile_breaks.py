"""Schema breaks where only profiles are left: the bins, the moments, the extremes and what was missing."""

import math

from pipelines.drift.units import APART, CONVERSIONS, Conversion, usual_of
from pipelines.drift.values import SchemaBreak
from pipelines.profiles import Categories, Distribution, Numbers

LEAST_ROWS = 50
MISSING_JUMP = 0.2
ALL_UNSEEN = 0.9
BY_CHANCE = 1e-6


def find_profile_breaks(name: str, reference: Distribution, current: Distribution) -> list[SchemaBreak]:
    """What is wrong with this column; nothing where too little of it was seen."""
    then, now = reference.count + reference.missing, current.count + current.missing
    if min(then, now) < LEAST_ROWS or not reference.count:
        return []
    missing, usual = current.missing / now, reference.missing / then
    if missing - usual >= MISSING_JUMP:
        detail = f"is missing in {missing:.0%} of the rows, {usual:.0%} in the reference"
        return [SchemaBreak(name, "missing", "current", detail)]
    if current.count < LEAST_ROWS:
        return []
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        return _of_numbers(name, reference, current)
    if isinstance(reference, Categories) and isinstance(current, Categories):
        return _of_categories(name, reference, current)
    return [SchemaBreak(name, "type", "current", "is of another type than the reference")]


def _of_numbers(name: str, reference: Numbers, current: Numbers) -> list[SchemaBreak]:
    if current.minimum == current.maximum and reference.minimum < reference.maximum:
        place = sum(edge < current.minimum for edge in reference.edges)
        if (reference.counts[place] / reference.count) ** current.count < BY_CHANCE and len(reference.counts) > 2:
            return [SchemaBreak(name, "constant", "current", f"is {current.minimum:,.6g} in every row")]
    if reference.minimum == reference.maximum and current.minimum < current.maximum:
        detail = f"is {reference.minimum:,.6g} in every row, and is not any more"
        return [SchemaBreak(name, "constant", "reference", detail)]
    conversion = _conversion(reference, current)
    if conversion is not None:
        return [SchemaBreak(name, "unit", "current", f"came in another unit: {conversion.name}")]
    return []


def _conversion(reference: Numbers, current: Numbers) -> Conversion | None:
    """By mean and standard deviation: both must fit in the other unit, and the mean not at all in this one."""
    spread, own = (math.sqrt(each.squares / each.count) for each in (reference, current))
    if not 0 < spread < math.inf or not 0 < own < math.inf:
        return None
    raw = abs(current.mean - reference.mean) / spread
    # In an open bin nearly all of them: they may have moved too, and it is still another unit.
    apart = max(current.counts[0], current.counts[-1]) >= 0.95 * current.count
    fitting: list[tuple[float, Conversion]] = []
    for conversion in CONVERSIONS:
        mean = (current.mean - conversion.offset) / conversion.factor
        error, ratio = abs(mean - reference.mean) / spread, own / abs(conversion.factor) / spread
        if conversion.gentle:
            located = conversion.offset != 0 or abs(reference.mean) > spread
            if located and raw > 1 and error < 0.1 and 0.93 < ratio < 1.08:
                fitting.append((error, conversion))
        elif raw > 0.5 and ((error < 0.3 and 0.7 < ratio < 1.4) or (apart and error < APART and 0.6 < ratio < 1.7)):
            fitting.append((error, conversion))
    return usual_of(fitting)


def _of_categories(name: str, reference: Categories, current: Categories) -> list[SchemaBreak]:
    if current.other / current.count >= ALL_UNSEEN and not reference.other:
        detail = f"has categories that the reference does not know in {current.other / current.count:.0%} of the rows"
        return [SchemaBreak(name, "encoding", "current", detail)]
    largest = max(current.counts, key=lambda level: current.counts[level], default="")
    if largest and current.counts[largest] == current.count:
        usual = reference.counts.get(largest, 0) / reference.count
        lively = sum(count > 0 for count in reference.counts.values()) > 2 or usual < 0.9
        if lively and usual**current.count < BY_CHANCE:
            return [SchemaBreak(name, "constant", "current", f"is “{largest}” in every row")]
    return []
