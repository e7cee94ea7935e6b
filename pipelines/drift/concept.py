"""Concept drift: whether the same inputs now have other outcomes. Cannot be seen without labels.

Two small models learn the reference, each from a random half; on the other half their errors are honest, and say how
often they err where they are so sure. On the current rows they should err as often, were the concept the same: also
where the inputs moved to easier or harder places. What goes beyond is concept drift.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.drift import boosting, changes, oblique, performance, statistics
from pipelines.drift.columns import Column, Numbers, Texts, truth_as_number
from pipelines.drift.exchanged import exchanged_classes
from pipelines.drift.pairing import Pair
from pipelines.drift.regions import cautious_rate, regions_of, stratum
from pipelines.drift.values import ChangePoint, ConceptChange

LEAST_REFERENCE = 100
LEAST_CURRENT = 50
MOST_TAUGHT = 12_000
MOST_FEATURES = 40
MOST_CLASSES = 20
# Beyond this share of the reference's residuals a number counts as wrong.
WRONG_RESIDUAL = 0.8
CONFIDENCE_BANDS = 6
ROWS_A_BAND = 60
# Errors beyond what was expected: of all rows, and with which certainty. Where the inputs moved as well, a model
# that has to guess beyond what it saw errs for no fault of the concept: more is asked.
LEAST_EXCESS, LEAST_Z = 0.02, 4.0
LEAST_EXCESS_MOVED, LEAST_Z_MOVED = 0.05, 6.0
# In the region where a change was noticed, and what that makes of all rows.
LEAST_EXCESS_THERE, LEAST_EXCESS_OF_ALL = 0.1, 0.01
# That a class is lost is asked beside that: both together stay as rare as one was.
LOST_P = 0.0001
SEED = 7


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The target in numbers on both sides: classes, or floats for regression."""

    problem: str
    before: Any
    now: Any
    classes: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Errors and what was expected, a row each: the current rows with a label (`rows` are their places).

    Where only one class was lost they are the rows of that class.
    """

    change: ConceptChange
    rows: Any
    errors: Any
    expected: Any


def outcomes_of(before: Column, now: Column) -> Outcomes | None:
    """None where the two sides hold different kinds of targets; true and false are 1 and 0."""
    before, now = truth_as_number(before), truth_as_number(now)
    if isinstance(before, Numbers) and isinstance(now, Numbers):
        distinct = np.unique(before.values[before.present])
        if len(distinct) > MOST_CLASSES or (len(distinct) and (distinct != np.floor(distinct)).any()):
            return Outcomes("regression", before.values, now.values, 1)
        both = np.unique(np.concatenate([distinct, now.values[now.present]]))
        return Outcomes("classification", _places(before, both), _places(now, both), len(both), _numerals(both))
    if isinstance(before, Texts) and isinstance(now, Texts):
        names = list(dict.fromkeys([*before.levels, *now.levels]))
        places = {name: place for place, name in enumerate(names)}
        found = [np.array([*(places[level] for level in column.levels), -1])[column.codes] for column in (before, now)]
        return (
            Outcomes("classification", found[0], found[1], len(names), tuple(names))
            if len(names) <= MOST_CLASSES
            else None
        )
    return None


def find_concept_change(pairs: Sequence[Pair], outcomes: Outcomes, moved: Sequence[str]) -> Evidence | None:
    """None where there are too few labelled rows, or nothing to learn from. `moved`: features that drifted."""
    known, told = _known(outcomes.before, outcomes), np.flatnonzero(_known(outcomes.now, outcomes))
    rows = np.flatnonzero(known)
    if len(rows) < LEAST_REFERENCE or len(told) < LEAST_CURRENT or not pairs:
        return None
    chance = np.random.default_rng(SEED)
    if len(rows) > MOST_TAUGHT:
        rows = np.sort(chance.choice(rows, MOST_TAUGHT, replace=False))
    target = outcomes.before[rows]
    if len(np.unique(target)) < 2:
        return None
    columns = [_binned(pair, rows, told, target) for pair in pairs]
    before, now = (np.stack([column[side] for column in columns], axis=1) for side in (0, 1))
    chosen = _worth_asking(before, target, outcomes)
    before, now = before[:, chosen], now[:, chosen]
    values = [_values(pairs[place], columns[place], rows, told) for place in chosen]
    measured = np.stack([side[0] for side in values], axis=1), np.stack([side[1] for side in values], axis=1)
    half = chance.permutation(len(rows)) % 2
    said = [_said(before, now, measured, target, half == side, outcomes) for side in (0, 1)]
    honest = np.where((half == 0)[:, None], said[1][0], said[0][0])
    turn = np.arange(len(told)) % 2
    today = np.where((turn == 0)[:, None], said[1][1], said[0][1])
    regions = regions_of(measured, target, outcomes.classes, outcomes.problem)
    return _weigh(honest, today, target, outcomes, told, moved, _inside(pairs, told, moved), regions)


def _said(
    before: Any, now: Any, values: tuple[Any, Any], target: Any, taught: Any, outcomes: Outcomes
) -> tuple[Any, Any]:
    """What a model of the `taught` rows of the reference says of all of them, and of the current ones."""
    lines = oblique.fit(values[0][taught], target[taught], outcomes.classes, outcomes.problem)
    if lines is not None:
        before = np.concatenate([before, lines.bins(values[0])], axis=1)
        now = np.concatenate([now, lines.bins(values[1])], axis=1)
    model = boosting.fit(before[taught], target[taught], outcomes.classes, outcomes.problem)
    return model.raw(before), model.raw(now)


def _values(pair: Pair, binned: tuple[Any, Any], rows: Any, told: Any) -> tuple[Any, Any]:
    """Both sides as numbers: categories by the place of their bin, which the target's mean gave them."""
    if isinstance(pair.before, Numbers) and isinstance(pair.now, Numbers):
        return pair.before.values[rows], pair.now.values[told]
    return binned[0].astype(float), binned[1].astype(float)


