"""From evidence to a verdict: which kind of drift, how urgent, why, and what would change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.drift.comparison import MISSING_FLOOR, Q_VALUE
from pipelines.drift.urgency import UrgencyPolicy, severity, weigh
from pipelines.drift.values import (
    ChangePoint,
    ClassRecall,
    ConceptChange,
    FeatureDrift,
    Kind,
    Performance,
    Persistence,
    Remedy,
    SchemaBreak,
    Segment,
    Urgency,
    Verdict,
)

# A model whose errors grew by more than this share beyond what moved inputs do to a fresh one has decayed by itself.
UNEXPLAINED = 0.5
LEAST_ROWS = 50
# Half of what makes a feature drift by itself.
STIRRED = 0.5
# Went missing: by this share of the rows, and of all that drifted these hold at least half of the weight.
MOSTLY_MISSING = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was measured. `features` are judged already, worst first.

    `same_answers`: whether the model says of the same inputs what it said; None where that is not known.
    """

    features: tuple[FeatureDrift, ...]
    rows_before: int
    rows_now: int
    breaks: tuple[SchemaBreak, ...] = ()
    segments: tuple[Segment, ...] = ()
    performance: Performance | None = None
    estimated: Performance | None = None
    concept: ConceptChange | None = None
    change_point: ChangePoint | None = None
    persistence: Persistence | None = None
    importance_known: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    same_answers: bool | None = None


def decide(evidence: Evidence, policy: UrgencyPolicy | None = None) -> Verdict:
    """The verdict. Too few rows are no drift that was found, and the verdict says that it was not judged."""
    rows = min(evidence.rows_before, evidence.rows_now)
    judged = rows >= LEAST_ROWS
    kind = kind_of(evidence) if judged or evidence.breaks else "no drift"
    weighed = weigh(
        kind, evidence.features, evidence.breaks, evidence.performance, evidence.estimated, evidence.concept,
        evidence.persistence, evidence.importance_known, policy or UrgencyPolicy(),
    )  # fmt: skip
    why = [*_why(kind, evidence, judged), weighed.why] if weighed.why else _why(kind, evidence, judged)
    return Verdict(
        kind=kind, urgency=weighed.urgency, why=tuple(why), would_change=tuple(_would_change(kind, evidence, judged)),
        features=evidence.features, breaks=evidence.breaks, segments=evidence.segments if kind != "no drift" else (),
        performance=evidence.performance, estimated=evidence.estimated, concept=evidence.concept,
        change_point=evidence.change_point if kind in ("concept drift", "model decay") else None,
        persistence=evidence.persistence, remedy=remedy_of(kind, evidence, weighed.urgency), judged=judged,
        rows_before=evidence.rows_before, rows_now=evidence.rows_now, left_out=evidence.left_out, notes=evidence.notes,
    )  # fmt: skip


def kind_of(evidence: Evidence) -> Kind:
    """Broken columns hide everything else; a changed concept explains moved inputs' errors, not the reverse."""
    if evidence.breaks:
        return "schema break"
    if evidence.concept is not None and evidence.concept.changed:
        return "concept drift"
    worse = evidence.performance is not None and evidence.performance.worse
    if any(feature.drifted for feature in evidence.features if feature.role == "feature"):
        return "model decay" if worse and _unexplained(evidence) else "data drift"
    if worse:
        return "concept drift" if _outcomes_alone(evidence) else "model decay"
    if evidence.performance is None and evidence.estimated is not None and evidence.estimated.worse:
        return "model decay"
    if any(feature.drifted for feature in evidence.features):
        return "data drift" if evidence.same_answers or _stirred(evidence) else "model decay"
    return "no drift"


def _stirred(evidence: Evidence) -> bool:
    """Whether inputs moved surely, though by too little to be told one by one: together they may move the answers."""
    inputs = [feature for feature in evidence.features if feature.role == "feature"]
    return any(feature.q_value < Q_VALUE and feature.strength >= STIRRED for feature in inputs)


def _outcomes_alone(evidence: Evidence) -> bool:
    """Whether only the outcomes can have changed: one model, moved by nothing, says of the same inputs what it said.

    For where no rows are at hand that could show it directly.
    """
    claimed = evidence.performance is not None and evidence.performance.claimed
    return (evidence.concept is None or claimed) and not any(feature.drifted for feature in evidence.features)


def _unexplained(evidence: Evidence) -> bool:
    """Whether the model lost far more than moved inputs cost: by its own scores, and for a fresh small model.

    The scores alone do not show it: where inputs are that the model never saw, it may be sure and wrong.
    """
    assert evidence.performance is not None
    drop = evidence.performance.drop
    if _went_missing(evidence):
        return False  # a small model copes with what is missing as no model does that never met it
    if evidence.performance.metric != "accuracy" or drop < 0.04 or evidence.concept is None:
        return False
    expected = [found.drop for found in (evidence.estimated,) if found is not None]
    expected.append(evidence.concept.error - evidence.concept.error_before)
    return max(expected) < (1 - UNEXPLAINED) * drop


def remedy_of(kind: Kind, evidence: Evidence, urgency: Urgency | None) -> Remedy:
    if kind == "no drift":
        return "nothing"
    if kind == "schema break":
        on_reference = all(found.side == "reference" for found in evidence.breaks)
        return "fix the reference" if on_reference else "fix the source"
    if kind in ("model decay", "data drift") and _went_missing(evidence):
        return "fix the source"
    if kind == "model decay":
        return "roll back"
    if kind == "concept drift":
        exchanged = evidence.concept is not None and evidence.concept.exchanged
        return "fix the source" if exchanged else "retrain"
    worse = any(found is not None and found.worse for found in (evidence.performance, evidence.estimated))
    if urgency == "P0":
        return "retrain"  # most of what the model goes by is not as it was, whether or not labels say what that costs
    unseen = any(feature.unseen > 0.05 for feature in evidence.features if feature.drifted)
    return "retrain" if worse else "feature engineering" if unseen else "nothing"


