"""What scanners found, read out of what they print: bandit, trivy, grype, pip-audit, snyk, gitleaks, detect-secrets."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import get_args

from pipelines.evidence.cleaning import decoded
from pipelines.evidence.scanner_json import json_findings
from pipelines.evidence.scanner_tables import table_findings
from pipelines.evidence.values import FailureKind, Finding, Severity

MOST_FINDINGS = 200
LONGEST_TEXT = 300
NEAR = 14  # lines behind a finding's first in which the rest of it stands
KINDS: dict[str, FailureKind] = {
    "bandit": "sast", "trivy": "container scan", "grype": "container scan", "pip-audit": "sca", "snyk": "sca",
    "gitleaks": "secret", "detect-secrets": "secret",
}  # fmt: skip
# One of these stands in the output of each of them; most logs have none, and are not read line by line.
_HINTS = (
    b"Issue: [B", b"[bandit]", b"test_id", b"CVE-", b"GHSA-", b"PYSEC-", b"SNYK-", b"everity vulnerability found",
    b"RuleID", b"Secret Type:", b"hashed_secret",
)  # fmt: skip

_BANDIT = re.compile(r">> Issue: \[(?P<rule>B\d{3})(?::(?P<name>[\w-]+))?\] (?P<text>.+)")
_BANDIT_SEVERITY = re.compile(r"Severity: (?P<severity>\w+)")
_BANDIT_PLACE = re.compile(r"Location: (?:\./)?(?P<path>[^\n]+?):(?P<line>\d+)(?::\d+)?$")
_BANDIT_LINE = re.compile(
    r"^(?:\./)?(?P<path>[\w./@+-]+\.py):(?P<line>\d+):(?:\d+:)? (?P<rule>B\d{3})\[bandit\]: (?:(?P<severity>\w+): )?(?P<text>.+)"
)
_SNYK = re.compile(
    r"\u2717 (?P<text>[^\[\n]+) \[(?P<severity>\w+) Severity\]\[(?P<address>[^\]\n]+)\] in (?P<package>[^@\s]+)@(?P<version>\S+)"
)
_SNYK_OLD = re.compile(r"\u2717 (?P<severity>\w+) severity vulnerability found in (?P<package>\S+)")
_SNYK_FIX = re.compile(r"(?:Upgrade|Pin) \S+ to \S+@(?P<fixed>\S+) to fix")
_SNYK_DETAILS = (
    re.compile(r"^\s*Description: (?P<text>.+)"),
    re.compile(r"^\s*Info: (?P<address>\S+)"),
    re.compile(r"^\s*Introduced through: (?P<path>.+)"),
    re.compile(r"^\s*Fixed in: (?P<fixed>.+)"),
)
_LEAK = re.compile(r"^RuleID:\s+(?P<rule>[\w.-]+)")
_LEAK_DETAILS = (re.compile(r"^File:\s+(?P<path>.+)"), re.compile(r"^Line:\s+(?P<line>\d+)"))
_SECRET = re.compile(r"^\s*Secret Type:\s+(?P<text>.+)")
_SECRET_PLACE = re.compile(r"^\s*Location:\s+(?P<path>.+):(?P<line>\d+)$")


def scanner_findings(bare: Sequence[bytes], numbers: Sequence[int]) -> tuple[Finding, ...]:
    """Each finding once, the worst first, those alike in the order of the log; `numbers` are those of the lines."""
    content = b"\n".join(bare)
    if not any(hint in content for hint in _HINTS):
        return ()
    lines = [decoded(line) for line in bare]
    found: dict[tuple[str, ...], Finding] = {}
    for read in (_text_findings, table_findings, json_findings):
        for one in read(lines):
            found.setdefault((one.tool, one.rule, one.package, one.path, str(one.line)), one)
            if len(found) >= MOST_FINDINGS:
                break
    worst = get_args(Severity)
    ordered = sorted(found.values(), key=lambda one: (worst.index(one.severity), one.number))
    return tuple(replace(one, number=numbers[one.number], text=one.text.strip()[:LONGEST_TEXT]) for one in ordered)


def severity_of(word: str) -> Severity:
    known: dict[str, Severity] = {
        "critical": "critical", "high": "high", "error": "high", "medium": "medium", "moderate": "medium",
        "warning": "medium", "low": "low", "negligible": "low",
    }  # fmt: skip
    return known.get(word.strip().lower(), "unknown")


def _text_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """`number` is a row of `lines`, here and in the modules that read tables and JSON."""
    readers: tuple[tuple[str, Callable[[Sequence[str], int], Finding | None]], ...] = (
        ("Issue: [", _bandit), ("[bandit]", _bandit_line), ("\u2717", _snyk), ("RuleID:", _leak),
        ("Secret Type:", _secret),
    )  # fmt: skip
    for row, line in enumerate(lines):
        for hint, read in readers:
            if hint in line and (found := read(lines, row)):
                yield found


def _bandit(lines: Sequence[str], row: int) -> Finding | None:
    match = _BANDIT.search(lines[row])
    if not match:
        return None
    rest = _behind(lines, row, ">> Issue:", (_BANDIT_SEVERITY, _BANDIT_PLACE))
    return Finding(
        "bandit", match["rule"], severity_of(rest.get("severity", "")), match["text"], row,
        path=rest.get("path", ""), line=int(rest.get("line", 0)),
    )  # fmt: skip


def _bandit_line(lines: Sequence[str], row: int) -> Finding | None:
    match = _BANDIT_LINE.search(lines[row])
    if not match:
        return None
    return Finding(
        "bandit", match["rule"], severity_of(match["severity"] or ""), match["text"], row,
        path=match["path"], line=int(match["line"]),
    )  # fmt: skip


def _snyk(lines: Sequence[str], row: int) -> Finding | None:
    if match := _SNYK.search(lines[row]):
        before = _SNYK_FIX.search("\n".join(lines[max(0, row - 2) : row]))
        return Finding(
            "snyk", match["address"].rpartition("/")[2], severity_of(match["severity"]), match["text"], row,
            package=match["package"], version=match["version"], fixed=before["fixed"] if before else "",
        )  # fmt: skip
    old = _SNYK_OLD.search(lines[row])
    if not old:
        return None
    rest = _behind(lines, row, "\u2717", _SNYK_DETAILS)
    return Finding(
        "snyk", rest.get("address", "").rpartition("/")[2], severity_of(old["severity"]), rest.get("text", ""), row,
        package=old["package"].partition("@")[0], version=old["package"].partition("@")[2], fixed=rest.get("fixed", ""),
    )  # fmt: skip


def _leak(lines: Sequence[str], row: int) -> Finding | None:
    """gitleaks; the finding and the secret itself, which it prints before, are left where they are."""
    match = _LEAK.search(lines[row])
    if not match:
        return None
    rest = _behind(lines, row, "Finding:", _LEAK_DETAILS)
    text = f"a secret of the kind {match['rule']}"
    return Finding(
        "gitleaks", match["rule"], "high", text, row, path=rest.get("path", ""), line=int(rest.get("line", 0))
    )


def _secret(lines: Sequence[str], row: int) -> Finding | None:
    match = _SECRET.search(lines[row])
    place = _behind(lines, row, "Secret Type:", (_SECRET_PLACE,)) if match else {}
    if not match or not place:
        return None
    kind = match["text"].strip()
    return Finding("detect-secrets", kind, "high", f"what looks like a secret: {kind}", row, path=place["path"].strip(),
                   line=int(place["line"]))  # fmt: skip


def _behind(lines: Sequence[str], row: int, next_one: str, patterns: Sequence[re.Pattern[str]]) -> dict[str, str]:
    """Groups of the patterns in the lines behind `row`, up to where the next finding begins."""
    found: dict[str, str] = {}
    for line in lines[row + 1 : row + NEAR]:
        if next_one in line:
            break
        for pattern in patterns:
            if match := pattern.search(line):
                found = match.groupdict() | found
    return found
