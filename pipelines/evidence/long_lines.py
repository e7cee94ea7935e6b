"""Lines that are too long to be shown or held whole: where in them trouble is spoken of, and what is kept of them."""

import re
from collections.abc import Iterator
from functools import cache

from pipelines.evidence.scanning import Pattern, Scanner, compiled, scanner
from pipelines.evidence.sources import Buffer

LONGEST = 4_000  # bytes of a line that are looked at: 3,000 of its beginning, 1,000 of its end
HEAD, TAIL = 3_000, 1_000
# The same where trouble stands between them: some of the beginning, what is around the trouble, some of the end.
AROUND_HEAD, BEFORE, BEHIND, AROUND_TAIL = 1_000, 600, 1_600, 800
UNSEEN = re.compile(r" … (\d+) bytes not looked at … ")
ROOM = 128  # bytes that two of the words above may take
PIECE = 256 << 10
OVERLAP = 64  # bytes: longer than what the patterns below match

SHOWN_HEAD, SHOWN_TAIL = 220, 110  # characters that are kept of a line in an extract
TROUBLE_HEAD, TROUBLE_BEFORE, TROUBLE_BEHIND = 90, 60, 180

# What says most comes first: an error with its name, then words of failure, then levels, which name nothing.
_SIGNS = tuple(
    (rank, Pattern(text, caseless))
    for rank, text, caseless in (
        (0, r"Traceback \(most recent call last\)|\b[A-Za-z]{0,40}(?:Error|Exception): ", False),
        (0, r"\b(?:panic|fatal|error|FATAL|ERROR): ", False),
        (0, r"error\[E\d|##\[error\]|npm ERR!|\*\*\* \[|--- FAIL", False),
        (0, r"out of memory|OOMKilled|no space left|segmentation fault|core dumped", True),
        (1, r"exit(?:ed with)? (?:code|status) [1-9]|exited with [1-9]", False),
        (1, r"connection refused|permission denied|access ?denied|timed out|deadline exceeded", True),
        (1, r"\b[A-Za-z]{1,40}(?:Error|Exception)\b|\bFAILED\b|\bFAILURE\b|\bFATAL\b|\bCRITICAL\b|\bERROR\b", False),
        (2, r"\"(?:level|severity)\": ?\"(?:error|fatal|critical)\"|\b[Ff]ailed\b", True),
    )
)  # fmt: skip


@cache
def _scanner() -> Scanner:
    return scanner([pattern for _, pattern in _SIGNS])


def sign(buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
    """(rank, offset) of the first of the signs that say most between two offsets; None where there is none."""
    best: tuple[int, int] | None = None
    for at, piece in _pieces(buffer, start, end):
        ranks = sorted(_SIGNS[number][0] for number in _scanner().present(piece))
        if ranks and (best is None or ranks[0] < best[0]):
            best = (ranks[0], at + _first(piece, ranks[0]))
        if best and best[0] == 0:
            break
    return best


def _pieces(buffer: Buffer, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    for at in range(start, end, PIECE):
        yield at, buffer[at : min(at + PIECE + OVERLAP, end)]


def _first(piece: bytes, rank: int) -> int:
    found = (compiled(pattern).search(piece) for of, pattern in _SIGNS if of == rank)
    return min(match.start() for match in found if match)


def shortened(buffer: Buffer, start: int, end: int) -> bytes:
    """What is looked at of a long line: its ends, and where more trouble stands between them what is around that."""
    size = end - start
    if size <= LONGEST + ROOM:
        return buffer[start:end]
    ends = [one for one in (sign(buffer, start, start + HEAD), sign(buffer, end - TAIL, end)) if one]
    found = sign(buffer, start + HEAD, end - TAIL)
    if found is None or any(rank <= found[0] for rank, _ in ends):
        return buffer[start : start + HEAD] + _left_out(size - HEAD - TAIL) + buffer[end - TAIL : end]
    first = found[1] - BEFORE
    last = min(found[1] + BEHIND, end - AROUND_TAIL)
    head = buffer[start : start + AROUND_HEAD] + _left_out(first - start - AROUND_HEAD)
    behind = end - AROUND_TAIL - last
    return head + buffer[first:last] + (_left_out(behind) if behind else b"") + buffer[end - AROUND_TAIL : end]


def _left_out(count: int) -> bytes:
    return f" … {count} bytes not looked at … ".encode()


def cut(text: str) -> str:
    """A long line as an extract shows it: without its middle, or where trouble is spoken of there, around that."""
    if len(text) - SHOWN_HEAD - SHOWN_TAIL < 40:
        return text
    at = _trouble(text)
    if not SHOWN_HEAD - TROUBLE_BEFORE <= at < len(text) - SHOWN_TAIL:
        return text[:SHOWN_HEAD] + _gap(text[SHOWN_HEAD:-SHOWN_TAIL]) + text[-SHOWN_TAIL:]
    first, last = at - TROUBLE_BEFORE, at + TROUBLE_BEHIND
    return text[:TROUBLE_HEAD] + _gap(text[TROUBLE_HEAD:first]) + text[first:last] + _gap(text[last:])


def told(text: str, most: int) -> str:
    """At most so many characters in a row of a line: its beginning, or where trouble stands behind that, from there."""
    at = _trouble(text) if len(text) > most else 0
    return text[at - TROUBLE_BEFORE :][:most] if at > most - TROUBLE_BEHIND else text[:most]


def _trouble(text: str) -> int:
    """The character at which trouble is spoken of; 0 where it is not."""
    content = text.encode("utf-8", "surrogatepass")
    found = sign(content, 0, len(content))
    return len(content[: found[1]].decode("utf-8", "ignore")) if found else 0


def _gap(text: str) -> str:
    """The words that stand for what is left out, those too that were never looked at; nothing for nothing."""
    count = len(text) + sum(int(one[1]) - len(one[0]) for one in UNSEEN.finditer(text))
    return f" … {count} characters left out … " if text else ""
