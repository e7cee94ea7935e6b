"""Findings in the tables that scanners draw: trivy's boxes, grype's and pip-audit's columns."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pipelines.evidence.values import Finding, Severity

_ID = re.compile(r"^(?:CVE-\d{4}-\d{4,7}|GHSA(?:-\w{4}){3}|PYSEC-\d{4}-\d+|[A-Z]{2,8}-\d[\w:-]*)$")
# `Fix Versions` is one word of a heading, though a single blank may stand between others too.
_HEADING = re.compile(r"Fix(?:ed)?[ -](?:Versions|Version|In|in)\b|FIXED[ -]IN|VULNERABILITY ID|\S+")
_EDGES = "\u2502|"
_NAMES = {
    "library": "package", "name": "package", "vulnerability": "rule", "vulnerability id": "rule", "id": "rule",
    "severity": "severity", "status": "status", "installed version": "version", "installed": "version",
    "version": "version", "fixed version": "fixed", "fixed-in": "fixed", "fixed in": "fixed", "fix versions": "fixed",
    "title": "text", "type": "type",
}  # fmt: skip
_SEVERITIES: dict[str, Severity] = {
    "critical": "critical", "high": "high", "medium": "medium", "low": "low", "negligible": "low",
}  # fmt: skip


def table_findings(lines: Sequence[str]) -> Iterator[Finding]:
    yield from _boxes(lines)
    yield from _columns(lines)


def _boxes(lines: Sequence[str]) -> Iterator[Finding]:
    """A row of trivy's table: a cell that is the same as the one above is drawn empty, its title runs over lines."""
    names: list[str] = []
    above: dict[str, str] = {}
    for row, line in enumerate(lines):
        cells = _cells(line)
        if len(cells) < 4:
            names = [] if line.strip() and line.strip()[0] not in "\u250c\u251c\u2514\u2502+|-" else names
            continue
        known = [_NAMES.get(cell.lower(), "") for cell in cells]
        if "rule" in known and "package" in known:
            names, above = known, {}
            continue
        told = dict(zip(names, cells, strict=False)) if len(names) == len(cells) else {}
        if not _ID.match(told.get("rule", "")):
            continue
        above = _with(told, above)
        yield _finding(
            "trivy" if "severity" in names else "pip-audit", above | {"text": _title(lines, row, names)}, row
        )


def _cells(line: str) -> list[str]:
    stripped = line.strip()
    edge = stripped[:1]
    if not edge or edge not in _EDGES or stripped[-1] not in _EDGES:
        return []
    return [cell.strip() for cell in stripped[1:-1].split(edge)]


def _with(told: Mapping[str, str], above: Mapping[str, str]) -> dict[str, str]:
    same = not told.get("package") or told.get("package") == above.get("package")
    filled = {name: text or (above.get(name, "") if same else "") for name, text in told.items()}
    if told.get("status") and not told.get("fixed"):
        filled["fixed"] = ""  # "affected" and "will_not_fix" have an empty cell of their own
    return filled


def _title(lines: Sequence[str], row: int, names: Sequence[str]) -> str:
    if "text" not in names:
        return ""
    place = names.index("text")
    told: list[str] = []
    for line in lines[row : row + 5]:
        cells = _cells(line)
        if len(cells) != len(names) or (told and cells[names.index("rule")]):
            break
        if "://" not in cells[place]:
            told.append(cells[place])
    return " ".join(told).removesuffix("...").strip()


def _columns(lines: Sequence[str]) -> Iterator[Finding]:
    """Rows under a heading such as `Name Version ID Fix Versions` or `NAME INSTALLED FIXED-IN TYPE VULNERABILITY`."""
    tool = ""
    for row, line in enumerate(lines):
        heading = {_NAMES.get(match[0].lower(), "") for match in _HEADING.finditer(line)}
        if {"rule", "package", "version"} <= heading and not _cells(line):
            tool = "grype" if "severity" in heading else "pip-audit"
        elif not line.strip():
            tool = ""
        elif tool and (told := _words(line.split(), tool)):
            yield _finding(tool, told, row)


def _words(words: Sequence[str], tool: str) -> dict[str, str]:
    """The id stands behind package and version; grype's repaired version and type stand between, pip-audit's behind."""
    place = next((place for place, word in enumerate(words) if _ID.match(word)), 0)
    if place < 2 or words[0][0] in _EDGES:
        return {}
    fixed = " ".join(words[2 : place - 1] if tool == "grype" else words[place + 1 : place + 4])
    severity = words[place + 1] if tool == "grype" and len(words) > place + 1 else ""
    return {"package": words[0], "version": words[1], "rule": words[place], "fixed": fixed, "severity": severity}


def _finding(tool: str, told: Mapping[str, str], row: int) -> Finding:
    return Finding(
        tool, told["rule"], _SEVERITIES.get(told.get("severity", "").lower(), "unknown"), told.get("text", ""), row,
        package=told.get("package", ""), version=told.get("version", ""), fixed=told.get("fixed", ""),
    )  # fmt: skip
