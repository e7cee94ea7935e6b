"""Lines that lead to a message and say nothing themselves: frames of stacks, their code, rulers, headings."""

import re
from collections.abc import Sequence

_PYTHON = re.compile(rb"[ \t]*File \"[^\"]+\", line \d+")  # behind it stands the code, indented deeper
_PLUMBING = re.compile(
    rb"[ \t]*Traceback \(most recent call last\)|[ \t]*File \"[^\"]+\", line \d+"
    rb"|[ \t]*at (?:async )?[\w$.<>/]+[^ ]* ?\(|[ \t]*at (?:file|node):|[ \t]+at [\w.`$<>\[\]]+[(<\[]"
    rb"|[ \t]*from \S+:\d+:in |[ \t]*[\^~ -]*[\^~]{2,}[\^~ -]*$|[ \t]*\.{3} \d+ (?:more|common frames)"
    rb"|[ \t]*\[bt\]|[ \t]*#?\d+:? +0x[0-9a-f]+|[ \t]*\d+: [\w<>:{}$ ]+::|[ \t]*thrown in \S+ on line \d+"
    rb"|[ \t]*(?:\w+ )?[Ss]tack ?trace:?[ \t]*$|[ \t-]*End of (?:inner exception )?stack trace|[ \t]*stack backtrace:"
    rb"|[ \t]*(?:\*+ )?[Ww]hat went wrong:?[ \t]*$|[ \t]*(?:raise|throw new) [\w.]+[^\n]*[(,)]$"
    rb"|[-+=_*# \t|]{3,}$|[\w.]+\.\w+:\d+\][ \t]*$|[ \t]*\|[ \t]*\w+[ \t]*\|[ \t]*(?:Version|Status|Value)\b"
    rb"|[ \t]*(?:During handling of the above exception|The above exception was the direct cause)"
    rb"|[ \t]*note: run with|[ \t]*Last message:|[ \t]*State: "
)
_ENDING = re.compile(rb"(?:[A-Za-z_][\w.$]*[.$])?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Timeout|Refused)(?:: ?\S|$)")


def says_nothing(bare: Sequence[bytes], row: int) -> bool:
    """Whether a row is a frame, the code that a frame shows, a ruler, or a heading whose text comes behind it."""
    line = bare[row]
    if _PLUMBING.match(line):
        return True
    return row > 0 and line[:4].isspace() and bool(_PYTHON.match(bare[row - 1]))


def ends_exception(line: bytes) -> bool:
    """Whether a line says which exception it was, and why: the last one of a traceback."""
    return bool(_ENDING.match(line))
