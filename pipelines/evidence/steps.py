"""The steps of a CI run, the one that failed, and where the teardown behind it begins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pipelines.evidence.known_steps import KnownStep, located
from pipelines.evidence.values import Step

_OPENINGS = (
    re.compile(rb"##\[group\](?P<name>.*)|::group::(?P<other>.*)"),
    re.compile(rb"##\[section\]Starting: (?P<name>.*)"),
    re.compile(rb"travis_fold:start:(?P<name>[\w.-]+)"),
    re.compile(rb"section_start:\d+:(?P<name>[\w.-]+)"),
    re.compile(rb"\[Pipeline\] \{ \((?P<name>.*)\)|\[Pipeline\] (?P<other>sh|bat|powershell)$"),
    re.compile(rb"(?:---|\+\+\+|~~~) (?!FAIL|PASS|SKIP)(?P<name>(?::[\w-]+: ?)?[A-Z$][^\n]{2,80})$"),
    re.compile(rb"(?:\[command\]|\$ )(?P<name>\S.*)"),
    re.compile(rb"(?:#!/bin/bash -e\w*|====>> )(?P<name>.*)"),  # CircleCI
    re.compile(rb"(?:Step \d+/\d+ : |#\d+ \[[^\]]*\] )(?P<name>.*)"),
)
# The line that says: this command failed. The last one counts, the job's own verdict behind it does not.
_FAILING = re.compile(
    rb"The command \"?(?P<command>.*?)\"? (?:exited with [1-9]\d*|failed and exited with [1-9]\d*)"
    rb"|##\[error\](?:Process completed with exit code|Bash exited with code|PowerShell exited with code"
    rb"|Cmd\.exe exited with code|The process '[^']*' failed with exit code|Script failed with exit code) '?[1-9-]"
    rb"|ERROR: Job failed|ERROR: script returned exit code [1-9]"
    rb"|Build step '[^']*' (?:marked build as failure|changed build result)"
    rb"|Exited with code (?:exit status )?[1-9]|\xf0\x9f\x9a\xa8 Error: The command exited with status [1-9]"
    rb"|(?:user )?command (?:error|failed): exit status [1-9]|Command failed with exit (?:code|status) [1-9]"
    rb"|\[taskcluster:error\]|RPM build errors:|error: Bad exit status from "
    rb"|command terminated with exit code [1-9]|(?:The )?[Cc]ommand exited with (?:code|status) [1-9]"
)
_VERDICTS = re.compile(rb"ERROR: Job failed|Finished: (?:FAILURE|ABORTED|UNSTABLE)|Done\. Your build exited")
# Where the job's own script ends: behind it come after_script, post actions and uploads, which may be louder.
_SCRIPT_ENDS = re.compile(
    rb"section_end:\d+:(?:step_script|build_script)\b|\[Pipeline\] \{ \(Declarative: Post Actions\)"
    rb"|Stage \".*\" skipped due to earlier failure"
)
# Jenkins says it behind its post actions.
_SCRIPT_VERDICT = re.compile(rb"ERROR: script returned exit code")


@dataclass(frozen=True, slots=True)
class Outline:
    """Rows (0-based) of a table: the steps, and the last row of what failed, or -1; behind it comes teardown.

    `known`: which step failed is no guess, so what others printed before it did not fail the run either.
    """

    steps: tuple[Step, ...]
    marker: int
    failing: Step | None
    known: bool = False

    @property
    def begins(self) -> int:
        """The first row of what is known to have failed; 0 where that is a guess."""
        return self.failing.first if self.known and self.failing else 0


def outline(bare: Sequence[bytes], known: KnownStep | None = None, seconds: Sequence[bytes] = ()) -> Outline:
    """Find the steps in lines without prefixes; `first`, `last` and `marker` of these steps are rows.

    The `known` step is the failing one, whatever else the log speaks of, when its lines are found among the `seconds`
    at which the rows were printed, or by its name.
    """
    steps: list[Step] = []
    markers: list[int] = []
    ended = -1
    for row, line in enumerate(bare):
        if not line:
            continue
        if ended < 0 and line[0:1] in b"s[S" and _SCRIPT_ENDS.match(line):
            ended = row
        if name := _opening(line):
            if line.startswith(b"#!") and row + 1 < len(bare):
                name = _text(bare[row + 1])
            steps.append(Step(name, row, len(bare) - 1))
        elif _hints(line) and _FAILING.search(line):
            markers.append(row)
    closed = [replace(step, last=following.first - 1) for step, following in pairwise(steps)] + steps[-1:]
    if known and (told := located(known, closed, markers, bare, seconds)):
        return Outline(tuple(closed), told.marker, told, known=True)
    marker = _marker(markers, bare, ended)
    failing = _failing(closed, marker, bare)
    return Outline(tuple(closed), marker, failing)


def _marker(markers: Sequence[int], bare: Sequence[bytes], ended: int) -> int:
    """The last command's own marker within the script; "job failed" of the whole job says nothing of where."""
    if not markers:
        return -1
    inside = [row for row in markers if ended < 0 or row < ended]
    own = [row for row in inside if not _VERDICTS.match(bare[row])]
    if ended > 0 and (not own or all(_SCRIPT_VERDICT.match(bare[row]) for row in own)):
        return ended - 1
    return own[-1] if own else markers[0]


def _hints(line: bytes) -> bool:
    # One of these stands in every marker; looking for them is twenty times faster than asking the pattern.
    return b"exit" in line or b"xited" in line or b"ailed" in line or b"error" in line or b"Build step" in line


def _opening(line: bytes) -> str:
    if line[0:1] not in b"#:ts[-+~$S=":
        return ""
    for pattern in _OPENINGS:
        if match := pattern.match(line):
            groups = match.groupdict()
            name = groups.get("name") or groups.get("other") or b"step"
            return _text(name)
    return ""


def _text(name: bytes) -> str:
    return name.strip().decode("utf-8", errors="replace")[:120]


def _failing(steps: Sequence[Step], marker: int, bare: Sequence[bytes]) -> Step | None:
    if marker < 0:
        return None
    named = _FAILING.search(bare[marker])
    command = (named.group("command") or b"").decode("utf-8", errors="replace") if named else ""
    before = [step for step in steps if step.first <= marker]
    if command:
        same = [step for step in before if step.name == command]
        before = same or before
    if not before:
        return Step(command or "the run", 0, marker, failed=True, marker=marker)
    return replace(before[-1], name=command or before[-1].name, last=marker, failed=True, marker=marker)
