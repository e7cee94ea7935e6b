"""Two tables in, one verdict out: the whole judgement where the rows themselves are at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.drift import concept, performance, seasons, segments
from pipelines.drift.columns import Column, Moments, Numbers, Table, Texts, as_texts, truth_as_number
from pipelines.drift.comparison import change_of, compare, judge_features, normalised
from pipelines.drift.dates import change_of_dates, in_days, with_moments
from pipelines.drift.displaced import without_displaced
from pipelines.drift.judge import LEAST_ROWS, Evidence, decide
from pipelines.drift.labels import with_labels
from pipelines.drift.output_breaks import find_label_breaks, find_output_breaks
from pipelines.drift.pairing import Pair, make_pair, pair_columns, settle
from pipelines.drift.repeats import without_repeats
from pipelines.drift.roles import TIMESTAMPS, Roles, Wish, find_roles
from pipelines.drift.swaps import find_swaps
from pipelines.drift.urgency import UrgencyPolicy
from pipelines.drift.values import (
    ChangePoint,
    ConceptChange,
    FeatureDrift,
    Part,
    Performance,
    Persistence,
    Role,
    SchemaBreak,
    Segment,
    Verdict,
)
from pipelines.errors import Refused

# The current window is looked at in so many parts, where each has enough rows.
PARTS = 4
LEAST_PART = 100
PART_P = 0.01
# Where only the current rows have labels, so many of them say what was usual.
FIRST_PART = 0.4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the labels say."""

    performance: Performance | None = None
    estimated: Performance | None = None
    concept: ConceptChange | None = None
    change_point: ChangePoint | None = None
    segments: tuple[Segment, ...] = ()
    persistence: Persistence | None = None


def examine(
    reference: Table,
    current: Table,
    labels: Table | None = None,
    wish: Wish | None = None,
    importance: Mapping[str, float] | None = None,
    policy: UrgencyPolicy | None = None,
) -> Verdict:
    """Judge `current` by `reference`. Raises Refused for what cannot be compared at all."""
    importance = importance or {}
    told = with_labels(reference, current, labels, wish or Wish())
    clocks = (*TIMESTAMPS, told.wish.timestamp.lower())
    reference, current = with_moments(*settle(told.reference, told.current), clocks)
    roles = find_roles(reference, current, told.brought, told.wish)
    if not set(reference.columns) & set(current.columns):
        raise Refused("The two tables have no column in common; are they of the same model?")
    notes, rows_before = [*_notes(reference, current), *told.notes], reference.rows
    reference, current, season = _in_time(reference, current, roles)
    current, repeats = without_repeats(reference, current, [name for name in roles.valued if name])
    notes += [each for each in (season, repeats) if each]
    pairs, breaks = pair_columns(reference, current, roles.features, roles.dates)
    if min(reference.rows, current.rows) < LEAST_ROWS:
        breaks = [found for found in breaks if found.what in ("gone", "new", "type") and current.rows and rows_before]
    outputs = _outputs(reference, current, roles)
    order = seasons.order_of(reference, current, roles.timestamp, roles.valued)
    features = _features(pairs, outputs, importance, roles.dates, order)
    broken = {found.name for found in breaks}
    breaks += find_swaps([pair for pair in pairs if pair.name not in broken], features)
    broken = {found.name for found in breaks}
    moved = [feature for feature in features if feature.drifted and feature.name not in broken]
    breaks += _output_breaks(reference, current, roles, any(feature.role == "feature" for feature in moved))
    trusted = roles.without({found.name for found in breaks})
    sound = [pair for pair in pairs if pair.name not in broken]
    outcome = _outcome(reference, current, trusted, sound, moved)
    notes += _unused(current, roles, outcome, told.brought) if trusted.target == roles.target else []
    left_out = {**reference.left_out, **current.left_out, **roles.left_out}
    return decide(
        Evidence(
            features=features, rows_before=reference.rows, rows_now=current.rows,
            breaks=_ordered(breaks, importance), segments=_worst(outcome.segments, pairs, moved),
            performance=outcome.performance, estimated=outcome.estimated, concept=outcome.concept,
            change_point=outcome.change_point, persistence=outcome.persistence or _persistence(pairs, moved, order),
            importance_known=any(importance.get(pair.name, 0) for pair in pairs), left_out=left_out,
            notes=tuple(notes), same_answers=_same_answers(sound, outputs, moved),
        ),
        policy,
    )  # fmt: skip


def _notes(reference: Table, current: Table) -> list[str]:
    return [
        f"{name} was judged by a random sample of {table.rows:,} of {table.total_rows:,} rows"
        for name, table in (("The reference", reference), ("The current table", current))
        if table.rows < table.total_rows
    ]