@dataclass(frozen=True, slots=True)
class _Side:
    """What was said of each row, how surely, and whether it was wrong."""

    said: Any
    sure: Any
    wrong: Any


def _judged(honest: Any, today: Any, target: Any, actual: Any, problem: str) -> tuple[_Side, _Side]:
    if problem == "classification":
        sides = [_Side(raw.argmax(axis=1), _margin(raw), raw.argmax(axis=1) != true)
                 for raw, true in ((honest, target), (today, actual))]  # fmt: skip
        return sides[0], sides[1]
    residuals = np.abs(honest[:, 0] - target)
    limit = np.quantile(residuals, WRONG_RESIDUAL)
    wrong = residuals > limit, np.abs(today[:, 0] - actual) > limit
    return (
        _Side(np.zeros(len(target), int), honest[:, 0], wrong[0]),
        _Side(np.zeros(len(actual), int), today[:, 0], wrong[1]),
    )


def _weigh(
    honest: Any,
    today: Any,
    target: Any,
    outcomes: Outcomes,
    told: Any,
    moved: Sequence[str],
    inside: Any,
    regions: Sequence[tuple[Any, Any]],
) -> Evidence | None:
    actual = outcomes.now[told]
    before, now = _judged(honest, today, target, actual, outcomes.problem)
    expected, doubt, bands = _expected(before.said, before.sure, before.wrong, now.said, now.sure)
    errors = now.wrong.astype(float)
    places = np.flatnonzero(inside)
    if len(places) < LEAST_CURRENT:
        # All inputs lie beyond what the reference has seen: what a model of it says there is a guess.
        return None
    excess, z = _excess(errors[places], expected[places], len(target))
    flocks = _flocking(before.wrong.astype(float) - before.wrong.mean())
    z /= math.sqrt(flocks)
    least, sure = (LEAST_EXCESS_MOVED, LEAST_Z_MOVED) if len(moved) else (LEAST_EXCESS, LEAST_Z)
    found = None
    if not moved:
        cautious = cautious_rate(expected, doubt)
        strata = [(bands == band, cautious) for band in np.unique(bands)]
        strata += [stratum(before.wrong[then], since) for then, since in regions]
        found = changes.first_excess(errors, cautious, strata, flocks)
    point = found.point if found is not None else None
    changed = bool(excess >= least and z >= sure) or (found is not None and _holds(errors, expected, found))
    rates = float(before.wrong.mean()), float(expected[places].mean()), float(errors[places].mean())
    if point is not None:
        point = replace(point, before=float(expected[point.row :].mean()))
    since = told >= told[point.row] if point is not None else inside
    exchanged = exchanged_classes(now.said[since], actual[since], expected[since], outcomes.names) if changed else ""
    change = ConceptChange(
        changed, *rates, statistics.normal_tail(z), len(places), point if changed else None, exchanged=exchanged
    )
    evidence = Evidence(change, told, errors, expected)
    if changed or moved or outcomes.problem != "classification":
        return evidence
    return _of_a_class(evidence, (honest, today), (target, actual), outcomes.names)


