"""Rows into a budget of exact tokens: each selector takes until its share is used, whole blocks come out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipelines.evidence.cleaning import decoded
from pipelines.evidence.lines import Table
from pipelines.evidence.long_lines import cut
from pipelines.evidence.tokens import count_tokens
from pipelines.evidence.values import Block, Line, reference, render

COPIES = 3  # lines of one template, apart from whole blocks
SHORT = 6  # letters of a template below which it stands for nothing: brackets, carets, rules
NEAR = 2  # rows within which a copy belongs to the block that is kept
WITHIN = 12  # copies that even a block that is kept may hold
MISSES = 12  # rows in a row that do not fit before a selector stops
BLANKS = 4  # blank lines that a block goes over


@dataclass(slots=True)
class Packer:
    """Takes rows of one table. Per row: the number of its `templates`, their `lengths` and `copies`."""

    lines: Table
    templates: Sequence[int]
    lengths: Sequence[int]
    copies: Sequence[int]
    budget: int
    source: int = 0
    several: bool = False
    used: int = 0
    taken: dict[int, str] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    _copies: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    _costs: dict[int, int] = field(default_factory=dict)

    def fill(self, rows: Iterable[int], share: float, selector: str) -> None:
        """Take `rows` in this order until `share` of the whole budget is used by this selector."""
        limit = min(self.budget, self.used + int(share * self.budget))
        misses = 0
        for row in rows:
            if not self._take(row, limit, selector):
                misses += 1
                if misses > MISSES:
                    return

    def fill_whole(self, first: int, last: int, limit: int, selector: str) -> None:
        """Take the rows from `first` to `last` up to `limit` tokens in all, whatever was shown elsewhere.

        Of copies, a dozen; a row or two are no block, and follow the rule for lines.
        """
        if last - first < NEAR:
            self.fill(range(first, last + 1), (limit - self.used) / self.budget, selector)
            return
        for row in range(first, last + 1):
            repeated = self._copies[self.templates[row]] >= WITHIN and self.lengths[row] >= SHORT
            if row not in self.taken and not repeated and self.used + self._cost(row) <= limit:
                self._add(row, selector)

    def price(self, row: int) -> int:
        """Tokens that taking this row costs now."""
        return 0 if row in self.taken else self._cost(row)

    def taken_by(self, selector: str) -> list[int]:
        return [row for row, by in self.taken.items() if by == selector]

    def _take(self, row: int, limit: int, selector: str) -> bool:
        if row in self.taken or self._repeated(row):
            return True
        if self.used + self._cost(row) > limit:
            return False
        self._add(row, selector)
        return True

    def _add(self, row: int, selector: str) -> None:
        self.taken[row] = selector
        self.used += self._cost(row)
        self._copies[self.templates[row]] += 1

    def _repeated(self, row: int) -> bool:
        copies = self._copies[self.templates[row]]
        if copies < COPIES or self.lengths[row] < SHORT:
            return False
        if copies >= WITHIN:
            return True
        return not any(near in self.taken for near in range(row - NEAR, row + NEAR + 1))

    def _cost(self, row: int) -> int:
        if row not in self._costs:
            self.texts[row] = cut(decoded(self.lines.shown[row]).rstrip())
            self._costs[row] = count_tokens(f"{reference(self._line(row), self.several)}|{self.texts[row]}\n")
        return self._costs[row]

    def _line(self, row: int) -> Line:
        return Line(self.lines.numbers[row], self.texts[row], self.source)

    def blocks(self, scores: Sequence[float]) -> list[Block]:
        """What was taken, in order; runs of neighbours are one block. Never more tokens than the budget."""
        order = list(self.taken)
        blocks = self._joined(sorted(order), scores)
        while order and count_tokens(render(blocks, self.several)) > self.budget:
            del self.taken[order.pop()]
            blocks = self._joined(sorted(order), scores)
        return blocks

    def _beside(self, row: int) -> bool:
        """Whether nothing but blank lines stands between this row and the one before."""
        return self.lines.numbers[row] - self.lines.numbers[row - 1] <= 1 + BLANKS

    def _joined(self, rows: Sequence[int], scores: Sequence[float]) -> list[Block]:
        runs: list[list[int]] = []
        for row in rows:
            if runs and row == runs[-1][-1] + 1 and self._beside(row):
                runs[-1].append(row)
            else:
                runs.append([row])
        return [
            Block(
                tuple(self._line(row) for row in run),
                self.taken[run[0]],
                round(float(max(scores[row] for row in run)), 3),
                max(self.copies[row] for row in run),
            )
            for run in runs
        ]
