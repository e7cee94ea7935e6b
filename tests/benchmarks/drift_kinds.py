"""Is the kind right? Five kinds over streams of river's generators, each case with a label that was made with it.

.venv/bin/python tests/benchmarks/drift_kinds.py [--seeds 3] [--wrong]
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

# On a busy machine the threads of OpenMP wait for each other far longer than one alone would work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from river.datasets import synth
from sklearn.ensemble import HistGradientBoostingClassifier

from pipelines.drift.columns import Column, Numbers, Table, Texts
from pipelines.drift.examine import examine

REFERENCE, CURRENT, TAUGHT = 4_000, 2_000, 4_000
KINDS = ("no drift", "data drift", "concept drift", "model decay", "schema break")
Rows = tuple[np.ndarray, np.ndarray]

# Of each stream a generator before, and one that follows another rule on the same inputs.
STREAMS: dict[str, Callable[..., Any]] = {
    "SEA": lambda seed, other: synth.SEA(variant=seed % 2 + 2 * other, noise=0.1, seed=seed),
    "STAGGER": lambda seed, other: synth.STAGGER(classification_function=(seed + other) % 3, seed=seed),
    "Sine": lambda seed, other: synth.Sine(classification_function=(seed % 2) + 2 * other, seed=seed),
    "Agrawal": lambda seed, other: synth.Agrawal(classification_function=(2 * seed + 3 * other) % 10, seed=seed),
    "Mixed": lambda seed, other: synth.Mixed(classification_function=(seed + other) % 2, seed=seed),
    "Hyperplane": lambda seed, other: synth.Hyperplane(n_features=8, seed=seed + 40 * other),
    "LED": lambda seed, other: synth.LED(noise_percentage=0.1, seed=seed) if not other else None,
    "RandomRBF": lambda seed, other: synth.RandomRBF(7, seed, n_features=8) if not other else None,
    "Waveform": lambda seed, other: synth.Waveform(seed=seed) if not other else None,
}  # fmt: skip


def main() -> None:
    """Print how often each kind was called each kind."""
    options = argparse.ArgumentParser()
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--wrong", action="store_true", help="name each wrong case")
    asked = options.parse_args()
    counted: Counter[tuple[str, str]] = Counter()
    for name, kind, seed, reference, current in cases(asked.seeds):
        verdict = examine(reference, current)
        counted[kind, verdict.kind] += 1
        if asked.wrong and verdict.kind != kind:
            moved = [feature.name for feature in verdict.features if feature.drifted]
            print(f"{name} {seed}: {kind} was called {verdict.kind} {moved} {verdict.concept} {verdict.breaks}")
    print("| made as | " + " | ".join(f"called {kind}" for kind in KINDS) + " | right |\n|" + "---|" * 7)
    for kind in KINDS:
        row = [counted[kind, called] for called in KINDS]
        print(f"| {kind} | " + " | ".join(map(str, row)) + f" | {counted[kind, kind] / max(sum(row), 1):.0%} |")
    right = sum(counted[kind, kind] for kind in KINDS)
    print(f"\n{right} of {counted.total()} right: {right / counted.total():.1%}")


def cases(seeds: int) -> Iterator[tuple[str, str, int, Table, Table]]:
    for name, generator in STREAMS.items():
        for seed in range(seeds):
            chance = np.random.default_rng([seed, len(name)])
            x, y = drawn(generator(seed, other=False), REFERENCE + 4 * CURRENT + TAUGHT)
            parts = np.split(np.arange(len(y)), [TAUGHT, TAUGHT + REFERENCE, TAUGHT + REFERENCE + CURRENT])
            model = HistGradientBoostingClassifier(random_state=seed, max_iter=40).fit(x[parts[0]], y[parts[0]])
            before, now, spare = ((x[part], y[part]) for part in parts[1:])
            for kind in KINDS:
                made = MAKERS[kind](chance, now, spare, generator, seed)
                if made is None:
                    continue
                # Every other case comes with predictions; labels are always there but for every third sound one.
                served = model if kind == "model decay" or seed % 2 else None
                labelled = kind in ("concept drift", "model decay") or seed % 3 != 2
                current = table(*made, served, labelled)
                current = broken(chance, current) if kind == "schema break" else current
                current = decayed(chance, current) if kind == "model decay" else current
                yield name, kind, seed, table(*before, served, labelled), current


def drawn(stream: Any, rows: int) -> Rows:
    pairs = [(list(x.values()), y) for x, y in stream.take(rows)]
    return np.array([x for x, _ in pairs], float), np.array([int(y) for _, y in pairs])


def unchanged(_chance: Any, now: Rows, _spare: Rows, _generator: Any, _seed: int) -> Rows:
    return now


def moved(chance: Any, _now: Rows, spare: Rows, _generator: Any, _seed: int) -> Rows:
    """Other rows of the same world: some values of a feature or two come more often, and outcomes follow the rule."""
    x, y = spare
    weight = np.zeros(len(y))
    for feature in chance.choice(x.shape[1], min(2, x.shape[1]), replace=False):
        spread = x[:, feature].std() or 1.0
        weight += chance.choice([-1, 1]) * (x[:, feature] - x[:, feature].mean()) / spread
    order = np.argsort(-(weight + chance.gumbel(size=len(y))), kind="stable")[:CURRENT]
    rows = np.sort(order)
    return x[rows], y[rows]


def changed(chance: Any, now: Rows, _spare: Rows, generator: Any, seed: int) -> Rows:
    """The same inputs under another rule: from the start, or from the middle of the window."""
    other = generator(seed, other=True)
    start = CURRENT // 2 if seed % 2 else 0
    if other is not None:
        x, y = drawn(other, CURRENT)
        return np.concatenate([now[0][:start], x[start:]]), np.concatenate([now[1][:start], y[start:]])
    x, y = now[0], now[1].copy()
    feature = int(chance.integers(x.shape[1]))
    high = x[:, feature] >= np.median(x[:, feature])
    classes = np.unique(y)
    turned = classes[(np.searchsorted(classes, y) + 1) % len(classes)]
    y[start:] = np.where(high, turned, y)[start:]
    return x, y


MAKERS = {
    "no drift": unchanged, "data drift": moved, "concept drift": changed, "model decay": unchanged,
    "schema break": unchanged,
}  # fmt: skip


def table(x: np.ndarray, y: np.ndarray, model: Any, labelled: bool) -> Table:
    columns: dict[str, Column] = {f"x{place}": Numbers(x[:, place]) for place in range(x.shape[1])}
    if model is not None:
        columns["prediction"] = Numbers(model.predict(x).astype(float))
        if len(model.classes_) == 2:
            columns["score"] = Numbers(model.predict_proba(x)[:, 1])
    if labelled:
        columns["target"] = Numbers(y.astype(float))
    return Table(columns, len(y), len(y))


def decayed(chance: Any, current: Table) -> Table:
    """A model that says something else in an eighth of the rows."""
    said = current.columns["prediction"]
    assert isinstance(said, Numbers)
    classes = np.unique(said.values)
    wrong = chance.random(len(said)) < 0.125
    values = np.where(wrong, classes[(np.searchsorted(classes, said.values) + 1) % len(classes)], said.values)
    kept = {name: column for name, column in current.columns.items() if name != "score"}
    if "score" in current.columns:
        score = current.columns["score"]
        assert isinstance(score, Numbers)
        kept["score"] = Numbers(np.where(wrong, 1 - score.values, score.values))
    return Table({**kept, "prediction": Numbers(values)}, current.rows, current.rows)


def broken(chance: Any, current: Table) -> Table:
    """One feature gone, frozen, missing, of another type, full of a placeholder, or in another unit."""
    columns = dict(current.columns)
    features = [name for name in columns if name.startswith("x")]
    values = {name: column.values for name, column in columns.items() if isinstance(column, Numbers)}
    rich = [name for name in features if len(np.unique(values[name])) > 50] or features
    name, some = str(chance.choice(rich)), chance.random(current.rows)
    fault = str(chance.choice(["gone", "constant", "missing", "text", "placeholder", "unit"]))
    if fault == "gone":
        del columns[name]
    elif fault == "constant":
        columns[name] = Numbers(np.full(current.rows, values[name][0]))
    elif fault == "missing":
        columns[name] = Numbers(np.where(some < 0.6, np.nan, values[name]))
    elif fault == "text":
        columns[name] = Texts(chance.integers(0, 3, current.rows), ("low", "mid", "high"))
    elif fault == "placeholder" or len(np.unique(values[name])) < 50:
        columns[name] = Numbers(np.where(some < 0.25, -999.0, values[name]))
    else:
        columns[name] = Numbers(values[name] * 100)
    return Table(columns, current.rows, current.rows)


if __name__ == "__main__":
    sys.exit(main())
