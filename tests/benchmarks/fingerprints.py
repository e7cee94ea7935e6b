"""How well a failure is known again: pairs of logs of one repository out of SHIPMATE_DATA's LogChunks.

    python tests/benchmarks/fingerprints.py

The same failure: what people marked is the same text but for what changes from run to run. Another one: it is not.
Logs of more than 200 kB are left out, and of a repository the first four failures are looked at, two logs each.
"""

import json
import os
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

from pipelines.evidence.analysing import analyse
from pipelines.evidence.fingerprint import masked
from pipelines.evidence.reporting import report

DATA = Path(os.environ.get("SHIPMATE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "logs"
LARGEST, FAILURES, LOGS = 200_000, 4, 2
SHORTEST = 30  # characters of what people marked; less says too little


def main() -> None:
    same: list[bool] = []
    other: list[bool] = []
    for failures in _failures().values():
        known = [(marked, report(analyse([("log", path)])).fingerprint) for marked, path in failures]
        for (one, first), (two, second) in combinations([each for each in known if each[1]], 2):
            (same if one == two else other).append(first == second)
    print(f"the same failure: {sum(same)} of {len(same)} pairs have one fingerprint")
    print(f"another failure: {sum(other)} of {len(other)} pairs have one fingerprint")


def _failures() -> dict[str, list[tuple[str, Path]]]:
    """By repository, of those in which a failure came twice: what people marked, and the log."""
    held: Any = json.loads((DATA / "logchunks.json").read_text())
    by_mark: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for case in held["cases"] if isinstance(held, dict) else held:
        text = case.get("gold_text") or ""
        rows = text.splitlines() if isinstance(text, str) else text
        marked, path = "\n".join(masked(row) for row in rows if row.strip()), DATA / case["log"]
        if len(marked) > SHORTEST and path.stat().st_size < LARGEST:
            by_mark[case["repo"]][marked].append(path)
    return {
        repository: [(marked, path) for marked, paths in list(marks.items())[:FAILURES] for path in paths[:LOGS]]
        for repository, marks in by_mark.items()
        if any(len(paths) > 1 for paths in marks.values())
    }


if __name__ == "__main__":
    main()
