"""From sources to an analysis: the extract, and the causes that signatures and the log's own words give, all cited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from pipelines.evidence.context import NO_CONTEXT, Context
from pipelines.evidence.diagnosing import Suspicion, suspicions
from pipelines.evidence.extracting import gather
from pipelines.evidence.known_steps import KnownStep
from pipelines.evidence.reading import Options, Reading, Source, read
from pipelines.evidence.scanners import scanner_findings
from pipelines.evidence.values import Extract, Finding

FINDINGS_CITED = 20  # lines of findings that have a place in the extract


@dataclass(frozen=True, slots=True)
class Analysis:
    """The extract, and suspicions with the index of their source; their rows are line numbers of that source.

    `findings` are those of scanners; `context` is what is known beside the log, empty where nobody looked for it.
    """

    extract: Extract
    suspicions: tuple[tuple[int, Suspicion], ...]
    findings: tuple[Finding, ...] = ()
    context: Context = NO_CONTEXT


def analyse(
    sources: Sequence[tuple[str, Source]], options: Options | None = None, failing: Sequence[KnownStep | None] = ()
) -> Analysis:
    """Read named sources, find causes, and make sure that the lines they cite are in the extract.

    `failing` are the steps that failed in the first of the sources, where they are known. Raises Refused for a source
    that cannot be read.
    """
    asked = options or Options()
    each = [replace(asked, failing_step=step) for step, _ in zip_longest(failing, sources)]
    read_each = zip(sources, each, strict=True)
    return _analysed([(name, read(source, one)) for (name, source), one in read_each], asked)


def analyse_reading(name: str, reading: Reading, budget_tokens: int, plain: bool = False) -> Analysis:
    """The same for a source that was read before."""
    return _analysed([(name, reading)], Options(budget_tokens=budget_tokens, plain=plain))


def _analysed(readings: Sequence[tuple[str, Reading]], asked: Options) -> Analysis:
    found = [suspicions(reading, asked.plain, asked.failed) for _, reading in readings]
    scanned = [scanner_findings(reading.lines.bare, reading.lines.numbers) for _, reading in readings]
    rows = [
        [row for one in each for row in one.rows] + _rows(findings, reading)
        for each, findings, (_, reading) in zip(found, scanned, readings, strict=True)
    ]
    extract = gather(readings, asked, rows)
    kept = {(line.source, line.number) for line in extract.lines}
    told = [
        (source, numbered)
        for source, each in enumerate(found)
        for one in each
        if (numbered := _numbered(one, readings[source][1], source, kept)).rows
    ]
    if len(readings) > 1:
        told.sort(key=lambda one: -one[1].confidence)
    findings = tuple(replace(one, source=source) for source, each in enumerate(scanned) for one in each)
    return Analysis(extract, tuple(told), findings)


def _rows(findings: Sequence[Finding], reading: Reading) -> list[int]:
    cited = {one.number for one in findings[:FINDINGS_CITED]}
    return [row for row, number in enumerate(reading.lines.numbers) if number in cited] if cited else []


def _numbered(one: Suspicion, reading: Reading, source: int, kept: set[tuple[int, int]]) -> Suspicion:
    numbers = tuple(reading.lines.numbers[row] for row in one.rows)
    return replace(one, rows=tuple(number for number in numbers if (source, number) in kept))
