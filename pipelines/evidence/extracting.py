"""The engine: sources in, the lines that matter out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from pipelines.evidence.features import Looks, looks, matrix
from pipelines.evidence.kinds import detect_log_kind
from pipelines.evidence.lines import Table, table
from pipelines.evidence.packing import Packer
from pipelines.evidence.ranker import Forest, shipped
from pipelines.evidence.selecting import SHARES, learned, marked, rare, tail
from pipelines.evidence.sources import Buffer, opened
from pipelines.evidence.steps import Outline, outline
from pipelines.evidence.templates import skeleton
from pipelines.evidence.tokens import count_tokens
from pipelines.evidence.values import Block, Extract, LogKind, Step, render
from pipelines.evidence.windows import CLOSELY, windows

BUDGET = 2_000
ROWS_RANKED = 60_000  # beyond this many lines only those around something that speaks of trouble are ranked
Source = Path | bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class Options:
    """`closely`: bytes of a log that are looked at line by line; `plain`: without hyperscan."""

    budget_tokens: int = BUDGET
    kind: LogKind | None = None
    closely: int = CLOSELY
    plain: bool = False
    forest: Forest | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A source after all that is found out about it: what reports are made from."""

    lines: Table
    looks: Looks
    outline: Outline
    probability: Any
    kind: LogKind


def extract(sources: Sequence[tuple[str, Source]], options: Options | None = None) -> Extract:
    """The lines that matter of these named sources together. Raises Refused for a source that cannot be read."""
    asked = options or Options()
    readings = [(name, read(source, asked)) for name, source in sources]
    return gather(readings, asked)


def read(source: Source, options: Options) -> Reading:
    """Look at one source, in memory that does not grow with it."""
    with opened(source) as buffer:
        return _read(buffer, options)


def _read(buffer: Buffer, options: Options) -> Reading:
    stretches, total = windows(buffer, options.closely, options.plain)
    lines = table(buffer, stretches, total)
    found = looks(lines, options.plain)
    steps = outline(lines.bare)
    kind = options.kind or detect_log_kind(lines, steps)
    return Reading(lines, found, steps, _probability(lines, found, options.forest or shipped()), kind)


def _probability(lines: Table, found: Looks, forest: Forest) -> Any:
    import numpy

    features = matrix(lines, found)
    if len(lines) <= ROWS_RANKED:
        return forest.score(features)
    speaking = found.groups[:, [0, 5, 6]].any(axis=1)
    around = numpy.convolve(speaking, numpy.ones(7), "same") > 0
    rows = numpy.flatnonzero(around)
    if len(rows) > ROWS_RANKED:
        rows = numpy.concatenate([rows[: ROWS_RANKED // 4], rows[-ROWS_RANKED * 3 // 4 :]])
    probability = numpy.zeros(len(lines), numpy.float32)
    probability[rows] = forest.score(features[rows])
    return probability


def gather(
    readings: Sequence[tuple[str, Reading]], options: Options, cited: Sequence[Sequence[int]] | None = None
) -> Extract:
    """Share the budget among sources by how much trouble each shows, and pack; `cited` rows of each come first."""
    several = len(readings) > 1
    blocks: list[Block] = []
    shares = _divided([reading for _, reading in readings])
    for number, ((_, reading), share) in enumerate(zip(readings, shares, strict=True)):
        budget = int(options.budget_tokens * share) - (2 if several else 0)
        blocks += _packed(reading, budget, number, several, cited[number] if cited else ())
    first = max((reading for _, reading in readings), key=_trouble, default=None)
    return Extract(
        tuple(blocks),
        count_tokens(render(blocks, several)) if blocks else 0,
        tuple(name for name, _ in readings),
        first.kind if first else "ci",
        sum(reading.lines.total for _, reading in readings),
        sum(len(reading.lines) for _, reading in readings),
        _numbered(first) if first else None,
        _notes(readings),
    )


def _packed(reading: Reading, budget: int, number: int, several: bool, cited: Sequence[int] = ()) -> list[Block]:
    lines, found = reading.lines, reading.looks
    if not len(lines) or budget <= 0:
        return []
    lengths = [len(skeleton(line)) for line in lines.bare]
    packer = Packer(lines, found.template.tolist(), lengths, budget, number, several)
    shares = SHARES[reading.kind]
    probability = reading.probability
    packer.fill(cited, 0.5, "cause")
    packer.fill(marked(lines, found, probability).tolist()[:500], shares.marked, "marked")
    packer.fill(tail(lines, reading.outline)[:2_000], shares.tail, "tail")
    order = learned(probability, reading.outline).tolist()[:3_000]
    packer.fill(order, shares.learned, "learned")
    packer.fill(rare(lines, found, probability).tolist()[:1_000], shares.rare, "rare")
    packer.fill(order, 1.0, "learned")
    return packer.blocks(probability)


def _trouble(reading: Reading) -> float:
    top = sorted(reading.probability.tolist(), reverse=True)[:10] if len(reading.lines) else []
    return sum(top) + (2 if reading.outline.marker >= 0 else 0)


def _divided(readings: Sequence[Reading]) -> list[float]:
    if len(readings) <= 1:
        return [1.0] * len(readings)
    weights = [0.5 + _trouble(reading) if len(reading.lines) else 0.0 for reading in readings]
    return [weight / (sum(weights) or 1) for weight in weights]


def _numbered(reading: Reading) -> Step | None:
    step, numbers = reading.outline.failing, reading.lines.numbers
    if step is None:
        return None
    return replace(step, first=numbers[step.first], last=numbers[step.last], marker=numbers[step.marker])


def _notes(readings: Sequence[tuple[str, Reading]]) -> tuple[str, ...]:
    notes = []
    for name, reading in readings:
        if not reading.lines.total:
            notes.append(f"{name} is empty.")
        elif len(reading.lines) < reading.lines.total:
            notes.append(
                f"Of {name}, {reading.lines.total:,} lines were scanned and {len(reading.lines):,} looked at closely."
            )
    return tuple(notes)
