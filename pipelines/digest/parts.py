"""The sections of a digest: retrains, models, open approvals, questions without answers, language models."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.approval import Approval, ApprovalDesk
from pipelines.ask.questions import Question
from pipelines.digest.ports import FinishedRetrains, LanguageModelUse
from pipelines.digest.values import Figure, Line, Point, Scope, Section, Tone, Trend
from pipelines.ports import Clock, Questions, Registry
from pipelines.retrain.values import ModelSpec, ModelVersion, Retrain, Stage

# A digest is read in a minute; the rest is counted, and /models and /approvals show it.
MOST_LINES = 60
# A link is a call of Slack's API each.
MOST_LINKS = 15
LONGEST_TEXT = 240
VERSIONS = 12  # of a model, in its chart
CHARTS = 2

ENDS: Mapping[Stage, tuple[str, str, Tone]] = {
    # stage: in the summary for one, for several, and how it looks
    "registered": ("new champion", "new champions", "good"),
    "champion kept": ("left the champion in place", "left the champion in place", "plain"),
    "gate failed": ("did not pass the gate", "did not pass the gate", "bad"),
    "failed": ("failed", "failed", "bad"),
    "cancelled": ("was cancelled", "were cancelled", "plain"),
    "rejected": ("was rejected", "were rejected", "plain"),
    "expired": ("expired unanswered", "expired unanswered", "plain"),
    "withdrawn": ("was withdrawn", "were withdrawn", "plain"),
}


@dataclass(frozen=True, slots=True)
class RetrainsPart:
    """Retrains that ended, and how. `link` leads from a run to its card; it is empty where there is none."""

    retrains: FinishedRetrains
    link: Callable[[str], str]
    name: str = "Retrains"

    def between(self, after: datetime, until: datetime, scope: Scope) -> Section | None:
        ended = [run for run in self.retrains.finished_between(after, until) if scope.concerns(run.plan.model)]
        if not ended:
            return None
        newest_first = ended[::-1]
        lines = [self._line(run, index) for index, run in enumerate(newest_first[:MOST_LINES])]
        summary = f"{counted(len(ended), 'retrain')} ended: {_by_stage(ended)}"
        return Section(self.name, summary, tuple(lines), left_out=len(ended) - len(lines))

    def _line(self, run: Retrain, index: int) -> Line:
        url = self.link(run.run_id) if index < MOST_LINKS else run.version.url if run.version else ""
        return Line(
            shortened(_outcome(run)), ENDS[run.stage][2], _figures(run), url, at=run.finished_at
        )  # fmt: skip


def _by_stage(ended: Sequence[Retrain]) -> str:
    counts = Counter(run.stage for run in ended)
    return ", ".join(
        f"{counts[stage]:,} {one if counts[stage] == 1 else several}"
        for stage, (one, several, _) in ENDS.items()
        if counts[stage]
    )


def _outcome(run: Retrain) -> str:
    model, by = run.plan.model, f" by {run.settled_by}" if run.settled_by else ""
    if run.stage == "registered":
        version = f"version {run.version.version}" if run.version else "a new version"
        return f"{model}: {version} is the new champion, approved{by}"
    if run.stage in ("gate failed", "failed"):
        reason = run.failure or (run.verdict.reason if run.verdict else "")
        return f"{model} {ENDS[run.stage][0]}: {reason}" if reason else f"{model} {ENDS[run.stage][0]}"
    return f"{model} {ENDS[run.stage][0]}{by}"


def _figures(run: Retrain) -> tuple[Figure, ...]:
    metric = run.plan.gate.metric
    if run.result is None or metric not in run.result.metrics:
        return ()
    return (Figure(metric, run.result.metrics[metric], (run.result.champion_metrics or {}).get(metric)),)


@dataclass(frozen=True, slots=True)
class ModelsPart:
    """The models by age, oldest champion first, and how their metric went over the versions."""

    registry: Registry
    models: Mapping[str, ModelSpec]
    clock: Clock
    name: str = "Models"

    def between(self, _after: datetime, _until: datetime, scope: Scope) -> Section | None:
        specs = [spec for spec in self.models.values() if scope.concerns(spec.name)]
        if not specs:
            return None
        # The first Unavailable ends it: a registry that is away would cost its timeout once a model.
        pasts = [(spec, list(self.registry.versions(spec.name, VERSIONS))) for spec in specs]
        championed = [(spec, past, champion) for spec, past in pasts if (champion := champion_of(past))]
        championed.sort(key=lambda entry: entry[2].created_at)
        now = self.clock.now()
        lines = [_model_line(spec, past, champion, now) for spec, past, champion in championed]
        lines += [Line(f"{spec.name}: no champion yet") for spec, past in pasts if champion_of(past) is None]
        newest = sorted(championed, key=lambda entry: entry[2].created_at, reverse=True)
        trends = [trend for spec, past, _ in newest if (trend := trend_of(spec, past))]
        shown = tuple(lines[:MOST_LINES])
        left_out = len(lines) - len(shown)
        summary = _ages(championed, len(specs), now)
        return Section(self.name, summary, shown, tuple(trends[:CHARTS]), news=False, left_out=left_out)


Championed = tuple[ModelSpec, list[ModelVersion], ModelVersion]


def _ages(championed: Sequence[Championed], models: int, now: datetime) -> str:
    if not championed:
        return f"{counted(models, 'model')}, none with a champion yet"
    spec, _, champion = championed[0]
    return f"{counted(models, 'model')}; the oldest champion is {spec.name}, {age(now - champion.created_at)} old"


def _model_line(spec: ModelSpec, past: Sequence[ModelVersion], champion: ModelVersion, now: datetime) -> Line:
    metric, earlier = spec.gate.metric, [one for one in past if one.version < champion.version]
    before = next((one.metrics[metric] for one in earlier if metric in one.metrics), None)
    figures = (Figure(metric, champion.metrics[metric], before),) if metric in champion.metrics else ()
    text = f"{spec.name}: version {champion.version}, {age(now - champion.created_at)} old, owner {spec.owner}"
    return Line(shortened(text), figures=figures, url=champion.url)


def champion_of(versions: Sequence[ModelVersion]) -> ModelVersion | None:
    return next((version for version in versions if "champion" in version.aliases), None)


def trend_of(spec: ModelSpec, versions: Sequence[ModelVersion]) -> Trend | None:
    """`versions` are newest first; None for fewer than two points."""
    metric = spec.gate.metric
    measured = [version for version in reversed(versions) if math.isfinite(version.metrics.get(metric, math.nan))]
    points = tuple(Point(f"v{version.version}", version.metrics[metric]) for version in measured)
    return Trend(spec.name, metric, points) if len(points) > 1 else None


@dataclass(frozen=True, slots=True)
class ApprovalsPart:
    """What waits for somebody's yes now, the one that expires first on top."""

    approvals: ApprovalDesk
    link: Callable[[str], str]
    name: str = "Open approvals"

    def between(self, _after: datetime, _until: datetime, scope: Scope) -> Section | None:
        waiting = [approval for approval in self.approvals.open() if scope.concerns(approval.subject)]
        if not waiting:
            return None
        waiting.sort(key=lambda approval: approval.expires_at)
        lines = [self._line(approval, index) for index, approval in enumerate(waiting[:MOST_LINES])]
        waits = "waits" if len(waiting) == 1 else "wait"
        summary = f"{counted(len(waiting), 'request')} {waits} for somebody's yes"
        return Section(self.name, summary, tuple(lines), left_out=len(waiting) - len(lines))

    def _line(self, approval: Approval, index: int) -> Line:
        url = self.link(approval.id) if index < MOST_LINKS else ""
        text = shortened(f"{approval.summary}, asked by {approval.requester_name}")
        return Line(text, "waiting", url=url, when="expires", at=approval.expires_at)


