"""How often the kind of a failure is told right, and how often a cause is found where nothing failed.

    python tests/benchmarks/kinds.py             figures
    python tests/benchmarks/kinds.py --wrong     and each one that is wrong

Kinds: the lines of kinds.yaml and kinds_later.yaml as they stand, failed_runs.jsonl.gz (whole outputs of tools that
were really run on broken projects), and the whole logs of SHIPMATE_DATA/logs/aux by the kinds below. Green:
logs of green_logs.jsonl.gz (record_green.py made them), and the parts of SHIPMATE_DATA's LogChunks up to the last
command that succeeded before anything failed.
"""

import argparse
import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from pipelines.evidence.analysing import analyse
from pipelines.evidence.reporting import report

HERE = Path(__file__).parent
DATA = Path(os.environ.get("SHIPMATE_DATA", HERE.resolve().parents[2] / "shared" / "data"))
# By reading each log; a second kind is one that another reader may give. Left out: what belongs to no kind (a stack
# of commits that is too deep) and logs of which several things failed.
AUX = {
    "ld-dolphin-emu": ("build",), "ld-gstreamer1": ("dependency",), "ld-rubygem-actiontext": ("test",),
    "ld-tiff": ("build",), "pt-artifact_not_found": ("infrastructure",),
    "pt-checkout_ciflow_tag_missing": ("infrastructure",), "pt-collection_syntaxerror": ("build", "test"),
    "pt-cuda_oom_class": ("training", "test", "infrastructure"), "pt-distributed_test_wrapper": ("test", "lint"),
    "pt-gh_api_rate_limit": ("infrastructure",), "pt-gha_catchall_sigint": ("infrastructure", "timeout"),
    "pt-gha_timeout": ("timeout",), "pt-infra_osdc_pod_failure": ("infrastructure",),
    "pt-lintrunner_general_failure": ("lint",), "pt-ninja_build_failed": ("build",),
    "pt-pr_sanity_exit_code_only": ("lint",), "pt-pytest_failure": ("test",),
    "pt-python_importerror_missing_so": ("dependency",), "pt-s3_access_denied": ("infrastructure",),
    "pt-test_file_signal_crash": ("test", "infrastructure"), "pt-unittest_failed_consistently": ("test",),
    "th-build-fail": ("build",), "th-leak": ("test",), "th-taskcluster-only": ("timeout",),
    "th-timeout-crash": ("timeout", "test"), "th-windows-stuff": ("test",), "th-xpcshell-crash": ("test",),
}  # fmt: skip
VERDICT = "##[error]Process completed with exit code 1."  # the lines are of runs that failed, so their log ends in it
Told = tuple[str, tuple[str, ...], str]  # what it is, the kinds that are right (the first one first), the kind we tell


TABLES = ("kinds.yaml", "kinds_later.yaml")


def lines(tables: tuple[str, ...] = TABLES) -> list[tuple[str, dict[str, str]]]:
    """The labelled lines: kind and entry."""
    held = [yaml.safe_load((HERE / table).read_text()) for table in tables]
    return [(kind, entry) for one in held for kind, entries in one.items() for entry in entries]


def told_of_lines(tables: tuple[str, ...] = TABLES) -> Iterator[Told]:
    for kind, entry in lines(tables):
        step = f"##[group]{entry['step']}\n##[endgroup]\n" if "step" in entry else ""
        found = report(analyse([("log", f"{step}{entry['text']}\n{VERDICT}\n".encode())]))
        yield entry["from"], (kind, *filter(None, [entry.get("or")])), found.kind


def told_of_runs() -> Iterator[Told]:
    with gzip.open(HERE / "failed_runs.jsonl.gz", "rt") as held:
        for row in held:
            one = json.loads(row)
            found = report(analyse([("log", f"{one['log']}\n{VERDICT}\n".encode())]))
            yield one["name"], (one["kind"], *filter(None, [one["or"]])), found.kind


def told_of_aux() -> Iterator[Told]:
    for log in sorted((DATA / "logs" / "aux").glob("*.gz")):
        right = next((kinds for name, kinds in AUX.items() if log.name.startswith(name)), ())
        if right:
            yield log.name, right, report(analyse([("log", log)])).kind


def green() -> Iterator[tuple[str, str]]:
    """Name and log."""
    with gzip.open(HERE / "green_logs.jsonl.gz", "rt") as held:
        for row in held:
            one = json.loads(row)
            yield one["name"], one["log"]


def passing_parts() -> Iterator[tuple[str, bytes]]:
    cases = json.loads((DATA / "logs" / "logchunks.json").read_text())
    for case in cases:
        if not case["gold_lines"]:
            continue
        rows = gzip.decompress((DATA / "logs" / case["log"]).read_bytes()).split(b"\n")[: min(case["gold_lines"]) - 1]
        ended = [row for row, line in enumerate(rows) if re.match(rb"The command .* exited with 0\.", line)]
        kept = rows[: ended[-1] + 1] if ended else []
        if kept and not any(re.search(rb"exited with [1-9]|failed and exited", line) for line in kept):
            yield case["log"], b"\n".join(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true")
    asked = parser.parse_args()
    for table in TABLES:
        _kinds(table, list(told_of_lines((table,))), asked.wrong)
    _kinds("runs", list(told_of_runs()), asked.wrong)
    if DATA.is_dir():
        _kinds("aux", list(told_of_aux()), asked.wrong)
    _green("green runs", [(name, log.encode()) for name, log in green()], asked.wrong)
    if DATA.is_dir():
        _green("passing parts", list(passing_parts()), asked.wrong)


def _kinds(name: str, told: list[Told], wrong: bool) -> None:
    first = sum(right[0] == kind for _, right, kind in told)
    either = sum(kind in right for _, right, kind in told)
    count = len(told)
    print(
        f"kind, {name:<14} {first}/{count} {first / count:.1%}, "
        f"with second readings {either}/{count} {either / count:.1%}"
    )
    if name != "aux":
        all_of = Counter(right[0] for _, right, _ in told)
        good = Counter(right[0] for _, right, kind in told if kind in right)
        print("  " + ", ".join(f"{kind} {good[kind]}/{all_of[kind]}" for kind in all_of))
    for source, right, kind in told if wrong else ():
        if kind not in right:
            print(f"  {source}: {' or '.join(right)}, told {kind}")


def _green(name: str, logs: list[tuple[str, bytes]], wrong: bool) -> None:
    found = [(source, reports) for source, log in logs if (reports := report(analyse([("log", log)]))).wrong]
    print(f"causes in {name:<14} {len(found)}/{len(logs)} {len(found) / max(1, len(logs)):.1%}")
    for source, one in found if wrong else ():
        cause = one.causes[0]
        print(f"  {source}: {cause.origin}: {cause.text} {[line.text[:100] for line in cause.evidence][:2]}")


if __name__ == "__main__":
    main()
