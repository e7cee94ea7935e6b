"""Four selectors and how they share the budget.

A: the tail that ends at the last failing command. B: the learned ranker. C: the rarest templates, for formats that
nobody has seen. D: what a tool or the CI system itself marked as an error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.evidence.cues import GROUPS
from pipelines.evidence.extents import SEEDS, by_worth
from pipelines.evidence.features import Looks, has
from pipelines.evidence.lines import Table
from pipelines.evidence.steps import Outline
from pipelines.evidence.values import LogKind


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the budget, in the order in which the selectors take; what one leaves the next may use."""

    marked: float
    tail: float
    learned: float
    rare: float


SHARES: dict[LogKind, Shares] = {
    "ci": Shares(marked=0.1, tail=0.1, learned=0.65, rare=0.1),
    "container": Shares(marked=0.2, tail=0.1, learned=0.4, rare=0.3),
    "command": Shares(marked=0.25, tail=0.1, learned=0.45, rare=0.2),
}


QUIET, UNLIKELY, LEAST = 15, 0.03, 8  # the tail ends behind so many rows that the ranker does not believe in


def tail(lines: Table, outline: Outline, probability: Any) -> list[int]:
    """A: backwards from the marker of the failing command, or from the end, until the log falls quiet."""
    end = outline.marker if outline.marker >= 0 else len(lines) - 1
    rows: list[int] = []
    quiet = 0
    for row in range(end, max(-1, end - LONGEST_TAIL), -1):
        quiet = 0 if probability[row] >= UNLIKELY else quiet + 1
        if quiet > QUIET and len(rows) >= LEAST:
            break
        rows.append(row)
    return rows


LONGEST_TAIL = 2_000  # rows
WIDEST = 40  # rows of a block; what lies beyond grows from a seed of its own
BELIEVED = 0.25  # of the seed's probability, down to which a neighbour belongs to its block
MOST_TOLD_AGAIN = 2  # first tellings that a block grows around
GAP = 1  # rows below that, in which a block goes on; a blank row counts half


def seeds(probability: Any) -> list[int]:
    """Rows that blocks grow from, best first."""
    return by_worth(probability, SEEDS)


def learned(lines: Table, probability: Any, from_rows: Sequence[int]) -> list[int]:
    """B: whole blocks around the rows that the ranker believes in, best first, each from its seed outwards."""
    values = probability.tolist()
    done: set[int] = set()
    order: list[int] = []
    for seed in from_rows:
        if seed not in done:
            block = _grown(lines, values, seed, done)
            done.update(block)
            order += sorted(block, key=lambda row: abs(row - seed))
        if len(order) > 2 * SEEDS:
            break
    return order


def _grown(lines: Table, values: Sequence[float], seed: int, done: set[int]) -> list[int]:
    least = max(BELIEVED * values[seed], 0.03)
    block = [seed]
    for step in (1, -1):
        row, doubt, waiting = seed + step, 0.0, list[int]()
        while 0 <= row < len(values) and row not in done and len(block) < WIDEST and doubt <= GAP:
            waiting.append(row)
            if values[row] >= least:
                block += waiting
                doubt, waiting = 0.0, []
            else:
                doubt += 1 if lines.bare[row] else 0.5
            row += step
    return block


def rare(lines: Table, found: Looks, probability: Any) -> Any:
    """C: templates seen least, those that speak of trouble first, later ones before earlier ones."""
    import numpy

    trouble = has(
        found, "level-error", "level-warning", "error-colon", "error-capital", "fatal", "kubernetes", "exception"
    )
    words = found.length > 12
    score = (
        -numpy.log1p(found.copies)
        + 1.2 * trouble
        + 0.8 * probability
        + 0.2 * numpy.arange(len(lines)) / max(len(lines), 1)
    )
    return numpy.argsort(-numpy.where(words, score, -99), kind="stable")


_MARKED = (
    "annotation", "process-completed", "job-failed", "traceback", "fail-start", "error-start", "make-error",
    "build-failed", "level-error", "kubernetes", "numbered-failure", "cross",
)  # fmt: skip
_PLACED = ("error-colon", "fail-word", "cross")  # marks as well where a place in a file stands beside them


def marked(found: Looks, probability: Any) -> Any:
    """D: rows with an explicit mark of an error, most probable first, each with the row where it is told first.

    A compiler's error comes back in every target's build, a test's in the summary: what explains it stands around the
    first telling (1.5 points more of LogChunks' logs have a marked line at 2,000 tokens).
    """
    import numpy

    place = found.groups[:, GROUPS.index("place")] > 0
    placed = place & has(found, *_PLACED)
    strong = (
        has(found, "annotation") * 1.0
        + has(found, "level-error", "kubernetes") * 0.3
        + (placed & ~has(found, "cross")) * 0.15
        + has(found, "cross") * 0.15
    )
    rows = numpy.flatnonzero(has(found, *_MARKED) | placed)
    best = rows[numpy.argsort(-(probability[rows] + strong[rows]), kind="stable")]
    return numpy.stack([best, first_tellings(found)[best]], axis=1).ravel()


def first_tellings(found: Looks) -> Any:
    """For each row the first one of the same template, which may be itself."""
    import numpy

    _, first, template = numpy.unique(found.template, return_index=True, return_inverse=True)
    return first[template]


def told_again(found: Looks, rows: Iterable[int]) -> list[int]:
    """Those of `rows` that tell first what is told again later: whole blocks grow around them."""
    first = first_tellings(found)
    return [row for row in rows if first[row] == row and found.copies[row] > 1][:MOST_TOLD_AGAIN]
