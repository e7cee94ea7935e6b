"""Labels and answers that are broken: stuck at one class, coded otherwise, of another type or out of their range.

Against broken labels every model looks bad, and a new one learns the fault; broken answers are a fault of serving. What
moved inputs can bring about is no break: a model may well say the same of rows that are all alike.
"""

from collections.abc import Mapping

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.breaks import BY_CHANCE, LEAST_ROWS, comes_in_runs, find_breaks
from pipelines.drift.columns import Column, Numbers, Texts, as_texts, truth_as_number
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.values import Break, Part, SchemaBreak, Side
from pipelines.drift.windows import Tally
from pipelines.profiles import Categories, Distribution, ReferenceProfile
from pipelines.profiles import Numbers as CountedNumbers

# More different values are no classes.
MOST_CLASSES = 20
MOST_COUNTED = 1_000
# Classes that the reference never had: by this share of the rows, and not for want of rows to show them.
UNSEEN_SHARE = 0.05
UNSEEN_P = 1e-4
# From here on it is another code and not a class that came more often.
ALL_UNSEEN = 0.9
CONTRADICTED = 0.1
# A class that stood still for as long before, and came back so often, may do so again.
LEAST_RUNS = 3
# What inputs cannot bring about, however they moved.
NEVER_BY_INPUTS: frozenset[Break] = frozenset({"type", "missing", "unit"})

Fault = tuple[Break, str]


def find_label_breaks(
    name: str, before: Column, now: Column, moved: bool = False, said: Column | None = None
) -> list[SchemaBreak]:
    """What is wrong with the outcomes on either side. Missing ones are late, which is no fault.

    Where features `moved`, one outcome may be the right one everywhere; unless the model has `said` otherwise.
    """
    before, now = truth_as_number(before), truth_as_number(now)
    if not before.present.any() or not now.present.any():
        return []
    if type(before) is not type(now):
        return [SchemaBreak(name, "type", "current", _other_type(before), "label")]
    classes = _classes(before), _classes(now)
    if len(classes[0]) > MOST_CLASSES:
        found = [one for one in find_breaks(name, before, now) if one.what != "missing"]
        return [SchemaBreak(one.name, one.what, one.side, one.detail, "label") for one in found]
    side: Side = "current"
    fault = _constant(classes[1], classes[0])
    if fault is not None:
        side = "reference"
    else:
        fault = class_fault(*classes)
    stuck = fault is not None and fault[0] == "constant"
    if stuck and side == "current" and moved and not _contradicted(said, next(iter(classes[1]))):
        return []
    if fault is None or (stuck and _stood_still(*((before, now) if side == "current" else (now, before)))):
        return []
    return [SchemaBreak(name, fault[0], side, fault[1], "label")]


def find_output_breaks(name: str, part: Part, before: Column, now: Column, moved: bool) -> list[SchemaBreak]:
    """What is wrong with the current answers. `moved`: a feature drifted, so that they may well be other ones."""
    before, now = truth_as_number(before), truth_as_number(now)
    if not before.present.any():
        return []
    if now.present.any() and type(before) is not type(now):
        return [SchemaBreak(name, "type", "current", _other_type(before), part)]
    found = [(one.what, one.detail) for one in find_breaks(name, before, now) if one.side == "current"]
    if not found and part == "score" and isinstance(before, Numbers) and isinstance(now, Numbers):
        found += _out_of_range(before, now)
    if moved:
        found = [fault for fault in found if fault[0] in NEVER_BY_INPUTS]
    classes = _classes(before), _classes(now)
    if not found and part == "prediction" and len(classes[0]) <= MOST_CLASSES:
        found += _answered(*classes, moved)
    if found and found[0][0] == "constant" and _stood_still(before, now):
        return []
    return [SchemaBreak(name, what, "current", detail, part) for what, detail in found[:1]]


def find_label_profile_breaks(
    name: str, target: Distribution, said: Distribution, confusion: Mapping[str, Mapping[str, int]], moved: bool
) -> list[SchemaBreak]:
    """The same of labels that were only counted. `confusion`: predicted, then actual. Distances tell no classes."""
    if not isinstance(target, Categories) or target.other:
        return []
    # A class is known as well where the reference's model could say it.
    known = {**(dict.fromkeys(said.counts, 0) if isinstance(said, Categories) else {}), **target.counts}
    now: dict[str, int] = {}
    for row in confusion.values():
        for label, count in row.items():
            place = _same(label, known)
            now[place] = now.get(place, 0) + count
    fault = class_fault(known, now, frozenset(known))
    if fault and fault[0] == "constant" and moved:
        [stuck] = [name for name, count in now.items() if count]
        otherwise = sum(sum(row.values()) for answer, row in confusion.items() if _same(answer, known) != stuck)
        fault = fault if otherwise >= CONTRADICTED * sum(now.values()) else None
    return [SchemaBreak(name, fault[0], "current", fault[1], "label")] if fault else []


