"""The durable way of a retrain, in two pieces of work: `order` draws up the plan and opens the gate, `retrain`
begins when the gate has settled. What it knows is in the store, so each step is handed nothing but the run's id.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipelines.approval import ApprovalDesk, ApprovalPolicy
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.names import find_model
from pipelines.ports import Clock, Conversation, Place, Registry, Retrains, Storage, Tables, TrainingRunner
from pipelines.retrain import plan as planning
from pipelines.retrain.gate import judge
from pipelines.retrain.promotion_workflow import PromotionRooms, PromotionWorkflow
from pipelines.retrain.publication import publish
from pipelines.retrain.values import (
    Ended,
    Joined,
    ModelSpec,
    NotPlanned,
    Progress,
    Retrain,
    RunnerKind,
    Stage,
    TrainingJob,
    TrainingOrder,
    TrainingPlan,
)
from pipelines.retrain.waiting import Cancelled, TrainingWatch

log = logging.getLogger("pipelines.retrain")

TELL_AGAIN_SECONDS, TELL_TRIES = 10.0, 360
Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]


@dataclass(frozen=True, slots=True)
class RetrainRooms:
    """What the workflow works with."""

    durable: DurableWork
    approvals: ApprovalDesk
    retrains: Retrains
    conversation: Conversation
    registry: Registry
    storage: Storage
    tables: Tables
    runners: Mapping[RunnerKind, TrainingRunner]
    runs_folder: Path
    clock: Clock
    models: Mapping[str, ModelSpec]
    promotion: PromotionRooms
    count: Callable[[str, str], None]  # what and how it ended, for the metrics: ("approval", "rejected")
    guard: Guard  # wraps a body so that what nobody foresaw is logged and told, see bot/listeners.py


class RetrainWorkflow:
    def __init__(self, rooms: RetrainRooms) -> None:
        self._r = rooms
        self._heard: list[Callable[[str], None]] = []
        self._checks: list[Callable[[TrainingPlan], None]] = []
        self._watch = TrainingWatch(rooms.durable, rooms.retrains, rooms.conversation)
        self.promotions = PromotionWorkflow(rooms.promotion, self._hear, self._tell_end)
        rooms.durable.register("order", rooms.guard(self._order, self._order_broke))
        rooms.durable.register("retrain", rooms.guard(self._retrain, self._retrain_broke))

    def order(self, run_id: str, order: TrainingOrder) -> None:
        """Start drawing up the plan; returns at once."""
        self._r.durable.start("order", run_id, json.dumps({"run_id": run_id, "order": to_json(order)}))

    def begin(self, run_id: str) -> None:
        """Start what follows a settled gate; starting it again is fine."""
        self._r.durable.start_apart("retrain", run_id, run_id)

    def listen(self, hear: Callable[[str], None]) -> None:
        """`hear` is called with a run's id after each change of its stage, also twice. It must not raise."""
        self._heard.append(hear)

    def check_by(self, check: Callable[[TrainingPlan], None]) -> None:
        """`check` is asked before anything is trained; it raises Refused with the reason not to."""
        self._checks.append(check)

    def propose(self, run_id: str, order: TrainingOrder, thread: Place) -> Retrain:
        """Draw the plan and open its gate at once, without a card: somebody else asks for the approval.

        Answers the unfinished run of the model where there is another one. Raises Refused and Unavailable.
        """
        retrain = self._r.retrains.get(run_id)
        if retrain is None:
            drawn = from_json(TrainingPlan, self._draw_plan(run_id, order))
            made = Retrain(run_id, drawn, "awaiting approval", channel=thread.channel, thread=thread.ts)
            retrain = self._r.retrains.begin(made)
        if retrain.run_id == run_id:
            self._open_gate(run_id)
        return retrain

    def sweep(self) -> None:
        """Settle what expired, begin what a killed process settled but did not begin, end what broke off."""
        self._r.approvals.expire_due()
        self.promotions.sweep()
        for retrain in self._r.retrains.unfinished():
            if retrain.promotion is not None:
                continue  # its promotion is looked after by itself
            approval = self._r.approvals.get(retrain.run_id)
            if self._r.durable.settled("retrain", retrain.run_id):
                self._finish(retrain.run_id, "failed", "The run broke off. Order it again.")
                self._show(retrain.run_id)
            elif approval and approval.state != "open":
                self.begin(retrain.run_id)

    # The order

    def _order(self, argument: str) -> None:
        body: dict[str, Any] = json.loads(argument)
        run_id, order = body["run_id"], from_json(TrainingOrder, body["order"])
        step = self._r.durable.step
        try:
            drawn = from_json(TrainingPlan, step("draw the plan", self._draw_plan, run_id, order))
            running = step("begin", self._begin_run, drawn)
            if running != run_id:
                step("join", self._tell_joined, order, running)
                return
            step("open the gate", self._open_gate, run_id)
            step("post the card", self._post_card, run_id, order.channel)
        except (Refused, Unavailable) as problem:
            if self._r.retrains.get(run_id):
                step("give up", self._finish, run_id, "failed", str(problem))
            step("tell", self._tell_not_planned, order, str(problem))

    def _draw_plan(self, run_id: str, order: TrainingOrder) -> dict[str, Any]:
        spec = find_model(self._r.models, order.model)
        table = self._r.tables.describe(order.data or spec.data)
        champion = self._r.registry.champion(spec.name)
        earlier = self._r.retrains.recent(10, spec.name)
        return to_json(planning.draw_plan(run_id, order, spec, table, champion, earlier))

    def _begin_run(self, drawn: TrainingPlan) -> str:
        return self._r.retrains.begin(Retrain(drawn.run_id, drawn, "awaiting approval")).run_id

    def _open_gate(self, run_id: str) -> None:
        drawn = self._run(run_id).plan
        spec = self._r.models[drawn.model]
        self._r.approvals.request(
            approval_id=run_id, kind="retrain", subject=drawn.model, summary=f"Retrain {drawn.model}",
            plan=drawn, requester_id=drawn.requester_id, requester_name=drawn.requester_name,
            policy=ApprovalPolicy(
                spec.approvals_needed, spec.requester_may_approve, timedelta(hours=spec.approval_hours)
            ),
        )  # fmt: skip

    def _post_card(self, run_id: str, channel: str) -> None:
        retrain = self._run(run_id)
        if not self._r.conversation.reaches(channel):
            channel = self._r.models[retrain.plan.model].channel
        place = self._r.conversation.post_once(f"card:{run_id}", channel, retrain)
        self._r.retrains.remember_place(run_id, place)
        # Somebody may have settled it in App Home while it was being posted.
        self._r.conversation.update(place, lambda: self._run(run_id))

    def _tell_joined(self, order: TrainingOrder, running: str) -> None:
        place = self._r.retrains.place(running)
        link = self._r.conversation.link(place) if place else ""
        self._tell(order, Joined(self._run(running), link))

    def _tell_not_planned(self, order: TrainingOrder, reason: str) -> None:
        self._tell(order, NotPlanned(order.model, reason))

    def _tell(self, order: TrainingOrder, value: object) -> None:
        if order.trigger == "person":
            self._r.conversation.tell(order.requester_id, order.channel, value)
        else:
            self._r.conversation.post_once(f"told:{order.model}:{order.trigger}", order.channel, value)

    # The run

    def _retrain(self, run_id: str) -> None:
        step = self._r.durable.step
        try:
            if step("settle", self._settle, run_id) == "training":
                step("post the card in its thread", self._post_in_thread, run_id)
                step("check the plan", self._check_plan, run_id)
                step("train", self._train, run_id)
                if step("gate", self._judge, run_id):
                    step("register", self._register, run_id)
                    if step("offer the promotion", self.promotions.offer_run, run_id):
                        return
                    step("publish", self._publish, run_id)
        except Cancelled as cancelled:
            step("cancel", self._cancel, run_id, cancelled.by)
        except (Refused, Unavailable) as problem:
            step("fail", self._finish, run_id, "failed", str(problem))
        self._tell_end(run_id)

    def _tell_end(self, run_id: str) -> None:
        """The end of a run, whether its retrain or its promotion has ended it."""
        step = self._r.durable.step
        step("show the end", self._when_slack_is_back, self._show_end, run_id)
        step("tell the thread", self._when_slack_is_back, self._tell_thread, run_id)

    def _when_slack_is_back(self, tell: Callable[[str], None], run_id: str) -> None:
        """What was done stays done while Slack is away: it is told once Slack answers, within an hour."""
        for _ in range(TELL_TRIES):
            try:
                return tell(run_id)
            except Unavailable:
                self._r.durable.pause(TELL_AGAIN_SECONDS)
        log.warning("the end of %s was told to nobody: Slack did not answer for an hour", run_id)
        return None

    def _settle(self, run_id: str) -> Stage:
        approval = self._r.approvals.get(run_id)
        if approval is None or approval.state == "open":
            raise Refused("This run was begun without an approval; nothing was done.")
        retrain = replace(self._run(run_id), settled_by=approval.settled_by, settled_at=approval.settled_at)
        self._r.count("approval", approval.state)
        if approval.state != "approved":
            ended = replace(retrain, stage=approval.state, finished_at=self._r.clock.now())
            return self._tell_listeners(self._r.retrains.save(ended)).stage
        return self._tell_listeners(self._r.retrains.save(replace(retrain, stage="training"))).stage

    def _post_in_thread(self, run_id: str) -> None:
        retrain = self._run(run_id)
        if retrain.thread:
            thread = Place(retrain.channel, retrain.thread)
            self._r.retrains.remember_place(run_id, self._r.conversation.reply_once(f"card:{run_id}", thread, retrain))

    def _check_plan(self, run_id: str) -> None:
        self._stop_if_cancelled(run_id)
        drawn = self._run(run_id).plan
        self._r.approvals.confirm(run_id, drawn)
        for check in self._checks:
            check(drawn)
        planning.check_unchanged(drawn, self._r.tables.describe(drawn.data), self._r.registry.champion(drawn.model))
        self._save(run_id, stage="training", started_at=self._r.clock.now(), progress=Progress("starting", 0.0))
        self._show(run_id)

    def _train(self, run_id: str) -> None:
        job = self._job(run_id, self._fetch_champion(run_id))
        self._watch.until_finished(run_id, job, self._runner(run_id))

    def _judge(self, run_id: str) -> bool:
        self._stop_if_cancelled(run_id)
        result = self._runner(run_id).result(self._job(run_id))
        verdict = judge(self._run(run_id).plan.gate, result)
        if not verdict.passed:
            self._save(run_id, result=result, verdict=verdict)
            self._finish(run_id, "gate failed", "")
            return False
        self._save(run_id, stage="gating", result=result, verdict=verdict)
        self._show(run_id)
        return True

    def _register(self, run_id: str) -> None:
        self._stop_if_cancelled(run_id)
        retrain = self._save(run_id, stage="registering")
        self._show(run_id)
        result = retrain.result
        if result is None:
            raise Refused("The result of the training is gone; nothing was registered. Order it again.")
        tags = {
            "shipmate.approved_by": retrain.settled_by, "shipmate.requester": retrain.plan.requester_name,
            "shipmate.approval_id": run_id, "shipmate.data_sha256": result.data_sha256,
        }  # fmt: skip
        folder = self._runner(run_id).artefacts(self._job(run_id))
        version = self._r.registry.register(retrain, result, folder, tags)
        self._r.registry.assign(version.model, "challenger", version.version)
        self._save(run_id, version=version)

    def _publish(self, run_id: str) -> None:
        self._stop_if_cancelled(run_id)
        retrain = self._save(run_id, stage="publishing")
        self._show(run_id)
        if retrain.version is None:
            raise Refused("The registered version is gone; nothing was published. Order it again.")
        folder = self._runner(run_id).artefacts(self._job(run_id))
        publication = publish(retrain, folder, self._r.storage)
        if retrain.plan.champion_version is not None:
            self._r.registry.assign(retrain.plan.model, "previous", retrain.plan.champion_version)
        self._r.registry.assign(retrain.plan.model, "champion", retrain.version.version)
        aliases = tuple(sorted({*retrain.version.aliases, "champion", "challenger"}))
        self._save(run_id, publication=publication, version=replace(retrain.version, aliases=aliases))
        self._finish(run_id, "registered", "")

    # Ends

    def _cancel(self, run_id: str, by: str) -> None:
        self._runner(run_id).cancel(self._job(run_id))
        self._save(run_id, settled_by=by, settled_at=self._r.clock.now())
        self._finish(run_id, "cancelled", f"Cancelled by {by}.")

    def _finish(self, run_id: str, stage: Stage, failure: str) -> None:
        if not self._run(run_id).finished:
            self._r.count("retrain", stage)
        self._save(run_id, stage=stage, failure=failure, finished_at=self._r.clock.now(), progress=None)

    def _tell_thread(self, run_id: str) -> None:
        """The end as a reply, so that whoever follows the thread is notified; an edit notifies nobody."""
        place = self._r.retrains.place(run_id)
        if place and not self._run(run_id).thread:  # in a thread, whoever opened it tells the end
            self._r.conversation.reply_once(f"end:{run_id}", place, Ended(self._run(run_id)))

    def _order_broke(self, argument: str, reference: str) -> None:
        body: dict[str, Any] = json.loads(argument)
        order = from_json(TrainingOrder, body["order"])
        self._tell_not_planned(order, f"Something broke, reference {reference}.")

    def _retrain_broke(self, run_id: str, reference: str) -> None:
        self._finish(run_id, "failed", f"Something broke, reference {reference}.")
        self._show(run_id)

    # Small things

    def _run(self, run_id: str) -> Retrain:
        retrain = self._r.retrains.get(run_id)
        if retrain is None:
            raise Refused(f"Run {run_id} is not in the store.")
        return retrain

    def _save(self, run_id: str, **changes: Any) -> Retrain:
        saved = self._r.retrains.save(replace(self._run(run_id), **changes))
        return self._tell_listeners(saved) if "stage" in changes else saved

    def _tell_listeners(self, retrain: Retrain) -> Retrain:
        self._hear(retrain.run_id)
        return retrain

    def _hear(self, run_id: str) -> None:
        for hear in self._heard:
            hear(run_id)

    def _show(self, run_id: str) -> None:
        # A card of what goes on is a courtesy: an approved run does not fail because Slack is away.
        with suppress(Unavailable):
            self._show_end(run_id)

    def _show_end(self, run_id: str) -> None:
        place = self._r.retrains.place(run_id)
        if place:
            self._r.conversation.update(place, lambda: self._run(run_id))

    def _stop_if_cancelled(self, run_id: str) -> None:
        if by := self._r.retrains.cancel_asked_by(run_id):
            raise Cancelled(by)

    def _runner(self, run_id: str) -> TrainingRunner:
        return self._r.runners[self._run(run_id).plan.runner]

    def _job(self, run_id: str, champion_sha256: str | None = None) -> TrainingJob:
        drawn = self._run(run_id).plan
        workdir = str(self._folder(run_id))
        if drawn.runner != "local":
            workdir = self._r.storage.url(f"runs/{run_id}")
        return planning.job_for(drawn, self._r.models[drawn.model], workdir, champion_sha256)

    def _fetch_champion(self, run_id: str) -> str | None:
        """Lay the champion beside the job, so that both are judged on the same rows; answers its SHA-256."""
        drawn = self._run(run_id).plan
        champion = self._r.registry.champion(drawn.model)
        if champion is None:
            return None
        copy = self._folder(run_id) / planning.CHAMPION_FILE
        copy.parent.mkdir(parents=True, exist_ok=True)
        digest = self._r.registry.fetch_model(champion, copy)
        if drawn.runner != "local":
            self._r.storage.write(f"runs/{run_id}/{planning.CHAMPION_FILE}", copy)
        return digest

    def _folder(self, run_id: str) -> Path:
        return self._r.runs_folder / run_id
