"""Makes one order out of several: reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009).

Documents are fused rather than passages, because one search may find a document by its first passage and another by
its last. A document is then as good as its best passages.
"""

from collections.abc import Hashable, Sequence
from typing import TypeVar

D = TypeVar("D", bound=Hashable)
# 60 in the paper, whose lists were of equal strength; 10 lets the first places of each list count more.
SMOOTHING = 10
# What each further passage of the same document is worth against the one before it.
FURTHER_PASSAGE = 0.85

Key = tuple[D, int]


def fuse(lists: Sequence[Sequence[Key[D]]]) -> list[tuple[Key[D], float]]:
    """Passages, each named by document and number, with their scores, best first; `lists` are best first too."""
    passages: dict[Key[D], float] = {}
    documents: dict[D, float] = {}
    for ranked in lists:
        _add(passages, ranked)
        _add(documents, [document for document, _ in ranked])
    placed: dict[D, int] = {}
    scores: dict[Key[D], float] = {}
    for key in sorted(passages, key=lambda each: -passages[each]):
        place = placed.get(key[0], 0)
        placed[key[0]] = place + 1
        scores[key] = documents[key[0]] * FURTHER_PASSAGE**place
    # Ties between documents go to the one whose best passage was found at the better places.
    return sorted(scores.items(), key=lambda each: (-each[1], -passages[each[0]]))


def _add(scores: dict[D, float], ranked: Sequence[D]) -> None:
    for rank, key in enumerate(dict.fromkeys(ranked), start=1):
        scores[key] = scores.get(key, 0.0) + 1 / (SMOOTHING + rank)
