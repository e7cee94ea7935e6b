"""What travels between the rooms while a model is trained again. All values are frozen and JSON-able."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pipelines.retrain.promotion import Promotion

Problem = Literal["regression", "classification"]
RunnerKind = Literal["local", "kubernetes", "github"]
Trigger = Literal["person", "schedule", "drift"]
PromotionRule = Literal["after gate", "ask"]
Stage = Literal[
    "awaiting approval", "training", "gating", "registering", "publishing", "awaiting promotion", "promoting",
    "registered", "champion kept", "gate failed", "rejected", "expired", "withdrawn", "cancelled", "failed",
]  # fmt: skip
FINAL_STAGES: frozenset[Stage] = frozenset(
    {"registered", "champion kept", "gate failed", "rejected", "expired", "withdrawn", "cancelled", "failed"}
)
LOWER_IS_BETTER = frozenset({"mse", "rmse", "mae", "log_loss"})


@dataclass(frozen=True, slots=True)
class GateRule:
    """When a challenger is good enough. Thresholds are metric -> limit (a floor, or a ceiling for errors).

    `tolerance` is how much worse than the champion, relative, still counts as "not worse" on `metric`.
    """

    metric: str
    thresholds: dict[str, float] = field(default_factory=dict)
    not_worse_than_champion: bool = True
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as the catalogue describes it."""

    name: str
    problem: Problem
    data: str
    target: str
    owner: str
    channel: str
    gate: GateRule
    description: str = ""
    trainer: str = "builtin"  # or "package.module:function", or "image:NAME" with `command`
    command: tuple[str, ...] = ()
    runner: RunnerKind = "local"
    data_roots: tuple[str, ...] = ()  # where `/retrain MODEL data=…` may point, besides the folder of `data`
    drop_columns: tuple[str, ...] = ()
    time_column: str = ""  # says when a row is from; only with it can a retrain take recent rows alone
    positive_label: str | None = None
    seed: int = 7
    search_candidates: int = 8
    folds: int = 5
    memory_limit_mb: int = 2048
    timeout_minutes: int = 60
    cost_per_hour: float = 0.0
    approvals_needed: int = 1
    requester_may_approve: bool = False
    approval_hours: float = 24.0
    nightly: bool = False
    promotion: PromotionRule = "after gate"  # or "ask": somebody says yes to the new champion as well


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """Somebody, or the clock, wants a model trained again."""

    model: str
    requester_id: str
    requester_name: str
    channel: str
    trigger: Trigger = "person"
    data: str | None = None
    note: str = ""
    since: str = ""  # the first day, ISO 8601, of the rows that are trained on; all of them when empty


@dataclass(frozen=True, slots=True)
class TableSummary:
    """What a table looks like from outside. `rows` is None where counting would mean reading all of a far file."""

    uri: str
    bytes: int
    rows: int | None
    columns: tuple[str, ...]
    version: str  # changes when the content does: SHA-256, etag, or size and time


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version in the registry; metrics are those on its own test rows."""

    model: str
    version: int
    aliases: tuple[str, ...]
    metrics: dict[str, float]
    created_at: datetime
    run_id: str  # ours, not the registry's
    url: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Exactly what an approval is given for. Its digest (pipelines.approval.plan_digest) binds the two."""

    run_id: str
    model: str
    problem: Problem
    data: str
    data_version: str
    rows: int | None
    columns: int
    target: str
    trainer: str
    runner: RunnerKind
    seed: int
    gate: GateRule
    champion_version: int | None
    champion_metrics: dict[str, float]
    memory_limit_mb: int
    timeout_minutes: int
    estimated_minutes: float | None  # from the last run of this model, None when it never ran
    estimated_cost: float
    requester_id: str
    requester_name: str
    trigger: Trigger
    note: str = ""
    promotion: PromotionRule = "after gate"
    since: str = ""  # with `time_column`: only rows of this day or later; `rows` counts the whole table
    time_column: str = ""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """All that a training process needs; written to `<workdir>/job.json`, so it never asks the catalogue."""

    run_id: str
    model: str
    problem: Problem
    data: str
    target: str
    trainer: str
    workdir: str  # folder or fsspec URL; progress.json, result.json and artefacts land here
    command: tuple[str, ...] = ()
    drop_columns: tuple[str, ...] = ()
    since: str = ""
    time_column: str = ""
    positive_label: str | None = None
    seed: int = 7
    search_candidates: int = 8
    folds: int = 5
    memory_limit_mb: int = 2048
    timeout_minutes: int = 60
    champion_model: str | None = None  # path of the champion's pickle inside workdir, to be judged on the same rows
    champion_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `fraction` in [0, 1]."""

    step: str
    fraction: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Importance:
    """Permutation importance: mean loss of the primary metric when the feature is shuffled."""

    feature: str
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Split-conformal prediction: asked level, and the share of test rows that the interval or set really held."""

    level: float
    measured: float
    half_width: float | None  # regression: of the interval; None for classification
    mean_set_size: float | None  # classification: labels in a set; None for regression


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a finished training process says; read from `<workdir>/result.json`."""

    run_id: str
    metrics: dict[str, float]
    cross_validation: dict[str, Spread]
    champion_metrics: dict[str, float] | None  # the champion on the same test rows; None without a champion
    importance: tuple[Importance, ...]
    coverage: Coverage | None
    rows_train: int
    rows_test: int
    features: tuple[str, ...]
    data_sha256: str
    estimator: str
    seconds: float
    peak_memory_mb: float
    model_file: str = "model.pkl"
    model_sha256: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One comparison: `metric` was `value`, the limit `limit`, and that `passed` or not."""

    metric: str
    value: float
    limit: float
    passed: bool
    against: Literal["threshold", "champion"]
    lower_is_better: bool


@dataclass(frozen=True, slots=True)
class GateVerdict:
    passed: bool
    checks: tuple[GateCheck, ...]
    reason: str  # one plain sentence


@dataclass(frozen=True, slots=True)
class Publication:
    """Where the published copies lie (models/<name>/model-YYYYMMDD_HHMMSS.pkl and metrics/…json)."""

    model_url: str
    model_sha256: str
    metrics_url: str


@dataclass(frozen=True, slots=True)
class Retrain:
    """One retrain from order to end: the value behind the living card.

    `thread` is the message below which its card stands, in `channel`, once it is approved; empty where it has a card
    of its own from the beginning.
    """

    run_id: str
    plan: TrainingPlan
    stage: Stage
    progress: Progress | None = None
    result: TrainingResult | None = None
    verdict: GateVerdict | None = None
    version: ModelVersion | None = None
    publication: Publication | None = None
    promotion: Promotion | None = None  # where the plan says that promoting is asked for by itself
    failure: str = ""  # one plain sentence for failed and cancelled
    settled_by: str = ""  # who approved, rejected, withdrew or cancelled
    settled_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    channel: str = ""
    thread: str = ""

    @property
    def finished(self) -> bool:
        return self.stage in FINAL_STAGES


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order was taken: the plan is being drawn up and appears as a card."""

    model: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Joined:
    """This model has an unfinished run; whoever asked is shown that one. `link` is empty before its card exists."""

    retrain: Retrain
    link: str = ""


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """An order that could not become a plan; `reason` says why and what to type next."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run in one line, for the thread under its card."""

    retrain: Retrain


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model at a glance, for /models and App Home."""

    spec: ModelSpec
    champion: ModelVersion | None
    challenger: ModelVersion | None
    running: Retrain | None
    unavailable: str = ""  # why the registry could not be asked, else empty
    previous: ModelVersion | None = None  # the champion before this one
