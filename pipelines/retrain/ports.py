"""What promotions need from the world besides pipelines/ports.py."""

from collections.abc import Sequence
from typing import Protocol

from pipelines.ports import Place
from pipelines.retrain.promotion import Compared, Promotion, PromotionKind


class Promotions(Protocol):
    """The memory of promotions and ways back: one that is unfinished a model and kind."""

    def begin(self, promotion: Promotion) -> Promotion:
        """Store a new one; the one that is there when this id, or an unfinished one of the model and kind, exists."""
        ...

    def get(self, promotion_id: str) -> Promotion | None: ...

    def save(self, promotion: Promotion) -> Promotion:
        """Store the new state; a finished one is never changed again (its stored state is the answer)."""
        ...

    def unfinished(self) -> Sequence[Promotion]: ...

    def waiting(self, model: str, kind: PromotionKind) -> Promotion | None:
        """The unfinished one of this model and kind."""
        ...

    def place(self, promotion_id: str) -> Place | None:
        """Where the card of a way back is; a promotion's is the card of its run."""
        ...

    def remember_place(self, promotion_id: str, place: Place) -> None: ...


class RecentOutcomes(Protocol):
    """How versions did lately on rows whose labels have come."""

    def compare(self, model: str, version: int, champion: int | None) -> Sequence[Compared]:
        """Both on recent labelled rows; nothing where neither has any. A side without labels is empty."""
        ...


class Deployments(Protocol):
    """What serves a model."""

    def serving(self, model: str, version: int) -> str:
        """A whole sentence: what serves `version` once the alias has moved, and when."""
        ...
