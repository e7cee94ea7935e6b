"""Inputs that moved by themselves: the outcomes still follow what they were.

A column that is measured otherwise, or wrongly, makes every model err that goes by it, and the outcomes seem to have
changed. They have not where each value, put back at its old rank, tells of them what it always told; nor where they
come as often as before and follow all other columns as before.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pipelines.drift import statistics
from pipelines.drift.columns import Numbers
from pipelines.drift.concept import Evidence, Outcomes, find_concept_change
from pipelines.drift.pairing import Pair, make_pair

LEAST_ROWS = 50
# So much of the errors beyond those that were expected must go with the values put back.
EXPLAINED = 0.6
# Outcomes come as often as before unless chance is so unlikely; other columns tell of them that spare so many errors.
SAME_OUTCOMES, TELLING = 0.01, 0.9


def without_displaced(pairs: Sequence[Pair], outcomes: Outcomes, moved: Sequence[str], found: Evidence) -> Evidence:
    """The evidence, where it tells of a change that moved numbers do not explain; else with `displaced`."""
    names = tuple(pair.name for pair in pairs if pair.name in moved and _numbers(pair))
    if not found.change.changed or not names:
        return found
    if not (_follow_ranks(pairs, outcomes, moved, found) or _follow_others(pairs, outcomes, moved)):
        return found
    return replace(found, change=replace(found.change, changed=False, point=None, exchanged="", displaced=names))


def _follow_ranks(pairs: Sequence[Pair], outcomes: Outcomes, moved: Sequence[str], found: Evidence) -> bool:
    restored = [_restored(pair) if pair.name in moved and _numbers(pair) else pair for pair in pairs]
    again = find_concept_change(restored, outcomes, moved)
    if again is None or again.change.changed or again.change.rows < LEAST_ROWS:
        return False
    before, after = (each.change.error - each.change.expected_error for each in (found, again))
    return after <= (1 - EXPLAINED) * before


def _follow_others(pairs: Sequence[Pair], outcomes: Outcomes, moved: Sequence[str]) -> bool:
    """Whether outcomes come as often as before, and follow all other columns as before, which do tell of them."""
    rest = [pair for pair in pairs if pair.name not in moved]
    if not rest or outcomes.problem != "classification":
        return False
    then, now = (np.bincount(side[side >= 0], minlength=outcomes.classes) for side in (outcomes.before, outcomes.now))
    rarest = min(
        statistics.share_p((int(one), int(then.sum())), (int(other), int(now.sum())))
        for one, other in zip(then, now, strict=True)
    )
    again = find_concept_change(rest, outcomes, [])
    if again is None or again.change.changed or rarest * outcomes.classes < SAME_OUTCOMES:
        return False
    return again.change.error_before < TELLING * (1 - float(then.max() / then.sum()))


def _numbers(pair: Pair) -> bool:
    enough = min(int(pair.before.present.sum()), int(pair.now.present.sum())) >= LEAST_ROWS
    return enough and isinstance(pair.before, Numbers) and isinstance(pair.now, Numbers)


def _restored(pair: Pair) -> Pair:
    """Each current value as the one that had its rank in the reference."""
    assert isinstance(pair.before, Numbers)
    assert isinstance(pair.now, Numbers)
    values = np.full(len(pair.now), np.nan)
    present = pair.now.present
    values[present] = _at_rank(pair.before.values[pair.before.present], pair.now.values[present])
    return make_pair(pair.name, pair.before, Numbers(values))


def _at_rank(before: Any, now: Any) -> Any:
    different, places, counts = np.unique(now, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / len(now)
    return np.quantile(before, ranks[places], method="nearest") if len(different) else now
