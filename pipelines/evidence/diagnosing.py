"""What is known about a failure without any language model: signatures ranked, the log's own words, or nothing wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.evidence.cleaning import decoded
from pipelines.evidence.cues import CUES, GROUPS
from pipelines.evidence.features import Looks, has
from pipelines.evidence.lines import Table
from pipelines.evidence.signatures import NEAR_AFTER, NEAR_BEFORE, Match, Signature, matches, worded
from pipelines.evidence.steps import Outline
from pipelines.evidence.values import FailureKind, LogKind

MOST_CAUSES = 3
CITED = 4  # lines a cause
TELLING = 40  # priority from which a signature says more than the log's own words
CERTAIN = 60  # priority from which a signature alone says that something is wrong


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A possible cause: rows that speak for it, and the signature, if it is a known one."""

    text: str
    rows: tuple[int, ...]
    confidence: float
    kind: FailureKind = "unknown"
    fix: tuple[str, ...] = ()
    patch: str = ""
    owner: str = ""
    signature: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a judgement of one source rests on."""

    lines: Table
    looks: Looks
    outline: Outline
    probability: Any
    kind: LogKind


_SUCCEEDED = re.compile(
    rb"exited with 0\b|BUILD SUCCESS|Finished: SUCCESS|Job succeeded|All checks passed|^(?:=+ )?\d+ passed\b(?!.*failed)"
    rb"|\bcompleted successfully\b|\bsuccessfully (?:built|deployed|rolled out|installed|completed)|Build succeeded"
    rb"|\b0 (?:failed|failures|errors|problems|vulnerabilities)\b|^OK\b|^PASS\b|^ok[ \t]|no issues found|Apply complete!"
    rb"|\bSuccess(?:fully)?\b|test result: ok|\bpassed\b|\bDone in \d|Already up to date|no changes",
    re.IGNORECASE,
)
_FAILED = re.compile(
    rb"\b[1-9]\d* (?:\w+ )?(?:failed|failures?|errors?|failing|problems?|offenses)\b|\bFAILED\b|\bFAILURE\b|BUILD FAILED"
    rb"|\b(?:exit|exited)(?: with)?(?: code| status)?:? [1-9]|^[ \t]*(?:error|fatal|panic)(?:\[\w+\])?: |##\[error\]|\*\*\* |\bnot ok \d"
    rb"|^(?:[\w.]+(?:Error|Exception)): |--- FAIL"
)
_HARMLESS = re.compile(
    rb"\b(?:0|no) (?:\w+ )?(?:errors?|failures?|failed|problems?|warnings?|issues|vulnerabilities)\b|\b(?:errors?|failures?|failed)[=:] ?0\b"
    rb"|-W(?:no-)?error|--[\w-]*(?:error|fail)|\b(?:error|fail)\w*\.(?:py|js|ts|go|rs|c|cc|cpp|h|o|java|rb)\b(?!:\d)"
    rb"|\b(?:PASS(?:ED)?|ok|OK|\.\.\. ok|\xe2\x9c\x93|\xe2\x9c\x94)\b|\bif \[\[?|\|\| (?:true|exit|echo)|\b(?:ignored|retrying|will retry|recovered)\b",
    re.IGNORECASE,
)
_QUIET_LEVEL = re.compile(
    rb"\"?(?:level|severity|lvl)\"?[=:] ?\"?(?:info|debug|trace)\b|\b(?:INFO|DEBUG|TRACE)\b[\]: |-]|^[I]\d{4} ", re.IGNORECASE
)


def suspicions(seen: Seen, plain: bool = False) -> tuple[Suspicion, ...]:
    """Possible causes, most likely first; none where nothing wrong was found."""
    if not len(seen.lines):
        return ()
    ranked = _ranked(seen, matches(seen.lines.bare, _speaking(seen), plain))
    if not wrong(seen, [(match, score) for match, _, score in ranked]):
        return ()
    known = [_known(seen, match, rows, score) for match, rows, score in ranked[:12]]
    telling = [one for one, (match, _, _) in zip(known, ranked, strict=False) if match.signature.priority >= TELLING]
    general = [one for one, (match, _, _) in zip(known, ranked, strict=False) if match.signature.priority < TELLING]
    own = _own_words(seen, [row for one in telling for row in one.rows])
    if telling:
        return _apart([*telling[:2], *own[:1], *telling[2:], *general])[:MOST_CAUSES]
    return _apart([*own[:2], *general, *own[2:]])[:MOST_CAUSES]


def _apart(found: Sequence[Suspicion]) -> tuple[Suspicion, ...]:
    kept: list[Suspicion] = []
    for one in found:
        if not any(set(one.rows) <= set(other.rows) or one.text == other.text for other in kept):
            kept.append(one)
    return tuple(kept)


def _speaking(seen: Seen) -> list[int]:
    import numpy

    rows = numpy.argsort(-seen.probability, kind="stable")[:300]
    return sorted(rows.tolist())


def _ranked(seen: Seen, found: Sequence[Match]) -> list[tuple[Match, tuple[int, ...], float]]:
    ranked = []
    for match in found:
        rows = [row for row in match.rows if not _quiet(seen, row, match.signature)]
        if rows:
            best = sorted(rows, key=lambda row: (-_weight(seen, row), row))[:CITED]
            ranked.append((match, tuple(best), match.signature.priority / 100 * 0.55 + _weight(seen, best[0]) * 0.45))
    return sorted(ranked, key=lambda one: -one[2])


def _quiet(seen: Seen, row: int, signature: Signature) -> bool:
    """Whether this row only mentions the failure: a count of none, a flag, a file name, a test that passed."""
    line = seen.lines.bare[row]
    if signature.priority < 80 and _HARMLESS.search(line):
        return True
    return seen.kind == "container" and signature.priority < 56 and bool(_QUIET_LEVEL.search(line))


def _weight(seen: Seen, row: int) -> float:
    """0 to 1: how likely this row is what matters, from the ranker and from where it stands."""
    probability = float(seen.probability[row])
    marker = seen.outline.marker
    if marker < 0:
        place = 0.5
    elif row > marker:
        place = 0.0
    else:
        step = seen.outline.failing
        place = 1.0 if step and step.first <= row else 0.3
    return 0.6 * probability + 0.4 * place


def _known(seen: Seen, match: Match, rows: tuple[int, ...], score: float) -> Suspicion:
    signature = match.signature
    groups = signature.match(seen.lines.bare[rows[0]]) or {}
    if signature.near:
        low, high = max(0, rows[0] - NEAR_BEFORE), rows[0] + NEAR_AFTER
        groups |= signature.details("\n".join(decoded(line) for line in seen.lines.shown[low:high]))
    groups = {name: text[:160].rstrip(" .:,;") for name, text in groups.items()}
    return Suspicion(
        worded(signature.cause, groups),
        tuple(sorted(rows)),
        round(min(0.97, max(0.05, score)), 2),
        signature.kind,
        tuple(worded(step, groups) for step in signature.fix),
        worded(signature.patch, groups) if signature.patch else "",
        signature.owner,
        signature.id,
        signature.links,
    )


def _own_words(seen: Seen, taken: Sequence[int]) -> list[Suspicion]:
    """The lines that most likely matter, in the log's own words."""
    import numpy

    loud = seen.looks.groups[:, [GROUPS.index("error"), GROUPS.index("summary"), GROUPS.index("weak")]].any(axis=1)
    marker = seen.outline.marker
    score = seen.probability + 0.35 * loud + 0.25 * has(seen.looks, "level-error", "annotation", "fatal", "error-start")
    score = score - 0.5 * has(seen.looks, "zero-failures") - 0.3 * (seen.looks.length < 8)
    if marker >= 0:
        score = score - 2.0 * (numpy.arange(len(score)) > marker) - 0.3 * has(seen.looks, "exit-code", "travis-exit")
    found: list[Suspicion] = []
    shapes: set[int] = set()
    for row in numpy.argsort(-score, kind="stable")[:200].tolist():
        shape = int(seen.looks.template[row])
        if shape in shapes or row in taken or not seen.lines.bare[row].strip():
            continue
        shapes.add(shape)
        text = decoded(seen.lines.bare[row]).strip()[:300]
        likely = min(0.6, max(0.05, float(seen.probability[row]) * 0.6))
        found.append(Suspicion(f"The log says: {text}", _block(seen, row), round(likely, 2)))
        if len(found) == MOST_CAUSES:
            break
    return found