def _in_time(reference: Table, current: Table, roles: Roles) -> tuple[Table, Table, str]:
    """Both in the order of their clock; the reference at the hours and on the weekdays of the current rows."""
    then, now = reference.columns.get(roles.timestamp), current.columns.get(roles.timestamp)
    if not isinstance(then, Moments) or not isinstance(now, Moments):
        return in_days(reference, roles.dates), in_days(current, roles.dates), ""
    rows, words = seasons.alike_rows(then, now)
    rows = rows[np.argsort(then.seconds[rows], kind="stable")]
    reference = replace(reference.take(rows), left_out=reference.left_out)
    if (np.diff(now.seconds) < 0).any():
        current = replace(
            current.take(np.argsort(now.seconds, kind="stable")),
            left_out=current.left_out,
            total_rows=current.total_rows,
        )
    return in_days(reference, roles.dates), in_days(current, roles.dates), words


def _outputs(reference: Table, current: Table, roles: Roles) -> dict[Role, Pair]:
    found: dict[Role, Pair] = {}
    named: tuple[tuple[Role, str], ...] = (("prediction", roles.prediction), ("score", roles.score))
    for role, name in named:
        then, now = reference.columns.get(name), current.columns.get(name)
        if (isinstance(then, Numbers) and isinstance(now, Numbers)) or (
            isinstance(then, Texts) and isinstance(now, Texts)
        ):
            found[role] = make_pair(name, then, now)
    return found


def _output_breaks(reference: Table, current: Table, roles: Roles, moved: bool) -> list[SchemaBreak]:
    """What is wrong with labels and answers; each is fixed at another place than the features are."""
    found: list[SchemaBreak] = []
    named: tuple[tuple[Part, str], ...] = (
        ("label", roles.target), ("prediction", roles.prediction), ("score", roles.score),
    )  # fmt: skip
    for part, name in named:
        then, now = reference.columns.get(name), current.columns.get(name)
        if then is None or now is None:
            continue
        found += (
            find_label_breaks(name, then, now, moved, current.columns.get(roles.prediction))
            if part == "label"
            else (find_output_breaks(name, part, then, now, moved))
        )
    return found


def _same_answers(pairs: Sequence[Pair], outputs: Mapping[Role, Pair], moved: Sequence[FeatureDrift]) -> bool | None:
    """Whether the model says of the same inputs what it said, where its answers moved and no input did by itself.

    Inputs may move together: each as it was, and not their combinations. None where that was not to be looked at.
    """
    answers = [outputs[each.role] for each in moved if each.role in outputs]
    if not answers or any(each.role == "feature" for each in moved):
        return None
    found = [concept.outcomes_of(pair.before, pair.now) for pair in answers]
    seen = [concept.find_concept_change(pairs, each, []) for each in found if each is not None]
    return bool(seen) and all(each is not None and not each.change.changed for each in seen)


def _unused(current: Table, roles: Roles, outcome: Outcome, brought: Sequence[str]) -> list[str]:
    """Why labels that are there say nothing, where they do: silence would be taken for a good model."""
    if brought and roles.target not in current.columns:
        return [f"None of the columns that the labels brought is known as the outcome: {', '.join(brought)}. "
                "Say which it is with --target."]  # fmt: skip
    now = current.columns.get(roles.target)
    said = outcome.performance or outcome.concept or outcome.change_point
    if now is None or said:
        return []
    known = int(now.present.sum())
    return [f"`{roles.target}` could not be used: it is known of {known:,} of the current rows, where "
            f"{concept.LEAST_CURRENT} are needed, and of classes or numbers as in the reference."]  # fmt: skip


def _features(
    features: Sequence[Pair],
    outputs: Mapping[Role, Pair],
    importance: Mapping[str, float],
    dates: Mapping[str, str],
    order: seasons.Order,
) -> tuple[FeatureDrift, ...]:
    pairs = [*features, *outputs.values()]
    roles: dict[str, Role] = {pair.name: role for role, pair in outputs.items()}
    shares = normalised(importance, [pair.name for pair in features]) if features else {}
    compared = {
        pair.name: compare(pair.reference, pair.current, seasons.independent_share(pair, order), named_by_both=True)
        for pair in pairs
    }
    kinds = {pair.name: pair.kind for pair in pairs}
    changes = {
        pair.name: change_of_dates(pair, dates[pair.name])
        if pair.name in dates
        else change_of(pair.reference, pair.current)
        for pair in pairs
    }
    judged = judge_features(compared, kinds, shares, {}, roles, changes)
    candidates = {feature.name for feature in judged if feature.drifted}
    if not candidates or order.key:
        # Blocks of a sorted table are parts of its values and no windows.
        return judged
    usual = {pair.name: seasons.usual_strength(pair, len(pair.now)) for pair in pairs if pair.name in candidates}
    return judge_features(compared, kinds, shares, usual, roles, changes)