def _of_a_class(evidence: Evidence, raw: tuple[Any, Any], actual: tuple[Any, Any], names: Sequence[str]) -> Evidence:
    """The evidence on the class that is lost, where there is one: errors in a rare class vanish among all rows."""
    missed = {name: _missed(raw, actual, number) for number, name in enumerate(names)}
    counted = {name: ((int(then.sum()), len(then)), (int(now.sum()), len(now))) for name, (then, now) in missed.items()}
    lost = performance.lost_class(counted, LOST_P)
    if lost is None:
        return evidence
    rows = evidence.rows[actual[1] == names.index(lost.name)]
    errors = missed[lost.name][1].astype(float)
    change = replace(evidence.change, changed=True, lost=lost, p_value=lost.p_value, point=dated(errors, rows))
    return Evidence(change, rows, errors, np.full(len(rows), 1 - lost.before))


def _missed(raw: tuple[Any, Any], actual: tuple[Any, Any], number: int) -> tuple[Any, Any]:
    """Of the rows of a class, then and now, which do not look like it.

    Like it look as many rows of the reference as there are: the likeliest class of a row is hardly ever a rare one.
    """
    then, now = (side[:, number] - np.delete(side, number, axis=1).max(axis=1) for side in raw)
    limit = np.quantile(then, 1 - float((actual[0] == number).mean()))
    return then[actual[0] == number] < limit, now[actual[1] == number] < limit


def dated(errors: Any, rows: Any) -> ChangePoint | None:
    """Where errors became more, at the places that `rows` gives them in the whole table."""
    point = changes.first_change(errors)
    return point and replace(point, row=int(rows[point.row]), noticed=int(rows[point.noticed]))


def _holds(errors: Any, expected: Any, found: changes.Excess) -> bool:
    """Whether errors since then are more than expected to a degree that matters, of all or where it was noticed."""
    since = found.point.row
    there = found.among[since:]
    beyond = (errors[since:] - found.usual[since:])[there]
    if len(beyond) and beyond.mean() >= LEAST_EXCESS_THERE and beyond.sum() >= LEAST_EXCESS_OF_ALL * len(there):
        return True
    return bool((errors[since:] - expected[since:]).mean() >= LEAST_EXCESS)


def _margin(raw: Any) -> Any:
    ordered = np.sort(raw, axis=1)
    return ordered[:, -1] - ordered[:, -2] if raw.shape[1] > 1 else ordered[:, -1]


