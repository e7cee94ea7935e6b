"""Tells Slack of failures that nobody asked about: one message a failure, however many runs fail with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pipelines.ports import Clock, Conversation, Place
from pipelines.triage.findings import GithubAway, Triaged, TriageDetails
from pipelines.triage.heard import Heard
from pipelines.triage.history import Reported
from pipelines.triage.places import Said
from pipelines.triage.ports import Spoken, TriageHistory, TriageSightings
from pipelines.triage.turns import Turns

# As long as it has not passed, the same failure is the same incident; but a day later nobody scrolls up.
INCIDENT = timedelta(hours=24)
# More different failures than this in a channel stand in the thread of the first one.
STORM, MOST_MESSAGES = timedelta(minutes=10), 5
# Slack takes one message a second in a channel: docs.slack.dev/apis/web-api/rate-limits
PACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Telling:
    history: TriageHistory
    sightings: TriageSightings
    spoken: Spoken
    conversation: Conversation
    clock: Clock
    turns: Turns
    pages: Callable[[Triaged], Sequence[TriageDetails]]

    def tell(self, reported: Reported) -> None:
        """In the channel of its order. Again, it changes nothing."""
        channel = reported.triaged.order.channel
        with self.turns.one(f"slack {channel}"):
            stored = self.history.get(reported.key) or self._placed(reported)
            if not stored.lead:
                self._post(stored)
        if stored.lead:
            self.redraw(stored.lead)

    def redraw(self, key: str) -> None:
        """Bring the message of a report up to date, unless somebody did so while we waited for our turn."""
        found = self.history.get(key)
        if found is None or found.place is None:
            return  # whoever posts it draws what there is by then
        with self.turns.one(f"slack {found.place.channel}"):
            self._draw(key)

    def away(self, run: Heard, channel: str, reason: str) -> None:
        """GitHub cannot be asked what failed: that something did is told all the same, once an hour."""
        now, repository = self.clock.now(), run.reference.repository
        key = f"triage-away:{repository.lower()}:{channel}:{now:%Y-%m-%dT%H}"
        self.conversation.post_once(
            key, channel, GithubAway(repository, run.workflow, run.branch, run.conclusion, run.url, reason)
        )

    def unread(self, run: Heard, channel: str, reason: str) -> None:
        """It failed, and there will be no report of it: said once, so that nobody takes silence for green."""
        self.conversation.post_once(
            f"triage-unread:{run.key}:{channel}", channel,
            GithubAway(run.reference.repository, run.workflow, run.branch, run.conclusion, run.url, reason, final=True),
        )  # fmt: skip

    def _placed(self, reported: Reported) -> Reported:
        """Under the report of the same failure that stands in this channel already, if there is one."""
        leads = self.sightings.leads(reported.triaged.order.channel, self.clock.now() - INCIDENT)
        same = [one for one in leads if one.place and _failure(one) == _failure(reported)]
        return self.history.remember(replace(reported, lead=same[-1].key) if same else reported)

    def _post(self, stored: Reported) -> None:
        post_key, thread = f"triage:{stored.key}", stored.thread
        if thread is None:
            storm = self._storm(stored)
            if storm:
                place = self.conversation.reply_once(post_key, storm, stored)
            else:
                place = self.conversation.post_once(post_key, stored.triaged.order.channel, stored)
            self.history.place(stored.key, place, storm)
            thread = storm or place
        # Also where the message is there already: whoever posted it may have been killed before its details.
        for number, page in enumerate(self.pages(stored.triaged), 1):
            self.conversation.reply_once(f"{post_key}:{number}", thread, page)
        if stored.place is None:
            self.turns.pause(PACE_SECONDS)
        self._draw(stored.key)

    def _storm(self, stored: Reported) -> Place | None:
        """The message under which a new one belongs, where too many came into this channel lately.

        It stays the same one while the storm lasts, also when its own failure has passed or is long ago.
        """
        leads = self.sightings.leads(stored.triaged.order.channel, self.clock.now() - STORM)
        others = [one for one in leads if one.place and one.key != stored.key]
        if len(others) < MOST_MESSAGES:
            return None
        # The first message in the channel, which need not be of the run that failed first.
        posted = min((one.place for one in others if one.place), key=lambda place: place.ts)
        return next((one.storm for one in others if one.storm), posted)

    def _draw(self, key: str) -> None:
        place, found = f"drawn {key}", self.history.get(key)
        if found is None or found.place is None:
            return
        state = f"{found.repeats} {found.passed}"
        said = self.spoken.said(place)
        if state == (said.state if said else "0 None"):
            return
        self.conversation.update(found.place, lambda: self.history.get(key) or found)
        self.spoken.say(place, Said(state))
        self.turns.pause(PACE_SECONDS)


def _failure(reported: Reported) -> tuple[str, ...]:
    facts = reported.triaged.facts
    return facts.repository.lower(), reported.branch, reported.series, reported.sameness