def _outcome(
    reference: Table, current: Table, roles: Roles, pairs: Sequence[Pair], moved: Sequence[FeatureDrift]
) -> Outcome:
    truth = reference.columns.get(roles.target), current.columns.get(roles.target)
    said = reference.columns.get(roles.prediction), current.columns.get(roles.prediction)
    scores = reference.columns.get(roles.score), current.columns.get(roles.score)
    if truth[1] is not None and truth[0] is not None:
        return _with_labels(truth[0], truth[1], said, scores, pairs, moved)
    if truth[0] is None and truth[1] is not None:
        return _by_itself(said[1], scores[1], truth[1], pairs)
    return Outcome(estimated=_estimated(said, scores, truth[0]))


def _with_labels(
    before: Column,
    now: Column,
    said: tuple[Column | None, Column | None],
    scores: tuple[Column | None, Column | None],
    pairs: Sequence[Pair],
    moved: Sequence[FeatureDrift],
) -> Outcome:
    outcomes = concept.outcomes_of(before, now)
    if outcomes is None:
        return Outcome()
    inputs = [each.name for each in moved if each.role == "feature"]
    evidence = concept.find_concept_change(pairs, outcomes, inputs)
    evidence = without_displaced(pairs, outcomes, inputs, evidence) if evidence is not None else None
    measured, wrong = None, None
    if said[0] is not None and said[1] is not None:
        _, wrong, measured = _measured(before, now, said[0], said[1])
    found = Outcome(measured, _estimated(said, scores, before), evidence.change if evidence else None)
    if evidence is not None and evidence.change.changed:
        where = segments.erring_segments(pairs, evidence.rows, evidence.errors, evidence.expected)
        held = _held(evidence.errors - evidence.expected)
        return replace(found, change_point=evidence.change.point, segments=where, persistence=held)
    if wrong is not None and measured is not None and measured.worse and measured.metric == "accuracy":
        of_class = measured.worst_class
        known = np.isfinite(wrong) if of_class is None else np.isfinite(wrong) & _is(now, of_class.name)
        rows = np.flatnonzero(known)
        usual = np.full(len(rows), 1 - (measured.before if of_class is None else of_class.before))
        where = segments.erring_segments(pairs, rows, wrong[rows], usual)
        held = _held(wrong[rows] - usual)
        return replace(found, change_point=concept.dated(wrong[rows], rows), segments=where, persistence=held)
    return found


def _is(actual: Column, name: str) -> Any:
    """Rows of one class."""
    texts = as_texts(truth_as_number(actual))
    return np.array([*(level == name for level in texts.levels), False])[texts.codes]


def _measured(
    before: Column, now: Column, said_before: Column, said_now: Column
) -> tuple[Any, Any, Performance | None]:
    together = concept.outcomes_of(_stacked(before, said_before), _stacked(now, said_now))
    if together is None:
        return None, None, None
    actual = together.before[: len(before)], together.now[: len(now)]
    said = together.before[len(before) :], together.now[len(now) :]
    if together.problem == "regression":
        return performance.regression(said, actual)
    return performance.classification(said, actual, together.names)


def _stacked(actual: Column, said: Column) -> Column:
    """Labels and predictions under one numbering of classes."""
    actual, said = truth_as_number(actual), truth_as_number(said)
    if isinstance(actual, Numbers) and isinstance(said, Numbers):
        return Numbers(np.concatenate([actual.values, said.values]))
    if isinstance(actual, Texts) and isinstance(said, Texts):
        names = tuple(dict.fromkeys([*actual.levels, *said.levels]))
        places = {name: place for place, name in enumerate(names)}
        parts = [np.array([*(places[level] for level in side.levels), -1])[side.codes] for side in (actual, said)]
        return Texts(np.concatenate(parts), names)
    return Moments(np.zeros(0))


def _estimated(
    said: tuple[Column | None, Column | None], scores: tuple[Column | None, Column | None], before: Column | None
) -> Performance | None:
    """Only for a binary classifier whose score is that of the higher class."""
    said = _as_numbers(said[0]), _as_numbers(said[1])
    before = _as_numbers(before)
    if not all(isinstance(score, Numbers) for score in scores):
        return None
    confidence = [score.values for score in scores if isinstance(score, Numbers)]
    if all(isinstance(one, Numbers) for one in said):
        named = [np.where(one.present, one.values, -1) for one in said if isinstance(one, Numbers)]
        if any(set(np.unique(one)) - {-1.0, 0.0, 1.0} for one in named):
            return None
    else:
        named = [np.where(np.isfinite(score), score >= 0.5, -1).astype(float) for score in confidence]
    right = np.full(len(confidence[0]), np.nan)
    if isinstance(before, Numbers) and set(np.unique(before.values[before.present])) <= {0.0, 1.0}:
        right = np.where(before.present & (named[0] >= 0), before.values == named[0], np.nan).astype(float)
    return performance.estimated((named[0], named[1]), (confidence[0], confidence[1]), right)


