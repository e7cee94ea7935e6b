"""`shipmate triage --log FILE`: the report of any log, without Slack, a network or a language model."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pipelines.errors import Refused
from pipelines.evidence.values import LogKind

if TYPE_CHECKING:  # the engine is loaded when it is asked for: every other command starts without it
    from pipelines.evidence.analysing import Analysis
    from pipelines.reports import Report

BUDGET = 2_000
LEAST_BUDGET, LARGEST_BUDGET = 1, 200_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", action="append", required=True, type=Path, metavar="FILE", help="a log, plain or .gz")
    parser.add_argument("--kind", choices=get_args(LogKind), help="what it is; found out by itself otherwise")
    parser.add_argument("--budget", type=_budget, default=BUDGET, metavar="TOKENS", help=f"default {BUDGET}")
    parser.add_argument("--json", action="store_true", help="one object a line, in the order given")


def _budget(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not LEAST_BUDGET <= int(text) <= LARGEST_BUDGET:
        raise argparse.ArgumentTypeError(f"a number of tokens from {LEAST_BUDGET} to {LARGEST_BUDGET:,}")
    return int(text)


def triage(asked: argparse.Namespace) -> int:
    """Analyse each file by itself; one that cannot be read is told of, the others go on. Answers the exit code."""
    from bot.redaction import Redactor
    from pipelines.evidence.analysing import analyse
    from pipelines.evidence.reading import Options
    from pipelines.evidence.reporting import report

    redact = Redactor().redact
    worst = 0
    for file in asked.log:
        start = time.perf_counter()
        try:
            analysis = analyse([(str(file), file)], Options(asked.budget, asked.kind))
        except Refused as problem:
            sys.stderr.write(f"{redact(str(problem)).text}\n")
            worst = 1
            continue
        seconds = time.perf_counter() - start
        drawn = _object(file, analysis, report(analysis), seconds, lambda text: redact(text).text)
        text = json.dumps(drawn, ensure_ascii=False) if asked.json else _page(file, analysis, report(analysis), redact)
        sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")
        sys.stdout.flush()
    return worst


def _object(
    file: Path, analysis: "Analysis", found: "Report", seconds: float, redact: Callable[[str], str]
) -> dict[str, Any]:
    return {
        "file": str(file),
        "kind": found.kind,
        "causes": [
            {
                "text": redact(cause.text),
                "lines": [evidence.number for evidence in cause.evidence],
                "confidence": cause.confidence,
            }
            for cause in found.causes
        ],
        "fix": [redact(step) for step in found.fix],
        "extract": {
            "tokens": analysis.extract.tokens,
            "lines": [{"number": line.number, "text": redact(line.text)} for line in analysis.extract.lines],
        },
        "seconds": round(seconds, 3),
        "log": analysis.extract.kind,
        "fingerprint": found.fingerprint,
        "not_looked_at": [redact(one) for one in found.unseen],
    }


def _page(file: Path, analysis: "Analysis", found: "Report", redact: Callable[[str], Any]) -> str:
    from pipelines.reports import as_text

    extract = analysis.extract
    head = f"== {file}: {extract.total_lines:,} lines, {len(extract.lines)} of them shown, {extract.tokens:,} tokens"
    step = [f"FAILING STEP: {extract.failing_step.name}"] if extract.failing_step else []
    return str(redact("\n".join([head, as_text(found), *step, "LINES:", extract.text])).text)
