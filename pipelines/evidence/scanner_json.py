"""Findings in the JSON that scanners print when they are asked to."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.evidence.values import Finding, Severity

TRIED = 20  # places of a log at which a JSON value may begin
LARGEST = 8 << 20  # characters of a log that are read as JSON
_SEVERITIES: dict[str, Severity] = {
    "critical": "critical", "high": "high", "error": "high", "medium": "medium", "moderate": "medium",
    "warning": "medium", "low": "low",
}  # fmt: skip
_MARKS = ('"test_id"', '"VulnerabilityID"', '"vulns"', '"RuleID"', '"packageName"', '"hashed_secret"')


def json_findings(lines: Sequence[str]) -> Iterator[Finding]:
    """From every JSON value of the log that looks like a scanner's report."""
    text = "\n".join(lines)
    if len(text) > LARGEST or not any(mark in text for mark in _MARKS):
        return
    decoder = json.JSONDecoder()
    tried, behind, position = 0, 0, 0
    for row, line in enumerate(lines):
        start, position = position, position + len(line) + 1
        if start < behind or line.lstrip()[:1] not in ("{", "[") or tried == TRIED:
            continue
        tried += 1
        try:
            value, behind = decoder.raw_decode(text, start + len(line) - len(line.lstrip()))
        except (ValueError, RecursionError):
            continue
        yield from _placed(_of_value(value), lines, row, row + text.count("\n", start, behind) + 1)


def _placed(found: Iterator[Finding], lines: Sequence[str], first: int, last: int) -> Iterator[Finding]:
    """Each on the line that names its rule, searched onwards from the one before."""
    from dataclasses import replace

    row = first
    for one in found:
        row = next((place for place in range(row, last) if one.rule and f'"{one.rule}"' in lines[place]), row)
        yield replace(one, number=row)
        row = min(row + 1, last - 1)


def _of_value(value: Any) -> Iterator[Finding]:
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                yield from _leak(one) if "RuleID" in one else _of_value(one)
        return
    if not isinstance(value, dict):
        return
    readers: tuple[tuple[str, Callable[[Mapping[str, Any]], Iterator[Finding]]], ...] = (
        ("Results", _trivy), ("dependencies", _pip_audit), ("vulnerabilities", _snyk), ("results", _results),
    )  # fmt: skip
    for name, read in readers:
        if value.get(name):
            yield from read(value)


def _each(holder: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    listed = holder.get(name)
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            yield one


def _trivy(report: Mapping[str, Any]) -> Iterator[Finding]:
    for target in _each(report, "Results"):
        for one in _each(target, "Vulnerabilities"):
            yield Finding(
                "trivy", _text(one, "VulnerabilityID"), _severity(one.get("Severity")), _text(one, "Title"), 0,
                package=_text(one, "PkgName"), version=_text(one, "InstalledVersion"), fixed=_text(one, "FixedVersion"),
            )  # fmt: skip


def _pip_audit(report: Mapping[str, Any]) -> Iterator[Finding]:
    for package in _each(report, "dependencies"):
        for one in _each(package, "vulns"):
            fixed = one.get("fix_versions")
            yield Finding(
                "pip-audit", _text(one, "id"), "unknown", _text(one, "description"), 0, package=_text(package, "name"),
                version=_text(package, "version"), fixed=", ".join(map(str, fixed)) if isinstance(fixed, list) else "",
            )  # fmt: skip


def _snyk(report: Mapping[str, Any]) -> Iterator[Finding]:
    for one in _each(report, "vulnerabilities"):
        if "packageName" in one:
            fixed = one.get("fixedIn")
            yield Finding(
                "snyk", _text(one, "id"), _severity(one.get("severity")), _text(one, "title"), 0,
                package=_text(one, "packageName"), version=_text(one, "version"),
                fixed=", ".join(map(str, fixed)) if isinstance(fixed, list) else "",
            )  # fmt: skip


def _results(report: Mapping[str, Any]) -> Iterator[Finding]:
    """bandit keeps a list there, detect-secrets a list for each file."""
    for one in _each(report, "results"):
        if "test_id" in one:
            path = _text(one, "filename").removeprefix("./")
            yield Finding("bandit", _text(one, "test_id"), _severity(one.get("issue_severity")),
                          _text(one, "issue_text"), 0, path=path, line=_line(one.get("line_number")))  # fmt: skip
    held = report["results"]
    for path, entries in held.items() if isinstance(held, dict) else ():
        for one in entries if isinstance(entries, list) else ():
            if isinstance(one, dict) and "hashed_secret" in one:
                kind = _text(one, "type")
                yield Finding("detect-secrets", kind, "high", f"what looks like a secret: {kind}", 0, path=str(path),
                              line=_line(one.get("line_number")))  # fmt: skip


def _leak(one: Mapping[str, Any]) -> Iterator[Finding]:
    text = _text(one, "Description") or f"a secret of the kind {_text(one, 'RuleID')}"
    yield Finding("gitleaks", _text(one, "RuleID"), "high", text, 0, path=_text(one, "File"),
                  line=_line(one.get("StartLine")))  # fmt: skip


def _text(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _line(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _severity(value: Any) -> Severity:
    return _SEVERITIES.get(str(value).lower(), "unknown")
