"""The durable way of a digest: gather, post, note how far the channel was told, then the details in the thread."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pipelines.digest.audience import Audience
from pipelines.digest.ports import DigestPart, Marks
from pipelines.digest.summary import summed_up
from pipelines.digest.values import Digest, DigestOrder, NotPosted, Page, Scope, Section
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.ports import Clock, Conversation, LanguageModel, Place
from pipelines.retrain.workflow import Guard

T = TypeVar("T")

# Later than this a slot is not posted any more: the next digest tells what it would have told, and that it was missed.
GRACE = timedelta(hours=1)
RETRY_SECONDS = 5.0
# What ends at this moment may not be in the store yet, and the clocks of replicas differ: the next digest tells it.
SETTLING = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class DigestRooms:
    """What the workflow works with. `pages` lays the details of a digest out over messages of a thread."""

    durable: DurableWork
    parts: Sequence[DigestPart]
    audience: Audience
    marks: Marks
    conversation: Conversation
    clock: Clock
    pages: Callable[[Digest], Sequence[Page]]
    guard: Guard
    language_model: LanguageModel | None = None
    retry_seconds: float = RETRY_SECONDS


class DigestWorkflow:
    def __init__(self, rooms: DigestRooms) -> None:
        self._r = rooms
        rooms.durable.register("digest", rooms.guard(self._digest, self._broke))

    def begin(self, order: DigestOrder) -> None:
        """Start a digest; the same slot started again, here or by another replica, is the same digest."""
        self._r.durable.start("digest", order.id, json.dumps(to_json(order)))

    def _digest(self, argument: str) -> None:
        order = from_json(DigestOrder, json.loads(argument))
        step = self._r.durable.step
        try:
            digest = from_json(Digest, step("gather", self._gather, order))
            if not worth_posting(digest):
                step("stay silent", self._note_told, digest)
                return
            channel, ts = step("post", self._post, digest)
            step("note", self._note_told, digest)
            for number, page in enumerate(self._r.pages(digest), 1):
                step(f"details {number}", self._reply, digest, Place(channel, ts), number, page)
        except (Refused, Unavailable) as problem:
            step("tell", self._tell_not_posted, order, str(problem))

    def _gather(self, order: DigestOrder) -> dict[str, Any]:
        until = self._r.clock.now() - (SETTLING if order.kind == "slot" else timedelta())
        scope = self._r.audience.scope(order.channel)
        sections = tuple(section for part in self._r.parts if (section := _section(part, order, until, scope)))
        wording = summed_up(sections, self._r.language_model)
        return to_json(Digest(order, until, sections, wording.sentence, wording.written_by))

    def _post(self, digest: Digest) -> tuple[str, str]:
        order = digest.order
        place = self._patiently(order, lambda: self._post_once(digest))
        return place.channel, place.ts

    def _post_once(self, digest: Digest) -> Place:
        order = digest.order
        key = f"digest:{order.id}"
        if self._late(order):
            # It may have gone out just before an earlier process was killed; then the rest still belongs under it.
            place = self._r.conversation.posted(key, order.channel)
            if place is None:
                raise Refused("It was too late for it; the next digest tells all of it.")
            return place
        if not self._r.conversation.reaches(order.channel):
            raise Refused("I am not in that channel. Invite me with `/invite @shipmate`, or `/digest unsubscribe`.")
        return self._r.conversation.post_once(key, order.channel, digest)

    def _reply(self, digest: Digest, place: Place, number: int, page: Page) -> None:
        key = f"digest:{digest.order.id}:{number}"
        self._patiently(digest.order, lambda: self._r.conversation.reply_once(key, place, page))

    def _patiently(self, order: DigestOrder, send: Callable[[], T]) -> T:
        """Try until it is late; an outage of Slack in the morning only makes the digest a little later."""
        while True:
            try:
                return send()
            except Unavailable:
                if self._late(order):
                    raise
            self._r.durable.pause(self._r.retry_seconds)

    def _late(self, order: DigestOrder) -> bool:
        return self._r.clock.now() - order.slot > GRACE

    def _note_told(self, digest: Digest) -> None:
        # What somebody asked for in between does not take it away from the digest that everybody waits for.
        if digest.order.kind == "slot":
            self._r.marks.told(digest.order.channel, digest.order.slot, digest.until)

    def _tell_not_posted(self, order: DigestOrder, reason: str) -> None:
        if order.asked_by:
            self._r.conversation.tell(order.asked_by, "", NotPosted(order.channel, order.slot, reason))

    def _broke(self, argument: str, reference: str) -> None:
        order = from_json(DigestOrder, json.loads(argument))
        self._tell_not_posted(order, f"Something broke, reference {reference}.")


def worth_posting(digest: Digest) -> bool:
    """On a quiet day only where that is wished, where somebody asked, or where there is a missed one to tell of."""
    order = digest.order
    return digest.eventful or order.kind == "now" or order.quiet == "say" or order.missed > 0


def _section(part: DigestPart, order: DigestOrder, until: datetime, scope: Scope) -> Section | None:
    try:
        return part.between(order.since, until, scope)
    except (Unavailable, Refused) as problem:
        return Section(part.name, f"Could not be looked at. {problem}")
