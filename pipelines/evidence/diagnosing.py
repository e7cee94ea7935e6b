"""What is known about a failure without a language model: signatures ranked, the log's own words, or nothing wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from pipelines.evidence.cleaning import decoded
from pipelines.evidence.cues import GROUPS
from pipelines.evidence.features import has
from pipelines.evidence.judging import harmless, probable_rows, quiet, wrong
from pipelines.evidence.long_lines import told
from pipelines.evidence.plumbing import ends_exception, says_nothing
from pipelines.evidence.reading import Reading
from pipelines.evidence.signatures import BEHIND as ROWS_BEHIND
from pipelines.evidence.signatures import NEAR_AFTER, NEAR_BEFORE, Match, Signature, filled, matches, worded
from pipelines.evidence.values import SCANS, FailureKind

MOST_CAUSES = 3
CITED = 4  # lines a cause
PLAUSIBLE = 0.55  # of the score below, from which a line is offered beside better causes
BESIDE = 0.6  # of the score of what other steps printed: teardown is loud and seldom the cause
WEIGHED = 1_000  # likely rows whose own words are looked at
TELLING = 40  # priority from which a signature says more than the log's own words


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


def suspicions(seen: Reading, plain: bool = False, failed: bool = False) -> tuple[Suspicion, ...]:
    """Possible causes, most likely first; none where nothing wrong was found and it is not known to have `failed`."""
    if not len(seen.lines):
        return ()
    ranked = _ranked(seen, matches(seen.lines.bare, seen.probability, probable_rows(seen), plain))
    if not failed and not wrong(seen, [(match, score) for match, _, score in ranked]):
        return ()
    known = [_known(seen, match, rows, score) for match, rows, score in ranked[:12]]
    telling = [one for one, (match, _, _) in zip(known, ranked, strict=False) if match.signature.priority >= TELLING]
    general = [one for one, (match, _, _) in zip(known, ranked, strict=False) if match.signature.priority < TELLING]
    # Around a scanner's verdict stand its own counts, which are loud and explain nothing.
    scanned = bool(telling) and telling[0].kind in SCANS
    own = [] if scanned else _falling(_own_words(seen, [row for one in telling for row in one.rows]))
    if telling:
        return _likeliest_first([*telling[:2], *own[:1], *telling[2:], *own[1:], *general], general)
    return _likeliest_first([*own[:2], *general, *own[2:]], general)


def _falling(found: Sequence[Suspicion]) -> list[Suspicion]:
    """The same in their order, which knows more than the ranker: none is surer than the one before it."""
    sure = accumulate((one.confidence for one in found), min)
    return [replace(one, confidence=least) for one, least in zip(found, sure, strict=True)]


def _likeliest_first(found: Sequence[Suspicion], general: Sequence[Suspicion]) -> tuple[Suspicion, ...]:
    """The first of them by confidence; `general` ones only repeat that something failed, so none is surer than others.

    Of signatures at 0.2 to 0.4, nearly all of them general, one in eleven cited what people had marked (135 logs, by
    weights that had not seen them).
    """
    chosen = _apart(found)[:MOST_CAUSES]
    telling = sorted((one for one in chosen if one not in general), key=lambda one: -one.confidence)
    least = telling[-1].confidence if telling else 1.0
    vague = [replace(one, confidence=min(one.confidence, least)) for one in chosen if one in general]
    return (*telling, *sorted(vague, key=lambda one: -one.confidence))


def _apart(found: Sequence[Suspicion]) -> tuple[Suspicion, ...]:
    kept: list[Suspicion] = []
    for one in found:
        if not any(set(one.rows) <= set(other.rows) or one.text == other.text for other in kept):
            kept.append(one)
    return tuple(kept)


def _ranked(seen: Reading, found: Sequence[Match]) -> list[tuple[Match, tuple[int, ...], float]]:
    ranked = []
    for match in found:
        rows = [row for row in match.rows if not _quiet(seen, row, match.signature)]
        if rows:
            best = _telling_rows(seen, rows)
            score = match.signature.priority / 100 * 0.55 + _weight(seen, best[0]) * 0.45
            beside = 0 <= seen.outline.marker < best[0] or best[0] < seen.outline.begins
            ranked.append((match, tuple(best), score * BESIDE if beside else score))
    return sorted(ranked, key=lambda one: -one[2])


def _telling_rows(seen: Reading, rows: Sequence[int]) -> list[int]:
    """The rows to cite. In a service's log the first comes first: what is loud later often follows from it."""
    if seen.kind != "ci":
        return list(dict.fromkeys([*rows[:3], rows[-1]]))[:CITED]
    return sorted(rows, key=lambda row: (-_weight(seen, row), row))[:CITED]


