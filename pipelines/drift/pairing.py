"""Two tables side by side: each column in one form on both sides, in the bins of the reference."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pipelines import profiles
from pipelines.drift.breaks import find_breaks
from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts, as_texts, settled
from pipelines.drift.values import SchemaBreak, Side
from pipelines.profiles import Distribution


@dataclass(frozen=True, slots=True)
class Pair:
    """A column on both sides. `bins_before` and `bins_now` are the bin of each row; a missing value has the last."""

    name: str
    kind: str
    before: Numbers | Texts
    now: Numbers | Texts
    reference: Distribution
    current: Distribution


def settle(reference: Table, current: Table) -> tuple[Table, Table]:
    """Both tables with numbers and moments recognised, each column in the light of the other."""
    one: dict[str, Column] = {}
    other: dict[str, Column] = {}
    for name in dict.fromkeys([*reference.columns, *current.columns]):
        then, now = reference.columns.get(name), current.columns.get(name)
        if then is None or now is None:
            if then is not None:
                one[name] = settled(then)
            if now is not None:
                other[name] = settled(now)
            continue
        one[name], other[name] = _settled_pair(then, now)
    return (
        Table(one, reference.rows, reference.total_rows, reference.left_out),
        Table(other, current.rows, current.total_rows, current.left_out),
    )  # fmt: skip


def _settled_pair(then: Column, now: Column) -> tuple[Column, Column]:
    one, other = settled(then), settled(now)
    if isinstance(one, Numbers) and isinstance(other, Texts):
        other = settled(now, one)
    elif isinstance(one, Texts) and isinstance(other, Numbers):
        one = settled(then, other)
    if _boolean(one) != _boolean(other) or type(one) is type(other):
        return one, other
    if isinstance(one, Texts) and isinstance(other, Numbers) and _shares_levels(one, as_texts(now)):
        return one, as_texts(now)
    if isinstance(other, Texts) and isinstance(one, Numbers) and _shares_levels(other, as_texts(then)):
        return as_texts(then), other
    return _emptied(one, other), _emptied(other, one)


def _emptied(column: Column, alike: Column) -> Column:
    """A column without any value has no type of its own: it takes the other's."""
    if column.present.any() or isinstance(alike, type(column)):
        return column
    if isinstance(alike, Numbers):
        return Numbers(np.full(len(column), np.nan))
    if isinstance(alike, Moments):
        return Moments(np.full(len(column), np.nan))
    return Texts(np.full(len(column), -1), ())


def _boolean(column: Column) -> bool:
    return isinstance(column, Texts) and bool(column.levels) and set(column.levels) <= {"true", "false"}


def _shares_levels(one: Texts, other: Texts) -> bool:
    """Whether most rows of `other` hold what `one` knows too: codes as texts here, as numbers there."""
    known = np.array([*(level in set(one.levels) for level in other.levels), False], dtype=bool)
    return bool(len(other) and known[other.codes].sum() > 0.5 * max(1, other.present.sum()))


def pair_columns(
    reference: Table, current: Table, features: Sequence[str], dates: Collection[str] = ()
) -> tuple[list[Pair], list[SchemaBreak]]:
    """The features that both sides have in one form; and what is wrong with those that they have not.

    `dates` are those whose numbers are days: a calendar comes in no other unit.
    """
    pairs: list[Pair] = []
    breaks: list[SchemaBreak] = []
    for name in features:
        then, now = reference.columns.get(name), current.columns.get(name)
        if then is None or now is None:
            breaks.append(_lone(name, then))
        elif (isinstance(then, Numbers) and isinstance(now, Numbers)) or (
            isinstance(then, Texts) and isinstance(now, Texts)
        ):
            pairs.append(make_pair(name, then, now))
            breaks += [found for found in find_breaks(name, then, now) if found.what != "unit" or name not in dates]
        elif then.present.any() and now.present.any():
            detail = f"was {_type(then)} and is {_type(now)}{_example(now)}"
            breaks.append(SchemaBreak(name, "type", "current", detail))
        elif then.present.any() != now.present.any():
            empty: Side = "current" if then.present.any() else "reference"
            breaks.append(SchemaBreak(name, "missing", empty, "is missing in every row"))
    return pairs, breaks


def make_pair(name: str, then: Numbers | Texts, now: Numbers | Texts) -> Pair:
    """Count both sides in the bins of the first; the commonest categories are those of all rows together.

    Names chosen on the rows of one side would be commoner there than chance allows.
    """
    if isinstance(then, Numbers) and isinstance(now, Numbers):
        edges = profiles.reference_edges(then.values)
        one, other = profiles.tally_numbers(then.values, edges), profiles.tally_numbers(now.values, edges)
        return Pair(name, "number", then, now, one, other)
    assert isinstance(then, Texts)
    assert isinstance(now, Texts)
    together = Counter(dict(zip(then.levels, then.counts().tolist(), strict=True)))
    together.update(dict(zip(now.levels, now.counts().tolist(), strict=True)))
    ranked = sorted(together.items(), key=lambda item: (-item[1], item[0]))
    names = [level for level, count in ranked[: profiles.MOST_CATEGORIES] if count]
    counted = profiles.tally_codes(then.codes, then.levels, names), profiles.tally_codes(now.codes, now.levels, names)
    return Pair(name, "category", then, now, *counted)


def _lone(name: str, then: Column | None) -> SchemaBreak:
    if then is not None:
        outcome = isinstance(then, Texts) or len(np.unique(then.values if isinstance(then, Numbers) else [])) <= 20
        hint = f" (should it be the outcome that comes later: --target {name})" if outcome else ""
        return SchemaBreak(name, "gone", "current", f"is gone{hint}")
    return SchemaBreak(name, "new", "current", "is new: the reference has no such column")


def _type(column: Column) -> str:
    if isinstance(column, Texts):
        return "true or false" if _boolean(column) else "text"
    return "a number" if isinstance(column, Numbers) else "a moment"


def _example(column: Column) -> str:
    """The commonest text, since a look at one tells most: of a date in another form, or a number with its unit."""
    if not isinstance(column, Texts) or _boolean(column):
        return ""
    return f": “{column.levels[int(column.counts().argmax())][:40]}”"


def bins_of(column: Numbers | Texts, distribution: Distribution) -> Any:
    """The bin of each row; the bin after the last one is for what is missing."""
    if isinstance(column, Numbers) and isinstance(distribution, profiles.Numbers):
        bins = np.searchsorted(np.array(distribution.edges), column.values, side="left")
        return np.where(column.present, bins, len(distribution.edges) + 1)
    assert isinstance(column, Texts)
    assert isinstance(distribution, profiles.Categories)
    places = {name: place for place, name in enumerate(distribution.counts)}
    other = len(places)
    return np.array([*(places.get(level, other) for level in column.levels), other + 1])[column.codes]


def bin_names(distribution: Distribution) -> list[str]:
    """What each bin holds, as the end of "`feature` …"; one more than there are bins, for what is missing."""
    if isinstance(distribution, profiles.Numbers):
        edges = [f"{edge:,.6g}" for edge in distribution.edges]
        if not edges:
            return ["has a value", "is missing"]
        inner = [f"between {low} and {high}" for low, high in pairwise(edges)]
        return [f"up to {edges[0]}", *inner, f"above {edges[-1]}", "is missing"]
    return [*(f"is {name}" for name in distribution.counts), "is something else", "is missing"]
