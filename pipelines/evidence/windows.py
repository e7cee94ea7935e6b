"""Which stretches of a huge log are looked at closely: one fast pass over all bytes, then windows around what it found.

The pass reports each pattern once a stretch of 128 KB, so that a log that is all errors costs no more than another.
"""

import mmap
from collections import Counter
from collections.abc import Sequence
from functools import cache

from pipelines.evidence.lines import Window, pieces
from pipelines.evidence.scanning import Pattern, Scanner, scanner
from pipelines.evidence.sources import Buffer

CLOSELY = 4 << 20  # logs up to this size are looked at whole
WINDOWED = 0.4  # of that size are the windows of a larger one together
STRETCH = 128 << 10
COSTS = (
    2 * STRETCH
)  # bytes that a stretch counts for at most: a longer one is an enormous line, of which little is kept
LET_GO = 64 << 20  # bytes after which pages are given back
ENDS = 512 << 10  # of the end, and a quarter of it of the beginning, always
AROUND = 1  # stretches before one that is kept: what led to it stands there

# Few and literal: these run over every byte. Rare ones weigh most, whichever they are.
_ALARMS: tuple[Pattern, ...] = tuple(
    Pattern(text, caseless)
    for text, caseless in (
        (r"Traceback \(most recent call last\)", False),
        (r"\bERROR\b", False),
        (r"\berror[: \[]", False),
        (r"(?:Error|Exception|Failure): ", False),
        (r"##\[error\]", False),
        (r"\bFATAL\b", False),
        (r"\b(?:fatal|panic): ", False),
        (r"Exception\b", False),
        (r"\bCaused by: ", False),
        (r"\bFAIL(?:ED|URE)?\b", False),
        (r"--- FAIL", False),
        (r"\b[Ff]ailed\b", False),
        (r"\bFailure\b", False),
        (r"exit(?:ed with)? (?:code|status) [1-9]", False),
        (r"exited with [1-9]", False),
        (r"Process completed with exit code", False),
        (r"Job failed", False),
        (r"\bCRITICAL\b", False),
        (r"\bWARN(?:ING)?\b", False),
        (r"\"(?:level|lvl|severity)\": ?\"(?:error|fatal|panic|crit|alert|emerg)", True),
        (r"\b(?:level|lvl|severity)=\"?(?:error|fatal|panic|crit|alert|emerg)", True),
        (r"out of memory|OOMKilled|oom-kill", True),
        (r"[Ss]egmentation fault|SIG(?:SEGV|KILL|ABRT|BUS)", False),
        (r"\bKilled\b", False),
        (r"No space left", False),
        (r"[Tt]imed? ?out\b", False),
        (r"[Cc]onnection refused", False),
        (r"[Pp]ermission denied|[Aa]ccess ?[Dd]enied", False),
        (r"[Nn]ot found\b", False),
        (r"undefined reference|cannot find symbol|undefined symbol", False),
        (r"AssertionError|assertion failed", False),
        (r"UNEXPECTED-|PROCESS-CRASH", False),
        (r"error TS\d|error CS\d|error C\d{4}|error\[E\d", False),
        (r"\*\*\* ", False),
        (r"npm ERR!", False),
        (r"[Uu]nable to |[Cc]annot |[Cc]ould not ", False),
        (r"BackOff|FailedScheduling|Unhealthy|Evicted", False),
        (r"loss[=: ]+nan", True),
        (r"[Dd]egradation|[Ee]xhausted|[Ss]pike|[Ee]xpired|[Rr]efused|[Dd]enied", False),
        # Apart from the errors: where warnings are common, one error is still rare.
        (r"\"(?:level|lvl|severity)\": ?\"warn|\b(?:level|lvl|severity)=\"?warn", True),
        (r"^[EF]\d{4} \d\d:|\"level\": ?[56]0\b", False),
        (r"\[(?:error|crit|alert|emerg)\]|\bPANIC\b|\b[Pp]anicked\b", False),
        (r"NVRM: Xid|fallen off the bus|[Mm]achine check|I/O error|Call Trace:|soft lockup|hung_task", False),
        (r"[Mm]ismatch|[Rr]ejected|[Cc]orrupt", False),
        (r"[Ll]imit (?:[^ \n]+ )?(?:reached|exceeded|hit)|[Qq]uota exceeded", False),
        (r"[Ee]vict(?:ed|ing) \d|[Dd]ropp(?:ed|ing) \d", False),
    )
)
_LAST = frozenset((4, 13, 14, 15, 16))  # markers of failing commands: their last places count


@cache
def alarms(plain: bool = False) -> Scanner:
    return scanner(_ALARMS, plain)


