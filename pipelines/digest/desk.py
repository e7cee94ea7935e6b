"""What people and the clock do about digests: subscribe, unsubscribe, ask for one now, find what is due."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipelines.digest.audience import Audience
from pipelines.digest.ports import Marks, Subscriptions, TimeZones
from pipelines.digest.values import ChannelDigest, DigestOrder, DigestOrdered, DigestStatus, Quiet, Subscription
from pipelines.digest.wording import known_zone, parse_rhythm
from pipelines.digest.workflow import GRACE, DigestWorkflow
from pipelines.errors import Refused
from pipelines.people import Permission, Person
from pipelines.ports import Channels, Clock, Conversation

log = logging.getLogger("pipelines.digest")

# What somebody asks for now tells of a day at least, also right after the last one.
ASKED_SPAN = timedelta(days=1)
# For a channel of the catalogue that the bot does not see: listing all channels is dear in a large workspace.
LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class DeskRooms:
    """`fixed` stands in the catalogue; `zone` counts where nobody names one."""

    workflow: DigestWorkflow
    subscriptions: Subscriptions
    marks: Marks
    audience: Audience
    channels: Channels
    conversation: Conversation
    zones: TimeZones
    clock: Clock
    fixed: Sequence[ChannelDigest] = ()
    zone: str = "UTC"


class DigestDesk:
    def __init__(self, rooms: DeskRooms) -> None:
        self._r = rooms
        self._begun: dict[str, datetime] = {}  # channel -> slot: a process starts each only once
        self._pruned = False
        self._ids: dict[str, str] = {}  # channel as the catalogue names it -> its id
        self._gone: dict[str, datetime] = {}  # channels that the bot did not see, and when it looked

    # People

    def subscribe(self, person: Person, channel: str, rhythm_text: str, quiet: Quiet = "say") -> DigestStatus:
        """Post a digest here from now on; replaces what was subscribed before."""
        self._check_may(person, channel)
        zone = known_zone(self._r.zones.time_zone(person.id)) or self._r.zone
        rhythm = parse_rhythm(rhythm_text, zone)
        self._check_reached(channel)
        self._r.subscriptions.put(Subscription(channel, rhythm, quiet, person.id, person.name), self._r.clock.now())
        return replace(self.show(channel), changed="subscribed")

    def unsubscribe(self, person: Person, channel: str) -> DigestStatus:
        self._check_may(person, channel)
        if not self._r.subscriptions.remove(channel):
            raise Refused("This channel gets no digest. To get one: `/digest subscribe weekdays 09:00`")
        return replace(self.show(channel), changed="unsubscribed")

    def now(self, person: Person, channel: str) -> DigestOrdered:
        """Post one at once, of all since the last one or the last day; two within a minute are one."""
        self._check_reached(channel)
        now = self._r.clock.now()
        subscription = self._of(channel)
        since, next_at = now - ASKED_SPAN, None
        if subscription:
            since = min(since, self._r.marks.adopt(channel, subscription.rhythm, now).told_until)
            next_at = subscription.rhythm.next_after(now)
        minute = now.replace(second=0, microsecond=0)
        order = DigestOrder(channel, minute, since, "now", next_at=next_at, asked_by=person.id)
        self._r.workflow.begin(order)
        return DigestOrdered(channel)

    def show(self, channel: str) -> DigestStatus:
        """What this channel gets, when the next one comes, and which models it tells of."""
        subscription = self._of(channel)
        next_at = subscription.rhythm.next_after(self._r.clock.now()) if subscription else None
        scope = self._r.audience.scope(channel)
        models = tuple(sorted(model for model in self._r.audience.models if scope.concerns(model)))
        return DigestStatus(channel, subscription, next_at, models)

    # The clock

    def tick(self) -> None:
        """Start what is due. Called every few seconds on every replica; a slot is one piece of durable work."""
        now = self._r.clock.now()
        found = self._all()
        if not self._pruned:
            # A digest that was taken out of the catalogue and comes back later begins anew.
            self._r.marks.keep_only(list(found))
            self._pruned = True
        for subscription in found.values():
            self._begin_if_due(subscription, now)

    def _begin_if_due(self, subscription: Subscription, now: datetime) -> None:
        channel, rhythm = subscription.channel, subscription.rhythm
        mark = self._r.marks.adopt(channel, rhythm, now)
        slot = rhythm.last_until(now)
        if slot <= mark.behind or now - slot > GRACE or self._begun.get(channel) == slot:
            return
        missed = rhythm.slots(mark.behind, slot)[:-1]
        order = DigestOrder(
            channel, slot, mark.told_until, quiet=subscription.quiet, missed=len(missed),
            last_missed=missed[-1] if missed else None, next_at=rhythm.next_after(now), asked_by=subscription.by_id,
        )  # fmt: skip
        self._r.workflow.begin(order)
        self._begun[channel] = slot

    # What both need

    def _of(self, channel: str) -> Subscription | None:
        return self._all().get(channel)

    def _all(self) -> dict[str, Subscription]:
        """By channel; what stands in the catalogue goes before what people subscribed in the same channel."""
        by_people = {subscription.channel: subscription for subscription in self._r.subscriptions.all()}
        return by_people | {subscription.channel: subscription for subscription in self._fixed()}

    def _fixed(self) -> list[Subscription]:
        found = [(self._id(entry.channel), entry) for entry in self._r.fixed]
        return [Subscription(channel, entry.rhythm, entry.quiet) for channel, entry in found if channel]

    def _id(self, channel: str) -> str:
        """Empty where the bot sees no such channel. Asked every few seconds, so that what was found is kept."""
        now = self._r.clock.now()
        looked = self._gone.get(channel)
        if channel not in self._ids and (looked is None or now - looked > LOOK_AGAIN):
            try:
                self._ids[channel] = self._r.channels.find(channel)
            except Refused as gone:
                log.warning("no digest for %s: %s", channel, gone)
                self._gone[channel] = now
        return self._ids.get(channel, "")

    def _check_may(self, person: Person, channel: str) -> None:
        if not person.may(Permission.ORDER):
            raise Refused(
                f"This takes the role {Permission.ORDER.value.title}; you are {person.role.title}. "
                "`/digest now` posts one without subscribing."
            )
        subscription = self._of(channel)
        if subscription and subscription.from_catalogue:
            raise Refused(
                f"This channel's digest stands in the catalogue ({subscription.rhythm}). "
                "Change it there, below `digests`, and start me again."
            )

    def _check_reached(self, channel: str) -> None:
        if not self._r.conversation.reaches(channel):
            raise Refused("I am not in this channel, so I cannot post here. Type `/invite @shipmate`, then try again.")
