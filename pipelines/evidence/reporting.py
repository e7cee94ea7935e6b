"""A report out of an analysis: causes checked against the extract, in a language model's words where there is one."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel, Field

from pipelines.evidence.analysing import Analysis
from pipelines.evidence.diagnosing import Suspicion
from pipelines.evidence.fingerprint import fingerprint
from pipelines.evidence.kinds import failure_kind_of_words
from pipelines.evidence.values import Extract, FailureKind, letter
from pipelines.ports import LanguageModel
from pipelines.prompts import Prompt
from pipelines.reports import Claim, Report, checked, summed_up

PROMPTS = Path(__file__).with_name("prompts")


class StatedCause(BaseModel):
    """A cause as a model states it; `lines` are references as the extract shows them before the bar."""

    text: str
    lines: list[str] = Field(default_factory=list)
    confidence: float = Field(default=0.5, ge=0, le=1)


class Statement(BaseModel):
    """What is asked of a model, and what stands in for it."""

    summary: str = ""
    causes: list[StatedCause] = Field(default_factory=list, max_length=5)
    fix: list[str] = Field(default_factory=list)
    patch: str = ""


def report(analysis: Analysis) -> Report:
    """The report without any language model."""
    return _report(analysis, offline_statement(analysis), "offline", "")


def compose(model: LanguageModel, analysis: Analysis, feature: str = "triage", prompt: str = "report") -> Report:
    """The same report in the words of a model, where one is there; what it cites is checked like everything else."""
    if not model.available or not analysis.extract.lines:
        return report(analysis)
    asked = Prompt(feature, instructions(prompt), material(analysis))
    answer = model.complete(asked, Statement, lambda: offline_statement(analysis))
    return _report(analysis, answer.value, answer.source, answer.notice)


@cache
def instructions(name: str) -> str:
    """The text of a prompt."""
    return (PROMPTS / f"{name}.md").read_text()


def material(analysis: Analysis) -> str:
    """The numbered lines, and what the signatures say of them."""
    known = "\n".join(
        f"- {one.text} ({one.signature or 'the log itself'}: lines "
        f"{', '.join(_references(analysis.extract, source, one))})"
        for source, one in analysis.suspicions
    )
    notes = "\n".join(f"- {note}" for note in analysis.extract.notes)
    parts = [
        ("Known signatures that match", known),
        ("Not looked at", notes),
        ("Numbered lines", analysis.extract.text),
    ]
    return "\n\n".join(f"## {title}\n{text}" for title, text in parts if text)


def offline_statement(analysis: Analysis) -> Statement:
    """What signatures and the log's own words say, in the shape that is asked of a model."""
    causes = [
        StatedCause(text=one.text, lines=_references(analysis.extract, source, one), confidence=one.confidence)
        for source, one in analysis.suspicions
    ]
    first = _leading(analysis)
    return Statement(
        summary=first.text if first else "",
        causes=causes,
        fix=list(first.fix) if first else [],
        patch=first.patch if first else "",
    )


def _leading(analysis: Analysis) -> Suspicion | None:
    found = [one for _, one in analysis.suspicions]
    return next((one for one in found if one.fix), found[0] if found else None)


def _references(extract: Extract, source: int, one: Suspicion) -> list[str]:
    several = len(extract.sources) > 1
    return [f"{letter(source)}{number}" if several else str(number) for number in one.rows]


def _report(analysis: Analysis, statement: Statement, written_by: str, notice: str) -> Report:
    claims = [_claim(cause, analysis, written_by) for cause in statement.causes]
    causes, struck = checked(claims, analysis.extract)
    lines = [evidence.text for cause in causes for evidence in cause.evidence]
    first = next((one for _, one in analysis.suspicions if one.signature), None)
    seen = analysis.extract.seen_lines / max(1, analysis.extract.total_lines)
    return Report(
        statement.summary if causes and statement.summary else summed_up(causes),
        _kind(analysis, lines) if causes else "unknown",
        causes,
        round(max((cause.confidence for cause in causes), default=0.0) * (0.9 + 0.1 * seen), 2),
        tuple(statement.fix) if causes else (),
        statement.patch if causes else "",
        analysis.extract.notes,
        struck,
        first.owner if first and causes else "",
        fingerprint(first.signature if first else "", lines) if causes else "",
        written_by,
        notice,
    )


def _claim(cause: StatedCause, analysis: Analysis, written_by: str) -> Claim:
    known = next((one for _, one in analysis.suspicions if one.text == cause.text), None)
    origin = (known.signature or "log") if known else written_by
    return Claim(cause.text, tuple(cause.lines), cause.confidence, origin, known.links if known else (), bool(known))


def _kind(analysis: Analysis, lines: Sequence[str]) -> FailureKind:
    known = [one.kind for _, one in analysis.suspicions if one.kind != "unknown"]
    step = analysis.extract.failing_step
    return known[0] if known else failure_kind_of_words([*([step.name] if step else []), *lines])
