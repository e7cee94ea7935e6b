"""The engine: readings in, the lines that matter out."""

from collections.abc import Sequence
from dataclasses import replace

from pipelines.evidence.extents import stretches
from pipelines.evidence.packing import Packer
from pipelines.evidence.reading import Options, Reading
from pipelines.evidence.selecting import SHARES, learned, marked, rare, seeds, tail, told_again
from pipelines.evidence.templates import skeleton
from pipelines.evidence.tokens import count_tokens
from pipelines.evidence.values import Block, Extract, Step, render

TINY = 100  # tokens up to which the lines that a cause cites may take all


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
        sum(reading.lines.seen for _, reading in readings),
        _numbered(first) if first else None,
        _notes(readings),
    )


def _packed(reading: Reading, budget: int, number: int, several: bool, cited: Sequence[int] = ()) -> list[Block]:
    lines, found = reading.lines, reading.looks
    if not len(lines) or budget <= 0:
        return []
    lengths = [len(skeleton(line)) for line in lines.bare]
    packer = Packer(lines, found.template.tolist(), lengths, found.copies.astype(int).tolist(), budget, number, several)
    shares = SHARES[reading.kind]
    probability = reading.probability
    packer.fill(cited, max(0.5, min(1.0, TINY / budget)), "cause")
    packer.fill(marked(found, probability).tolist()[:1_000], shares.marked, "marked")
    likely = [*cited[:2], *told_again(found, packer.taken_by("marked")), *seeds(probability)]
    packer.fill(tail(lines, reading.outline, probability), shares.tail, "tail")
    _whole(packer, reading, likely, shares.learned)
    packer.fill(rare(lines, found, probability).tolist()[:1_000], shares.rare, "rare")
    packer.fill(learned(lines, probability, likely), 1.0, "learned")
    return packer.blocks(probability)


def _whole(packer: Packer, reading: Reading, likely: Sequence[int], share: float) -> None:
    """Take the blocks that most probably hold all of what a person would mark, until `share` of the budget is used."""
    limit = min(packer.budget, packer.used + int(share * packer.budget))
    for first, last in stretches(reading.probability, reading.ends, likely, packer.price, limit - packer.used):
        packer.fill_whole(first, last, limit, "learned")


def _trouble(reading: Reading) -> float:
    top = sorted(reading.probability.tolist(), reverse=True)[:10] if len(reading.lines) else []
    return float(sum(top)) + (2 if reading.outline.marker >= 0 else 0)


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
        if long := sum(b"bytes not looked at" in line for line in reading.lines.shown):
            notes.append(
                f"Of {long:,} very long line{'s' if long > 1 else ''} of {name} the ends were looked at, and what "
                "speaks of trouble between them."
            )
        if reading.lines.seen < reading.lines.total:
            notes.append(
                f"Of {name}, {reading.lines.total:,} lines were scanned and {reading.lines.seen:,} looked at closely."
            )
    return tuple(notes)