def _block(seen: Seen, row: int) -> tuple[int, ...]:
    """The row and up to three probable neighbours, within the same stretch of lines."""
    rows = [row]
    for step in (1, -1):
        near = row + step
        while 0 <= near < len(seen.lines) and len(rows) < CITED and seen.lines.bare[near] and seen.probability[near] > 0.4:
            rows.append(near)
            near += step
    return tuple(sorted(rows))


def wrong(seen: Seen, ranked: Sequence[tuple[Match, float]]) -> bool:
    """Whether the log tells of a failure at all."""
    certain = [match for match, _ in ranked if match.signature.priority >= CERTAIN]
    if seen.kind == "command":
        return any(match.signature.priority >= 40 for match, _ in ranked) or _errors(seen) > 0
    if seen.kind == "container":
        return bool(certain) or _errors(seen) > 0
    if seen.outline.marker >= 0:
        return True
    end = [line for line in seen.lines.bare[-80:] if line]
    failing = [line for line in end if _FAILED.search(line) and not _HARMLESS.search(line)]
    succeeded = any(_SUCCEEDED.search(line) and not _FAILED.search(line) for line in end[-25:])
    if failing:
        return not (succeeded and _SUCCEEDED.search(end[-1]) and not _FAILED.search(end[-1]) and not certain)
    if succeeded:
        return False
    return bool(certain) or _loud(seen)


def _errors(seen: Seen) -> int:
    """Rows that a service itself calls an error, or with a state of Kubernetes that is one."""
    names = [number for number, cue in enumerate(CUES) if cue.name in {"level-error", "traceback", "fatal", "error-start"}]
    rows = seen.looks.cues[:, names].any(axis=1).nonzero()[0].tolist()
    shout = has(seen.looks, "error-capital").nonzero()[0].tolist()
    return sum(
        1 for row in {*rows, *shout} if not _HARMLESS.search(seen.lines.bare[row]) and not _QUIET_LEVEL.search(seen.lines.bare[row])
    )


def _loud(seen: Seen) -> bool:
    """A log without any verdict: whether a probable line speaks of an error."""
    rows = _speaking(seen)
    error = seen.looks.groups[:, GROUPS.index("error")]
    return any(
        error[row] and seen.probability[row] > 0.5 and not _HARMLESS.search(seen.lines.bare[row]) for row in rows
    )
