"""What people look at: models, home, and what a button did."""

from dataclasses import dataclass
from datetime import datetime

from pipelines.approval import Approval
from pipelines.retrain.promotion import Promotion
from pipelines.retrain.values import ModelStatus, Retrain


@dataclass(frozen=True, slots=True)
class Settled:
    """A retrain after somebody pressed a button; `approval` may still be open when two people are needed."""

    retrain: Retrain
    approval: Approval


@dataclass(frozen=True, slots=True)
class PromotionSettled:
    """The same for a way back, which has a card of its own."""

    promotion: Promotion
    approval: Approval


@dataclass(frozen=True, slots=True)
class ModelsOverview:
    models: tuple[ModelStatus, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class LastRun:
    retrain: Retrain
    link: str


@dataclass(frozen=True, slots=True)
class Home:
    models: ModelsOverview
    runs: tuple[LastRun, ...]
