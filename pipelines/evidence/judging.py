"""Whether a log tells of a failure at all: "nothing wrong found" is an answer."""

import re
from collections.abc import Sequence

from pipelines.evidence.cues import GROUPS
from pipelines.evidence.features import has
from pipelines.evidence.plumbing import ends_exception
from pipelines.evidence.reading import Reading
from pipelines.evidence.signatures import Match

CERTAIN = 60  # priority from which a signature alone says that something is wrong
KNOWN = 40  # the same for what kubectl and its like print, where nothing is said by the way
LOOKED_AT = 400  # loud rows from each end that are asked whether they are harmless
END = 12  # last lines in which the verdict of a run stands
PROBABLE = 300  # rows that the ranker believes in most

_SUCCEEDED = re.compile(
    rb"exited with (?:code )?0\b|exit code:? 0\b|BUILD SUCCESS|Finished: SUCCESS|Job succeeded"
    rb"|All (?:checks|tests) passed"
    rb"|^[= ]*\d+ passed\b|^OK\b|^PASS\b|^ok[ \t]|\b(?:completed|finished|deployed|built|installed) successfully\b"
    rb"|\b[Ss]uccessfully (?:built|deployed|rolled out|installed|tagged|completed|synced)|[Bb]uild succeeded"
    rb"|no issues found|[Nn]o issues identified"
    rb"|\b0 (?:failed|failures|errors|problems|vulnerabilities)\b|test result: ok|Apply complete!"
    rb"|Already up to date"
    rb"|No (?:changes|known vulnerabilities|leaks|problems)|All done!|\bDone in \d|BUILD SUCCESSFUL|\b\d+ passing\b"
)
_FAILED = re.compile(
    rb"\b[1-9]\d* (?:\w+ )?(?:failed|failures?|errors?|failing|problems?|offenses)\b|\bFAIL(?:ED|URE)\b|BUILD FAILED"
    rb"|\b(?:exit|exited)(?: with)?(?: code| status)?:? [1-9]|##\[error\]"
    rb"|^[ \t]*(?:[Ee]rror|[Ff]atal|panic|ERROR|FATAL)(?:\[\w+\])?: "
    rb"|: \*\*\* \[|\bnot ok \d|^(?:[\w.$]+(?:Error|Exception)): |--- FAIL|^Error in [^\n]{1,80} :|^Execution halted"
    rb"|\b[Uu]nhandled [Ee]xception[.:]|\bUncaught \w|\b[1-9]\d* of \d+ \w+ not (?:met|passed)"
    rb"|\bfailed with (?:a )?non-?zero (?:exit|code|status)"
)
# A count of some: such a line may count none of something else, or what passed, beside it.
_COUNTED = re.compile(
    rb"\b(?:failures?|errors?|failed)[:=] ?[1-9]|\b[1-9]\d* fail\w*[ ,|;(]+\d+ (?:\w+ )?(?:pass|skip)"
    rb"|\b\d+ (?:tests? )?pass\w*(?:[ ,|;]|and)+[1-9]\d* fail",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    rb"^\{\"(?:toolset_name|schema_version)\""
    rb"|\b(?:0|no) (?:\w+ )?(?:errors?|failures?|failed|problems?|warnings?|issues|vulnerabilities)\b"
    rb"|\b(?:errors?|failures?|failed|undefined)\"?[=:] ?0(?:\.0)?\b|-W(?:no-)?error|--[\w-]*(?:error|fail)"
    rb"|\"?(?:errors?|error_message|exception|failures?)\"?: ?(?:null|none|false|\[\]|\{\}|\"\"|\"none\"|<none>|nil)"
    rb"|\b(?:error|fail)\w*\.(?:py|js|ts|go|rs|c|cc|cpp|h|o|java|rb)\b(?!:\d)"
    rb"|\b(?:PASS(?:ED)?|ok|\.\.\. ok)\b|^[ \t]*(?:\xe2\x9c\x93|\xe2\x9c\x94|\xe2\x88\x9a|\xe2\x9c\x85)"
    rb"|\b(?:errors?|exceptions?|failures?)/[\w./-]+\.\w{1,4}\b(?!:\d)"
    rb"|\bon[-_](?:error|failure)\b"
    rb"|\b[a-z]+_(?:error|err|loss)[:=] ?\d|\bfailed \w+[:=] ?0\b|\b[A-Z]\w*Warning: |exited with (?:code )?0\b"
    rb"|\bif \[\[?|\|\| (?:true|exit|echo)"
    rb"|\b(?:ignored|retrying|will retry|recovered)\b"
    rb"|^(?:\S+[ \t]+)?[\w.-]+[ \t]+(?P<ready>\d+)/(?P=ready)[ \t]+(?:Running|Completed)\b",  # kubectl get pods
    re.IGNORECASE,
)
_QUIET_LEVEL = re.compile(
    rb"\"?(?:level|severity|lvl)\"?[=:] ?\"?(?:info|debug|trace)\b|\b(?:INFO|DEBUG|TRACE)\b[\]: |-]|^[I]\d{4} ",
    re.IGNORECASE,
)


