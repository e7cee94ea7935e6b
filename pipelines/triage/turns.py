"""One at a time speaks at a place, whichever process it is in."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from pipelines.ports import Clock
from pipelines.triage.ports import Spoken

# A holder that was killed must not silence the place; what one has to say takes seconds.
LONGEST_TURN = timedelta(minutes=3)
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Turns:
    """`pause` waits some seconds, and ends early when the process goes down."""

    spoken: Spoken
    clock: Clock
    pause: Callable[[float], None]

    @contextmanager
    def one(self, place: str) -> Iterator[None]:
        """Wait for our turn at this place, and hold it."""
        holder = uuid.uuid4().hex
        while True:
            now = self.clock.now()
            if self.spoken.take(place, holder, now, now + LONGEST_TURN):
                break
            self.pause(LOOK_SECONDS)
        try:
            yield
        finally:
            self.spoken.give(place, holder)
