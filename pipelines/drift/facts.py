"""A verdict and its background as numbered facts: what a report on drift may cite, and nothing else."""

from collections.abc import Iterator, Mapping

from pipelines.drift.background import Background, VersionRecord
from pipelines.drift.report import ModelDrift
from pipelines.drift.values import FeatureDrift, Performance, Verdict
from pipelines.evidence.values import Block, Extract, Line

SOURCE = "measured"
MOST_FEATURES = 8
MOST_VERSIONS = 5
LONGEST_NAME = 80
# The metrics that a reader of MLflow looks for first; others follow as they come.
FIRST_METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc")
MOST_METRICS = 6

Fact = tuple[str, str]  # what it is about, and the line


def facts(drift: ModelDrift, background: Background) -> tuple[Fact, ...]:
    """In the order in which they are numbered, from 1."""
    return tuple(_facts(drift, background))


def as_extract(known: tuple[Fact, ...]) -> Extract:
    """The facts as lines that citations are checked against."""
    lines = tuple(Line(number, text) for number, (_, text) in enumerate(known, 1))
    return Extract((Block(lines, "facts", 1.0),), 0, (SOURCE,), "command", len(lines), len(lines))


def _facts(drift: ModelDrift, background: Background) -> Iterator[Fact]:
    verdict = drift.verdict
    hours = drift.window.total_seconds() / 3600
    yield (
        "verdict",
        f"The statistics say: {verdict.kind} of {drift.model} version {drift.version}, urgency "
        f"{verdict.urgency or 'none'} by policy; recommended by policy: {verdict.remedy}.",
    )
    yield (
        "window",
        f"Judged are the last {hours:g} hours: {verdict.rows_now} rows, against {verdict.rows_before} rows of the "
        "reference.",
    )
    if drift.onset is not None:
        yield "since", f"It drifts since about {drift.onset.at:%Y-%m-%d %H:%M} UTC."
    yield from (("break", f"Column {_name(each.name)} {_short(each.detail)}.") for each in verdict.breaks[:5])
    yield from (("feature", _feature(each)) for each in verdict.features[:MOST_FEATURES] if each.drifted)
    yield from (("segment", f"Where {_short(each.where, 200)}: {_segment(each)}") for each in verdict.segments[:3])
    yield from _performance(verdict)
    yield from _course(background)
    yield from (("version", _version(each)) for each in background.versions[:MOST_VERSIONS])
    if background.test is not None:
        yield "retraining", _short(background.test.text, 400)
    yield from (("policy", _short(sentence, 300)) for sentence in verdict.why[-1:])


def _feature(feature: FeatureDrift) -> str:
    parts = [
        f"Column {_name(feature.name)} moved: {_short(feature.change)}",
        f"PSI {feature.psi:.3f}, q-value {feature.q_value:.1g}",
        f"{feature.importance:.0%} of the importance" if feature.importance else "importance not known",
    ]
    if feature.unseen > 0:
        parts.append(f"{feature.unseen:.1%} of the rows hold values that the reference does not know")
    if feature.missing_now or feature.missing_before:
        parts.append(f"missing in {feature.missing_before:.1%} before and {feature.missing_now:.1%} now")
    return "; ".join(parts) + "."


def _segment(segment: object) -> str:
    share_before, share_now = getattr(segment, "share_before", 0.0), getattr(segment, "share_now", 0.0)
    error_before, error_now = getattr(segment, "error_before", None), getattr(segment, "error_now", None)
    told = f"{share_before:.0%} of the rows before, {share_now:.0%} now"
    if error_before is None or error_now is None:
        return f"{told}."
    return f"{told}; {error_now:.0%} of them wrong where {error_before:.0%} were expected."


def _performance(verdict: Verdict) -> Iterator[Fact]:
    for found in (verdict.performance, verdict.estimated):
        if found is not None:
            yield "performance", _measured(found)
            for name, (before, now) in found.others.items():
                yield "baseline", f"Baseline, {name}: {before:.3f} before, {now:.3f} now."
    if verdict.performance is None:
        yield "performance", "No labels have come for this window, so the performance was not measured."
    if verdict.persistence is not None:
        seen = verdict.persistence
        yield "persistence", f"It was to be seen in {seen.seen} of the last {seen.of} windows."


def _measured(found: Performance) -> str:
    how = "estimated from the scores, without labels" if found.estimated else "measured by labels"
    verdict = "worse than chance explains" if found.worse else "not worse than chance explains"
    return (
        f"Performance, {how}: {found.metric} {found.before:.3f} before, {found.now:.3f} now over {found.rows} rows: "
        f"{verdict}."
    )


def _course(background: Background) -> Iterator[Fact]:
    known = [point for point in background.course if point.metric is not None]
    if len(known) > 1:
        values = ", ".join(f"{point.metric:.3f}" for point in known)
        yield "course", f"{background.metric.capitalize()} window by window, oldest first: {values}."


def _version(record: VersionRecord) -> str:
    aliases = f" ({', '.join(record.aliases)})" if record.aliases else ""
    parts = [f"Version {record.version}{aliases} at its training: {_metrics(record.trained)}"]
    if record.lately:
        parts.append(f"lately over {record.labelled} labelled rows: {_metrics(record.lately)}")
    return "; ".join(parts) + "."


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {metrics[name]:.3f}" for name in in_order(metrics)) or "no metrics recorded"


def in_order(metrics: Mapping[str, float]) -> list[str]:
    """The names of at most six metrics, the best known first."""
    first = [name for name in FIRST_METRICS if name in metrics]
    return [*first, *(name for name in metrics if name not in first)][:MOST_METRICS]


def _name(name: str) -> str:
    """Names come from whoever sends records: one line, not long, in quotation marks that it cannot end."""
    return f'"{_short(name, LONGEST_NAME)}"'


def _short(text: str, limit: int = 160) -> str:
    one_line = " ".join(text.split()).replace('"', "'")
    return one_line if len(one_line) <= limit else one_line[: limit - 1] + "…"
