"""What a scanner's finding means here, as far as its rule, its versions and the file tell."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.evidence.context import Context, SourceFile
from pipelines.evidence.values import Finding
from pipelines.reports import Evidence, Weighed

RULES = Path(__file__).with_name("rules")
MOST_WEIGHED = 20
BESIDE = 1  # lines of the file around the place that a finding is shown with
_REVOKE = "Revoke the secret first: it counts as known. Then take it out of the code and load it from the secret store."


def weighed(findings: Sequence[Finding], context: Context) -> tuple[Weighed, ...]:
    """The findings with what is known of their rule, and the lines of the file that they stand in, if it was read."""
    return tuple(_weighed(one, context) for one in findings[:MOST_WEIGHED])


def _weighed(one: Finding, context: Context) -> Weighed:
    rule = _rule(one.tool, one.rule)
    fix = rule.get("fix", "") or _fix(one)
    return Weighed(one, one.text, rule.get("risk", ""), fix, rule.get("doubt", ""), _beside(one, context))


def _fix(one: Finding) -> str:
    if one.tool in ("gitleaks", "detect-secrets"):
        return _REVOKE
    if one.package and one.fixed:
        return f"Upgrade {one.package} from {one.version} to {one.fixed}."
    if one.package:
        return f"No repaired version of {one.package} is named: replace it, or note the risk with an expiry."
    return ""


def _beside(one: Finding, context: Context) -> tuple[Evidence, ...]:
    file = file_of(one.path, context.files) if one.line else None
    if file is None:
        return ()
    first, last = max(1, one.line - BESIDE), min(len(file.lines), one.line + BESIDE)
    return tuple(
        Evidence(file.path, number, file.lines[number - 1], f"at {file.sha}") for number in range(first, last + 1)
    )


def file_of(path: str, files: Sequence[SourceFile]) -> SourceFile | None:
    """The file of this path; a scanner may have run in a folder above or below."""
    wanted = path.removeprefix("./")
    return next(
        (
            one
            for one in files
            if one.path == wanted or one.path.endswith(f"/{wanted}") or wanted.endswith(f"/{one.path}")
        ),
        None,
    )


def _rule(tool: str, rule: str) -> Mapping[str, str]:
    known = _rules(tool)
    found = known.get(rule, {})
    return known.get(found["same"], {}) if "same" in found else found


@cache
def _rules(tool: str) -> Mapping[str, Mapping[str, str]]:
    import yaml

    file = RULES / f"{tool}.yaml"
    held: Any = yaml.safe_load(file.read_text()) if file.is_file() else {}
    return dict(held)