def _went_missing(evidence: Evidence) -> bool:
    """Whether what drifted did so mostly because values no longer come."""
    drifted = [feature for feature in evidence.features if feature.drifted and feature.role == "feature"]
    gone = [
        feature for feature in drifted
        if (feature.missing_now - feature.missing_before) / MISSING_FLOOR >= max(1.0, 0.99 * feature.strength)
    ]  # fmt: skip
    return bool(gone) and severity(gone) >= MOSTLY_MISSING * severity(drifted)


def _why(kind: Kind, evidence: Evidence, judged: bool) -> list[str]:
    found = []
    if not judged:
        found.append(
            f"Too few rows to judge: {evidence.rows_now:,} against {evidence.rows_before:,} of the reference, "
            f"where each needs {LEAST_ROWS}."
        )
    found += [f"{broken.name} {broken.detail}{_where(broken)}." for broken in evidence.breaks[:5]]
    if judged and kind == "no drift":
        found.append(f"None of {len(evidence.features)} columns moved by more than chance and by enough to matter.")
    drifted = [feature for feature in evidence.features if feature.drifted]
    if judged and drifted and kind != "schema break":
        named = "; ".join(f"{feature.name} ({feature.change})" for feature in drifted[:5])
        found.append(f"{len(drifted)} of {len(evidence.features)} columns moved: {named}.")
    if judged:
        found += _performance_sentences(evidence)
    return found


def _where(broken: SchemaBreak) -> str:
    return " of the reference" if broken.side == "reference" else ""


def _performance_sentences(evidence: Evidence) -> list[str]:
    found = []
    for measured in (evidence.performance, evidence.estimated):
        if measured is not None:
            label = f"estimated {measured.metric}" if measured.estimated else measured.metric
            verdict = "worse" if measured.worse else "not worse"
            found.append(
                f"{label.capitalize()} is {measured.now:.3f}, was {measured.before:.3f}: {verdict} "
                f"({measured.rows:,} rows{'' if measured.estimated else ' with labels'})."
            )
        if measured is not None and measured.lost is not None:
            found.append(_lost("Of", measured.lost))
    concept = evidence.concept
    if concept is not None and concept.lost is not None:
        found.append(f"For a small model of the reference as well: {_lost('of', concept.lost)}")
    elif concept is not None and concept.displaced:
        found.append(
            f"A small model of the reference errs in {concept.error:.1%} of the current rows where "
            f"{concept.expected_error:.1%} were to be expected, but the outcomes are as "
            f"if {', '.join(concept.displaced[:3])} had not moved: the inputs moved, the outcomes did not follow."
        )
    elif concept is not None:
        told = "more than expected, so the same inputs have other outcomes" if concept.changed else "as expected"
        found.append(
            f"A small model of the reference errs in {concept.error:.1%} of the current rows where "
            f"{concept.expected_error:.1%} were to be expected: {told}."
        )
        if concept.exchanged:
            found.append(
                f"With {concept.exchanged} exchanged the outcomes are as they were: first look whether the labels are "
                "written otherwise."
            )
    elif evidence.performance is not None and evidence.performance.worse and _outcomes_alone(evidence):
        found.append("Inputs and predictions are as they were, so the same inputs probably have other outcomes.")
    return found


def _lost(of: str, lost: ClassRecall) -> str:
    return (
        f"{of} the rows that are “{lost.name}” {lost.before:.1%} were recognised; "
        f"of the {lost.rows:,} now {lost.now:.1%} are."
    )


def _would_change(kind: Kind, evidence: Evidence, judged: bool) -> list[str]:
    if not judged and not evidence.breaks:
        return [f"At least {LEAST_ROWS} rows on both sides."]
    if kind == "schema break":
        return ["The columns coming as they did before; then the rest can be judged.", *_labels_missing(evidence)]
    found = []
    if kind == "data drift":
        found.append("The same features within their usual range in the next windows would end it.")
        found += _labels_missing(evidence)
        if evidence.performance is not None and not evidence.performance.worse:
            found.append("A fall of the performance would make it more urgent.")
    elif kind == "concept drift":
        found.append("Errors as few as on the reference in the next labelled windows would end it.")
        if evidence.concept is not None and evidence.concept.exchanged:
            found.append("Were the labels found to be right, retraining would be the remedy.")
    elif kind == "model decay":
        found.append("Performance back at the reference's in the next windows would end it.")
        if evidence.performance is None:
            found += _labels_missing(evidence)
    else:
        found += _labels_missing(evidence)
        near = [feature for feature in evidence.features if feature.strength >= 0.7]
        if near:
            found.append(f"{near[0].name} is nearest to its limit.")
    if not evidence.importance_known and kind == "data drift":
        found.append("Importances would tell whether the model goes by what moved.")
    return found


def _labels_missing(evidence: Evidence) -> list[str]:
    broken = any(found.part == "label" for found in evidence.breaks)
    if evidence.performance is None and evidence.concept is None and not broken:
        return ["Labels would tell whether outcomes changed; without them a changed concept cannot be seen."]
    return []
