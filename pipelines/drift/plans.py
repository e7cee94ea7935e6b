"""A retrain that drift proposes, in plain values: what would be done, and how it went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

AWAITING = "awaiting approval"
# With fewer than one new row in ten a gate judges what was before.
LEAST_NEW_SHARE = 0.1
# A gate tests on a fifth of the rows; over 80 of them a share is known to eleven points (two standard errors).
LEAST_NEW_ROWS = 400
Answer = Literal["helps", "does not help", "cannot say"]
YES: Answer = "helps"
NO: Answer = "does not help"
UNKNOWN: Answer = "cannot say"


@dataclass(frozen=True, slots=True)
class Trial:
    """On which rows it shows whether retraining helps: what `version` was asked in the `window` before `until`.

    Where labels showed the drift, `by_labels`, before the newest label instead: they may be days late. Where too few
    have a label, the `windows` before it count too, in which the same was to be seen. `lost` is a class that the
    version hardly recognises any more: then each class counts alike. `broken` are columns whose fault a model would
    learn.
    """

    model: str
    version: str
    window: timedelta
    until: datetime
    windows: int = 1
    by_labels: bool = False
    broken: tuple[str, ...] = ()
    lost: str = ""


@dataclass(frozen=True, slots=True)
class RetrainingTest:
    """Whether retraining would help, as a whole sentence in `text`. Errors are means a row of both on the same rows.

    `slot` names the look that it was tried after.
    """

    answer: Answer
    text: str
    rows: int = 0
    champion_error: float | None = None
    challenger_error: float | None = None
    p_value: float | None = None
    slot: str = ""


def cannot_say(why: str) -> RetrainingTest:
    """`why` is a whole sentence."""
    return RetrainingTest(UNKNOWN, f"Cannot say: {why[:1].lower()}{why[1:]}")


@dataclass(frozen=True, slots=True)
class NewRows:
    """How many rows of the new kind, those `since` the drift began, have a label that is known here.

    `expected` is when there will be as many as are `needed`, at the rate at which labels come now; None where they
    are there, or none come.
    """

    since: datetime
    labelled: int
    needed: int = LEAST_NEW_ROWS
    expected: datetime | None = None

    @property
    def enough(self) -> bool:
        return self.labelled >= self.needed

    def drowned_in(self, rows: int) -> bool:
        """Whether so large a table is nearly all of before, even if it holds every one of them."""
        return self.labelled < LEAST_NEW_SHARE * rows


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """Exactly what an approval would be given for; `digest` binds the two. Texts are for people, without mark-up.

    `row_count` is of the whole table, None where it is not counted before the training.
    """

    digest: str
    data: str
    rows: str
    target: str
    champion: str
    gate: tuple[str, ...]
    runner: str
    cost: str
    expires_at: datetime
    note: str = ""
    row_count: int | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """How a proposed retrain stands. `stage` in the words of the retrain; `by` settled it at `at`.

    `promoted` is the version that became champion, empty before; `sentence` is the reason of an end.
    """

    stage: str
    finished: bool
    by: str = ""
    at: datetime | None = None
    votes: tuple[str, ...] = ()
    needed: int = 1
    sentence: str = ""
    promoted: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is asked for, then its plan, then its run. `data` is empty for the model's own, `since` for all rows.

    `since` is a day in ISO 8601; `refusal` says why no plan could be drawn. `test` is what whoever decided could read
    of whether it helps; None until it was tried.
    """

    number: int
    data: str = ""
    since: str = ""
    note: str = ""
    asked_by: str = ""
    run_id: str = ""
    plan: RetrainPlan | None = None
    state: RunState | None = None
    refusal: str = ""
    test: RetrainingTest | None = None

    @property
    def drawing(self) -> bool:
        return self.plan is None and not self.refusal

    @property
    def awaiting(self) -> bool:
        """Whether an approver can say yes or no."""
        return self.plan is not None and (self.state is None or self.state.stage == AWAITING)

    @property
    def running(self) -> bool:
        return self.state is not None and not self.state.finished and self.state.stage != AWAITING

    @property
    def over(self) -> bool:
        return bool(self.refusal) or (self.state is not None and self.state.finished)
