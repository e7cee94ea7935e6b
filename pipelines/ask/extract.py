"""The answer without a language model: the sentences of the found passages that say most of what was asked."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from pipelines.ask.citations import Draft, sentences
from pipelines.ask.terms import terms
from pipelines.ask.values import Passage

MOST_SENTENCES = 3
LONGEST = 320
SHORTEST_WORDS = 4
# A sentence of the second passage has to say a little more than one of the first, and so on.
RANK_WEIGHT = 0.85
# What adds less than this share of the best sentence's weight only makes the answer longer.
WORTH = 0.35
# How close another part of the same page has to be, as a share of the best part's closeness.
SAME_PAGE = 0.6
_FENCE = re.compile(r"^(```|~~~)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|\|)|\*\*|__|\|\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    text: str
    passage: int  # from 1
    place: int
    terms: frozenset[str]
    weight: float  # of its passage


def extract(question: str, passages: Sequence[Passage], most: int = MOST_SENTENCES) -> list[Draft]:
    """One to three sentences, in the order of the passages; empty where no sentence shares a word with the question."""
    candidates = list(_candidates(passages))
    weights = _weights(set(terms(question)), candidates)
    chosen: list[Candidate] = []
    open_terms = dict(weights)
    first = 0.0
    while len(chosen) < most:
        best = max(candidates, key=lambda one: _worth(one, open_terms), default=None)
        worth = _worth(best, open_terms) if best else 0.0
        if best is None or worth <= 0 or (chosen and worth < WORTH * first):
            break
        first = first or worth
        taken = [best, *_what_follows(best, candidates)][: most - len(chosen)]
        chosen += taken
        candidates = [one for one in candidates if one not in taken]
        # What is said already is worth little the second time.
        open_terms = {term: weight * (0.3 if term in best.terms else 1) for term, weight in open_terms.items()}
    chosen += _rest_of_the_page(chosen, candidates, passages)[: most - len(chosen)]
    return [
        Draft(one.text, (one.passage,), verbatim=True)
        for one in sorted(chosen, key=lambda one: (one.passage, one.place))
    ]


def _rest_of_the_page(
    chosen: Sequence[Candidate], candidates: Sequence[Candidate], passages: Sequence[Passage]
) -> list[Candidate]:
    """How the other found parts of the best page begin: "When" says the words of the question, "How" answers it."""
    if len(chosen) != 1:
        return []
    best = passages[chosen[0].passage - 1]
    used = {one.passage for one in chosen}
    begins: dict[int, Candidate] = {}
    for one in candidates:
        page = passages[one.passage - 1]
        near = page.closeness >= SAME_PAGE * best.closeness
        if page.document.id == best.document.id and near and one.passage not in used:
            begins.setdefault(one.passage, one)
    return list(begins.values())


def _what_follows(best: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The sentence behind it: where one says what is wrong, the next says what to do."""
    return [one for one in candidates if (one.passage, one.place) == (best.passage, best.place + 1)]


def _worth(candidate: Candidate, weights: dict[str, float]) -> float:
    shared = sum(weight for term, weight in weights.items() if term in candidate.terms)
    # Long sentences share more by chance.
    return shared * candidate.weight / (1 + log(max(1.0, len(candidate.terms) / 12)))


def _weights(wanted: set[str], candidates: Sequence[Candidate]) -> dict[str, float]:
    """A word that few sentences hold tells more (inverse document frequency over the candidates)."""
    counts = Counter(term for candidate in candidates for term in candidate.terms & wanted)
    return {term: log(1 + len(candidates) / counts[term]) for term in wanted if counts[term]}


def _candidates(passages: Sequence[Passage]) -> Iterator[Candidate]:
    nearest = max((passage.closeness for passage in passages), default=0.0)
    for number, passage in enumerate(passages, 1):
        # The fused order mixes words and meaning; of two passages with the words, the one that means it is better.
        near = (max(passage.closeness, 0.0) / nearest) ** 2 if nearest > 0 else 1.0
        context = terms(" ".join(passage.chunk.headings[-1:]))
        for place, text in enumerate(units(passage.chunk.text)):
            if len(text.split()) >= SHORTEST_WORDS:
                yield Candidate(
                    text, number, place, frozenset(terms(text) + context), near * RANK_WEIGHT ** (number - 1)
                )


def units(text: str) -> list[str]:
    """Sentences and list items; a short block of code belongs to the sentence before it."""
    found: list[str] = []
    at = 0
    for fence in _FENCE.finditer(text):
        found += _plain(text[at : fence.start()])
        code = " ".join(line.strip() for line in fence.group(2).splitlines() if line.strip())
        if code and found and len(found[-1]) + len(code) < LONGEST:
            found[-1] = f"{found[-1]} `{code.replace('`', '')}`"
        at = fence.end()
    return [part if len(part) <= LONGEST else part[: LONGEST - 1] + "…" for part in found + _plain(text[at:])]


def _plain(text: str) -> list[str]:
    prose = _MARKS.sub("", text)
    # A line that only was broken for width goes on; an empty line, or a list's next item, ends it.
    prose = re.sub(r"(?<=\S)[ \t]*\n(?=[ \t]*[^\s\-*•\d|#>])", " ", prose)
    return [part for part in sentences(prose) if any(letter.isalpha() for letter in part)]
