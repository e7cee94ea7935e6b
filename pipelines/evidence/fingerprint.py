"""A failure's fingerprint: the same for the same failure, whatever the run, the time, the machine and the paths."""

import re
from hashlib import sha256

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<id>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:[a-z]*day)?,? (?=[A-Z][a-z]{2} |\d)", ""),
        (r"\b(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]* +\d{1,2}(?:,? \d{4})?\b", "<date>"),
        (r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}\b", "<date>"),
        (r"\bsha(?:1|256|512):[0-9a-fA-F]+", "<hash>"),
        # Pods of a deployment: web-7d4b9c6f5-x2k9p.
        (r"\b([a-z][a-z0-9-]*?)-[a-z0-9]{5,10}-[a-z0-9]{5}\b", r"\1-<pod>"),
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}\b", "<hash>"),
        (r"\b0x[0-9a-fA-F]+\b", "<address>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<host>"),
        # IPv6.
        (r"(?<![\w:])(?=[0-9a-f:]*\d)(?:[0-9a-f]{1,4}:){1,7}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?(?!\w)", "<host>"),
        (r"(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?!\w)", "<host>"),
        (r"\b(?:gw|worker|runner|rank|node|shard|thread|pid|process|agent|executor)[-_ #]?\d+\b", "<worker>"),
        (r"\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|sec|secs|seconds?|m|min|minutes?|h|hours?)\b", "<duration>"),
        (r"(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+)+[/\\]([\w.@+-]+)", r"<path>/\1"),
        (r":\d+(?::\d+)?\b", ":<n>"),
        (r"\bline \d+\b", "line <n>"),
        (r"\d+", "<n>"),
        (r"\s+", " "),
    )
)
LINES = 5  # of the evidence; more would make the fingerprint depend on how much was shown
# "3 failed, 2 passed": how many, and not what.
_COUNT = re.compile(
    r"<n>,? (?:\w+ ){0,2}(?:fail|error|problem|test|offen|broken)|(?:fail\w*|errors?): <n>", re.IGNORECASE
)
_TWO_WORDS = re.compile(r"\w{4,}\W.*\w{4,}")


def masked(line: str) -> str:
    """A line without what changes from run to run."""
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    return line.strip()


def fingerprint(signature: str, lines: list[str] | tuple[str, ...]) -> str:
    """16 hexadecimal digits, of the signature's id (or "") and the first distinct lines that tell of the failure."""
    told: list[str] = []
    for line in lines:
        shape = masked(line)
        if shape and shape not in told:
            told.append(shape)
    return sha256("\n".join([signature, *told[:LINES]]).encode()).hexdigest()[:16]


def tells_what(line: str) -> bool:
    """Whether a line says what failed, and not only that something did or how often."""
    shape = masked(line)
    return bool(_TWO_WORDS.search(shape)) and not _COUNT.search(shape)
