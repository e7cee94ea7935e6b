"""Judges the last window of a model's hourly profiles by its reference, its seasons and its own past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.drift.judge import LEAST_ROWS, Evidence, decide
from pipelines.drift.lasting import Lasting
from pipelines.drift.output_breaks import find_answer_breaks
from pipelines.drift.past import Past
from pipelines.drift.profile_breaks import find_profile_breaks
from pipelines.drift.quality import Measured, Quality, estimate
from pipelines.drift.segments import grown_segments
from pipelines.drift.slots import LONGEST_PAST as LONGEST_PAST
from pipelines.drift.slots import Slots
from pipelines.drift.urgency import UrgencyPolicy
from pipelines.drift.usual import Usual, watched
from pipelines.drift.values import SchemaBreak, Verdict
from pipelines.drift.windows import Tally, WindowProfile
from pipelines.profiles import ReferenceProfile

# The newest rows that are looked at for breaks on their own.
FRESH_ROWS = 100


@dataclass(frozen=True, slots=True)
class Watch:
    """How a model is watched: windows of `span`, drift counts as lasting when seen in most of the last `windows`."""

    span: timedelta = timedelta(hours=24)
    windows: int = 3


def judge_windows(
    reference: ReferenceProfile,
    hours: Sequence[WindowProfile],
    until: datetime,
    watch: Watch | None = None,
    importance: Mapping[str, float] | None = None,
    policy: UrgencyPolicy | None = None,
    drifting: Sequence[tuple[datetime, datetime]] = (),
) -> Verdict:
    """The verdict on the `watch.span` before `until`. `hours` are of one version, any order, with gaps, older ones too.

    `drifting` are spans of time that are known as drift, from and to: they tell nothing of what is usual, else any
    drift would become so by lasting. Hours in other bins than the reference's are a ValueError: they belong to
    another reference.
    """
    watch, importance = watch or Watch(), importance or {}
    past, quality, whole = Past(hours, watch.span), Quality(reference), watched(reference)
    slots = Slots(past, drifting, lambda rows: not whole.drifted(None, rows))
    usual = Usual(whole, slots)
    current = past.window(until)
    features = usual.judged(current, until, importance)
    drifted = [feature for feature in features if feature.drifted]
    moved = any(feature.role == "feature" for feature in drifted)
    unsound = quality.broken_labels(past, until, moved)
    measured = quality.measure(past, until, slots) if not unsound else None
    breaks = _breaks(reference, current) or _fresh_breaks(reference, past.latest(until, FRESH_ROWS))
    breaks += unsound + find_answer_breaks(reference, current, moved)
    sound = [feature for feature in drifted if feature.name not in {found.name for found in breaks}]
    lasting = Lasting(past, until, watch.windows, whole, usual, slots, quality, measured)
    return decide(
        Evidence(
            features=features, rows_before=reference.rows, rows_now=max(current.rows, current.outcomes.labelled),
            breaks=tuple(breaks), segments=grown_segments(whole.sides(current), sound),
            performance=measured.performance if measured else None, estimated=estimate(reference, current),
            persistence=lasting.count(drifted, breaks),
            importance_known=any(importance.get(name, 0) for name in reference.features),
            notes=tuple(_notes(slots.slot(until) is not None, measured, until)),
        ),
        policy,
    )  # fmt: skip


def _breaks(reference: ReferenceProfile, current: Tally) -> list[SchemaBreak]:
    if current.rows < LEAST_ROWS:
        return []
    found: list[SchemaBreak] = []
    for name, then in reference.features.items():
        now = current.features.get(name)
        found += find_profile_breaks(name, then, now) if now is not None else []
    return found


def _fresh_breaks(reference: ReferenceProfile, latest: Tally) -> list[SchemaBreak]:
    """Columns that came in another unit or code lately: within a window of many hours they would look like drift.

    What may be so at any night (nothing but zeros, many missing) is left to the whole window.
    """
    if latest.rows < FRESH_ROWS:
        return []
    return [found for found in _breaks(reference, latest) if found.what in ("unit", "encoding")]


def _notes(seasonal: bool, measured: Measured | None, until: datetime) -> list[str]:
    found = ["Compared with the same hours of earlier days or weeks as well."] if seasonal else []
    if measured is not None and measured.until < until:
        found.append(f"Labels reach to {measured.until:%d %B %H:%M} UTC: performance is that of the window before.")
    return found