# What is grave at whatever level it is told, and what is so where a line calls itself a warning.
_GRAVE = re.compile(
    rb"\b(?:process|worker|thread|actor|container|child|backend|instance|server)s? (?:has |have |was |were )?"
    rb"(?:died|crash(?:ed|ing)\b|killed|terminated (?:abnormally|unexpectedly|by signal))"
    rb"|\b(?:exited|ended|failed|returned) with (?:return |exit )?(?:code|status):? [1-9]|\bERROR=[1-9]"
    rb"|=(?:ERROR|CRASH) REPORT====|\beaddrinuse\b|[Nn]o space left|\bCompleted with [1-9]\d* errors?\b"
)
_GRAVE_WARNING = re.compile(
    rb"\b(?:fail(?:ed|ure)|died|killed|crash(?:ed)?|lost|refused|denied|unreachable|no space|exceeded|timed out|timeout"
    rb"|missed heartbeats?|closing|aborted|reached|dropped|rejected|no active session)\b"
)
_WARNING = re.compile(rb"\bWARN(?:ING)?\b|\[warn(?:ing)?\]|\blevel\"?[=:] ?\"?warn|^W\d{4} ")
_HEDGED = re.compile(
    rb"\b(?:may|might|can|could|would|if|unless|deprecat\w*|will (?:be )?(?:retr|ignor)\w*|retry\w*|again"
    rb"|skipp\w+|stapl\w+|without it|still|within|will fail in)\b",
    re.IGNORECASE,
)


def grave(line: bytes) -> bool:
    """Whether a line tells of a failure at whatever level, or as a warning without an if."""
    if _GRAVE.search(line):
        return not harmless(line)
    told = _WARNING.search(line) and _GRAVE_WARNING.search(line)
    return bool(told) and not _HEDGED.search(line) and not harmless(line)


def harmless(line: bytes) -> bool:
    """Whether a line only mentions failure: a count of none, a flag, a file name, a test that passed."""
    return bool(_HARMLESS.search(line)) and not _COUNTED.search(line)


def quiet(line: bytes) -> bool:
    """Whether a structured line is at a level that nobody is woken for."""
    return bool(_QUIET_LEVEL.search(line))


def probable_rows(seen: Reading) -> list[int]:
    """The rows that the ranker believes in most, in the order of the log."""
    import numpy

    return sorted(numpy.argsort(-seen.probability, kind="stable")[:PROBABLE].tolist())


def wrong(seen: Reading, ranked: Sequence[tuple[Match, float]]) -> bool:
    """Whether the log tells of a failure at all."""
    certain = [match for match, _ in ranked if match.signature.priority >= CERTAIN]
    if seen.kind == "command":
        return any(match.signature.priority >= KNOWN for match, _ in ranked) or _troubled(seen)
    if seen.kind == "container":
        return bool(certain) or _troubled(seen) or _grave_rows(seen)
    if seen.outline.marker >= 0:
        return True
    bare = seen.lines.bare
    end = [line for line in bare[-END:] if line]
    for line in reversed(end):  # the last word counts
        failing = _failing(line)
        if _SUCCEEDED.search(line) and not failing:
            return False
        if failing or (b" failed" in line and not harmless(line)):
            return True
    return bool(certain) or any(_failing(bare[row]) for row in probable_rows(seen)) or _loud(seen) or _grave_end(seen)


def _grave_rows(seen: Reading) -> bool:
    rows = (seen.looks.groups[:, GROUPS.index("error")] > 0).nonzero()[0].tolist()
    return any(grave(seen.lines.shown[row]) for row in dict.fromkeys([*rows[:LOOKED_AT], *rows[-LOOKED_AT:]]))


def _grave_end(seen: Reading) -> bool:
    """In a log that ends without a verdict: what is grave in its last lines."""
    return any(grave(line) for line in seen.lines.shown[-END:])


def _failing(line: bytes) -> bool:
    return bool(_FAILED.search(line)) and not harmless(line)


def _troubled(seen: Reading) -> bool:
    """Whether a row calls itself an error, without being a count of none or at a quiet level."""
    loud = has(seen.looks, "level-error", "traceback", "fatal", "error-start", "error-capital")
    bare = seen.lines.bare
    named = [row for row in has(seen.looks, "error-class").nonzero()[0].tolist() if ends_exception(bare[row])]
    rows = sorted({*loud.nonzero()[0].tolist(), *named})
    return any(
        not harmless(bare[row]) and not _QUIET_LEVEL.search(bare[row])
        for row in dict.fromkeys([*rows[:LOOKED_AT], *rows[-LOOKED_AT:]])
    )


def _loud(seen: Reading) -> bool:
    """A log without any verdict: whether a probable line speaks of an error."""
    rows = probable_rows(seen)
    error = seen.looks.groups[:, GROUPS.index("error")]
    return any(error[row] and seen.probability[row] > 0.5 and not harmless(seen.lines.bare[row]) for row in rows)
