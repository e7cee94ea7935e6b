"""The durable ways of drift: `drift` looks at a model once, `drift-show` brings Slack and GitHub into line with its
episode, `drift-detail` lays a look out in the thread.

What is known stands in the store; a look changes it in one transaction, and whatever was killed before it showed the
change is found by `tick`, which also begins the looks that are due.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pipelines.audit import AuditEntry
from pipelines.drift import episodes
from pipelines.drift.background import MoreShapes
from pipelines.drift.desk import DriftDesk, NoRecords
from pipelines.drift.episodes import Episode, slot_of
from pipelines.drift.explaining import ExplainedDrift
from pipelines.drift.plans import RetrainingTest, Trial, cannot_say
from pipelines.drift.ports import Episodes, Retraining
from pipelines.drift.report import ModelDrift
from pipelines.drift.showing import Showing
from pipelines.drift.values import WatchSpec
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Clock, Conversation, Place

log = logging.getLogger("pipelines.drift")

Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]
Change = Callable[[Episode], Episode]
RETRY_SECONDS = 5.0
BEFORE_SECONDS, BEFORE_PAUSE_SECONDS = 30.0, 0.1
# How often it is tried whether retraining helps while something does not answer.
TRIES = 5


def _as_it_is(drift: ModelDrift) -> ModelDrift:
    return drift


def _ignore(_drift: ModelDrift) -> None:
    """Nobody measures."""


def _untried(_trial: Trial) -> RetrainingTest:
    return cannot_say("It was not tried.")


@dataclass(frozen=True, slots=True)
class DriftRooms:
    """What the workflow works with. `observed` hears of every look, for the metrics; `watches` are by model."""

    durable: DurableWork
    desk: DriftDesk
    episodes: Episodes
    retraining: Retraining
    showing: Showing
    conversation: Conversation
    clock: Clock
    watches: Mapping[str, WatchSpec]
    guard: Guard
    observed: Callable[[ModelDrift], None] = _ignore
    explain: Callable[[ModelDrift], ModelDrift | ExplainedDrift] = _as_it_is
    would_help: Callable[[Trial], RetrainingTest] = _untried
    retry_seconds: float = RETRY_SECONDS


@dataclass(frozen=True, slots=True)
class Details:
    """A look laid out in the thread of an episode, for whoever asked for it; for nobody when the episode opens."""

    asked_by: str
    drift: ModelDrift | ExplainedDrift


@dataclass(frozen=True, slots=True)
class NoDetails:
    asked_by: str
    reason: str


@dataclass
class _Turns:
    """One at a time shows an episode; what was begun last is known by model."""

    shows: dict[str, threading.Lock] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)


class DriftWorkflow:
    def __init__(self, rooms: DriftRooms) -> None:
        self._r = rooms
        self._turns = _Turns()
        rooms.durable.register("drift", rooms.guard(self._look, self._look_broke))
        rooms.durable.register("drift-show", rooms.guard(self._show, self._show_broke))
        rooms.durable.register("drift-detail", rooms.guard(self._detail, self._look_broke))
        rooms.durable.register("drift-trial", rooms.guard(self._trial, self._trial_broke))

    def look(self, model: str, key: str, reason: str) -> None:
        """Judge the model's last window, once for this key; returns at once. `reason` ends "Noticed by …"."""
        argument = {"model": model, "key": key, "reason": reason}
        self._r.durable.start("drift", f"{model}:{key}", json.dumps(argument))

    def detail(self, episode_id: str, key: str, asked_by: str) -> None:
        """Look now and tell all of it in the episode's thread, once for this key; returns at once."""
        argument = {"episode": episode_id, "key": key, "asked_by": asked_by}
        self._r.durable.start_apart("drift-detail", f"{episode_id}:{key}", json.dumps(argument))

    def tick(self) -> None:
        """Begin the looks that are due, notice how retrains went, and show what was killed before it was shown."""
        now = self._r.clock.now()
        for model, watch in self._r.watches.items():
            self._look_if_due(model, watch, now)
        for episode in self._r.episodes.open():
            if episode.proposal is not None and episode.proposal.plan is not None and not episode.proposal.over:
                self.refresh(episode.id)
        for episode in self._r.episodes.unshown():
            self.show(episode)

    def change(self, episode_id: str, change: Change, entry: AuditEntry | None = None) -> Episode:
        """Store what `change` makes of the newest revision, with its audit row, and show it.

        Raises Refused for an episode that is gone.
        """
        while True:
            before = self._r.episodes.get(episode_id)
            if before is None:
                raise Refused("There is no such episode any more. `/drift MODEL` looks anew.")
            after = change(before)
            if after == before:
                return before
            after = replace(after, revision=before.revision + 1)
            if self._r.episodes.replace(after, entry):
                self.show(after)
                return after

    def refresh(self, episode_id: str) -> None:
        """Take over how the proposed retrain stands now."""
        episode = self._r.episodes.get(episode_id)
        proposal = episode.proposal if episode else None
        if episode is None or proposal is None or proposal.plan is None:
            return
        state, now = self._r.retraining.state(proposal.run_id), self._r.clock.now()
        if state != proposal.state:
            self.change(episode_id, lambda newest: episodes.settled(newest, proposal.run_id, state, now))

    def hear(self, run_id: str) -> None:
        """A run went on: where an open episode proposed it, that one takes it over."""
        for episode in self._r.episodes.open():
            if episode.proposal is not None and episode.proposal.run_id == run_id:
                self.refresh(episode.id)

    def window_of(self, model: str) -> timedelta:
        """The span of rows that this model is judged by."""
        return self._r.watches[model].window

    def show(self, episode: Episode) -> None:
        """Have this revision shown; having it shown again is fine."""
        argument = json.dumps({"episode": episode.id, "revision": episode.revision})
        self._r.durable.start_apart("drift-show", f"{episode.id}:{episode.revision}", argument)

    # A look

    def _look(self, argument: str) -> None:
        asked = json.loads(argument)
        self._r.durable.step("look", self._judge, asked["model"], asked["key"], asked["reason"])

    def _judge(self, model: str, key: str, reason: str) -> None:
        """Until it could be judged, or the next look is due anyway: MLflow or the database may be away."""
        watch, began = self._r.watches[model], self._r.clock.now()
        while True:
            try:
                drift = self._r.desk.look(model, watch.window)
            except NoRecords as nothing:
                return self._blind(model, str(nothing), nothing.version)
            except Refused as refusal:
                return self._blind(model, str(refusal))
            except Unavailable as outage:
                log.warning("could not look at %s: %s", model, outage)
                self._blind(model, f"{outage}.")
                if watch.every and self._r.clock.now() - began >= watch.every:
                    return None
                self._r.durable.pause(max(self._r.retry_seconds, min(outage.retry_after_seconds or 0.0, 300.0)))
                continue
            self._r.observed(drift)
            return self._keep(drift, watch, key, reason)

    def _keep(self, drift: ModelDrift, watch: WatchSpec, key: str, reason: str) -> None:
        while True:
            before = self._r.episodes.of(drift.model)
            if before is not None:
                self.change(before.id, lambda newest: _after(newest, drift, watch, key, reason))
                return
            made = episodes.observed(None, drift, watch, key, reason)
            if made is None or self._r.episodes.get(made.id) is not None:  # this very look opened one that has ended
                return
            if self._r.episodes.begin(made).id == made.id:
                self.show(made)
                if not self._r.showing.silent(made):
                    self.detail(made.id, "opened", "")
                return
            # Somebody opened one at this moment: it has seen this drift as well.

    def _blind(self, model: str, why: str, version: str = "") -> None:
        """`version` is the one that has no records, where that is why."""
        episode = self._r.episodes.of(model)
        if episode is None:
            return
        now = self._r.clock.now()
        if version and episodes.not_yet(episode, version, now):
            self.change(episode.id, episodes.awaiting)
        elif episode.blind != why:
            self.change(episode.id, lambda newest: episodes.blinded(newest, why, now))

    def _look_if_due(self, model: str, watch: WatchSpec, now: datetime) -> None:
        slot = slot_of(now, watch.every) if watch.every else ""
        if slot and self._turns.slots.get(model) != slot:
            self.look(model, slot, watch.by_schedule)
            self._turns.slots[model] = slot

    def _look_broke(self, argument: str, reference: str) -> None:
        log.error("a look at drift broke: %s, reference %s", argument, reference)

    # Showing

    def _show(self, argument: str) -> None:
        asked = json.loads(argument)
        self._r.durable.step("show", self._bring_into_line, asked["episode"], asked["revision"])

    def _bring_into_line(self, episode_id: str, revision: int) -> None:
        """Until it is to be seen, or a newer revision is there, whose own work shows it."""
        turn = self._turns.shows.setdefault(episode_id, threading.Lock())
        self._wait_for_the_one_before(episode_id, revision - 1)
        while True:
            try:
                with turn:
                    newest = self._r.episodes.get(episode_id)
                    if newest is None or newest.revision > revision:
                        return
                    self._show_once(newest)
                    return
            except Unavailable as outage:
                log.warning("episode %s is not shown yet: %s", episode_id, outage)
                wait = max(self._r.retry_seconds, min(outage.retry_after_seconds or 0.0, 300.0))
            self._r.durable.pause(wait)

    def _wait_for_the_one_before(self, episode_id: str, revision: int) -> None:
        """Two processes that show one episode at once could post it twice. One that is gone is not waited for long."""
        for _ in range(int(BEFORE_SECONDS / BEFORE_PAUSE_SECONDS)):
            if not self._r.durable.unfinished("drift-show", f"{episode_id}:{revision}"):
                return
            self._r.durable.pause(BEFORE_PAUSE_SECONDS)

    def _show_once(self, episode: Episode) -> None:
        """Slack first, GitHub then; whatever is learned on the way makes a new revision, whose own work goes on."""
        showing, store = self._r.showing, self._r.episodes
        told = store.told(episode.id)
        if episodes.untried(episode):
            self._try(episode)
        if not showing.silent(episode):
            place = showing.post(episode)
            if self._learned(episode, showing.act(episode, place)):
                return
            told = showing.tell(episode, place, told)
            showing.redraw(place, lambda: store.get(episode.id) or episode)
        if not self._learned(episode, showing.report(episode)):
            store.shown(episode.id, episode.revision, told)

    def _learned(self, episode: Episode, change: Change | None) -> bool:
        return change is not None and self.change(episode.id, change).revision > episode.revision

    def _show_broke(self, argument: str, reference: str) -> None:
        asked = json.loads(argument)
        log.error("episode %s cannot be shown, reference %s", asked["episode"], reference)
        self._r.episodes.shown(asked["episode"], asked["revision"], self._r.episodes.told(asked["episode"]))

    # Will retraining help?

    def _try(self, episode: Episode) -> None:
        """Once for this plan and look, beside the showing: the message does not wait for the answer."""
        argument = {"episode": episode.id, "number": episode.proposals, "slot": episode.slot}
        self._r.durable.start_apart(
            "drift-trial", f"{episode.id}:{episode.proposals}:{episode.slot}", json.dumps(argument)
        )

    def _trial(self, argument: str) -> None:
        asked = json.loads(argument)
        self._r.durable.step("trial", self._try_out, asked["episode"], asked["number"], asked["slot"])

    def _try_out(self, episode_id: str, number: int, slot: str) -> None:
        episode = self._r.episodes.get(episode_id)
        if episode is not None and episode.found.trial is not None:
            self._tell_trial(episode_id, number, slot, self._tested(episode.found.trial))

    def _tested(self, trial: Trial) -> RetrainingTest:
        why = ""
        for _ in range(TRIES):
            try:
                return self._r.would_help(trial)
            except Unavailable as outage:
                why = str(outage)
                log.warning("it was not tried whether retraining %s helps: %s", trial.model, outage)
            self._r.durable.pause(self._r.retry_seconds)
        return cannot_say(f"{why}.")

    def _tell_trial(self, episode_id: str, number: int, slot: str, test: RetrainingTest) -> None:
        self.change(episode_id, lambda newest: episodes.tried(newest, number, slot, test))

    def _trial_broke(self, argument: str, reference: str) -> None:
        asked = json.loads(argument)
        log.error("the trial of episode %s broke, reference %s", asked["episode"], reference)
        broke = cannot_say(f"Something broke, reference {reference}.")
        self._tell_trial(asked["episode"], asked["number"], asked["slot"], broke)

    # In detail

    def _detail(self, argument: str) -> None:
        asked = json.loads(argument)
        self._r.durable.step("detail", self._lay_out, asked["episode"], asked["key"], asked["asked_by"])

    def _lay_out(self, episode_id: str, key: str, asked_by: str) -> None:
        episode = self._r.episodes.get(episode_id)
        if episode is None:
            return
        place: Place = self._r.showing.post(episode)
        try:
            drift = self._r.desk.look(episode.model, episode.found.window)
        except (Refused, Unavailable) as problem:
            if asked_by:  # what an episode opens with was told by its message already
                refused = NoDetails(asked_by, str(problem))
                self._r.conversation.reply_once(f"drift:{episode_id}:detail:{key}", place, refused)
            return
        told = self._r.explain(drift)
        self._r.conversation.reply_once(f"drift:{episode_id}:detail:{key}", place, Details(asked_by, told))
        if isinstance(told, ExplainedDrift) and (more := told.background.shapes[1:]):
            self._r.conversation.reply_once(f"drift:{episode_id}:shapes:{key}", place, MoreShapes(more))


def _after(episode: Episode, drift: ModelDrift, watch: WatchSpec, key: str, reason: str) -> Episode:
    return episodes.observed(episode, drift, watch, key, reason) or episode