def windows(buffer: Buffer, closely: int = CLOSELY, plain: bool = False) -> tuple[list[Window], int]:
    """The stretches to look at, and how many lines there are in all."""
    size = len(buffer)
    if size <= closely:
        text = buffer[:]
        count = text.count(b"\n") + bool(size and text[-1:] != b"\n")
        return ([Window(0, size, 1)] if size else []), count
    closely = int(closely * WINDOWED)
    stretch = max(min(STRETCH, closely // 24), 1 << 10)
    bounds, firsts, found, total = _survey(buffer, stretch, plain)
    ends = min(ENDS, closely // 4)
    kept = _chosen(bounds, found, closely, ends)
    return _joined(bounds, firsts, kept), total


def _survey(buffer: Buffer, stretch: int, plain: bool) -> tuple[list[int], list[int], list[set[int]], int]:
    """Cut at line feeds about every `stretch` bytes; per piece its start, its first line's number, and its alarms."""
    bounds, firsts, found = [0], [1], []
    present = alarms(plain).present
    size, number, start = len(buffer), 1, 0
    while start < size:
        stop = min(start + stretch, size)
        if stop < size:
            stop = buffer.find(b"\n", stop) + 1 or size
        enormous = stop - start > 4 * stretch + (1 << 20)
        piece = _both_ends(buffer, start, stop) if enormous else buffer[start:stop]
        found.append(set().union(*map(present, pieces(buffer, start, stop))) if enormous else present(piece))
        number += _line_feeds(piece)
        bounds.append(stop)
        firsts.append(number)
        if stop // LET_GO != start // LET_GO:
            _let_go(buffer, stop)
        start = stop
    total = number - 1 + (buffer[size - 1 :] != b"\n")
    return bounds, firsts, found, total


def _let_go(buffer: Buffer, end: int) -> None:
    """Give the pages that were read back: they are the file's, but would count as ours as long as we map them."""
    if isinstance(buffer, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        buffer.madvise(mmap.MADV_DONTNEED, 0, end - end % mmap.PAGESIZE)


def _line_feeds(piece: bytes) -> int:
    import numpy

    # Three times as fast as bytes.count, which stops at each of them.
    return int(numpy.count_nonzero(numpy.frombuffer(piece, numpy.uint8) == 10))


def _both_ends(buffer: Buffer, start: int, stop: int) -> bytes:
    # One enormous line, which ends with the only line feed of its tail.
    return buffer[start : start + (1 << 20)] + buffer[max(start + (1 << 20), stop - (1 << 16)) : stop]


def _chosen(bounds: Sequence[int], found: Sequence[set[int]], closely: int, ends: int) -> set[int]:
    """Numbers of the pieces to keep: both ends of the log, then those with the rarest alarms, within the size."""
    count = len(found)
    often = Counter(number for alarm in found for number in alarm)
    kept: set[int] = set()
    used = 0

    def keep(piece: int) -> bool:
        nonlocal used
        if piece in kept or not 0 <= piece < count:
            return True
        used += min(bounds[piece + 1] - bounds[piece], COSTS)
        kept.add(piece)
        return used < closely

    piece, weight = count - 1, 0
    while piece >= 0 and weight < ends:
        keep(piece)
        weight += min(bounds[piece + 1] - bounds[piece], COSTS)
        piece -= 1
    piece, weight = 0, 0
    while piece < count and weight < ends // 4:
        keep(piece)
        weight += min(bounds[piece + 1] - bounds[piece], COSTS)
        piece += 1
    for piece in _ranked(found, often):
        if not all(keep(near) for near in range(piece - AROUND, piece + 1)):
            break
    return kept


def _ranked(found: Sequence[set[int]], often: Counter[int]) -> list[int]:
    count = len(found)
    marked = [piece for piece in range(count) if found[piece] & _LAST][-6:]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for piece, alarm in enumerate(found):
        for number in alarm:
            first.setdefault(number, piece)
            last[number] = piece
    turns = set(first.values()) | set(last.values())
    weight = {
        piece: sum(1 / often[number] for number in alarm) + (0.5 if piece in turns else 0) + 0.3 * piece / count
        for piece, alarm in enumerate(found)
        if alarm
    }
    return [*reversed(marked), *sorted(weight, key=lambda piece: (-weight[piece], piece))]


def _joined(bounds: Sequence[int], firsts: Sequence[int], kept: set[int]) -> list[Window]:
    joined: list[Window] = []
    for piece in sorted(kept):
        if joined and joined[-1].end == bounds[piece]:
            joined[-1] = Window(joined[-1].start, bounds[piece + 1], joined[-1].number)
        else:
            joined.append(Window(bounds[piece], bounds[piece + 1], firsts[piece]))
    return joined
