"""A drift report in words: hypotheses checked against numbered facts; verdict, urgency and remedy stay the policy's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from pipelines.drift.background import Background
from pipelines.drift.facts import Fact, as_extract, facts
from pipelines.drift.numbers import other_urgency, unmeasured
from pipelines.drift.report import ModelDrift
from pipelines.drift.values import FIX_FIRST, Remedy
from pipelines.evidence.fingerprint import fingerprint
from pipelines.ports import LanguageModel
from pipelines.prompts import Block, build_prompt
from pipelines.reports import Cause, Claim, Report, checked, summed_up

FEATURE = "drift"
MOST_STEPS = 4
LONGEST_SAID = 600
# What a report must not advise where the policy says to fix something first, or to do nothing.
_TRAIN_OR_BACK = re.compile(r"\b(?:re-?train|train (?:it|the model|a new)|roll(?:ing)?[ -]?back|promot)", re.IGNORECASE)
_NOT = re.compile(r"\b(?:do not|don't|not|never|no|without|before|instead of|until)\b", re.IGNORECASE)


class StatedHypothesis(BaseModel):
    """A possible explanation as a model states it; `facts` are numbers of facts."""

    text: str
    facts: list[int] = Field(default_factory=list, max_length=20)
    confidence: float = Field(default=0.5, ge=0, le=1)


class StatedStep(BaseModel):
    text: str
    facts: list[int] = Field(default_factory=list, max_length=20)


class Explanation(BaseModel):
    """What is asked of a model, and what stands in for it."""

    summary: str = ""
    hypotheses: list[StatedHypothesis] = Field(default_factory=list, max_length=5)
    remedy: str = ""
    steps: list[StatedStep] = Field(default_factory=list, max_length=8)


@dataclass(frozen=True, slots=True)
class ExplainedDrift:
    """A look at a model with all that a person wants beside it; `report.causes` are hypotheses that held."""

    drift: ModelDrift
    report: Report
    background: Background
    facts: tuple[str, ...] = ()


def explain(model: LanguageModel, drift: ModelDrift, background: Background) -> ExplainedDrift:
    """The report in the words of a language model where one is there and there is something to explain."""
    known = facts(drift, background)
    offline = offline_explanation(drift, known)
    if not model.available or not drift.verdict.alarming:
        return _explained(drift, background, known, offline, "offline", "")
    verdict = drift.verdict
    asked = build_prompt(
        FEATURE, "report", [Block("numbered facts", _numbered(known))], model=drift.model,
        urgency=verdict.urgency or "none", remedy=verdict.remedy,
    )  # fmt: skip
    answer = model.complete(asked, Explanation, lambda: offline)
    return _explained(drift, background, known, answer.value, answer.source, answer.notice)


def offline_explanation(drift: ModelDrift, known: Sequence[Fact]) -> Explanation:
    """The verdict's own sentences, in the shape that is asked of a model."""
    about = ("break", "feature", "segment", "performance", "persistence")
    shown = [number for number, (what, _) in enumerate(known, 1) if what in about]
    confidence = 0.9 if drift.verdict.persistence and drift.verdict.persistence.lasting else 0.7
    told = StatedHypothesis(text=drift.report.hypothesis, facts=shown[:12] or [1], confidence=confidence)
    return Explanation(
        summary=drift.report.hypothesis, hypotheses=[told] if drift.verdict.alarming else [],
        remedy=drift.verdict.remedy, steps=[StatedStep(text=drift.report.recommendation)],
    )  # fmt: skip


def _numbered(known: Sequence[Fact]) -> str:
    return "\n".join(f"{number}|{text}" for number, (_, text) in enumerate(known, 1))


def _explained(
    drift: ModelDrift, background: Background, known: tuple[Fact, ...], said: Explanation, written_by: str, notice: str
) -> ExplainedDrift:
    judge = _Judge(drift, known)
    held, struck = judge.hypotheses(said.hypotheses, written_by)
    if drift.verdict.alarming and not held:
        # Nothing of it could be shown: the statistics speak for themselves.
        held, _ = judge.hypotheses(offline_explanation(drift, known).hypotheses, "offline")
    steps, struck_steps = judge.steps(said, written_by)
    summary, struck_summary = judge.summary(said.summary, written_by)
    verdict = drift.verdict
    report = Report(
        summary=summary if verdict.alarming else drift.report.hypothesis,
        kind="model validation" if verdict.alarming else "unknown",
        causes=held, confidence=max((cause.confidence for cause in held), default=0.0), fix=steps,
        unseen=background.unseen, struck=(*struck, *struck_steps, *struck_summary),
        fingerprint=fingerprint(f"drift {drift.model} {verdict.kind}", list(verdict.affected)) if held else "",
        source=written_by, notice=notice,
    )  # fmt: skip
    return ExplainedDrift(drift, report, background, tuple(text for _, text in known))


class _Judge:
    """Holds what was said against the facts."""

    def __init__(self, drift: ModelDrift, known: tuple[Fact, ...]) -> None:
        self._drift = drift
        self._texts = tuple(text for _, text in known)
        self._extract = as_extract(known)
        names = [feature.name for feature in drift.verdict.features] + [one.name for one in drift.verdict.breaks]
        self._names = [*names, drift.model]

    def hypotheses(
        self, stated: Sequence[StatedHypothesis], written_by: str
    ) -> tuple[tuple[Cause, ...], tuple[str, ...]]:
        ours = written_by == "offline"
        claims: list[Claim] = []
        struck: list[str] = []
        for one in stated:
            text = _one_line(one.text)
            if not ours and not self._measured(text, one.facts):
                struck.append(text)
                continue
            references = tuple(str(number) for number in one.facts)
            claims.append(Claim(text, references, one.confidence, written_by, matched=ours))
        held, unsupported = checked(claims, self._extract)
        return held, (*struck, *unsupported)

    def steps(self, said: Explanation, written_by: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The policy's recommendation first; then the steps that go with it."""
        ours = self._drift.report.recommendation
        stated = [] if written_by == "offline" else [(_one_line(step.text), step.facts) for step in said.steps]
        if said.remedy != self._drift.verdict.remedy:
            return (ours,), tuple(text for text, _ in stated)
        kept: list[str] = []
        struck: list[str] = []
        for text, cited in stated:
            fits = self._measured(text, cited or range(1, len(self._texts) + 1)) and self._fits_remedy(text)
            (kept if fits and text else struck).append(text)
        return (ours, *kept[:MOST_STEPS]), tuple(text for text in struck if text)

    def summary(self, said: str, written_by: str) -> tuple[str, tuple[str, ...]]:
        text = _one_line(said)
        if written_by == "offline" or not text:
            return self._drift.report.hypothesis, ()
        everything = range(1, len(self._texts) + 1)
        supported, _ = checked([Claim(text, tuple(str(n) for n in everything[:12]), 1.0)], self._extract)
        if supported and self._measured(text, everything) and self._fits_remedy(text):
            return text, ()
        return summed_up(()) if not self._drift.verdict.alarming else self._drift.report.hypothesis, (text,)

    def _measured(self, text: str, cited: Sequence[int]) -> bool:
        lines = [self._texts[number - 1] for number in cited if 1 <= number <= len(self._texts)]
        return not unmeasured(text, lines, self._names) and not other_urgency(text, self._drift.verdict.urgency)

    def _fits_remedy(self, text: str) -> bool:
        remedy: Remedy = self._drift.verdict.remedy
        if remedy not in FIX_FIRST and remedy != "nothing":
            return True
        return not _TRAIN_OR_BACK.search(text) or bool(_NOT.search(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_SAID]
