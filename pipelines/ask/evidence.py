"""Whether what was found can answer the question at all. Code decides this before a language model is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.ask.citations import searched
from pipelines.ask.terms import cover, terms
from pipelines.ask.values import Passage

# Closeness tells answerable from unanswerable questions far better than shared words do (docs/benchmarks.md, by
# tests/benchmarks/ask_evidence.py): between FAR and NEAR, words decide. An index without vectors has words alone.
NEAR, FAR = 0.45, 0.35
WORDS = 0.6
WORDS_ALONE = 0.75


@dataclass(frozen=True, slots=True)
class Evidence:
    """`cover`: share of the question's content words in the best passage. `closeness`: of the nearest passage."""

    cover: float
    closeness: float

    @property
    def strong(self) -> bool:
        if self.closeness == 0:
            return self.cover >= WORDS_ALONE
        return self.closeness >= NEAR or (self.closeness >= FAR and self.cover >= WORDS)


def weigh(question: str, passages: Sequence[Passage]) -> Evidence:
    wanted = terms(question)
    covers = [cover(wanted, terms(searched(passage))) for passage in passages]
    return Evidence(max(covers, default=0.0), max((passage.closeness for passage in passages), default=0.0))
