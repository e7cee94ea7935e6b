"""Whether the champion alias moves, as plain values: the exact plan, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PromotionKind = Literal["promotion", "rollback"]
PromotionStage = Literal["awaiting approval", "moving", "done", "rejected", "expired", "withdrawn", "failed"]
PROMOTION_ENDS: frozenset[PromotionStage] = frozenset({"done", "rejected", "expired", "withdrawn", "failed"})


@dataclass(frozen=True, slots=True)
class Compared:
    """Metrics of the version and of the champion on the same rows, or on rows of the same kind; `rows` says which.

    Either side is empty where it was not measured on these rows.
    """

    rows: str
    metrics: dict[str, float]
    champion_metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class AliasMove:
    """`before` is None where nobody holds the alias yet."""

    alias: str
    before: int | None
    after: int


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """Exactly what an approval is given for: `version` becomes the champion in place of `champion_version`.

    `run_id` is the retrain that offers its version; empty for a way back. `verdict`, `serving` and `way_back` are
    whole sentences.
    """

    id: str
    kind: PromotionKind
    model: str
    version: int
    sha256: str  # of the version's pickle
    champion_version: int | None
    metric: str  # the one that decides
    compared: tuple[Compared, ...]
    verdict: str
    moves: tuple[AliasMove, ...]
    serving: str
    way_back: str
    requester_id: str
    requester_name: str
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion or a way back from offer to end. `published` is the address of the copy, once there is one."""

    plan: PromotionPlan
    stage: PromotionStage = "awaiting approval"
    settled_by: str = ""
    settled_at: datetime | None = None
    finished_at: datetime | None = None
    failure: str = ""
    published: str = ""

    @property
    def finished(self) -> bool:
        return self.stage in PROMOTION_ENDS


@dataclass(frozen=True, slots=True)
class PromotionOffered:
    """One line under the run's card: its version waits for a yes of its own."""

    promotion: Promotion


@dataclass(frozen=True, slots=True)
class WayBackAsked:
    """Somebody asked to go back to `version`; the plan is being drawn up."""

    model: str
    version: int


@dataclass(frozen=True, slots=True)
class NotOffered:
    """A way back that could not become a plan; `reason` says why and what to type next."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class PromotionEnded:
    """The end of a way back in one line, for the thread under its card."""

    promotion: Promotion
