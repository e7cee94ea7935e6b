"""Whole blocks: of all that a person may have marked around a likely row, what is most worth its tokens.

A row is marked with the ranker's probability; where it is, the one below and the one above are with theirs. So each
pair of a first and a last row has a probability of being the marked block, as in a Markov chain, and a stretch of rows
that of holding the whole of it. Stretches are taken by that for their tokens.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.evidence.features import edges
from pipelines.evidence.ranker import Weights

LIKELY = 0.03  # below that, no row is worth looking around
AROUND = 80  # rows of a block above and below the row that it is looked for around
SEEDS = 1_500  # rows that a block may grow from
MOST_SCORED = 2_500  # rows
REGIONS = 12  # stretches that blocks are looked for in
MOST_TAKEN = 40
OVERHEAD = 25  # tokens that every stretch is taken to cost, so that crumbs are not the best buy
THRIFT = 0.7  # power of the tokens by which what a stretch holds is divided


@dataclass(frozen=True, slots=True)
class Ends:
    """Per row: how likely the row `below` and the one `above` are marked where this one is; 0 where not asked."""

    below: Any
    above: Any


def ends(features: Any, probability: Any, weights: Weights) -> Ends:
    """Of rows near likely ones. `features` are lines x columns, `probability` is the ranker's."""
    import numpy

    count = len(probability)
    below, above = numpy.zeros(count, numpy.float32), numpy.zeros(count, numpy.float32)
    rows = numpy.flatnonzero(_near(probability)[:-1]) if count else numpy.empty(0, numpy.int64)
    if len(rows):
        between = edges(features, rows)
        below[rows] = weights.below.score(between)
        above[rows + 1] = weights.above.score(between)
    return Ends(below, above)


def _near(probability: Any) -> Any:
    """Rows near any likely one; where these are many, only those that blocks will be looked for in."""
    import numpy

    reach = numpy.convolve(probability >= LIKELY, numpy.ones(2 * AROUND + 1))
    near = reach[AROUND : AROUND + len(probability)] > 0.5
    if near.sum() > MOST_SCORED:
        near[:] = False
        for first, end in _regions(probability, by_worth(probability, SEEDS)):
            near[first:end] = True
    return near


def by_worth(probability: Any, most: int) -> list[int]:
    """Rows by probability, smoothed a little, so that a lone line does not beat a block of good ones."""
    import numpy

    smooth = numpy.convolve(probability, numpy.ones(5) / 5, "same")[: len(probability)]
    score = numpy.maximum(probability, 0.8 * smooth)
    return [int(row) for row in numpy.argsort(-score, kind="stable")[:most]]


@dataclass(slots=True)
class _Region:
    """Rows from `first` on: the probability of each block by its first and last row, and what each row costs."""

    first: int
    mass: Any
    costs: Any
    best: tuple[float, int, int, float] = (0.0, 0, 0, 0.0)  # worth, first and last row, tokens

    def look(self, left: float) -> None:
        """Find the stretch that holds most probability for its tokens, of those that cost no more than is `left`."""
        import numpy

        held = self.mass[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
        sums = numpy.concatenate([[0.0], self.costs.cumsum()])
        tokens = sums[1:][None, :] - sums[:-1][:, None]
        fits = numpy.triu(tokens <= left)
        worth = numpy.where(fits, held / (numpy.maximum(tokens, 0) + OVERHEAD) ** THRIFT, 0.0)
        first, last = divmod(int(worth.argmax()), len(worth))
        self.best = (float(worth[first, last]), first, last, float(tokens[first, last]))

    def take(self) -> tuple[int, int]:
        """What was found, as rows of the log; what it holds is worth nothing any more and costs nothing."""
        _, first, last, _ = self.best
        self.mass[first : last + 1, first : last + 1] = 0
        self.costs[first : last + 1] = 0
        return self.first + first, self.first + last


def stretches(
    probability: Any, found: Ends, from_rows: Iterable[int], cost: Callable[[int], int], limit: int
) -> list[tuple[int, int]]:
    """First and last rows of what to take, best first, for at most `limit` tokens; a row taken before costs 0."""
    regions = [
        _Region(first, _mass(probability, found, first, end), _costs(cost, first, end))
        for first, end in _regions(probability, from_rows)
    ]
    for region in regions:
        region.look(limit)
    chosen: list[tuple[int, int]] = []
    left = float(limit)
    while regions and len(chosen) < MOST_TAKEN:
        region = max(regions, key=lambda one: one.best[0])
        worth, _, _, tokens = region.best
        if worth <= 0:
            break
        if tokens <= left:
            chosen.append(region.take())
            left -= tokens
        region.look(left)
    return chosen


def _costs(cost: Callable[[int], int], first: int, end: int) -> Any:
    import numpy

    return numpy.array([cost(row) for row in range(first, end)], float)


def _regions(probability: Any, from_rows: Iterable[int]) -> list[tuple[int, int]]:
    """Stretches around the best rows that do not overlap, as first row and the row behind the last."""
    import numpy

    taken = numpy.zeros(len(probability), bool)
    regions: list[tuple[int, int]] = []
    for row in from_rows:
        if len(regions) == REGIONS:
            break
        if taken[row] or probability[row] < LIKELY:
            continue
        first, end = max(0, row - AROUND), min(len(probability), row + AROUND + 1)
        above, below = numpy.flatnonzero(taken[first:row]), numpy.flatnonzero(taken[row:end])
        first = first + int(above[-1]) + 1 if len(above) else first
        end = row + int(below[0]) if len(below) else end
        taken[first:end] = True
        regions.append((first, end))
    return regions


def _mass(probability: Any, found: Ends, first: int, end: int) -> Any:
    """Per first and last row: the first is marked and none above it, all go on to the last, and there it ends."""
    import numpy

    below = found.below[first:end].astype(float)
    begins = probability[first:end] * (1 - found.above[first:end].astype(float))
    on = numpy.concatenate([[0.0], numpy.log(numpy.maximum(below[:-1], 1e-6)).cumsum()])
    through = numpy.triu(numpy.exp(numpy.minimum(on[None, :] - on[:, None], 0.0)))
    return through * begins[:, None] * (1 - below)[None, :]
