"""Schema breaks: a column that is gone, constant, stuck at a placeholder, in another unit or of another type.

They are faults of the source, not of the world: a model trained on them learns the fault. Either side may be the
broken one; a reference with a constant where there are values now is no reference.
"""

import math
import re
from typing import Any

import numpy as np

from pipelines.drift.columns import Column, Numbers, Texts
from pipelines.drift.frozen import standstill
from pipelines.drift.units import find_conversion
from pipelines.drift.values import SchemaBreak, Side

LEAST_ROWS = 50
# A jump of the missing share by more is an outage of the source; what is smaller may be the world.
MISSING_JUMP = 0.2
UNREADABLE_SHARE = 0.05
# One chance in a million that sound rows would all show the same value.
BY_CHANCE = 1e-6
SPIKE_SHARE = 0.05
SPIKE_ROWS = 20
MOST_SPIKES = 10
ALL_UNSEEN = 0.9
RENAMED_SHARE = 0.05
PLACEHOLDER_SHARE = 0.1
PLACEHOLDERS = frozenset(
    {"unknown", "missing", "undefined", "default", "error", "test", "tbd", "xxx", "x", "not available", "none", "nil"}
)
_NO_WORD = re.compile(r"[\W_]+")


def find_breaks(name: str, reference: Column, current: Column) -> list[SchemaBreak]:
    """What is wrong with this column, of one type on both sides. The first fault of a side hides its others."""
    found = []
    for side, broken, sound in _sides(reference, current):
        if len(broken) < LEAST_ROWS or len(sound) < LEAST_ROWS:
            continue
        if detail := _fault(broken, sound):
            found.append(SchemaBreak(name, detail[0], side, detail[1]))
    if not found and (still := standstill(reference, current)):
        detail = f"stands still at {still[0]} in {still[1]:.0%} of the rows, one after the other"
        return [SchemaBreak(name, "frozen", "current", detail)]
    if not found and isinstance(reference, Numbers) and isinstance(current, Numbers):
        conversion = find_conversion(reference.values[reference.present], current.values[current.present])
        if conversion:
            share = "" if conversion[1] == 1 else f" in {conversion[1]:.0%} of the rows"
            return [SchemaBreak(name, "unit", "current", f"came in another unit{share}: {conversion[0].name}")]
    if not found and isinstance(reference, Texts) and isinstance(current, Texts):
        return _broken_names(name, reference, current)
    return found


def _sides(reference: Column, current: Column) -> list[tuple[Side, Column, Column]]:
    return [("current", current, reference), ("reference", reference, current)]


def _fault(broken: Column, sound: Column) -> Any:
    missing, usual = 1 - float(broken.present.mean()), 1 - float(sound.present.mean())
    if missing - usual >= MISSING_JUMP and _surely_more(missing, usual, len(broken), len(sound)):
        return "missing", f"is missing in {missing:.0%} of the rows, {usual:.0%} on the other side"
    if isinstance(broken, Numbers) and isinstance(sound, Numbers):
        unreadable = broken.unreadable / len(broken) - sound.unreadable / len(sound)
        if unreadable >= UNREADABLE_SHARE:
            return "type", f"holds text where numbers belong in {broken.unreadable / len(broken):.0%} of the rows"
        return _stuck_number(broken.values[broken.present], sound.values[sound.present])
    if isinstance(broken, Texts) and isinstance(sound, Texts):
        return _stuck_text(broken, sound)
    return None


def _surely_more(missing: float, usual: float, rows: int, others: int) -> bool:
    pooled = (missing * rows + usual * others) / (rows + others)
    return (missing - usual) > 5 * math.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / others))


