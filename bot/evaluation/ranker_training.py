"""Trains the evidence ranker: `python -m bot.evaluation.ranker_training --data FOLDER --out ranker.npz`.

The data is not in the repository: index files as `shipmate evaluate evidence` reads them. Two rounds by fold: the first
finds the lines that a ranker wrongly believes in, the second learns from these as well.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.evaluation.ends_training import trained_ends
from bot.evaluation.forests import as_forest
from pipelines.evidence.cues import CUES
from pipelines.evidence.features import looks, matrix
from pipelines.evidence.lines import Table, table
from pipelines.evidence.ranker import Forest, Weights, joined, save
from pipelines.evidence.sources import opened
from pipelines.evidence.windows import windows

if TYPE_CHECKING:
    from bot.evaluation.evidence import Case

POSITIVE, NEAR, ERRORS, ANY, HARD = 60, 40, 40, 40, 80  # rows that are taken of each log
HEAD = 4  # the first marked rows count more: they say what happened, the rows below them how it got there
ROUNDS = (40, 120)  # trees of the first and of the second round
_TROUBLE = [number for number, cue in enumerate(CUES) if cue.group in {"error", "marker", "summary"}]


@dataclass(slots=True)
class Example:
    """A log as features (rows x columns), which rows a person marked, and what the first round thought of them."""

    fold: int
    features: Any
    marked: Any
    believed: Any = None


def examples(cases: Sequence["Case"]) -> list[tuple[Example, Example]]:
    """Cases whose marks were not found wrong by their developers: each as it is and as another CI would tell it."""
    import numpy

    made: list[tuple[Example, Example]] = []
    for number, case in enumerate(case for case in cases if case.headline):
        with opened(case.log) as buffer:
            lines = table(buffer, *windows(buffer))
        gold = numpy.isin(numpy.array(lines.numbers), sorted(case.gold))
        if not gold.any():
            continue
        fold = case.fold if case.fold is not None else number % 5
        told = [(lines, gold), _elsewhere(lines, gold, numpy.random.default_rng(number))]
        one, other = (Example(fold, matrix(rows, looks(rows)).astype(numpy.float16), marked) for rows, marked in told)
        made.append((one, other))
    return made


_TRAVIS = re.compile(rb"^travis_(?:fold|time):|^The command .* exited with|^Done\. Your build exited|^\$ ")
_ELSEWHERE = (b"##[error]Process completed with exit code 1.", b"ERROR: Job failed: exit code 1", b"exit status 1", b"")


def _elsewhere(lines: Table, gold: Any, generator: Any) -> tuple[Table, Any]:
    """The same failure as another CI system would tell it: a cut-out, without the marks of the first one."""
    import numpy

    marked = numpy.flatnonzero(gold)
    first = max(0, int(marked[0]) - int(generator.integers(10, 600)))
    last = min(len(lines), int(marked[-1]) + 1 + int(generator.integers(1, 80)))
    verdict = _ELSEWHERE[int(generator.integers(len(_ELSEWHERE)))]
    keep = [row for row in range(first, last) if gold[row] or not _TRAVIS.match(lines.bare[row])]
    bare = [lines.bare[row] for row in keep]
    numbers = [lines.numbers[row] for row in keep]
    position = min(len(keep), sum(row <= marked[-1] for row in keep) + int(generator.integers(0, 12)))
    held = gold[keep]
    if verdict:
        bare.insert(position, verdict)
        numbers.insert(position, numbers[position - 1] + 1 if position else 0)
        held = numpy.insert(held, position, False)
    return Table(numbers, bare, bare, len(bare), len(bare)), held


@dataclass(frozen=True, slots=True)
class Trained:
    """`whole` learned from all logs; of `by_fold`, each has seen none of the logs of its fold."""

    whole: Weights
    by_fold: dict[int | None, Weights]


def trained(cases: Sequence["Case"]) -> Trained:
    """Weights of these cases, the same ones each time."""
    pairs = examples(cases)
    _believe([example for pair in pairs for example in pair])
    folds = sorted({pair[0].fold for pair in pairs})
    return Trained(
        _weights(pairs), {fold: _weights([pair for pair in pairs if pair[0].fold != fold]) for fold in folds}
    )


def _weights(pairs: Sequence[tuple[Example, Example]]) -> Weights:
    held = [(example.features, example.marked) for pair in pairs for example in pair]
    return Weights(_grove(pairs), *trained_ends(held))


def _grove(pairs: Sequence[tuple[Example, Example]]) -> Forest:
    """Three forests as one: two that see every other log in its other form, one that sees all as they are.

    Logs of one repository are near-copies of each other: what three samples of them agree on is more likely to be true
    elsewhere (a point more of the folds' logs have a marked line at 2,000 tokens than by one forest).
    """
    views = [
        [pair[number % 2] for number, pair in enumerate(pairs)],
        [pair[1 - number % 2] for number, pair in enumerate(pairs)],
        [pair[0] for pair in pairs],
    ]
    return joined([as_forest(_fitted(view, number)) for number, view in enumerate(views, 1)])


def _believe(held: Sequence[Example]) -> None:
    """Two forests, each of the folds that the other one judges."""
    import numpy

    for odd in (False, True):
        model = _fitted([one for one in held if one.fold % 2 != odd], 0, trees=ROUNDS[0])
        for example in held:
            if example.fold % 2 == odd:
                example.believed = model.predict_proba(example.features.astype(numpy.float32))[:, 1]


def _fitted(held: Sequence[Example], seed: int, trees: int = ROUNDS[1]) -> Any:
    import numpy
    from sklearn.ensemble import HistGradientBoostingClassifier

    generator = numpy.random.default_rng(seed)
    taken = [_taken(example, generator) for example in held]
    features, marked, weights = (numpy.concatenate(part) for part in zip(*taken, strict=True))
    model = HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=0.1,
        max_bins=63,
        max_leaf_nodes=20,
        min_samples_leaf=30,
        l2_regularization=3,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(features, marked, sample_weight=weights)
    return model


def _taken(example: Example, generator: Any) -> tuple[Any, Any, Any]:
    """Rows to learn from: those that were marked, their neighbours, loud ones, any, and those believed in wrongly."""
    import numpy

    marked = numpy.flatnonzero(example.marked)
    first, last, head = marked[0], marked[-1], marked[:HEAD]
    if len(marked) > POSITIVE:
        marked = numpy.unique(numpy.concatenate([head, generator.choice(marked, POSITIVE, replace=False)]))
    rows = numpy.arange(len(example.marked))

    def some(which: Any, most: int) -> Any:
        found = numpy.flatnonzero(which & ~example.marked)
        return found if len(found) <= most else generator.choice(found, most, replace=False)

    other = [
        some((rows > first - 25) & (rows < last + 25), NEAR),
        some(example.features[:, _TROUBLE].any(axis=1), ERRORS),
        some(rows >= 0, ANY),
    ]
    if example.believed is not None:
        wrongly = numpy.argsort(-numpy.where(example.marked, -1, example.believed))[: 3 * HARD]
        other.append(some(numpy.isin(rows, wrongly), HARD))
    negative = numpy.unique(numpy.concatenate(other))
    weight = numpy.where(numpy.isin(marked, head), 2.5, 1.0) * 2 / numpy.sqrt(len(marked))
    chosen = numpy.concatenate([marked, negative])
    weights = numpy.concatenate([weight, numpy.full(len(negative), 14 / max(len(negative), 1))])
    return example.features[chosen].astype(numpy.float32), example.marked[chosen], weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on the cases of index files; write the weights, and those of each fold for `evaluate evidence --folds`."""
    from bot.evaluation.evidence import read_cases

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--index", action="append", help="only these index files (default: all)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=Path, metavar="FOLDER", help="where fold-0.npz and so on go")
    asked = parser.parse_args(arguments)
    cases = [case for found in read_cases(asked.data, asked.index).values() for case in found]
    made = trained(cases)
    save(made.whole, asked.out)
    if asked.folds:
        asked.folds.mkdir(parents=True, exist_ok=True)
        for fold, forest in made.by_fold.items():
            save(forest, asked.folds / f"fold-{fold}.npz")
    sys.stdout.write(f"Trained on {len(cases)} logs; {asked.out} has {asked.out.stat().st_size:,} bytes.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