def _quiet(seen: Reading, row: int, signature: Signature) -> bool:
    """Whether this row only mentions the failure: a count of none, a flag, a file name, a test that passed."""
    line = seen.lines.bare[row]
    if signature.priority < 80 and harmless(line):
        return True
    return seen.kind == "container" and signature.priority < 56 and quiet(line)


def _weight(seen: Reading, row: int) -> float:
    """0 to 1: how likely this row is what matters, from the ranker and from where it stands."""
    probability = float(seen.probability[row])
    marker = seen.outline.marker
    if marker < 0:
        place = 0.5
    elif row > marker or row < seen.outline.begins:
        place = 0.0
    else:
        step = seen.outline.failing
        place = 1.0 if step and step.first <= row else 0.3
    return 0.6 * probability + 0.4 * place


def _known(seen: Reading, match: Match, rows: tuple[int, ...], score: float) -> Suspicion:
    signature = match.signature
    groups = signature.match(seen.lines.bare[rows[0]]) or {}
    if signature.near:
        low, high = max(0, rows[0] - NEAR_BEFORE), rows[0] + NEAR_AFTER
        groups |= signature.details("\n".join(decoded(line) for line in seen.lines.shown[low:high]))
    said = signature.said_behind([decoded(line) for line in seen.lines.bare[rows[0] + 1 : rows[0] + 1 + ROWS_BEHIND]])
    if said:
        rows = tuple(dict.fromkeys([rows[0], rows[0] + 1 + said[0], *rows[1:]]))[:CITED]
        groups |= said[1]
    groups = {name: text[:160].rstrip(" .:,;") for name, text in groups.items()}
    return Suspicion(
        worded(signature.cause, groups),
        tuple(sorted(rows)),
        round(min(0.97, max(0.05, score)), 2),
        signature.kind,
        tuple(worded(step, groups) for step in signature.fix),
        filled(signature.patch, groups),
        signature.owner,
        signature.id,
        signature.links,
    )


def _own_words(seen: Reading, taken: Sequence[int]) -> list[Suspicion]:
    """The lines that most likely matter, in the log's own words."""
    import numpy

    if seen.kind != "ci":
        return _rare_words(seen, taken)
    score = _telling(seen)
    found: list[Suspicion] = []
    shapes: set[int] = set()
    for row in numpy.argsort(-score, kind="stable")[:200].tolist():
        shape = int(seen.looks.template[row])
        if shape in shapes or row in taken or not seen.lines.bare[row].strip():
            continue
        if found and score[row] < PLAUSIBLE:
            break
        shapes.add(shape)
        text = _message(decoded(seen.lines.bare[row]))
        likely = min(0.6, max(0.05, float(seen.probability[row]) * 0.6))
        found.append(Suspicion(f"The log says: {text}", _block(seen, row), round(likely, 2)))
        if len(found) == MOST_CAUSES:
            break
    return [one for one in found if not taken or max(score[row] for row in one.rows) >= PLAUSIBLE]


