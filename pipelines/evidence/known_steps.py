"""Where in a log the step stands of which the CI system says that it failed.

A log of two failing steps (one that may fail, one that only runs after a failure) does not tell by itself which counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.evidence.values import Step

_RUN = "Run "  # how GitHub's runner heads what a step runs: "##[group]Run pytest"
_ERROR = b"##[error]"


@dataclass(frozen=True, slots=True)
class KnownStep:
    """The step that failed, by its name in the workflow; its times are those of the runner's clock, cut to seconds.

    `before` counts the steps that began in the same second and ran before it.
    """

    name: str
    started_at: datetime | None = None
    completed_at: datetime | None = None
    before: int = 0


@dataclass(frozen=True, slots=True)
class _Span:
    """Rows in which the step's lines are; those of its neighbours within its first and last second are among them."""

    first: int
    last: int
    opening: range  # of its first second
    closing: range  # of its last second


def located(
    known: KnownStep, steps: Sequence[Step], markers: Sequence[int], bare: Sequence[bytes], seconds: Sequence[bytes]
) -> Step | None:
    """The step with its rows, found by its times, else by its name; None where neither stands in the log.

    `steps` and `markers` (rows that say that a command failed) are those of the log; per row its second.
    """
    headers = [step for step in steps if step.name.startswith(_RUN) or _named(step, known)]
    span = _timed(known, seconds) or _headed(known, headers, len(bare))
    if span is None:
        return None
    header = _header(known, headers, span)
    first = header.first if header else span.first
    end = _end(headers, span, first)
    marker = _marker(markers, bare, first, end, span.last)
    return Step(known.name, first, marker, failed=True, marker=marker, header=header.name if header else "")


def _timed(known: KnownStep, seconds: Sequence[bytes]) -> _Span | None:
    if known.started_at is None or known.completed_at is None:
        return None
    start, end = _second(known.started_at), _second(known.completed_at)
    rows = [row for row, second in enumerate(seconds) if start <= second <= end]
    if not rows:
        return None
    opening = [row for row in rows if seconds[row] == start]
    closing = [row for row in rows if seconds[row] == end]
    return _Span(rows[0], rows[-1], _range(opening), _range(closing))


def _second(moment: datetime) -> bytes:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def _range(rows: Sequence[int]) -> range:
    return range(rows[0], rows[-1] + 1) if rows else range(0)


def _headed(known: KnownStep, headers: Sequence[Step], count: int) -> _Span | None:
    own = next((step for step in headers if _named(step, known)), None)
    return _Span(own.first, count - 1, range(own.first, own.first + 1), range(own.first, count)) if own else None


def _named(step: Step, known: KnownStep) -> bool:
    return known.name in (step.name, step.name.removeprefix(_RUN))


def _header(known: KnownStep, headers: Sequence[Step], span: _Span) -> Step | None:
    """Of headers within its first second the one of its name; else the last, before which its neighbours ended, or the
    one of its place where those behind it began in that second too."""
    near = [step for step in headers if step.first in span.opening]
    own = [step for step in near if _named(step, known)]
    if own or not near:
        return own[0] if own else None
    return near[min(known.before, len(near) - 1)] if span.opening == span.closing else near[-1]


def _end(headers: Sequence[Step], span: _Span, first: int) -> int:
    """The row behind it: the header of the next step, which may begin within its last second."""
    return next((step.first for step in headers if step.first > first and step.first in span.closing), span.last + 1)


def _marker(markers: Sequence[int], bare: Sequence[bytes], first: int, end: int, last: int) -> int:
    """The row that says that it failed, or the last one of an error, or the last one at all."""
    within = [row for row in markers if first <= row < end]
    behind = [row for row in markers if end <= row <= last]  # the last step of a composite one has a header too
    errors = [row for row in range(first, end) if bare[row].startswith(_ERROR)]
    return (within[-1:] or errors[-1:] or behind[:1] or [end - 1])[0]
