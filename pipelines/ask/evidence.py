"""Whether what was found can answer the question at all. Code decides this before a language model is asked."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from threading import Lock

from pipelines.ask.citations import searched
from pipelines.ask.terms import cover, terms
from pipelines.ask.values import Passage
from pipelines.ports import Documents

# Closeness tells answerable from unanswerable questions far better than shared words do: between FAR and NEAR, words
# decide. Both are parts of the way from the floor to 1 (docs/benchmarks.md, by tests/benchmarks/ask_evidence.py).
NEAR, FAR = 0.35, 0.24
WORDS = 0.6
# An index without vectors has words alone.
WORDS_ALONE = 0.75
# Questions that no team's documents answer. How close they come anyway is the floor of this embedding on these
# documents: some embeddings put everything above 0.7, others nothing above 0.6.
PROBES = (
    "How long does rice have to boil?",
    "Which team won the cup final last year?",
    "What is the capital of Mongolia?",
    "How do I knit a scarf with two colours?",
    "When do swallows fly south?",
    "Who painted the ceiling of the Sistine Chapel?",
    "How many strings does a cello have?",
)
USUAL_FLOOR = 0.15  # of the bundled embedding
FRESH_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """`cover`: share of the question's content words in the best passage. `closeness`: of the nearest passage."""

    cover: float
    closeness: float
    floor: float = USUAL_FLOOR

    @property
    def strong(self) -> bool:
        if self.closeness == 0:
            return self.cover >= WORDS_ALONE
        risen = (self.closeness - self.floor) / (1 - self.floor)
        return risen >= NEAR or (risen >= FAR and self.cover >= WORDS)


def weigh(question: str, passages: Sequence[Passage], floor: float = USUAL_FLOOR) -> Evidence:
    wanted = terms(question)
    covers = [cover(wanted, terms(searched(passage))) for passage in passages]
    nearest = max((passage.closeness for passage in passages), default=0.0)
    return Evidence(max(covers, default=0.0), nearest, floor)


@dataclass
class Floor:
    """How close questions come that nothing answers; measured once an hour, since documents come and go."""

    documents: Documents
    clock: Callable[[], float] = time.monotonic
    _known: tuple[float, float] | None = None
    _turn: Lock = field(default_factory=Lock)

    def __call__(self) -> float:
        with self._turn:
            if self._known is None or self.clock() - self._known[0] > FRESH_SECONDS:
                self._known = (self.clock(), self._measured())
            return self._known[1]

    def _measured(self) -> float:
        found = [max((one.closeness for one in self.documents.search(probe, None, 3)), default=0.0) for probe in PROBES]
        # Zero where vectors are missing, or where nothing is for everybody.
        near = [closeness for closeness in found if closeness > 0]
        return min(0.9, median(near)) if near else USUAL_FLOOR