def _telling(seen: Reading) -> Any:
    """Per row, how well it would do as the sentence that names the cause: loud, no frame, not the verdict itself."""
    import numpy

    loud = seen.looks.groups[:, [GROUPS.index(group) for group in ("error", "summary", "weak")]].any(axis=1)
    frame = seen.looks.groups[:, GROUPS.index("frame")] > 0
    score = seen.probability + 0.35 * loud + 0.25 * has(seen.looks, "level-error", "annotation", "fatal", "error-start")
    score = score - 0.6 * frame - 0.5 * has(seen.looks, "zero-failures") - 0.3 * (seen.looks.length < 8)
    verdict = has(seen.looks, "exit-code", "travis-exit", "process-completed", "job-failed")
    rows = numpy.arange(len(score))
    behind = (rows > seen.outline.marker) & (seen.outline.marker >= 0)
    return _plain(seen, score - 0.4 * verdict - 2.0 * behind - 1.0 * (rows < seen.outline.begins))


def _plain(seen: Reading, score: Any) -> Any:
    """The score where the line itself counts: an exception's own words up, what only leads there down."""
    import numpy

    for row in numpy.argsort(-score, kind="stable")[:WEIGHED].tolist():
        if says_nothing(seen.lines.bare, row):
            score[row] -= 1.0
        elif ends_exception(seen.lines.bare[row]):
            score[row] += 0.5
    return score


def _rare_words(seen: Reading, taken: Sequence[int]) -> list[Suspicion]:
    """In a log without steps: kinds of errors and warnings, those that are rare and early first."""
    import numpy

    error = has(seen.looks, "level-error", "fatal", "traceback", "error-capital", "error-start", "kubernetes")
    warning = has(seen.looks, "level-warning", "warning")
    loud = (
        error
        | warning
        | has(seen.looks, "error-class")
        | (seen.looks.groups[:, GROUPS.index("error")] > 0) & (seen.probability > 0.3)
    )
    rows = numpy.flatnonzero(loud)
    first: dict[int, int] = {}
    for row in rows.tolist():
        first.setdefault(int(seen.looks.template[row]), row)
    near = {row + step for row in taken for step in range(-3, 4)}
    kinds = [
        row
        for row in first.values()
        if row not in near and not _mentions_only(seen, row) and not says_nothing(seen.lines.bare, row)
    ]
    share = 1 / max(1, len(seen.lines))
    score = {
        row: (1.4 if ends_exception(seen.lines.bare[row]) else float(error[row]))
        + 0.6 * warning[row]
        - 0.12 * numpy.log1p(seen.looks.copies[row])
        - 0.3 * row * share
        + 0.4 * seen.probability[row]
        for row in kinds
    }
    best = sorted(kinds, key=lambda row: -score[row])[:MOST_CAUSES]
    return [
        Suspicion(
            f"The log says: {_message(decoded(seen.lines.bare[row]))}", _block(seen, row), round(_likely(seen, row), 2)
        )
        for row in best
    ]


def _mentions_only(seen: Reading, row: int) -> bool:
    line = seen.lines.bare[row]
    return harmless(line) or quiet(line)


def _likely(seen: Reading, row: int) -> float:
    return min(0.6, max(0.2, float(seen.probability[row]) * 0.6))


LONGEST_MESSAGE = 300
_SAID = r"\"((?:[^\"\\]|\\.){3,})\""
_MESSAGE = re.compile(rf"\"(?:message|msg|event)\": ?{_SAID}|\bmsg={_SAID}")
_REASON = re.compile(
    rf"\"(?:error|err|reason|detail|error_str|cause|exception|stderr)\": ?{_SAID}|\b(?:error|err|reason)={_SAID}"
)


def _message(line: str) -> str:
    """What a structured line says, and the reason that it gives beside it; or the line."""
    parts = [found[1] or found[2] for pattern in (_MESSAGE, _REASON) if (found := pattern.search(line))]
    said = ": ".join(dict.fromkeys(parts)).replace('\\"', '"').replace("\\n", " ") if parts else line
    return told(said.strip(), LONGEST_MESSAGE)


def _block(seen: Reading, row: int) -> tuple[int, ...]:
    """The row and up to three probable neighbours, within the same stretch of lines."""
    rows = [row]
    for step in (1, -1):
        near = row + step
        while (
            0 <= near < len(seen.lines) and len(rows) < CITED and seen.lines.bare[near] and seen.probability[near] > 0.4
        ):
            rows.append(near)
            near += step
    return tuple(sorted(rows))