@dataclass(frozen=True, slots=True)
class QuestionsPart:
    """Questions that the documents did not answer: what is worth writing down. `link` leads to where one was asked.

    A channel is told of its own questions only: what somebody asked in a direct message is nobody else's.
    """

    questions: Questions
    link: Callable[[Question], str]
    name: str = "Questions without answers"

    def between(self, after: datetime, until: datetime, scope: Scope) -> Section | None:
        known = self.questions.unanswered_since(after)
        asked = [one for one in known if one.channel == scope.channel and after < one.asked_at <= until]
        if not asked:
            return None
        lines = [
            Line(
                shortened(one.text), "waiting", url=self.link(one) if index < MOST_LINKS else "", when="asked",
                at=one.asked_at,
            )
            for index, one in enumerate(asked[:MOST_LINES])
        ]  # fmt: skip
        summary = f"{counted(len(asked), 'question')} found no answer in the documents"
        return Section(self.name, summary, tuple(lines), left_out=len(asked) - len(lines))


@dataclass(frozen=True, slots=True)
class LanguageModelsPart:
    """What language models were asked and what that cost, over all channels, the dearest feature first."""

    use: LanguageModelUse
    name: str = "Language models"

    def between(self, after: datetime, until: datetime, _scope: Scope) -> Section | None:
        used = sorted(self.use.used_between(after, until), key=lambda use: (-use.cost_dollars, use.feature))
        calls = sum(use.calls for use in used)
        if not calls:
            return None
        lines = [
            Line(f"{use.feature}: {counted(use.calls, 'call')}, {use.tokens:,} tokens, {dollars(use.cost_dollars)}")
            for use in used[:MOST_LINES]
        ]
        summary = f"{counted(calls, 'call')}, {dollars(sum(use.cost_dollars for use in used))}"
        return Section(self.name, summary, tuple(lines), news=False, left_out=len(used) - len(lines))


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def age(span: timedelta) -> str:
    return "less than a day" if span < timedelta(days=1) else counted(span.days, "day")


def dollars(amount: float) -> str:
    return "less than a cent" if 0 < amount < 0.01 else f"${amount:,.2f}"


def shortened(text: str) -> str:
    """In one line, whatever it was."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"
