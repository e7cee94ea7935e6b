"""What the doctor says, and how its checks run: side by side, each bounded, none stopping another."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "warning", "problem"]
CHECK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `advice` says what to do; it is empty when all is well."""

    check: str
    level: Level
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    run: Callable[[], Iterable[Finding]]


def ok(check: str, text: str) -> Finding:
    return Finding(check, "ok", text)


def warning(check: str, text: str, advice: str) -> Finding:
    return Finding(check, "warning", text, advice)


def problem(check: str, text: str, advice: str) -> Finding:
    return Finding(check, "problem", text, advice)


class _Running(threading.Thread):
    """A daemon, so that a check which hangs in a system call cannot hold up the exit."""

    def __init__(self, check: Check) -> None:
        super().__init__(name=f"check {check.name}", daemon=True)
        self._check = check
        self._found: tuple[Finding, ...] = ()
        self._fault: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._found = tuple(self._check.run())
        finally:
            self._fault = sys.exc_info()[1]

    def findings(self, seconds: float) -> tuple[Finding, ...]:
        name = self._check.name
        self.join(max(0.0, seconds))
        if self.is_alive():
            return (problem(name, "no answer in time", "Is the address right, and does a firewall let us through?"),)
        if self._fault is not None:
            kind = type(self._fault).__name__
            return (
                problem(name, f"the check itself broke ({kind})", "The traceback above belongs into a bug report."),
            )
        return self._found


def run_checks(checks: Sequence[Check], seconds: float = CHECK_SECONDS) -> tuple[Finding, ...]:
    """All findings in the order of the checks, after `seconds` at the latest."""
    until = time.monotonic() + seconds
    running = [_Running(check) for check in checks]
    return tuple(finding for run in running for finding in run.findings(until - time.monotonic()))


def report(findings: Sequence[Finding], *, as_json: bool = False) -> str:
    """One line a finding, or one JSON object."""
    if as_json:
        healthy = not any(finding.level == "problem" for finding in findings)
        return json.dumps({"healthy": healthy, "findings": [asdict(finding) for finding in findings]}, indent=2)
    width = max((len(finding.check) for finding in findings), default=0)
    return "\n".join(_line(finding, width) for finding in findings)


def _line(finding: Finding, width: int) -> str:
    advice = f" -> {finding.advice}" if finding.advice else ""
    return f"{finding.level:<8} {finding.check:<{width}}  {finding.text}{advice}"