def _expected(
    said_before: Any, sure_before: Any, wrong_before: Any, said_now: Any, sure_now: Any
) -> tuple[Any, Any, Any]:
    """The error rate a current row should have, its standard error, and the band that says so.

    A band is what was said and how sure, with at least ROWS_A_BAND rows of the reference in it.
    """
    expected, doubt = np.full(len(said_now), wrong_before.mean()), np.zeros(len(said_now))
    bands = np.zeros(len(said_now), dtype=np.int64)
    band = 1
    for said in np.unique(said_before):
        own, mine = np.flatnonzero(said_before == said), np.flatnonzero(said_now == said)
        parts = int(np.clip(len(own) // ROWS_A_BAND, 1, CONFIDENCE_BANDS))
        limits = np.quantile(sure_before[own], np.linspace(0, 1, parts + 1)[1:-1])
        of_own, of_mine = np.searchsorted(limits, sure_before[own]), np.searchsorted(limits, sure_now[mine])
        for part in range(parts):
            there = wrong_before[own[of_own == part]]
            rate = (there.sum() + 0.5) / (len(there) + 1)
            here = mine[of_mine == part]
            expected[here], bands[here] = rate, band
            doubt[here] = math.sqrt(rate * (1 - rate) / (len(there) + 1))
            band += 1
    return expected, doubt, bands


def _excess(errors: Any, expected: Any, taught: int) -> tuple[float, float]:
    rows = len(errors)
    spread = math.sqrt(float((expected * (1 - expected)).sum()) * (1 + rows / taught) + 0.25)
    beyond = float((errors - expected).sum())
    return beyond / rows, beyond / spread


def _flocking(errors: Any) -> float:
    """(1 + r) / (1 - r) of the errors of neighbouring rows: how many rows count as one."""
    if len(errors) < 3 or not errors.any():
        return 1.0
    related = float((errors[1:] * errors[:-1]).sum() / (errors * errors).sum())
    return (1 + related) / (1 - related) if related > 3 / math.sqrt(len(errors)) and related < 0.99 else 1.0


def _inside(pairs: Sequence[Pair], told: Any, moved: Sequence[str]) -> Any:
    """Current rows within what the reference has seen, as far as the features that moved are concerned."""
    inside = np.ones(len(told), dtype=bool)
    for pair in pairs:
        if pair.name not in moved:
            continue
        if isinstance(pair.before, Numbers) and isinstance(pair.now, Numbers):
            values = pair.before.values[pair.before.present]
            low, high = np.quantile(values, [0.005, 0.995]) if len(values) else (0.0, 0.0)
            inside &= (pair.now.values[told] >= low) & (pair.now.values[told] <= high)
        elif isinstance(pair.before, Texts) and isinstance(pair.now, Texts):
            counts = pair.before.counts()
            common = {level for level, count in zip(pair.before.levels, counts.tolist(), strict=True) if count >= 20}
            inside &= np.array([*(level in common for level in pair.now.levels), True])[pair.now.codes[told]]
    return inside


def _known(target: Any, outcomes: Outcomes) -> Any:
    return np.isfinite(target) if outcomes.problem == "regression" else target >= 0


def _numerals(distinct: Any) -> tuple[str, ...]:
    return tuple(f"{value:.15g}" for value in distinct.tolist())


def _places(column: Numbers, distinct: Any) -> Any:
    return np.where(column.present, np.searchsorted(distinct, np.nan_to_num(column.values)), -1)


def _binned(pair: Pair, rows: Any, told: Any, target: Any) -> tuple[Any, Any]:
    """Both sides in at most BINS bins that have an order: of values, or of categories by the target's mean."""
    most = boosting.BINS - 1
    if isinstance(pair.before, Numbers) and isinstance(pair.now, Numbers):
        values = pair.before.values[rows]
        present = values[np.isfinite(values)]
        edges = np.unique(np.quantile(present, np.linspace(0, 1, most)[1:-1])) if len(present) else np.zeros(0)
        found = [
            np.where(np.isfinite(side), np.searchsorted(edges, side) + 1, 0) for side in (values, pair.now.values[told])
        ]
        return found[0].astype(np.uint8), found[1].astype(np.uint8)
    assert isinstance(pair.before, Texts)
    assert isinstance(pair.now, Texts)
    codes = pair.before.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(pair.before.levels))
    common = np.argsort(-counts, kind="stable")[: most - 1]
    common = common[counts[common] > 0]
    means = [float(target[codes == code].mean()) for code in common]
    order = {pair.before.levels[common[place]]: rank + 2 for rank, place in enumerate(np.argsort(means, kind="stable"))}
    sides = []
    for column, wanted in ((pair.before, rows), (pair.now, told)):
        bins = np.array([*(order.get(level, 1) for level in column.levels), 0], dtype=np.uint8)
        sides.append(bins[column.codes[wanted]])
    return sides[0], sides[1]


def _worth_asking(bins: Any, target: Any, outcomes: Outcomes) -> Any:
    """The features that tell most of the target by themselves, where there are too many to ask all."""
    if bins.shape[1] <= MOST_FEATURES:
        return np.arange(bins.shape[1])
    centred = (
        np.eye(outcomes.classes)[target] if outcomes.problem == "classification" else target[:, None].astype(float)
    )
    centred = centred - centred.mean(axis=0)
    gains = []
    for place in range(bins.shape[1]):
        counts = np.bincount(bins[:, place], minlength=boosting.BINS)
        sums = np.stack([np.bincount(bins[:, place], column, boosting.BINS) for column in centred.T])
        gains.append(float((sums**2 / (counts + 10)).sum()))
    return np.sort(np.argsort(gains)[-MOST_FEATURES:])
