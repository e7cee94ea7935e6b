"""What a verdict says in words, without a language model: hypothesis, affected features, segments, remedy."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from pipelines.drift.plans import NewRows, Trial
from pipelines.drift.values import FIX_FIRST, ColumnWeight, FeatureDrift, Kind, Onset, Remedy, Segment, Urgency, Verdict

MOST_FEATURES = 8
MOST_BROKEN = 5
MOST_WEIGHTS = 8


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All that a card, an issue or a terminal shows of a verdict; sentences are whole and carry no mark-up."""

    title: str
    hypothesis: str
    urgency: Urgency | None
    affected: tuple[str, ...]
    segments: tuple[str, ...]
    remedy: Remedy
    recommendation: str
    why: tuple[str, ...]
    would_change: tuple[str, ...]
    notes: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelDrift:
    """The verdict on a model's last `window` before `until`, and its report for a card.

    `onset` is since when it drifts, where something tells; `new_rows` is None where no labels of the model come in.
    """

    model: str
    version: str
    window: timedelta
    report: DriftReport
    verdict: Verdict
    until: datetime
    onset: Onset | None = None
    new_rows: NewRows | None = None

    @property
    def trial(self) -> Trial:
        """The rows that show what this look saw."""
        lasting, measured = self.verdict.persistence, self.verdict.performance
        lost = measured.worst_class if measured is not None else None
        return Trial(
            self.model, self.version, self.window, self.until, max(1, lasting.seen if lasting else 1),
            by_labels=measured is not None and measured.worse,
            broken=(self.verdict.affected or ("the rows",))[:MOST_BROKEN] if self.verdict.remedy in FIX_FIRST else (),
            lost=lost.name if lost is not None else "",
        )  # fmt: skip


def weights(features: Sequence[FeatureDrift]) -> tuple[ColumnWeight, ...]:
    """The columns that the model goes by most; none where its training told no importances."""
    known = sorted((one for one in features if one.importance > 0), key=lambda one: -one.importance)
    return tuple(ColumnWeight(one.name, one.importance, one.psi, one.drifted) for one in known[:MOST_WEIGHTS])


def report(verdict: Verdict) -> DriftReport:
    """The report of a verdict."""
    return DriftReport(
        title=_title(verdict),
        hypothesis=_hypothesis(verdict),
        urgency=verdict.urgency,
        affected=tuple(_affected(verdict)),
        segments=tuple(_segment(segment) for segment in verdict.segments),
        remedy=verdict.remedy,
        recommendation=_recommendation(verdict),
        why=verdict.why,
        would_change=verdict.would_change,
        notes=verdict.notes,
        baselines=tuple(_baselines(verdict)),
    )


def sentences(verdict: Verdict) -> list[str]:
    """The report as lines for a terminal."""
    told = report(verdict)
    lines = [f"{told.title}", "", told.hypothesis]
    for heading, members in (
        ("Why", told.why), ("Affected", told.affected), ("Worst where", told.segments),
        ("Performance", told.baselines), ("Recommended", (told.recommendation,)),
        ("What would change this", told.would_change),
        ("Left out", tuple(f"{name} {reason}" for name, reason in verdict.left_out.items())), ("Note", told.notes),
    ):  # fmt: skip
        if members:
            lines += ["", f"{heading}:", *(f"  {member}" for member in members)]
    return lines


def document(verdict: Verdict, seconds: float) -> dict[str, Any]:
    """The verdict as one JSON object; numbers that JSON does not know are null."""
    told = report(verdict)
    point = verdict.change_point
    return {
        "verdict": verdict.kind,
        "urgency": verdict.urgency,
        "judged": verdict.judged,
        "hypothesis": told.hypothesis,
        "remedy": verdict.remedy,
        "recommendation": told.recommendation,
        "affected": list(verdict.affected),
        "features": [_feature(feature) for feature in verdict.features],
        "breaks": [_plain(found) for found in verdict.breaks],
        "segments": [{**_plain(segment), "text": _segment(segment)} for segment in verdict.segments],
        "performance": _plain(verdict.performance),
        "estimated_performance": _plain(verdict.estimated),
        "concept": _plain(verdict.concept),
        "change_point": _plain(point),
        "persistence": _plain(verdict.persistence),
        "why": list(verdict.why),
        "would_change": list(verdict.would_change),
        "rows": {"reference": verdict.rows_before, "current": verdict.rows_now},
        "left_out": dict(verdict.left_out),
        "notes": list(verdict.notes),
        "seconds": round(seconds, 4),
    }