def _as_numbers(column: Column | None) -> Column | None:
    return truth_as_number(column) if column is not None else None


def _by_itself(said: Column | None, score: Column | None, actual: Column, pairs: Sequence[Pair]) -> Outcome:
    """The reference has no labels: the current rows are all there is, for a small model and for the served one."""
    found = _by_its_beginning(actual, pairs)
    if said is None:
        return found
    wrong = _wrong(said, actual)
    rows = np.flatnonzero(np.isfinite(wrong))
    point = concept.dated(wrong[rows], rows)
    measured = performance.since(wrong, point) or performance.promised(_as_numbers(said), _as_numbers(score), wrong)
    return replace(found, performance=measured, change_point=found.change_point or point)


def _by_its_beginning(actual: Column, pairs: Sequence[Pair]) -> Outcome:
    """The first part of the rows is a reference of its own."""
    start = int(FIRST_PART * len(actual))
    early, late = np.arange(start), np.arange(start, len(actual))
    outcomes = concept.outcomes_of(actual.take(early), actual.take(late))
    if outcomes is None:
        return Outcome()
    sides = [make_pair(pair.name, pair.now.take(early), pair.now.take(late)) for pair in pairs]
    evidence = concept.find_concept_change(sides, outcomes, [])
    if evidence is None:
        return Outcome()
    point = evidence.change.point
    if point is not None:
        point = replace(point, row=point.row + start, noticed=point.noticed + start)
    change = replace(evidence.change, point=point)
    where: tuple[Segment, ...] = ()
    if change.changed:
        where = segments.erring_segments(sides, evidence.rows, evidence.errors, evidence.expected)
    return Outcome(concept=change, change_point=point, segments=where)


def _wrong(said: Column, actual: Column) -> Any:
    """0 or 1 a row; NaN where unknown, and in all rows where there are no classes to be right about."""
    outcomes = concept.outcomes_of(_stacked(actual, said), _stacked(actual, said))
    if outcomes is None or outcomes.problem == "regression":
        return np.full(len(actual), np.nan)
    truth, named = outcomes.now[: len(actual)], outcomes.now[len(actual) :]
    return np.where((truth >= 0) & (named >= 0), truth != named, np.nan).astype(float)


def _persistence(pairs: Sequence[Pair], moved: Sequence[FeatureDrift], order: seasons.Order) -> Persistence | None:
    """In how many consecutive parts of the current window one of the features that moved is seen by itself.

    None where the rows are in no order of time, or the drift is too small to be seen in any part: neither tells
    whether it lasts.
    """
    by_name = {pair.name: pair for pair in pairs}
    watched = [by_name[feature.name] for feature in moved[:5] if feature.name in by_name]
    if not watched or len(watched[0].now) < PARTS * LEAST_PART or order.sorted_now:
        return None
    seen = 0
    for rows in np.array_split(np.arange(len(watched[0].now)), PARTS):
        parts = (make_pair(pair.name, pair.before, pair.now.take(rows)) for pair in watched)
        found = (compare(part.reference, part.current, named_by_both=True) for part in parts)
        seen += any(min(each.value_p, each.missing_p or 1.0) < PART_P and each.strength >= 1 for each in found)
    return Persistence(seen, PARTS) if seen else None


def _held(excess: Any) -> Persistence | None:
    """In how many parts of the window there are clearly more errors than expected."""
    if len(excess) < PARTS * LEAST_PART:
        return None
    parts = np.array_split(excess, PARTS)
    seen = sum(bool(part.mean() > max(0.01, excess.mean() / 3)) for part in parts)
    return Persistence(seen, PARTS) if seen else None


def _ordered(breaks: Sequence[SchemaBreak], importance: Mapping[str, float]) -> tuple[SchemaBreak, ...]:
    return tuple(sorted(breaks, key=lambda found: (found.what == "new", -importance.get(found.name, 0.0))))


def _worst(erring: tuple[Segment, ...], pairs: Sequence[Pair], moved: Sequence[FeatureDrift]) -> tuple[Segment, ...]:
    grown = segments.grown_segments({pair.name: (pair.reference, pair.current) for pair in pairs}, moved)
    return (erring + tuple(segment for segment in grown if segment.where not in {each.where for each in erring}))[:6]
