"""Whether what was found can answer the question at all. Code decides this before a language model is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.ask.citations import searched
from pipelines.ask.terms import cover, terms
from pipelines.ask.values import Passage

# Two ways to be strong: the words of the question stand in one passage, or the meaning is near and some words do.
# Measured on answerable and unanswerable questions by tests/benchmarks/ask_evidence.py.
WORDS_ALONE = 0.75
NEAR, SOME_WORDS = 0.45, 0.34


@dataclass(frozen=True, slots=True)
class Evidence:
    """`cover`: share of the question's content words in the best passage. `closeness`: of the nearest passage."""

    cover: float
    closeness: float

    @property
    def strong(self) -> bool:
        return self.cover >= WORDS_ALONE or (self.closeness >= NEAR and self.cover >= SOME_WORDS)


def weigh(question: str, passages: Sequence[Passage]) -> Evidence:
    wanted = terms(question)
    covers = [cover(wanted, terms(searched(passage))) for passage in passages]
    return Evidence(max(covers, default=0.0), max((passage.closeness for passage in passages), default=0.0))
