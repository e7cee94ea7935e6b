"""Measures of a ranking against judgements, as trec_eval defines them, the mean over the queries that can be judged."""

import math
from collections.abc import Mapping, Sequence

Run = Mapping[str, Sequence[str]]
Judgements = Mapping[str, Mapping[str, float]]


def ndcg(run: Run, judgements: Judgements, depth: int = 10) -> dict[str, float]:
    """By query: gain is the grade itself, discount log2(rank + 1) (Jarvelin and Kekalainen 2002, as in trec_eval)."""
    found = {}
    for query, grades in _relevant(judgements).items():
        gains = [grades.get(document, 0.0) for document in _ranking(run, query)[:depth]]
        found[query] = _discounted(gains) / _discounted(sorted(grades.values(), reverse=True)[:depth])
    return found


def recall(run: Run, judgements: Judgements, depth: int = 5) -> dict[str, float]:
    return {
        query: len(set(_ranking(run, query)[:depth]) & grades.keys()) / len(grades)
        for query, grades in _relevant(judgements).items()
    }


def reciprocal_rank(run: Run, judgements: Judgements, depth: int = 10) -> dict[str, float]:
    found = {}
    for query, grades in _relevant(judgements).items():
        ranks = [rank for rank, document in enumerate(_ranking(run, query)[:depth], 1) if document in grades]
        found[query] = 1 / ranks[0] if ranks else 0.0
    return found


def mean(values: Mapping[str, float]) -> float:
    """0 where there is nothing to judge."""
    return math.fsum(values.values()) / len(values) if values else 0.0


def _relevant(judgements: Judgements) -> dict[str, dict[str, float]]:
    """Without grades of 0 and below, and without queries that have no other."""
    kept = {
        query: {document: grade for document, grade in grades.items() if grade > 0}
        for query, grades in judgements.items()
    }
    return {query: grades for query, grades in kept.items() if grades}


def _ranking(run: Run, query: str) -> list[str]:
    """A document counts where it stands first."""
    return list(dict.fromkeys(run.get(query, ())))


def _discounted(gains: Sequence[float]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
