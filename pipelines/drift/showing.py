"""Brings Slack, GitHub and the proposed retrain into line with an episode. Doing it again changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipelines.drift import episodes
from pipelines.drift.episodes import Episode, Happened
from pipelines.drift.plans import Proposal
from pipelines.drift.ports import Retraining
from pipelines.drift.values import WatchSpec
from pipelines.errors import Refused
from pipelines.ports import Clock, Conversation, Place

Change = Callable[[Episode], Episode]


@dataclass(frozen=True, slots=True)
class EpisodeCard:
    """The one message of an episode."""

    episode: Episode
    watch: WatchSpec
    snoozed: bool


@dataclass(frozen=True, slots=True)
class EpisodeNote:
    """A line of its thread."""

    episode: Episode
    line: Happened


@dataclass(frozen=True, slots=True)
class Showing:
    """`find_channel` answers the id behind a channel's name."""

    conversation: Conversation
    retraining: Retraining
    watches: Mapping[str, WatchSpec]
    clock: Clock
    find_channel: Callable[[str], str]

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

    def redraw(self, place: Place, newest: Callable[[], Episode]) -> None:
        self.conversation.update(place, lambda: self._card(newest()))

    def _card(self, episode: Episode) -> EpisodeCard:
        now = self.clock.now()
        return EpisodeCard(episode, self.watches[episode.model], episode.snoozed(now))

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
        author = self.watches[episode.model].auto
        # Only the first plan is the policy's: what a person asked for afterwards is decided by people.
        if not (author and proposal.awaiting and proposal.number == 1 and episode.urgency == "P0"):
            return None
        self.retraining.approve_by_policy(proposal.run_id, author)
        return self._learn_state(proposal)

    def _learn_state(self, proposal: Proposal) -> Change:
        state, now = self.retraining.state(proposal.run_id), self.clock.now()
        return lambda newest: episodes.settled(newest, proposal.run_id, state, now)