def _stuck_number(broken: Any, sound: Any) -> Any:
    if len(broken) < LEAST_ROWS or len(sound) < LEAST_ROWS:
        return None
    values, counts = np.unique(broken, return_counts=True)
    usual, usual_counts = np.unique(sound, return_counts=True)
    if len(values) == 1:
        usual_share = float((sound == values[0]).mean())
        lively = len(usual) > 2 or usual_counts.min() >= 0.1 * len(sound)
        if comes_in_runs(sound == values[0], len(broken)):
            return None
        if lively and usual_share ** len(broken) < BY_CHANCE:
            return "constant", f"is {values[0]:,.6g} in every row, {len(usual):,} different values on the other side"
        return None
    continuous = len(usual) >= min(100, len(sound) / 2) and usual_counts.max() <= max(2, 0.02 * len(sound))
    for place in np.argsort(-counts)[:MOST_SPIKES]:
        value, share = float(values[place]), float(counts[place] / len(broken))
        if share < SPIKE_SHARE or counts[place] < SPIKE_ROWS:
            return None
        if float((sound == value).mean()) >= share / 10:
            continue
        if continuous:
            return "placeholder", f"is exactly {value:,.6g} in {share:.0%} of the rows"
        if (value < usual[0] or value > usual[-1]) and _like_a_placeholder(value, usual) and share >= PLACEHOLDER_SHARE:
            return "placeholder", f"is {value:,.6g} in {share:.0%} of the rows, which never occurs on the other side"
    return None


def comes_in_runs(seen: Any, rows: int) -> bool:
    """Whether the value stands for as long at a stretch on the sound side too, as a weekday does in rows by time."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8)))
    return len(ends) > 0 and int((ends[1::2] - ends[::2]).max()) >= rows / 2


def _like_a_placeholder(value: float, usual: Any) -> bool:
    """Nines or minus one far off all others."""
    digits = f"{abs(value):.0f}"
    named = value in (-1.0, 0.0) or (len(digits) >= 2 and set(digits) == {"9"})
    spread = max(float(usual[-1] - usual[0]), 1e-300)
    if len(usual) < 2:
        return False
    gap = max(float(usual[0]) - value, value - float(usual[-1]))
    return named and (value < 0 <= usual[0] or gap > spread)


def _stuck_text(broken: Texts, sound: Texts) -> Any:
    counts, usual = broken.counts(), sound.counts()
    rows, others = int(counts.sum()), int(usual.sum())
    if rows < LEAST_ROWS or others < LEAST_ROWS:
        return None
    if (counts > 0).sum() == 1:
        name = broken.levels[int(counts.argmax())]
        known = dict(zip(sound.levels, usual.tolist(), strict=True))
        distinct = int((usual > 0).sum())
        lively = distinct > 2 or (distinct == 2 and usual[usual > 0].min() >= 0.1 * others)
        seen = np.array([level == name for level in sound.levels] + [False])[sound.codes]
        if lively and (known.get(name, 0) / others) ** rows < BY_CHANCE and not comes_in_runs(seen, rows):
            return "constant", f"is “{name}” in every row, {distinct:,} different values on the other side"
    return None


def _broken_names(name: str, reference: Texts, current: Texts) -> list[SchemaBreak]:
    counts, usual = current.counts(), reference.counts()
    rows, others = int(counts.sum()), int(usual.sum())
    if rows < LEAST_ROWS or others < LEAST_ROWS:
        return []
    known = {level for level, count in zip(reference.levels, usual.tolist(), strict=True) if count}
    plain = {_plain(level) for level in known}
    unseen = [
        (lv, count) for lv, count in zip(current.levels, counts.tolist(), strict=True) if count and lv not in known
    ]
    renamed = sum(count for level, count in unseen if _plain(level) in plain) / rows
    if renamed >= RENAMED_SHARE:
        example = next(level for level, _ in unseen if _plain(level) in plain)
        return [
            SchemaBreak(
                name,
                "encoding",
                "current",
                f"spells its categories otherwise in {renamed:.0%} of the rows: “{example}”",
            )
        ]
    for level, count in unseen:
        if count / rows >= PLACEHOLDER_SHARE and level.strip().lower() in PLACEHOLDERS:
            return [SchemaBreak(name, "placeholder", "current", f"is “{level}” in {count / rows:.0%} of the rows")]
    share = sum(count for _, count in unseen) / rows
    if share >= ALL_UNSEEN and len(known) <= max(50, others / 20):
        return [
            SchemaBreak(
                name,
                "encoding",
                "current",
                f"has categories that the reference does not know in {share:.0%} of the rows",
            )
        ]
    return []


def _plain(level: str) -> str:
    return _NO_WORD.sub("", level).lower()
