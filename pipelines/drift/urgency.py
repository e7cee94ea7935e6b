"""How urgent a verdict is: effect x importance x performance x persistence, by policy and never by a model's word."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pipelines.drift.values import (
    ConceptChange,
    FeatureDrift,
    Kind,
    Part,
    Performance,
    Persistence,
    SchemaBreak,
    Urgency,
)

# Strength in units of the floor that counts as a whole: five times the floor is a PSI of 0.25, "a major shift" by the
# rule of thumb of credit scoring (Siddiqi 2006).
WHOLE_STRENGTH = 5.0


# While a season cannot be ruled out a fall must be severe for certain: less so many of its standard errors.
IN_DOUBT = 3.0
LEAST_P = 1e-300
UNKNOWN_SEASON = "It may be a season that is not known yet: three days alike, or three weeks of records, would tell."


@dataclass(frozen=True, slots=True)
class UrgencyPolicy:
    """Shares of 1: of the metric (`drop`), of importance (`weight`), of all importance times effect (`severity`)."""

    severe_drop: float = 0.05
    noticeable_drop: float = 0.02
    severe_severity: float = 0.5
    noticeable_severity: float = 0.15
    heavy_weight: float = 0.1


@dataclass(frozen=True, slots=True)
class Weighed:
    """The urgency, and the sentence that says what made it so."""

    urgency: Urgency | None
    why: str


def severity(features: Sequence[FeatureDrift]) -> float:
    """Importance times effect over all features that drifted: 1 where the model reads nothing as it was."""
    return sum(
        feature.importance * min(1.0, feature.strength / WHOLE_STRENGTH) for feature in features if feature.drifted
    )


def weigh(
    kind: Kind,
    features: Sequence[FeatureDrift],
    breaks: Sequence[SchemaBreak],
    performance: Performance | None,
    estimated: Performance | None,
    concept: ConceptChange | None,
    persistence: Persistence | None,
    importance_known: bool,
    policy: UrgencyPolicy,
) -> Weighed:
    """P0 asks for an act now, P1 for an analysis, P2 for a look; None where there is nothing."""
    if kind == "no drift":
        return Weighed(None, "")
    # What was measured counts; an estimate only where nothing was.
    known = performance or estimated
    drop = known.loss if known is not None and known.worse else 0.0
    lost = known.worst_class if known is not None and known.worse else None
    if kind == "schema break":
        return _of_breaks(features, breaks, drop, importance_known, policy)
    if kind in ("concept drift", "model decay"):
        if kind == "concept drift" and concept is not None and performance is None:
            lost = concept.lost
            drop = max(drop, lost.drop if lost else concept.error - concept.expected_error)
        if kind == "model decay" and not drop:
            return Weighed("P1", "The model answers otherwise though nothing that it reads has moved.")
        of = f"what is “{lost.name}”" if lost else "the predictions"
        weighed = _of_drop(drop, of, _doubtful(drop, known, persistence, policy), persistence, policy)
        if weighed.urgency == "P0" and performance is not None and performance.claimed:
            return Weighed("P1", f"{weighed.why} Whether its scores were ever right is not known.")
        return weighed
    if performance is None and concept is not None and concept.displaced:
        # Any model that goes by these columns errs as much more as the small one does.
        drop = max(drop, concept.error - concept.expected_error)
    doubtful = _doubtful(drop, known, persistence, policy)
    return _of_features(severity(features), drop, doubtful, persistence, importance_known, policy)


def _doubtful(drop: float, known: Performance | None, persistence: Persistence | None, policy: UrgencyPolicy) -> bool:
    """Whether a fall may be severe by chance alone, where a season may have made it noticeable.

    A class that is hardly found any more is no season's doing.
    """
    if known is None or persistence is None or not persistence.seasonal or known.worst_class is not None:
        return False
    errors = -NormalDist().inv_cdf(min(max(known.p_value, LEAST_P), 0.5))
    return drop - IN_DOUBT * known.drop / max(errors, 1.0) < policy.severe_drop


def _of_breaks(
    features: Sequence[FeatureDrift], breaks: Sequence[SchemaBreak], drop: float, known: bool, policy: UrgencyPolicy
) -> Weighed:
    live = {found.name for found in breaks if found.side == "current" and found.what != "new"}
    if not live:
        if any(found.side == "reference" for found in breaks):
            return Weighed("P1", "What is served is sound; the reference is not, so nothing can be told by it.")
        return Weighed("P2", "Nothing that the model reads is broken.")
    parts = {found.part for found in breaks if found.name in live}
    if "prediction" in parts:
        return Weighed("P0", "What the model answers is broken, whatever it reads.")
    if "feature" not in parts:
        return Weighed("P1", _told_by(parts))
    weight = sum(feature.importance for feature in features if feature.name in live)
    if drop >= policy.noticeable_drop:
        return Weighed("P0", f"The model reads broken columns and is worse by {drop:.1%}.")
    if known and weight >= policy.heavy_weight:
        return Weighed("P0", f"The broken columns hold {weight:.0%} of what the model goes by.")
    if known:
        return Weighed("P1", f"The broken columns hold only {weight:.0%} of what the model goes by.")
    return Weighed("P1", "How much the model goes by the broken columns is not known.")


def _told_by(parts: Collection[Part]) -> str:
    if "score" in parts:
        return "How sure the model is can no longer be told by its score."
    return "The labels are broken, so nothing is known of the performance."


def _of_drop(drop: float, of: str, doubtful: bool, persistence: Persistence | None, policy: UrgencyPolicy) -> Weighed:
    passing = persistence is not None and persistence.of >= 2 and not persistence.lasting
    if drop >= policy.severe_drop and not passing and doubtful:
        return Weighed("P1", f"It costs {drop:.1%} of {of}, but hardly for certain. {UNKNOWN_SEASON}")
    if drop >= policy.severe_drop and not passing:
        return Weighed("P0", f"It costs {drop:.1%} of {of}; {policy.severe_drop:.0%} is severe.")
    if drop >= policy.severe_drop:
        return Weighed("P1", f"It costs {drop:.1%} of {of}, but in a part of the window only.")
    if drop >= policy.noticeable_drop:
        return Weighed("P1", f"It costs {drop:.1%} of {of}; {policy.severe_drop:.0%} would be severe.")
    return Weighed("P2", f"It costs {drop:.1%} of {of}.")


def _of_features(
    severe: float, drop: float, doubtful: bool, persistence: Persistence | None, known: bool, policy: UrgencyPolicy
) -> Weighed:
    lasting = persistence is not None and persistence.lasting
    seen = f", seen in {persistence.seen} of {persistence.of} windows" if persistence and persistence.of > 1 else ""
    if drop >= policy.severe_drop and lasting and not doubtful:
        return Weighed("P0", f"The inputs moved and the model is worse by {drop:.1%}{seen}.")
    heavy = severe >= policy.severe_severity and lasting and known
    if heavy and not (persistence and persistence.seasonal):
        return Weighed(
            "P0", f"The model goes by the features that moved: importance times effect is {severe:.2f}{seen}."
        )
    if drop >= policy.noticeable_drop:
        return Weighed("P1", f"The inputs moved and the model is worse by {drop:.1%}{seen}.")
    if heavy:
        return Weighed(
            "P1",
            f"The model goes by what moved: importance times effect is {severe:.2f}{seen}. {UNKNOWN_SEASON}",
        )
    if severe >= policy.noticeable_severity:
        return Weighed("P1", f"Importance times effect is {severe:.2f}{seen}; performance is not known to suffer.")
    return Weighed("P2", f"Importance times effect is only {severe:.2f}{seen}.")
