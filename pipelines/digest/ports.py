"""What the digest needs. A feature that wants a section in it implements DigestPart and is named in bot/app.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pipelines.digest.schedule import Rhythm
from pipelines.digest.values import FeatureUse, Mark, Scope, Section, Subscription
from pipelines.retrain.values import Retrain


class DigestPart(Protocol):
    """One feature's share of a digest; `name` is its heading."""

    @property
    def name(self) -> str: ...

    def between(self, after: datetime, until: datetime, scope: Scope, /) -> Section | None:
        """What happened later than `after`, up to `until`, and concerns `scope`; None when there is nothing to say.

        The next digest begins where this one ends, so that nothing is told twice or left out. May raise Unavailable:
        the digest then says that it could not look.
        """
        ...


class Subscriptions(Protocol):
    """Which channels people have subscribed, one rhythm a channel."""

    def put(self, subscription: Subscription, now: datetime) -> None:
        """Subscribe, or replace what was there; slots of a rhythm that is new count from `now` on."""
        ...

    def remove(self, channel: str) -> bool:
        """Unsubscribe and forget how far the channel was told; whether there was anything."""
        ...

    def all(self) -> Sequence[Subscription]:
        """In a stable order."""
        ...


class Marks(Protocol):
    """How far each channel was told."""

    def adopt(self, channel: str, rhythm: Rhythm, now: datetime) -> Mark:
        """The channel's mark; a new channel counts from `now`, and so does a rhythm that changed."""
        ...

    def told(self, channel: str, slot: datetime, until: datetime) -> None:
        """The digest of `slot` told all up to `until`. A mark moves forward, never back; where it was forgotten
        meanwhile, it stays so.
        """
        ...

    def keep_only(self, channels: Sequence[str]) -> None:
        """Forget the marks of all other channels."""
        ...


class TimeZones(Protocol):
    def time_zone(self, person_id: str) -> str:
        """The zone in somebody's profile, an IANA name; empty where none is known."""
        ...


class FinishedRetrains(Protocol):
    def finished_between(self, after: datetime, until: datetime) -> Sequence[Retrain]:
        """Runs that ended later than `after`, up to `until`, however long ago they began; in that order."""
        ...


class LanguageModelUse(Protocol):
    def used_between(self, after: datetime, until: datetime) -> Sequence[FeatureUse]:
        """Use of language models later than `after`, up to `until`, by feature."""
        ...
