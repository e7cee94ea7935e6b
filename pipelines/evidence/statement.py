"""What is asked of a language model about a failure, and what stands in for its answer when there is none."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from pipelines.evidence.analysing import Analysis
from pipelines.evidence.context import file_text, fresh_text, named_changes, since
from pipelines.evidence.diagnosing import Suspicion
from pipelines.evidence.values import Extract, Finding, letter
from pipelines.evidence.weighing import MOST_WEIGHED
from pipelines.prompts import Block
from pipelines.reports import Fault

MOST_FILES, MOST_CHANGES, MOST_FRESH = 5, 30, 40
TESTS = ("test", "spec", "__tests__")


class StatedCause(BaseModel):
    """A cause as a model states it; `lines` are references as the material shows them before the bar."""

    text: str
    lines: list[str] = Field(default_factory=list)
    confidence: float = Field(default=0.5, ge=0, le=1)


class StatedFinding(BaseModel):
    """What a model says of a scanner's finding; `id` is its reference, such as S1."""

    id: str
    explanation: str = ""
    risk: str = ""
    fix: str = ""
    doubt: str = ""


class Statement(BaseModel):
    """What is asked of a model, and what stands in for it."""

    summary: str = ""
    causes: list[StatedCause] = Field(default_factory=list, max_length=5)
    fix: list[str] = Field(default_factory=list)
    patch: str = ""
    fault: Fault = "unknown"
    findings: list[StatedFinding] = Field(default_factory=list)


def offline_statement(analysis: Analysis) -> Statement:
    """What signatures and the log's own words say, in the shape that is asked of a model."""
    causes = [
        StatedCause(text=one.text, lines=references(analysis.extract, source, one), confidence=one.confidence)
        for source, one in analysis.suspicions
    ]
    first = _leading(analysis)
    return Statement(
        summary=causes[0].text if causes else "",
        causes=causes,
        fix=[*_other_versions(analysis), *(first.fix if first else [])],
        patch=first.patch if first else "",
        fault=changed_side(analysis),
    )


def changed_side(analysis: Analysis) -> Fault:
    """Which of both was changed since the tests passed, where it was one only."""
    paths = [change.name.lower() for change in analysis.context.changes if change.kind == "file"]
    code = [path for path in paths if path.endswith(_CODE)]
    tests = [path for path in code if any(part.startswith(TESTS) or part.endswith(_ENDS) for part in path.split("/"))]
    if not code:
        return "unknown"
    return "code" if not tests else "test" if len(tests) == len(code) else "unknown"


_CODE = (".py", ".js", ".ts", ".tsx", ".jsx", ".go", ".rs", ".java", ".kt", ".rb", ".c", ".cc", ".cpp", ".cs", ".php")
_ENDS = ("_test.py", "_test.go", ".test.js", ".test.ts", ".spec.js", ".spec.ts", "test.java")


def _other_versions(analysis: Analysis) -> list[str]:
    """Steps that only the comparison with the last green run can give: a package that a cause names is another one."""
    said = "\n".join([*(one.text for _, one in analysis.suspicions), *_cited(analysis)])
    return [
        f"{change.name} was {change.before} in run {analysis.context.green}, the last green one, and is "
        f"{change.after or 'gone'} now: try {change.before} again."
        for change in named_changes(said, analysis.context)[:2]
        if change.before
    ]


def _cited(analysis: Analysis) -> list[str]:
    numbers = {(source, number) for source, one in analysis.suspicions for number in one.rows}
    return [line.text for line in analysis.extract.lines if (line.source, line.number) in numbers]


def _leading(analysis: Analysis) -> Suspicion | None:
    found = [one for _, one in analysis.suspicions]
    return next((one for one in found if one.fix), found[0] if found else None)


def references(extract: Extract, source: int, one: Suspicion) -> list[str]:
    several = len(extract.sources) > 1
    return [f"{letter(source)}{number}" if several else str(number) for number in one.rows]


def material(analysis: Analysis) -> list[Block]:
    """The numbered lines, and all that can be cited beside them, each a block of foreign text."""
    extract, context = analysis.extract, analysis.context
    known = "\n".join(
        f"- {one.text} ({one.signature or 'the log itself'}: lines {', '.join(references(extract, source, one))})"
        for source, one in analysis.suspicions
    )
    changes = [f"C{place}|{one.told}" for place, one in enumerate(context.changes[:MOST_CHANGES], 1)]
    blocks = [
        Block("known signatures that match", known),
        Block("not looked at", "\n".join(f"- {note}" for note in extract.notes)),
        Block(f"numbered lines of {_names(extract.sources)}", extract.text),
        Block("findings of scanners", "\n".join(_found(place, one) for place, one in _shown_findings(analysis))),
        Block("lines that the last green run did not print", "\n".join(fresh_text(context, MOST_FRESH))),
        Block(since(context.green), "\n".join(changes)),
        *(
            Block(f"F{place} is {file.title}", file_text(place, file))
            for place, file in enumerate(context.files[:MOST_FILES], 1)
        ),
    ]
    return [block for block in blocks if block.text]


def _names(sources: Sequence[str]) -> str:
    several = len(sources) > 1
    return ", ".join(f"{letter(place)}: {name}" if several else name for place, name in enumerate(sources)) or "the log"


def _shown_findings(analysis: Analysis) -> list[tuple[int, Finding]]:
    return list(enumerate(analysis.findings[:MOST_WEIGHED], 1))


def _found(place: int, one: Finding) -> str:
    parts = [
        f"S{place}|{one.tool} {one.rule}, {one.severity}",
        one.path and f"{one.path}:{one.line}",
        one.package and f"{one.package} {one.version}",
        one.fixed and f"repaired in {one.fixed}",
        f"line {one.number} of the log",
        one.text,
    ]
    return "; ".join(part for part in parts if part)