def find_output_profile_breaks(
    name: str, part: Part, reference: Distribution, current: Distribution, moved: bool
) -> list[SchemaBreak]:
    """The same of answers that were only counted."""
    found = [(one.what, one.detail) for one in find_profile_breaks(name, reference, current) if one.side == "current"]
    if isinstance(reference, CountedNumbers) and isinstance(current, CountedNumbers):
        if not found and part == "score" and current.count >= LEAST_ROWS and reference.minimum >= 0:
            found += _beyond_one(reference.maximum, current.mean)
    elif isinstance(reference, Categories) and isinstance(current, Categories) and not reference.other:
        now = {**current.counts, "something else": current.other}
        found = [fault for fault in found if fault[0] == "missing"] or _answered(reference.counts, now, moved)
    if moved:
        found = [fault for fault in found if fault[0] in NEVER_BY_INPUTS or fault[0] == "encoding"]
    return [SchemaBreak(name, what, "current", detail, part) for what, detail in found[:1]]


def find_answer_breaks(reference: ReferenceProfile, current: Tally, moved: bool) -> list[SchemaBreak]:
    """The same of a watched window, under the names that a look has for what the model says."""
    found: list[SchemaBreak] = []
    if current.prediction is not None:
        found += find_output_profile_breaks(
            "(prediction)", "prediction", reference.prediction, current.prediction, moved
        )
    if reference.confidence is not None and current.confidence is not None:
        found += find_output_profile_breaks("(confidence)", "score", reference.confidence, current.confidence, moved)
    return found


def class_fault(then: Mapping[str, int], now: Mapping[str, int], known: frozenset[str] | None = None) -> Fault | None:
    """Rows by class. Classes of which nothing was known, or one class where there were several."""
    rows, others = sum(now.values()), sum(then.values())
    if min(rows, others) < LEAST_ROWS:
        return None
    known = known if known is not None else frozenset(name for name, count in then.items() if count)
    strange = {name: count for name, count in now.items() if count and name not in known}
    unseen = sum(strange.values())
    if unseen / rows >= UNSEEN_SHARE and statistics.share_p((0, others), (unseen, rows)) < UNSEEN_P:
        example = max(strange, key=lambda name: strange[name])
        detail = f"holds classes that the reference does not know in {unseen / rows:.0%} of the rows: “{example}”"
        return "encoding", detail
    return _constant(then, now)


def _answered(then: Mapping[str, int], now: Mapping[str, int], moved: bool) -> list[Fault]:
    """A model that says one thing of everything, or what it never said; moved inputs leave only the second."""
    fault = class_fault(then, now)
    if fault is None:
        return []
    rows = sum(now.values())
    strange = sum(count for name, count in now.items() if not then.get(name)) / rows
    return [fault] if not moved or (fault[0] == "encoding" and strange >= ALL_UNSEEN) else []


def _constant(then: Mapping[str, int], now: Mapping[str, int]) -> Fault | None:
    """One class in all rows, where chance would have shown another. However rare: a million to one is enough."""
    rows, others = sum(now.values()), sum(then.values())
    if min(rows, others) < LEAST_ROWS:
        return None
    name = max(now, key=lambda each: now[each])
    if now[name] != rows or (then.get(name, 0) / others) ** rows >= BY_CHANCE:
        return None
    different = sum(count > 0 for count in then.values())
    return "constant", f"is “{name}” in every row, {different:,} different values on the other side"


def _out_of_range(before: Numbers, now: Numbers) -> list[Fault]:
    then, values = before.values[before.present], now.values[now.present]
    if min(len(then), len(values)) < LEAST_ROWS or then.min() < 0:
        return []
    return _beyond_one(float(then.max()), float(np.quantile(values, 1 - UNSEEN_SHARE)))


def _beyond_one(usual: float, now: float) -> list[Fault]:
    return [("unit", f"is no probability any more: it reaches {now:,.4g}")] if usual <= 1 < now else []


def _classes(column: Column) -> dict[str, int]:
    """Rows by value, of a thousand values at most: classes are fewer."""
    if isinstance(column, Numbers):
        distinct, counts = np.unique(column.values[column.present], return_counts=True)
        if len(distinct) > MOST_COUNTED:
            return {str(value): count for value, count in zip(distinct[:MOST_COUNTED], counts.tolist(), strict=False)}
    texts = as_texts(column)
    return {name: count for name, count in zip(texts.levels, texts.counts().tolist(), strict=True) if count}


def _stood_still(sound: Column, stuck: Column) -> bool:
    """Whether the class that fills the stuck side comes in runs as long on the other one."""
    [name] = _classes(stuck)
    texts = as_texts(sound)
    seen = np.array([*(level == name for level in texts.levels), False])[texts.codes]
    runs = int((np.diff(np.concatenate([[False], seen]).astype(np.int8)) == 1).sum())
    return runs >= LEAST_RUNS and comes_in_runs(seen, int(stuck.present.sum()))


def _same(label: str, known: Mapping[str, int]) -> str:
    """The class that a label means: 1.0 is 1."""
    if label in known:
        return label
    try:
        number = float(label)
    except ValueError:
        return label
    whole = str(int(number)) if number.is_integer() else label
    return whole if whole in known else label


def _contradicted(said: Column | None, stuck: str) -> bool:
    """Whether the model names another class than the one that is said to be true everywhere."""
    named = _classes(truth_as_number(said)) if said is not None else {}
    return sum(named.values()) - named.get(stuck, 0) >= CONTRADICTED * max(1, sum(named.values()))


def _other_type(before: Column) -> str:
    return (
        "is text and was a number"
        if isinstance(before, Numbers)
        else ("is a number and was text" if isinstance(before, Texts) else "is of another type than it was")
    )
