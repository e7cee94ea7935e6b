"""The report of any log as the plain object that `shipmate triage --json` and POST /analyze both answer."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.triage.examining import redacted

if TYPE_CHECKING:  # the engine is loaded when it is asked for: everything else starts without it
    from bot.redaction import Redactor
    from pipelines.evidence.analysing import Analysis
    from pipelines.evidence.reading import Options, Source
    from pipelines.ports import LanguageModel
    from pipelines.reports import Report

BUDGET = 2_000
LEAST_BUDGET, LARGEST_BUDGET = 1, 200_000


@dataclass(frozen=True, slots=True)
class LogReport:
    """`name` is what the log is called; all that is quoted of it is free of secrets."""

    name: str
    analysis: "Analysis"
    report: "Report"
    seconds: float


def report_on(
    name: str, source: "Source", options: "Options", redactor: "Redactor", model: "LanguageModel | None" = None
) -> LogReport:
    """Read one log; in the words of `model` where one is given. Raises Refused for what cannot be read."""
    from pipelines.evidence.analysing import analyse
    from pipelines.evidence.reporting import compose, report

    start = time.perf_counter()
    analysis = redacted(analyse([(name, source)], options), redactor.redact_lines, options.budget_tokens)
    found = compose(model, analysis) if model else report(analysis)
    return LogReport(name, analysis, found, time.perf_counter() - start)


def as_object(found: LogReport, redactor: "Redactor") -> dict[str, Any]:
    """One log as JSON; the numbers of lines are 1-based."""

    def say(text: str) -> str:
        return redactor.redact(text).text

    report, extract = found.report, found.analysis.extract
    return {
        "file": say(found.name),
        "kind": report.kind,
        "causes": [
            {
                "text": say(cause.text),
                "lines": [evidence.number for evidence in cause.evidence],
                "confidence": cause.confidence,
            }
            for cause in report.causes
        ],
        "fix": [say(step) for step in report.fix],
        "extract": {
            "tokens": extract.tokens,
            "lines": [{"number": line.number, "text": say(line.text)} for line in extract.lines],
        },
        "seconds": round(found.seconds, 3),
        "log": extract.kind,
        "fingerprint": report.fingerprint,
        "not_looked_at": [say(one) for one in report.unseen],
        "written_by": report.source,
        "notice": say(report.notice),
    }
