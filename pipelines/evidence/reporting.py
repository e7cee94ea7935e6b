"""A report out of an analysis: causes checked against the extract, in a language model's words where there is one."""

from dataclasses import replace

from pipelines.evidence.analysing import Analysis
from pipelines.evidence.classifying import Clues, classify, commands
from pipelines.evidence.context import citable, citable_fresh, fresh_code, related
from pipelines.evidence.fingerprint import fingerprint
from pipelines.evidence.patches import grounded, steps
from pipelines.evidence.statement import StatedCause, Statement, material, offline_statement
from pipelines.evidence.values import SCANS, FailureKind
from pipelines.evidence.weighing import weighed
from pipelines.ports import LanguageModel
from pipelines.prompts import build_prompt
from pipelines.reports import Cause, Claim, Report, Weighed, checked, summed_up

MOST_ACTIONS = 3  # that a report on a model's validation asks for
UNGROUNDED = "a patch that does not apply to a file that was read"
LONGEST_SAID = 600
# Prompts in `prompts/`, by the kind of the failure; all others are asked in general.
PROMPTS: dict[FailureKind, str] = dict.fromkeys(SCANS, "security") | {
    "test": "tests",
    "model validation": "validation",
}


def report(analysis: Analysis) -> Report:
    """The report without any language model."""
    return _report(analysis, offline_statement(analysis), "offline", "")


def compose(model: LanguageModel, analysis: Analysis, feature: str = "triage") -> Report:
    """The same report in the words of a model, where one is there; what it cites is checked like everything else."""
    if not model.available or not analysis.extract.lines:
        return report(analysis)
    name = PROMPTS.get(kind_of(analysis), "report")
    asked = replace(build_prompt("evidence", name, material(analysis)), feature=feature)
    answer = model.complete(asked, Statement, lambda: offline_statement(analysis))
    return _report(analysis, answer.value, answer.source, answer.notice)


def kind_of(analysis: Analysis) -> FailureKind:
    """Told by signatures, findings and names alone: no model decides it."""
    step = analysis.extract.failing_step
    rows = {(source, number) for source, one in analysis.suspicions for number in one.rows}
    lines = tuple(line.text for line in analysis.extract.lines if (line.source, line.number) in rows)
    places = (*_run_before(analysis, rows), *([step.name] if step else []), *analysis.context.places)
    printed = tuple(line.text for line in analysis.extract.lines)
    return classify(Clues(tuple(one for _, one in analysis.suspicions), analysis.findings, places, lines, printed))


def _run_before(analysis: Analysis, cited: set[tuple[int, int]]) -> list[str]:
    """The command that is echoed last before the line that the leading cause cites."""
    first = min(cited, default=(0, 0))
    before = [line.text for line in analysis.extract.lines if line.source == first[0] and line.number <= first[1]]
    return commands(before)[:1]


def _report(analysis: Analysis, statement: Statement, written_by: str, notice: str) -> Report:
    claims = [_claim(cause, analysis, written_by) for cause in statement.causes]
    context = analysis.context
    held, struck = checked(claims, analysis.extract, citable_fresh(context), citable(context))
    if not held:
        return Report(summed_up(held), "unknown", (), 0.0, unseen=analysis.extract.notes, struck=struck,
                      source=written_by, notice=notice)  # fmt: skip
    kind = kind_of(analysis)
    patch, fix = grounded(statement.patch, context.files), tuple(statement.fix)
    if statement.patch.strip() and not patch:
        # A signature's template knows no file, and is still worth saying; a model was shown the files.
        if written_by == "offline":
            fix = (*fix, *steps(statement.patch))
        else:
            struck = (*struck, UNGROUNDED)
    first = next((one for _, one in analysis.suspicions if one.signature), None)
    seen = analysis.extract.seen_lines / max(1, analysis.extract.total_lines)
    return Report(
        statement.summary or summed_up(held),
        kind,
        tuple(_beside(cause, analysis, place) for place, cause in enumerate(held)),
        round(max(cause.confidence for cause in held) * (0.9 + 0.1 * seen), 2),
        fix[:MOST_ACTIONS] if kind == "model validation" else fix,
        patch,
        analysis.extract.notes,
        struck,
        first.owner if first else "",
        # Files and changes differ from commit to commit, so the failure is known again by the log alone.
        fingerprint(
            first.signature if first else "", [one.text for cause in held for one in cause.evidence if one.of_log]
        ),
        written_by,
        notice,
        _weighed(analysis, statement),
        statement.fault if kind == "test" else "unknown",
    )


def _beside(cause: Cause, analysis: Analysis, place: int) -> Cause:
    """The cause with what its lines name: the line of a file, a package that has another version now; and beside the
    first one the few lines of code that are new."""
    more = related([cause.text, *(evidence.text for evidence in cause.evidence)], analysis.context)
    if place == 0:
        more = (*more, *fresh_code(analysis.context))
    return replace(cause, evidence=tuple(dict.fromkeys((*cause.evidence, *more))))


def _weighed(analysis: Analysis, statement: Statement) -> tuple[Weighed, ...]:
    """Every finding, each in the words that a model found for it; what it says of others is passed over."""
    said = {one.id.strip().upper(): one for one in statement.findings}
    found = []
    for place, one in enumerate(weighed(analysis.findings, analysis.context), 1):
        if words := said.get(f"S{place}"):
            told = {
                name: getattr(words, name).strip()[:LONGEST_SAID] for name in ("explanation", "risk", "fix", "doubt")
            }
            one = replace(one, **{name: text for name, text in told.items() if text})
        found.append(one)
    return tuple(found)


def _claim(cause: StatedCause, analysis: Analysis, written_by: str) -> Claim:
    known = next((one for _, one in analysis.suspicions if one.text == cause.text), None)
    origin = (known.signature or "log") if known else written_by
    return Claim(cause.text, tuple(cause.lines), cause.confidence, origin, known.links if known else (), bool(known))
