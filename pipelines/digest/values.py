"""What travels between the rooms of the digest. All values are frozen; all but Scope go to JSON and back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipelines.digest.schedule import Rhythm

Quiet = Literal["say", "silent"]
Tone = Literal["good", "bad", "waiting", "plain"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A channel that gets digests. `by_id` and `by_name` are empty where the catalogue says so.

    `quiet` is what happens on a day without news: one line, or nothing.
    """

    channel: str  # an id
    rhythm: Rhythm
    quiet: Quiet = "say"
    by_id: str = ""
    by_name: str = ""

    @property
    def from_catalogue(self) -> bool:
        return not self.by_id


@dataclass(frozen=True, slots=True)
class ChannelDigest:
    """A digest that stands in the catalogue; `channel` as it is written there."""

    channel: str
    rhythm: Rhythm
    quiet: Quiet = "say"


@dataclass(frozen=True, slots=True)
class Mark:
    """A channel was told of all up to `told_until`; slots up to `behind` are no longer due."""

    behind: datetime
    told_until: datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a digest is for. `others` are models that concern other channels; what is not among them belongs in."""

    channel: str
    others: frozenset[str] = frozenset()

    def concerns(self, subject: str) -> bool:
        return subject not in self.others


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric as it is, and as it was before, where there was a before."""

    metric: str
    value: float
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a section, as plain text. `at` is shown in the reader's time zone, behind the word `when`."""

    text: str
    tone: Tone = "plain"
    figures: tuple[Figure, ...] = ()
    url: str = ""
    when: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Point:
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A metric over versions or time (`over`), oldest first; a chart of one line."""

    subject: str
    metric: str
    points: tuple[Point, ...]
    over: str = "version"


@dataclass(frozen=True, slots=True)
class Section:
    """What one part has to say: `summary` in the message, everything else in its thread. Plain text, no marks.

    `news` says whether this alone makes a digest worth posting on a quiet day. `left_out` lines are counted only.
    """

    title: str
    summary: str
    lines: tuple[Line, ...] = ()
    trends: tuple[Trend, ...] = ()
    news: bool = True
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class DigestOrder:
    """A digest to be made, of what happened after `since`. `slot` is its time in UTC, whole minutes.

    `missed` slots before it were not posted, the last of them at `last_missed`.
    """

    channel: str
    slot: datetime
    since: datetime
    kind: Literal["slot", "now"] = "slot"
    quiet: Quiet = "say"
    missed: int = 0
    last_missed: datetime | None = None
    next_at: datetime | None = None
    asked_by: str = ""  # a user id, who is told where it cannot be posted

    @property
    def id(self) -> str:
        """The same in every process that finds this slot due."""
        named = f"{self.channel}:{self.slot:%Y-%m-%dT%H:%MZ}"
        return named if self.kind == "slot" else f"now:{named}"


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as it is posted. `sentence` sums it up; `written_by` names the language model that worded it, if any."""

    order: DigestOrder
    until: datetime
    sections: tuple[Section, ...]
    sentence: str
    written_by: str = ""

    @property
    def eventful(self) -> bool:
        return any(section.news for section in self.sections)


@dataclass(frozen=True, slots=True)
class Page:
    """A message in the thread under a digest."""

    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class NotPosted:
    """Told to whom asked for a digest, when it could not be posted."""

    channel: str
    slot: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class DigestStatus:
    """What a channel gets and when. `models` concern it; `changed` says what a command has just done."""

    channel: str
    subscription: Subscription | None
    next_at: datetime | None
    models: tuple[str, ...]
    changed: Literal["", "subscribed", "unsubscribed"] = ""


@dataclass(frozen=True, slots=True)
class DigestOrdered:
    """Somebody asked for a digest now: it appears in the channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """What one feature had language models do."""

    feature: str
    calls: int
    tokens: int
    cost_dollars: float
