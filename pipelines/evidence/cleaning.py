"""A line as its tool wrote it: no terminal codes, no progress that was overwritten, no prefixes of who carried it.

Two forms: `shown` is what people see (terminal codes and the runner's own time stamp gone, nothing else), `bare` is
what patterns are matched against (time stamps, pod and container prefixes gone as well).
"""

import re

from pipelines.evidence.long_lines import LONGEST, ROOM, shortened

_ANSI = re.compile(rb"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[()#][0-9A-Za-z]|[=>A-Za-z])")
# Terminal codes whose escape byte was lost on the way ("[31m", "[0K"), as many archives of logs have them.
_ANSI_WITHOUT_ESCAPE = re.compile(rb"\[\d{1,3}(?:;\d{1,3})*m|(?<![\w\]])\[0?[KJ]")
_BUILDKITE = re.compile(rb"\x1b?_bk;t=\d+\x07?")
# A carriage return and "erase the line" follow GitLab's markers: people do not see them, we need them.
_SECTION = re.compile(rb"^(?:\x1b\[0K)?(section_(?:start|end):\d+:[\w.-]+)(?:\[[^\]\r\n]*\])?\r")
_CONTROL = bytes(set(range(32)) - {9}) + b"\x7f"

# What the runner puts before a line that somebody else wrote; it says nothing about the failure.
_RUNNER = re.compile(
    rb"(?:\xef\xbb\xbf)?"
    rb"(?:[\w .()/-]{1,80}\t[\w .()/:-]{1,80}\t(?=\d{4}-\d\d-\d\dT))?"  # gh run view --log: job, step
    rb"(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z (?:\d\d[OE]\+? ?)?"  # GitHub, Azure, GitLab
    rb"|\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\] "  # Jenkins, the timestamper
    rb"|\[task \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\] )?"  # Taskcluster
)
_STAMP = (
    rb"(?:\[?\d{4}[-/]\d\d[-/]\d\d[T _]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?"
    rb"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?\]?"
    rb"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    rb"|\d{1,2}/[A-Z][a-z]{2}/\d{4}[ :]\d\d:\d\d:\d\d(?: [+-]\d{4})?"
    rb"|[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ (?=[\w.]+:\d+\])"
    rb"|\[ *\d+\.\d{3,6}\]"
    rb"|\d{10}(?:\.\d+)?(?= ))"
)
_CARRIERS = re.compile(
    rb"(?:[ \t]*(?:" + _STAMP + rb"|(?:INFO|WARNING|ERROR|DEBUG|CRITICAL) +-  ?(?=\S))[ \t:|-]*(?:-  ?)?)*"
    rb"(?:\((?:[\w -]+ )?pid=\d+(?:, [^)\n]*)?\) |\[(?:rank|Rank )\d+\]: ?)?"  # vLLM, Ray, torchrun
    rb"(?:[ \t]*(?:"
    + _STAMP
    + rb"|(?:INFO|WARNING|ERROR|DEBUG|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[\w.]+:\d+\] ?)[ \t]*)?"
    rb"(?:\[?pod/[\w.-]+/[\w.-]+\]? |[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:[_-]\d+)? +\| (?=\S|   )"
    rb"|stdout [FP] |stderr [FP] )?"
    rb"(?:" + _STAMP + rb"[ \t:|-]*)*"
)


def shown(line: bytes, runner: bool = True) -> bytes:
    """The line for people. `line` has no line feed; what a carriage return overwrote is gone."""
    if len(line) > LONGEST + ROOM:
        line = shortened(line, 0, len(line))
    if b"\r" in line:
        if b"section_" in line:
            line = _SECTION.sub(rb"\1 ", line)
        line = next((part for part in reversed(line.split(b"\r")) if part.strip()), b"")
    if b"\x1b" in line or b"_bk;" in line:
        line = _BUILDKITE.sub(b"", _ANSI.sub(b"", line))
    if b"m" in line or b"K" in line:
        line = _ANSI_WITHOUT_ESCAPE.sub(b"", line) if b"[" in line else line
    if runner and (match := _RUNNER.match(line)) and match.end():
        line = line[match.end() :]
    return line.translate(None, _CONTROL)


def bare(line: bytes) -> bytes:
    """A line that went through `shown`, without time stamps and the names of pods and containers before it."""
    match = _CARRIERS.match(line)
    return line[match.end() :] if match and match.end() else line


def decoded(line: bytes) -> str:
    """Text of a line, whatever its bytes are."""
    return line.decode("utf-8", errors="replace")
