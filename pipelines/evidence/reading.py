"""One source after all that is found out about it, in memory that does not grow with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipelines.evidence.cues import GROUPS
from pipelines.evidence.extents import Ends, ends
from pipelines.evidence.features import Looks, looks, matrix
from pipelines.evidence.kinds import detect_log_kind
from pipelines.evidence.known_steps import KnownStep
from pipelines.evidence.lines import Table, Window, seconds, table
from pipelines.evidence.ranker import Forest, Weights, shipped
from pipelines.evidence.sources import Buffer, opened
from pipelines.evidence.steps import Outline, outline
from pipelines.evidence.values import LogKind
from pipelines.evidence.windows import CLOSELY, windows

BUDGET = 2_000
ROWS_RANKED = 12_000  # beyond this many lines only those around something that speaks of trouble are ranked
Source = Path | bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class Options:
    """`closely`: bytes of a log that are looked at line by line; `plain`: without hyperscan.

    `most_unpacked`: bytes that may come out of a .gz. `failed`: whoever asks knows that it did, so that "nothing wrong"
    is no answer. `failing_step`: the step that failed, where the CI system names it beside the log.
    """

    budget_tokens: int = BUDGET
    kind: LogKind | None = None
    closely: int = CLOSELY
    plain: bool = False
    weights: Weights | None = None
    most_unpacked: int | None = None
    failed: bool = False
    failing_step: KnownStep | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A source after all that is found out about it: what reports are made from."""

    lines: Table
    looks: Looks
    outline: Outline
    probability: Any
    ends: Ends
    kind: LogKind


def read(source: Source, options: Options) -> Reading:
    """Look at one source, in memory that does not grow with it."""
    with opened(source, options.most_unpacked) as buffer:
        return _read(buffer, options)


def _read(buffer: Buffer, options: Options) -> Reading:
    stretches, total = windows(buffer, options.closely, options.plain)
    lines = table(buffer, stretches, total)
    found = looks(lines, options.plain)
    steps = _outline(buffer, stretches, lines, options.failing_step)
    kind = options.kind or detect_log_kind(lines, steps)
    weights, features = options.weights or shipped(), matrix(lines, found)
    probability = _probability(features, lines, found, weights.lines)
    return Reading(lines, found, steps, probability, ends(features, probability, weights), kind)


def _outline(buffer: Buffer, stretches: Sequence[Window], lines: Table, known: KnownStep | None) -> Outline:
    if known is None:
        return outline(lines.bare)
    printed = seconds(buffer, stretches)
    return outline(lines.bare, known, [printed.get(number, b"") for number in lines.numbers])


def _probability(features: Any, lines: Table, found: Looks, forest: Forest) -> Any:
    import numpy

    if len(lines) <= ROWS_RANKED:
        return forest.score(features)
    speaking = found.groups[:, [GROUPS.index(group) for group in ("error", "summary", "marker")]].any(axis=1)
    around = numpy.convolve(speaking, numpy.ones(7), "same") > 0
    rows = numpy.flatnonzero(around)
    if len(rows) > ROWS_RANKED:
        rows = numpy.concatenate([rows[: ROWS_RANKED // 4], rows[-ROWS_RANKED * 3 // 4 :]])
    probability = numpy.zeros(len(lines), numpy.float32)
    probability[rows] = forest.score(features[rows])
    return probability
