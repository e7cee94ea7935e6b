"""A report out of an analysis: causes checked against the extract, in a language model's words where there is one."""

from dataclasses import replace

from pipelines.evidence.addresses import hosts, vouched
from pipelines.evidence.analysing import Analysis
from pipelines.evidence.classifying import Clues, classify, commands
from pipelines.evidence.context import citable, citable_fresh, fresh_code, related
from pipelines.evidence.fingerprint import fingerprint, tells_what
from pipelines.evidence.patches import grounded, steps
from pipelines.evidence.signatures import catalogue
from pipelines.evidence.statement import StatedCause, Statement, material, offline_statement
from pipelines.evidence.values import SCANS, FailureKind
from pipelines.evidence.weighing import weighed
from pipelines.ports import LanguageModel
from pipelines.prompts import build_prompt
from pipelines.reports import Cause, Claim, Report, Weighed, checked, summed_up

MOST_ACTIONS = 3  # that a report on a model's validation asks for
UNGROUNDED = "a patch that does not apply to a file that was read"
UNVOUCHED = "a step with an address that stands in no signature and no file that was read"
UNHELD = "The language model named no cause that the lines bear out: this is what is known without it."
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
    places = (*_run_before(analysis, rows), *([step.header, step.name] if step else []), *analysis.context.places)
    printed = tuple(line.text for line in analysis.extract.lines)
    return classify(Clues(tuple(one for _, one in analysis.suspicions), analysis.findings, places, lines, printed))


def _run_before(analysis: Analysis, cited: set[tuple[int, int]]) -> list[str]:
    """The command that is echoed last before the line that the leading cause cites."""
    first = min(cited, default=(0, 0))
    before = [line.text for line in analysis.extract.lines if line.source == first[0] and line.number <= first[1]]
    return commands(before)[:1]


def _report(analysis: Analysis, statement: Statement, written_by: str, notice: str) -> Report:
    # A model may be less sure of what it names first; people read the first cause as the likeliest.
    causes = sorted(statement.causes, key=lambda one: -one.confidence)
    claims = [_claim(cause, analysis, written_by) for cause in causes]
    context = analysis.context
    held, struck = checked(claims, analysis.extract, citable_fresh(context), citable(context))
    if not held and written_by != "offline" and (analysis.suspicions or analysis.findings):
        # What signatures and scanners found stands, whatever a model makes of it or a log tells it to say.
        alone = _report(analysis, offline_statement(analysis), "offline", f"{notice} {UNHELD}".strip())
        return replace(alone, struck=(*struck, *alone.struck))
    if not held:
        return Report(summed_up(held), "unknown", (), 0.0, unseen=analysis.extract.notes, struck=struck,
                      source=written_by, notice=notice)  # fmt: skip
    kind = kind_of(analysis)
    fix, patch, unfounded = _remedy(statement, analysis, written_by)
    first = next((one for _, one in analysis.suspicions if one.signature), None)
    seen = analysis.extract.seen_lines / max(1, analysis.extract.total_lines)
    cited = [one.text for cause in held for one in cause.evidence if one.of_log]
    return Report(
        statement.summary or summed_up(held),
        kind,
        tuple(_beside(cause, analysis, place) for place, cause in enumerate(held)),
        round(max(cause.confidence for cause in held) * (0.9 + 0.1 * seen), 2),
        fix[:MOST_ACTIONS] if kind == "model validation" else fix,
        patch,
        analysis.extract.notes,
        (*struck, *unfounded),
        first.owner if first else "",
        _mark(analysis) or fingerprint("", sorted(cited)),
        written_by,
        notice,
        _weighed(analysis, statement),
        statement.fault if kind == "test" else "unknown",
    )


def _remedy(statement: Statement, analysis: Analysis, written_by: str) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """The steps and the patch that people are shown, and what was struck of them."""
    patch = grounded(statement.patch, analysis.context.files)
    if written_by == "offline":
        # A signature's template knows no file, and is still worth saying; a model was shown the files.
        template = steps(statement.patch) if statement.patch.strip() and not patch else ()
        return (*statement.fix, *template), patch, ()
    known = _known_hosts(analysis)
    fix = tuple(step for step in statement.fix if vouched(step, known))
    struck = (UNVOUCHED,) * (len(fix) < len(statement.fix)) + (UNGROUNDED,) * bool(
        statement.patch.strip() and not patch
    )
    return fix or tuple(offline_statement(analysis).fix), patch, struck


def _known_hosts(analysis: Analysis) -> set[str]:
    """Whom the catalogue of signatures and the files of the repository name. A log can be written by anybody."""
    texts = [text for one in catalogue() for text in (*one.links, *one.fix)]
    texts += ["\n".join(file.lines) for file in analysis.context.files]
    return {host for text in texts for host in hosts(text)}


def _mark(analysis: Analysis) -> str:
    """By what the failure is known again, whoever words it: the first suspicion's lines, and those of the next one
    where they only count. Files and changes differ from commit to commit."""
    texts = {(line.source, line.number): line.text for line in analysis.extract.lines}
    told: list[str] = []
    for source, one in analysis.suspicions[:2]:
        told += [texts[source, number] for number in one.rows if (source, number) in texts]
        if any(map(tells_what, told)):
            break
    return fingerprint(analysis.suspicions[0][1].signature, told) if told else ""


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
            known = _known_hosts(analysis)
            one = replace(one, **{name: text for name, text in told.items() if text and vouched(text, known)})
        found.append(one)
    return tuple(found)


def _claim(cause: StatedCause, analysis: Analysis, written_by: str) -> Claim:
    known = next((one for _, one in analysis.suspicions if one.text == cause.text), None)
    origin = (known.signature or "log") if known else written_by
    return Claim(cause.text, tuple(cause.lines), cause.confidence, origin, known.links if known else (), bool(known))
