"""Reports on logs of forms that the rules were not made from: is the naming line found, is the first cause right?

    python tests/benchmarks/strange.py            figures
    python tests/benchmarks/strange.py --wrong    and each case that is not right

Cases: strange_logs.yaml (excerpts from issue threads, each read by hand before it was run, and logs of which nothing is
wrong), strange_runs.jsonl.gz (whole outputs of tools that were really run on broken things) and strange_haystacks.py.
`cause` is what stands in the lines that name the cause. "kept": two fifths, chosen by the hash of the name, that were
looked at only when the rules stood; "later": gathered when they stood; "last": after what those taught.
"""

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from strange_haystacks import haystacks  # noqa: E402

from pipelines.evidence.analysing import analyse  # noqa: E402
from pipelines.evidence.reading import Options  # noqa: E402
from pipelines.evidence.reporting import report  # noqa: E402

BUDGETS = (1_000, 2_000)
SETS = ("open", "kept", "later", "last")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found in a case. `rows` are the numbers of its naming lines; none where nothing is `wrong`."""

    name: str
    part: str
    wrong: bool
    told_wrong: bool
    shown: tuple[bool, ...]
    cited: bool
    first: bool
    kind: bool
    told: str


def cases() -> Iterator[dict[str, Any]]:
    """Name, log, cause, kind and a second kind; `wrong` is false where nothing is."""
    for entry in yaml.safe_load((HERE / "strange_logs.yaml").read_text()):
        yield {**entry, "log": entry["text"]}
    with gzip.open(HERE / "strange_runs.jsonl.gz", "rt") as held:
        yield from map(json.loads, held)
    yield from haystacks()


def part(case: dict[str, Any]) -> str:
    kept = hashlib.sha1(case["name"].encode(), usedforsecurity=False).digest()[0] % 5 < 2
    return str(case.get("set") or ("kept" if kept else "open"))


def outcome(case: dict[str, Any]) -> Outcome:
    log = case["log"].encode()
    named = {
        number
        for number, line in enumerate(case["log"].split("\n"), 1)
        if any(said in line for said in case.get("cause", ()))
    }
    analyses = [analyse([("log", log)], Options(budget)) for budget in BUDGETS]
    found = report(analyses[-1])
    cited = [{one.number for one in cause.evidence if one.of_log} for cause in found.causes]
    return Outcome(
        case["name"],
        part(case),
        case.get("wrong", True),
        found.wrong,
        tuple(bool(named & {line.number for line in one.extract.lines}) for one in analyses),
        any(named & rows for rows in cited),
        bool(cited and named & cited[0]),
        found.kind in (case.get("kind"), case.get("or")),
        f"{found.kind}: {'; '.join(cause.text[:120] for cause in found.causes) or 'nothing wrong'}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true")
    asked = parser.parse_args()
    found = [outcome(case) for case in cases()]
    for name in SETS:
        _figures(name, [one for one in found if one.part == name])
    for one in found if asked.wrong else ():
        if (one.first and one.kind and all(one.shown)) if one.wrong else not one.told_wrong:
            continue
        print(f"  {one.name} ({one.part}): shown {one.shown}, cited {one.cited}, first {one.first}; {one.told}")


def _figures(name: str, found: Sequence[Outcome]) -> None:
    failed = [one for one in found if one.wrong]
    fine = [one for one in found if not one.wrong]
    if not found:
        return

    def share(count: int) -> str:
        return f"{count}/{len(failed)} {count / max(1, len(failed)):.1%}"

    shown = ", ".join(
        f"{budget} tokens {share(sum(one.shown[place] for one in failed))}" for place, budget in enumerate(BUDGETS)
    )
    print(f"{name}: naming line at {shown}; cited {share(sum(one.cited for one in failed))}; first cause", end=" ")
    print(f"{share(sum(one.first for one in failed))}; kind {share(sum(one.kind for one in failed))}", end="; ")
    print(f"false causes {sum(one.told_wrong for one in fine)}/{len(fine)}")


if __name__ == "__main__":
    main()
