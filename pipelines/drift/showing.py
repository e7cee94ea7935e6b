"""Brings Slack, GitHub and the proposed retrain into line with an episode. Doing it again changes nothing."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.drift import episodes
from pipelines.drift.background import VersionRecord
from pipelines.drift.episodes import Episode, Happened, IssueLink
from pipelines.drift.plans import Proposal
from pipelines.drift.ports import Issues, Retraining
from pipelines.drift.values import WatchSpec
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Clock, Conversation, Place

log = logging.getLogger("pipelines.drift")

Change = Callable[[Episode], Episode]


@dataclass(frozen=True, slots=True)
class EpisodeCard:
    """The one message of an episode. `without_issue` says why a P1 has none on GitHub."""

    episode: Episode
    watch: WatchSpec
    snoozed: bool
    without_issue: str = ""


@dataclass(frozen=True, slots=True)
class EpisodeNote:
    """A line of its thread."""

    episode: Episode
    line: Happened


@dataclass(frozen=True, slots=True)
class Showing:
    """`find_channel` answers the id behind a channel's name; `issues` is None where GitHub is not set up. `versions`
    are those of the registry with their metrics; it may raise Unavailable."""

    conversation: Conversation
    retraining: Retraining
    watches: Mapping[str, WatchSpec]
    clock: Clock
    find_channel: Callable[[str], str]
    issues: Issues | None = None
    versions: Callable[[str], Sequence[VersionRecord]] = lambda _model: ()

    def silent(self, episode: Episode) -> bool:
        """Whether the catalogue wants nothing posted of it; an episode that was posted stays a message."""
        return episode.worst in self._watch(episode).quiet

    def post(self, episode: Episode) -> Place:
        """Where the message is; posts it when it is not there yet."""
        return self.conversation.post_once(
            f"drift:{episode.id}", self.find_channel(episode.channel), self._card(episode)
        )

    def act(self, episode: Episode, place: Place) -> Change | None:
        """Do the next thing outside of Slack that the episode asks for; answers what it thereby learned."""
        proposal = episode.proposal
        if proposal is None:
            return None
        if proposal.awaiting and (episode.found.broken or not episode.open):
            why = "the rows are broken" if episode.found.broken else "the drift is gone"
            self.retraining.withdraw(proposal.run_id, why)
            return self._learn_state(proposal)
        if proposal.drawing and episode.open:
            return self._draw(episode, proposal, place)
        return self._approve_by_policy(episode, proposal)

    def tell(self, episode: Episode, place: Place, told: int) -> int:
        """Reply with the lines of the history after number `told`; answers the number of the last one."""
        for line in episode.history:
            if line.number > told:
                if not line.silent and line.what != "opened":
                    self.conversation.reply_once(f"drift:{episode.id}:{line.number}", place, EpisodeNote(episode, line))
                told = line.number
        return told

    def report(self, episode: Episode) -> Change | None:
        """Bring its issue into line; answers what was thereby learned."""
        place, known = self._watch(episode).issues, episode.issue
        last = episode.history[-1].number if episode.history else 0
        if self.issues is None or place is None or (known is None and (episode.urgency != "P1" or not episode.open)):
            return None
        if known is not None and known.told >= last:
            return None
        try:
            opened = self.issues.open(place, episode, self._versions(episode.model))
            for line in episode.history:
                if line.number > (known.told if known else 0) and not line.silent and line.what != "opened":
                    self.issues.comment(place, opened.number, episode, line)
            if not episode.open:
                self.issues.close(place, episode)
            link = IssueLink(opened.number, opened.url, last, opened.note)
        except Refused as refusal:
            link = IssueLink(0, "", last, str(refusal))
        return lambda newest: episodes.with_issue(newest, link)

    def _versions(self, model: str) -> Sequence[VersionRecord]:
        """An issue does not wait for the registry: it is written anew whenever something changes."""
        try:
            return self.versions(model)
        except Unavailable as outage:
            log.warning("an issue about %s has no metrics of versions: %s", model, outage)
            return ()

    def redraw(self, place: Place, newest: Callable[[], Episode]) -> None:
        self.conversation.update(place, lambda: self._card(newest()))

    def _watch(self, episode: Episode) -> WatchSpec:
        """Of a model that left the catalogue the episode still has a message."""
        return self.watches.get(episode.model) or WatchSpec(episode.model, episode.channel)

    def _card(self, episode: Episode) -> EpisodeCard:
        now = self.clock.now()
        return EpisodeCard(episode, self._watch(episode), episode.snoozed(now), self._without_issue(episode))

    def _without_issue(self, episode: Episode) -> str:
        if episode.urgency != "P1" or not episode.open:
            return ""
        if self._watch(episode).issues is None:
            return "no repository stands under `drift.github` in the catalogue"
        return "" if self.issues is not None else "the bot has no GITHUB_TOKEN"

    def _draw(self, episode: Episode, proposal: Proposal, place: Place) -> Change:
        run_id = episodes.run_id_of(episode)
        try:
            plan = self.retraining.propose(run_id, episode.model, place, proposal)
        except Refused as refusal:
            drawn = replace(proposal, run_id=run_id, refusal=str(refusal))
        else:
            drawn = replace(proposal, run_id=run_id, plan=plan, state=self.retraining.state(run_id))
        now = self.clock.now()
        return lambda newest: episodes.drawn(newest, drawn, now)

    def _approve_by_policy(self, episode: Episode, proposal: Proposal) -> Change | None:
        author = self._watch(episode).auto
        # Only the first plan is the policy's: what a person asked for afterwards is decided by people.
        by_policy = proposal.number == 1 and not proposal.asked_by
        if not (author and proposal.awaiting and by_policy and episode.urgency == "P0"):
            return None
        self.retraining.approve_by_policy(proposal.run_id, author)
        return self._learn_state(proposal)

    def _learn_state(self, proposal: Proposal) -> Change:
        state, now = self.retraining.state(proposal.run_id), self.clock.now()
        return lambda newest: episodes.settled(newest, proposal.run_id, state, now)
