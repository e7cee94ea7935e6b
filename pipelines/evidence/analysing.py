"""From sources to an analysis: the extract, and the causes that signatures and the log's own words give, all cited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.evidence.diagnosing import Suspicion, suspicions
from pipelines.evidence.extracting import gather
from pipelines.evidence.reading import Options, Reading, Source, read
from pipelines.evidence.values import Extract


@dataclass(frozen=True, slots=True)
class Analysis:
    """The extract, and suspicions with the index of their source; their rows are line numbers of that source."""

    extract: Extract
    suspicions: tuple[tuple[int, Suspicion], ...]


def analyse(sources: Sequence[tuple[str, Source]], options: Options | None = None) -> Analysis:
    """Read named sources, find causes, and make sure that the lines they cite are in the extract.

    Raises Refused for a source that cannot be read.
    """
    asked = options or Options()
    return _analysed([(name, read(source, asked)) for name, source in sources], asked)


def analyse_reading(name: str, reading: Reading, budget_tokens: int, plain: bool = False) -> Analysis:
    """The same for a source that was read before."""
    return _analysed([(name, reading)], Options(budget_tokens=budget_tokens, plain=plain))


def _analysed(readings: Sequence[tuple[str, Reading]], asked: Options) -> Analysis:
    found = [suspicions(reading, asked.plain) for _, reading in readings]
    extract = gather(readings, asked, [[row for one in each for row in one.rows] for each in found])
    kept = {(line.source, line.number) for line in extract.lines}
    told = [
        (source, numbered)
        for source, each in enumerate(found)
        for one in each
        if (numbered := _numbered(one, readings[source][1], source, kept)).rows
    ]
    if len(readings) > 1:
        told.sort(key=lambda one: -one[1].confidence)
    return Analysis(extract, tuple(told))


def _numbered(one: Suspicion, reading: Reading, source: int, kept: set[tuple[int, int]]) -> Suspicion:
    numbers = tuple(reading.lines.numbers[row] for row in one.rows)
    return replace(one, rows=tuple(number for number in numbers if (source, number) in kept))
