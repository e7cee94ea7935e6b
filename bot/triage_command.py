"""`shipmate triage --log FILE`: the report of any log, without Slack, a network or a language model."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bot.log_reports import BUDGET, LARGEST_BUDGET, LEAST_BUDGET, LogReport, as_object, report_on
from pipelines.errors import Refused
from pipelines.evidence.values import LogKind

if TYPE_CHECKING:
    from bot.redaction import Redactor
    from pipelines.triage.history import Mark, Reported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--log", action="append", type=_log, metavar="FILE", help="a log, plain or .gz; - is a pipe")
    what.add_argument("--feedback", action="store_true", help="print what people said of wrong reports, as JSON lines")
    parser.add_argument("--kind", choices=get_args(LogKind), help="what it is; found out by itself otherwise")
    parser.add_argument("--budget", type=_budget, default=BUDGET, metavar="TOKENS", help=f"default {BUDGET}")
    parser.add_argument("--json", action="store_true", help="one object a line, in the order given")


def _log(text: str) -> Path:
    return Path("/dev/stdin" if text == "-" else text)


def _budget(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not LEAST_BUDGET <= int(text) <= LARGEST_BUDGET:
        raise argparse.ArgumentTypeError(f"a number of tokens from {LEAST_BUDGET} to {LARGEST_BUDGET:,}")
    return int(text)


def triage(asked: argparse.Namespace) -> int:
    """Analyse each file by itself; one that cannot be read is told of, the others go on. Answers the exit code."""
    if asked.feedback:
        return _feedback()
    from bot.redaction import Redactor
    from pipelines.evidence.reading import Options

    redactor = Redactor()
    worst = 0
    for file in asked.log:
        try:
            found = report_on(str(file), file, Options(asked.budget, asked.kind), redactor)
        except Refused as problem:
            told = redactor.redact(str(problem)).text
            sys.stderr.write(f"{told}\n")
            if asked.json:  # a line for each file, so that lines and files stay pairs
                sys.stdout.write(json.dumps({"file": redactor.redact(str(file)).text, "error": told}) + "\n")
            worst = 1
            continue
        text = json.dumps(as_object(found, redactor), ensure_ascii=False) if asked.json else _page(found, redactor)
        sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")
        sys.stdout.flush()
    return worst


def _feedback() -> int:
    """One object a line for everything that was said of a report, oldest first: what a signature can learn from."""
    from bot.clients.clock import SystemClock
    from bot.clients.ledger import Ledger
    from bot.config import load_settings

    ledger = Ledger(load_settings().database_url, SystemClock())
    for reported, mark in ledger.doubts.all():
        sys.stdout.write(json.dumps(_doubted(reported, mark), ensure_ascii=False) + "\n")
    ledger.close()
    return 0


def _doubted(reported: "Reported", mark: "Mark") -> dict[str, Any]:
    from pipelines.triage.acts import read_doubt

    facts, report, doubt = reported.triaged.facts, reported.triaged.report, read_doubt(mark.words)
    wrong = report.causes[doubt.cause - 1] if 0 < doubt.cause <= len(report.causes) else None
    return {
        "fingerprint": report.fingerprint, "kind": report.kind, "wrong_cause": wrong.text if wrong else "",
        "signature": wrong.origin if wrong else "", "lines": [one.text for one in wrong.evidence] if wrong else [],
        "said": doubt.said, "by": mark.by, "at": mark.at.isoformat(), "repository": facts.repository,
        "run": facts.url, "causes": [{"text": one.text, "signature": one.origin} for one in report.causes],
    }  # fmt: skip


def _page(found: LogReport, redactor: "Redactor") -> str:
    from pipelines.reports import as_text

    extract = found.analysis.extract
    head = (
        f"== {found.name}: {extract.total_lines:,} lines, {len(extract.lines)} of them shown, {extract.tokens:,} tokens"
    )
    step = [f"FAILING STEP: {extract.failing_step.name}"] if extract.failing_step else []
    return redactor.redact("\n".join([head, as_text(found.report), *step, "LINES:", extract.text])).text
