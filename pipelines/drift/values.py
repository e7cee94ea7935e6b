"""What drift is made of, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["no drift", "data drift", "concept drift", "model decay", "schema break"]
Urgency = Literal["P0", "P1", "P2"]
Role = Literal["feature", "prediction", "score"]
# What a break may be of: features, what the model says, and what came true.
Part = Literal["feature", "prediction", "score", "label"]
Break = Literal["gone", "new", "type", "constant", "missing", "placeholder", "unit", "encoding", "swapped", "frozen"]
Side = Literal["reference", "current"]
Remedy = Literal["nothing", "retrain", "roll back", "feature engineering", "fix the source", "fix the reference"]
# Columns of so many of the worst segments are what a verdict without moved columns is about.
WORST_SEGMENTS = 2
# A model that is trained before these are done learns a fault, or nothing.
FIX_FIRST: frozenset[Remedy] = frozenset({"fix the source", "fix the reference"})


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One column then and now.

    Effects are without what chance alone adds: `psi`, `jensen_shannon` (distance, 0 to 1), `wasserstein` in standard
    deviations of the reference (numbers), `total_variation` (categories). `strength` is the largest of them in units
    of its floor: below 1 it is too small to matter. `usual` is the strength that windows of the reference itself
    reach. `importance` is the share of all features' importance.
    """

    name: str
    role: Role
    kind: Literal["number", "category"]
    psi: float
    jensen_shannon: float
    wasserstein: float | None
    total_variation: float | None
    p_value: float
    q_value: float
    strength: float
    usual: float
    importance: float
    missing_before: float
    missing_now: float
    unseen: float
    drifted: bool
    change: str

    @property
    def effect(self) -> float:
        """What stands for all effects where there is room for one: the bias-corrected PSI, or the share of rows that
        went missing or came back where that is what drifted."""
        return max(self.psi, abs(self.missing_now - self.missing_before) if self.drifted else 0.0)


@dataclass(frozen=True, slots=True)
class ColumnWeight:
    """How much of the model's importance a column has (a share of 1), and how far it moved."""

    name: str
    importance: float
    psi: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class SchemaBreak:
    """A column that is not what it was: a fault to be fixed at its source, on the `side` where it is wrong."""

    name: str
    what: Break
    side: Side
    detail: str
    part: Part = "feature"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the rows where it is worst. Errors are shares of rows, None without labels."""

    where: str
    features: tuple[str, ...]
    rows: int
    share_before: float
    share_now: float
    error_before: float | None = None
    error_now: float | None = None


@dataclass(frozen=True, slots=True)
class ClassRecall:
    """The share of the rows of one class that is recognised, then and now (of `rows`)."""

    name: str
    before: float
    now: float
    rows: int
    p_value: float

    @property
    def drop(self) -> float:
        return self.before - self.now


@dataclass(frozen=True, slots=True)
class Performance:
    """A metric then and now. `estimated`: from the scores alone, without labels (CBPE).

    `lost` is the class that is recognised far less often than before: of a rare one the accuracy tells nothing.
    `claimed`: `before` is what the scores promise, and not known ever to have been so.
    """

    metric: str
    before: float
    now: float
    rows: int
    p_value: float
    worse: bool
    estimated: bool = False
    others: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lost: ClassRecall | None = None
    claimed: bool = False

    @property
    def drop(self) -> float:
        return self.before - self.now

    @property
    def worst_class(self) -> ClassRecall | None:
        """The class that the loss is about, where it is not about all rows alike."""
        return self.lost if self.lost is not None and self.lost.drop > 2 * self.drop else None

    @property
    def loss(self) -> float:
        """The share of the predictions that it costs, or of one class where that is what was lost."""
        return self.worst_class.drop if self.worst_class is not None else self.drop


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a stream of errors changed: since about `row`, noticed at row `noticed` (both from 0)."""

    row: int
    noticed: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Onset:
    """Since about when it drifts; `exact` where single errors tell the minute, else it is the beginning of an hour."""

    at: datetime
    exact: bool = False


@dataclass(frozen=True, slots=True)
class ConceptChange:
    """Whether the same inputs now have other outcomes: what a model of the reference gets wrong, now and expected.

    `error_before` is its honest error on the reference itself. `lost` is a class that it no longer recognises.
    `exchanged` says which classes would have to change places for the outcomes to be as they were: more likely a
    fault in the labels than a changed world. `displaced` are columns that moved while the outcomes did not follow:
    with each value at its old rank the outcomes are as they were.
    """

    changed: bool
    error_before: float
    expected_error: float
    error: float
    p_value: float
    rows: int
    point: ChangePoint | None = None
    lost: ClassRecall | None = None
    exchanged: str = ""
    displaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelsMet:
    """What became of labels: `met` are new beside their prediction, `waiting` have none yet. Of one record the first
    label counts: `repeated` said the same again, `changed` said something else."""

    met: int = 0
    waiting: int = 0
    repeated: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class PredictionMade:
    """What was said of one record, kept until its label comes; None where the answer was lost on the way."""

    record_id: str
    version: str
    hour: datetime
    prediction: str | None


@dataclass(frozen=True, slots=True)
class Persistence:
    """In how many of the last windows it was seen; `seasonal` where a season that is not known yet may be all of it."""

    seen: int
    of: int
    seasonal: bool = False

    @property
    def lasting(self) -> bool:
        return self.of >= 2 and self.seen * 3 >= self.of * 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why` and `would_change` are whole sentences. `judged` is False where there was too little to judge by."""

    kind: Kind
    urgency: Urgency | None
    why: tuple[str, ...]
    would_change: tuple[str, ...]
    features: tuple[FeatureDrift, ...]
    breaks: tuple[SchemaBreak, ...] = ()
    segments: tuple[Segment, ...] = ()
    performance: Performance | None = None
    estimated: Performance | None = None
    concept: ConceptChange | None = None
    change_point: ChangePoint | None = None
    persistence: Persistence | None = None
    remedy: Remedy = "nothing"
    judged: bool = True
    rows_before: int = 0
    rows_now: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def alarming(self) -> bool:
        return self.kind != "no drift"

    @property
    def affected(self) -> tuple[str, ...]:
        """Names of the columns it is about, worst first."""
        if self.breaks:
            return tuple(dict.fromkeys(found.name for found in self.breaks))
        drifted = tuple(feature.name for feature in self.features if feature.drifted)
        # Where nothing moved by itself, errors still have a place.
        worst = [name for segment in self.segments[:WORST_SEGMENTS] for name in segment.features]
        return drifted or tuple(dict.fromkeys(worst))


@dataclass(frozen=True, slots=True)
class IssuePlace:
    """Where issues about a model's drift are opened, for whom and under which labels."""

    repository: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchSpec:
    """How a model is watched: the last `window` is judged `every` so often, 0 for never by itself.

    An episode ends after `gone_after` windows in a row without drift. `quiet` urgencies are not posted. `auto` is the
    name of the approver who lets the catalogue approve retrains of a P0; empty where people are asked. `time_column`
    is that of the training data by which recent rows are told; empty where they cannot be.
    """

    model: str
    channel: str
    window: timedelta = timedelta(hours=24)
    every: timedelta = timedelta(hours=1)
    gone_after: int = 2
    quiet: frozenset[Urgency] = frozenset()
    auto: str = ""
    time_column: str = ""
    issues: IssuePlace | None = None

    @property
    def by_schedule(self) -> str:
        """The reason of looks that nobody asked for."""
        return "the scheduled look"
