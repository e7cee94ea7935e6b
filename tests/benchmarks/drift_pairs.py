"""Is the verdict right on real tables? Each is split, one side is left alone, moved or broken, and it is known how.

.venv/bin/python tests/benchmarks/drift_pairs.py [--tables iris wine] [--cases unit swapped] [--seeds 1] [--wrong]

Every pair goes through CSV files as those of `shipmate drift` do. A verdict is right where its kind is one of the
case's, the column that was touched is named, and nothing is P0 that need not be.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from drift_pair_cases import CASES, Left, Served
from drift_pair_tables import Source, sources
from drift_peers import ROOT, line

from bot.clients.drift_tables import read_table
from pipelines.drift.examine import examine
from pipelines.drift.values import Verdict

FAMILIES = ("no drift", "data drift", "concept drift", "model decay", "schema break")


def main() -> None:
    """Print how many of each case are right, and what else they were called."""
    options = argparse.ArgumentParser()
    options.add_argument("--tables", nargs="*", default=[])
    options.add_argument("--cases", nargs="*", default=[])
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--wrong", action="store_true", help="name each wrong one")
    options.add_argument("--folder", type=Path, default=ROOT / "var" / "peers")
    asked = options.parse_args()
    counted: dict[str, Counter[str]] = {}
    began = time.monotonic()
    for source in sources(asked.folder, asked.tables):
        for case, wrong in judged(source, asked.cases, asked.seeds):
            counted.setdefault(case, Counter())[wrong or "right"] += 1
            if wrong and asked.wrong:
                print(f"{source.name} / {case}: {wrong}", flush=True)
    table(counted)
    print(f"{time.monotonic() - began:.0f} s")


def judged(source: Source, only: list[str], seeds: int) -> Any:
    """Each case that the table can be given, with what is wrong of its verdict or ""."""
    served = Served(source)
    for name, case in CASES.items():
        for seed in range(seeds):
            if only and name not in only:
                continue
            made = case.make(np.random.default_rng([seed, *map(ord, source.name + name)]), served)
            if made is None:
                continue
            try:
                verdict = through_files(made)
            except Exception as mistake:  # noqa: BLE001
                yield name, f"raised {type(mistake).__name__}: {mistake}"
                continue
            yield name, fault_of(verdict, case.kinds, made)


def through_files(made: Left) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, frame in (("then", made.reference), ("now", made.current), ("labels", made.labels)):
            path = Path(folder) / f"{name}.csv"
            if frame is not None:
                frame.to_csv(path, index=False)
            found.append(read_table(str(path)) if frame is not None else None)
        assert found[0] is not None
        assert found[1] is not None
        return examine(found[0], found[1], found[2], importance=made.importance)


def fault_of(verdict: Verdict, kinds: tuple[str, ...], made: Left) -> str:
    named = ", ".join(verdict.affected[:6])
    if verdict.kind not in kinds:
        detail = "; ".join(verdict.why[:2])[:200]
        return f"called {verdict.kind}|{verdict.urgency} ({named}) {detail}"
    if made.touched and not set(made.touched) & set(verdict.affected):
        return f"names others|not {', '.join(made.touched)} but {named}"
    if verdict.breaks and made.touched and (more := set(verdict.affected) - set(made.touched)):
        return f"breaks too many|{', '.join(sorted(more))}: {[b.detail for b in verdict.breaks if b.name in more]}"
    if made.urgencies and str(verdict.urgency) not in made.urgencies:
        return f"urgency|{verdict.urgency} and not {' or '.join(made.urgencies)}: {verdict.why[-1]}"
    return ""


def table(counted: dict[str, Counter[str]]) -> None:
    line("case", "pairs", "right", "what else")
    print("|---|---|---|---|")
    right = pairs = 0
    for family in FAMILIES:
        for name, case in CASES.items():
            if case.kinds[0] != family or name not in counted:
                continue
            found = counted[name]
            others = Counter(wrong.partition("|")[0] for wrong, count in found.items() for _ in range(count))
            del others["right"]
            right, pairs = right + found["right"], pairs + found.total()
            shown = ", ".join(f"{what} {count}" for what, count in others.most_common())
            line(f"{family}: {name}", found.total(), f"{found['right'] / found.total():.0%}", shown)
    line("all", pairs, f"{right / max(pairs, 1):.1%}", "")


if __name__ == "__main__":
    sys.exit(main())