def _baselines(verdict: Verdict) -> Iterator[str]:
    """What the model's performance is held against, and how it is now; estimated where nothing was measured."""
    known = verdict.performance or verdict.estimated
    if known is None:
        return
    told = "estimated from its scores" if known.estimated else f"measured on {known.rows:,} rows"
    yield f"{known.metric} {known.before:.3f} before, {known.now:.3f} now, {told}"
    for name, (before, now) in known.others.items():
        yield f"{name}: {before:.3f} before, {now:.3f} now"


def _title(verdict: Verdict) -> str:
    if not verdict.judged and verdict.kind == "no drift":
        return "Too few rows to judge"
    kind = verdict.kind.capitalize()
    return f"{kind}, {verdict.urgency}" if verdict.urgency else kind


def _hypothesis(verdict: Verdict) -> str:
    names = _listed(verdict.affected)
    kind: Kind = verdict.kind
    match kind:
        case "no drift":
            if not verdict.judged:
                return "There are too few rows to tell drift from chance."
            return "Nothing found that chance does not explain, or that is large enough to matter."
        case "schema break":
            side = {found.side for found in verdict.breaks}
            at = "the reference" if side == {"reference"} else "the source of the current rows"
            return f"Possibly a fault at {at}: {names} no longer fit{'s' if len(verdict.affected) == 1 else ''}."
        case "data drift":
            return f"The inputs have probably moved: {names}. Whether outcomes changed as well is another question."
        case "concept drift":
            where = f", most where {verdict.segments[0].where}" if verdict.segments else ""
            return f"The same inputs probably have other outcomes now{where}."
        case "model decay":
            if not any(known.worse for known in (verdict.performance, verdict.estimated) if known is not None):
                return "The model probably answers otherwise by itself: nothing that it reads has moved."
            return "The model has probably become worse by itself: neither inputs nor outcomes explain its errors."
    assert_never(kind)


def _recommendation(verdict: Verdict) -> str:
    names = _listed(verdict.affected)
    match verdict.remedy:
        case "nothing":
            return "Investigate; nothing to fix is known." if verdict.alarming else "Nothing to do."
        case "retrain":
            return "Retrain on recent labelled rows, and compare with the champion before anything is promoted."
        case "roll back":
            return "Compare the served version with the one before it, and roll back if that one does better."
        case "feature engineering":
            return f"Teach the features the values they do not know ({names}), then retrain."
        case "fix the source" if verdict.kind == "concept drift":
            return "Look where the labels come from before anything is trained on them: they seem to be exchanged."
        case "fix the source":
            return f"Fix the source of {names}. Do not retrain on these rows: a model would learn the fault."
        case "fix the reference":
            return f"Draw the reference anew from rows in which {names} are sound. There is no reason to retrain."
    assert_never(verdict.remedy)


def _affected(verdict: Verdict) -> list[str]:
    if verdict.breaks:
        return [f"{found.name} {found.detail}" for found in verdict.breaks[:MOST_FEATURES]]
    return [
        f"{feature.name}: {feature.change} (PSI {feature.psi:.3f}, q = {feature.q_value:.1g})"
        for feature in verdict.features
        if feature.drifted
    ][:MOST_FEATURES]


def _segment(segment: Segment) -> str:
    grown = f"{segment.share_before:.0%} of the rows before, {segment.share_now:.0%} now"
    if segment.error_now is None or segment.error_before is None:
        return f"{segment.where}: {grown}"
    wrong = f"{segment.error_now:.0%} wrong where {segment.error_before:.0%} were expected"
    return f"{segment.where}: {wrong} ({segment.rows:,} rows)"


def _feature(feature: FeatureDrift) -> dict[str, Any]:
    return {**_plain(feature), "effect": _finite(feature.effect)}


def _plain(value: Any) -> Any:
    """Values as JSON knows them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_FEATURES:
        return f"{', '.join(names[:MOST_FEATURES])} and {len(names) - MOST_FEATURES} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
