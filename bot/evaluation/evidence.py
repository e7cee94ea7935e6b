"""`shipmate evaluate evidence`: does the extract hold the lines that a person marked?

A folder holds index files (`*.json`: a list of cases with `log` and `gold_lines`) and the logs that they name.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import Refused

BUDGETS = (1_000, 2_000, 4_000)
TRAIN = ""  # --folds without a folder


@dataclass(frozen=True, slots=True)
class Case:
    """`fold` is None where the index names none; `group` is the repository, near-copies of each other."""

    id: str
    log: Path
    gold: frozenset[int]
    group: str
    fold: int | None
    headline: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one case at one budget: gold lines found, gold lines, lines in the extract, tokens, seconds."""

    case: Case
    budget: int
    found: int
    shown: int
    tokens: int
    seconds: float


def add_evidence(measures: Any) -> None:
    about = "gold lines in the extract of labelled logs"
    parser: argparse.ArgumentParser = measures.add_parser("evidence", help=about, description=about)
    parser.add_argument("--data", type=Path, required=True, help="folder with index files and logs")
    parser.add_argument("--index", action="append", help="only these index files (default: all)")
    parser.add_argument("--budgets", type=_numbers, default=BUDGETS, help="tokens, default 1000,2000,4000")
    parser.add_argument(
        "--folds",
        nargs="?",
        const=TRAIN,
        metavar="FOLDER",
        help="each log by weights of the other folds: those that ranker_training wrote there, or trained anew",
    )
    parser.add_argument(
        "--closely", type=int, help="bytes that are looked at line by line; small ones test the fast path"
    )
    parser.add_argument("--plain", action="store_true", help="without hyperscan")
    parser.add_argument("--misses", action="store_true", help="name the cases without any gold line")
    parser.add_argument("--json", action="store_true", help="one object")
    parser.set_defaults(run=evaluate_evidence)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def evaluate_evidence(asked: argparse.Namespace) -> int:
    """Measure and print; raises Refused for a folder without cases."""
    results: dict[str, Any] = {}
    for index, cases in read_cases(asked.data, asked.index).items():
        learned = _shipped if asked.folds is None else _by_fold(cases, asked.folds)
        outcomes = list(_outcomes(cases, asked, learned))
        results[index] = {str(budget): _figures(outcomes, budget) for budget in asked.budgets}
        if asked.misses:
            results[index]["misses"] = sorted(
                {
                    one.case.id
                    for one in outcomes
                    if one.case.headline and one.budget == max(asked.budgets) and not one.found
                }
            )
        if not asked.json:
            sys.stdout.write(_table(index, results[index], asked))
    if asked.json:
        weights = "as shipped" if asked.folds is None else "trained by fold"
        sys.stdout.write(json.dumps({"weights": weights, "indexes": results}) + "\n")
    return 0


def read_cases(folder: Path, only: Sequence[str] | None = None) -> dict[str, list[Case]]:
    """The cases of each index file in `folder`. Raises Refused where there are none."""
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder. Name one that holds index files and logs.")
    found = {file.name: _cases(file) for file in sorted(folder.glob("*.json")) if not only or file.name in only}
    found = {name: cases for name, cases in found.items() if cases}
    if not found:
        raise Refused(f"{folder} holds no index file with cases that name `log` and `gold_lines`.")
    return found


def _cases(file: Path) -> list[Case]:
    try:
        held = json.loads(file.read_text())
    except (ValueError, OSError) as problem:
        raise Refused(f"{file} cannot be read as JSON: {problem}") from problem
    entries = held.get("cases", []) if isinstance(held, dict) else held
    return [
        Case(
            str(entry.get("id", entry["log"])),
            file.parent / entry["log"],
            frozenset(entry["gold_lines"]),
            str(entry.get("repo", "")),
            entry.get("fold"),
            str(entry.get("developer_validated")).lower() != "false",
        )
        for entry in entries
        if isinstance(entry, dict) and "log" in entry and entry.get("gold_lines")
    ]


def _shipped(_case: Case) -> Any:
    from pipelines.evidence.ranker import shipped

    return shipped()


def _by_fold(cases: Sequence[Case], folder: str) -> Callable[[Case], Any]:
    from bot.evaluation.ranker_training import trained
    from pipelines.evidence.ranker import load

    if any(case.fold is None for case in cases):
        sys.stderr.write("These cases name no folds; the weights are those that ship.\n")
        return _shipped
    if folder:
        written = {fold: Path(folder) / f"fold-{fold}.npz" for fold in {case.fold for case in cases}}
        if missing := [str(file) for file in written.values() if not file.is_file()]:
            raise Refused(f"{', '.join(sorted(missing))}: not there. Write them with ranker_training --folds {folder}.")
        by_fold = {fold: load(file) for fold, file in written.items()}
    else:
        by_fold = trained(cases).by_fold
    return lambda case: by_fold[case.fold]


def _outcomes(cases: Sequence[Case], asked: argparse.Namespace, weights: Callable[[Case], Any]) -> Iterable[Outcome]:
    from pipelines.evidence.analysing import analyse_reading
    from pipelines.evidence.reading import Options, read

    for case in cases:
        options = Options(
            weights=weights(case), plain=asked.plain, **({"closely": asked.closely} if asked.closely else {})
        )
        start = time.perf_counter()
        reading = read(case.log, options)
        reading_seconds = time.perf_counter() - start
        for budget in asked.budgets:
            start = time.perf_counter()
            extract = analyse_reading(case.log.name, reading, budget, asked.plain).extract
            shown = {line.number for line in extract.lines}
            seconds = reading_seconds + time.perf_counter() - start
            yield Outcome(case, budget, len(shown & case.gold), len(shown), extract.tokens, seconds)


def _figures(outcomes: Sequence[Outcome], budget: int) -> dict[str, float]:
    kept = [one for one in outcomes if one.budget == budget and one.case.headline]
    count = max(1, len(kept))
    return {
        "cases": len(kept),
        "any": round(100 * sum(one.found > 0 for one in kept) / count, 1),
        "all": round(100 * sum(one.found == len(one.case.gold) for one in kept) / count, 1),
        "precision": round(100 * sum(one.found / max(1, one.shown) for one in kept) / count, 1),
        "line recall": round(100 * sum(one.found / len(one.case.gold) for one in kept) / count, 1),
        "most tokens": max((one.tokens for one in kept), default=0),
        "seconds": round(sum(one.seconds for one in kept) / count, 3),
    }


def _table(index: str, figures: dict[str, Any], asked: argparse.Namespace) -> str:
    weights = "as shipped (they may have seen these cases)" if asked.folds is None else "trained on the other folds"
    lines = [f"{index}, weights {weights}", "budget   any   all  precision  line recall  most tokens  s/case  cases"]
    for budget in asked.budgets:
        row = figures[str(budget)]
        lines.append(
            f"{budget:>6} {row['any']:>5} {row['all']:>5} {row['precision']:>10} {row['line recall']:>12}"
            f" {row['most tokens']:>12} {row['seconds']:>7} {row['cases']:>6}"
        )
    lines += [f"missed: {name}" for name in figures.get("misses", [])]
    return "\n".join(lines) + "\n\n"
