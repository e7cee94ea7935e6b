"""The durable way of a promotion: `offer` draws up a way back and opens its gate, `promotion` begins when a gate has
settled. A run's own promotion is offered by its retrain, and its card is the run's.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipelines.approval import ApprovalDesk, ApprovalPolicy
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.people import Person
from pipelines.ports import Clock, Conversation, Place, Registry, Retrains, Storage
from pipelines.retrain.ports import Deployments, Promotions, RecentOutcomes
from pipelines.retrain.promotion import (
    NotOffered,
    Promotion,
    PromotionEnded,
    PromotionOffered,
    PromotionPlan,
    PromotionStage,
)
from pipelines.retrain.promotion_plan import check_champion, check_promotable, plan_promotion, plan_way_back
from pipelines.retrain.publication import copy_names, publish_version, take_back
from pipelines.retrain.values import ModelSpec, Retrain, Stage

Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]

# How a run stands while its promotion does.
RUN_STAGES: Mapping[PromotionStage, Stage] = {
    "awaiting approval": "awaiting promotion", "moving": "promoting", "done": "registered",
    "rejected": "champion kept", "expired": "champion kept", "withdrawn": "champion kept", "failed": "champion kept",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PromotionRooms:
    """What promotions work with."""

    durable: DurableWork
    approvals: ApprovalDesk
    retrains: Retrains
    promotions: Promotions
    conversation: Conversation
    registry: Registry
    storage: Storage
    outcomes: RecentOutcomes
    deployments: Deployments
    folder: Path  # where files lie while they are looked at
    clock: Clock
    models: Mapping[str, ModelSpec]
    count: Callable[[str, str], None]
    guard: Guard


@dataclass(frozen=True, slots=True)
class WayBack:
    """What somebody asked for: `version` the champion again, in place of `champion`."""

    id: str
    model: str
    version: int
    champion: int
    requester_id: str
    requester_name: str
    channel: str


class PromotionWorkflow:
    """`run_changed` hears of a run whose stage follows its promotion, also twice. `run_ended` tells the end of a run
    whose promotion has ended; it may run steps of its own."""

    def __init__(
        self, rooms: PromotionRooms, run_changed: Callable[[str], None], run_ended: Callable[[str], None]
    ) -> None:
        self._r = rooms
        self._run_changed = run_changed
        self._run_ended = run_ended
        rooms.durable.register("offer", rooms.guard(self._offer, self._offer_broke))
        rooms.durable.register("promotion", rooms.guard(self._promote, self._promotion_broke))

    def ask_back(self, asked: WayBack) -> None:
        """Start drawing up the plan; returns at once."""
        self._r.durable.start("offer", asked.id, json.dumps({field: getattr(asked, field) for field in _FIELDS}))

    def begin(self, promotion_id: str) -> None:
        """Start what follows a settled gate; starting it again is fine."""
        self._r.durable.start("promotion", promotion_id, promotion_id)

    def sweep(self) -> None:
        """Begin what was settled and not begun; end what broke off. Expired gates are settled before."""
        for promotion in self._r.promotions.unfinished():
            approval = self._r.approvals.get(promotion.plan.id)
            if self._r.durable.settled("promotion", promotion.plan.id):
                self._promotion_broke(promotion.plan.id, "")
            elif approval and approval.state != "open":
                self.begin(promotion.plan.id)

    # Offers

    def offer_run(self, run_id: str) -> bool:
        """Open the gate before the promotion of this run's version; False where the plan asks for none."""
        run = self._run(run_id)
        if run.plan.promotion != "ask":
            return False
        promotion = self._r.promotions.begin(Promotion(self._plan_for(run)))
        if promotion.plan.run_id != run_id:
            raise Refused(f"Another promotion of {run.plan.model} waits for a yes. Order this run again afterwards.")
        self._open_gate(promotion.plan)
        self._save(promotion.plan.id)
        self._show(promotion.plan.id)
        place = self._place(promotion.plan)
        if place and not run.thread:  # in a thread, whoever opened it tells of it
            self._r.conversation.reply_once(f"offered:{run_id}", place, PromotionOffered(promotion))
        return True

    def _plan_for(self, run: Retrain) -> PromotionPlan:
        spec, version = self._r.models[run.plan.model], run.version
        number = version.version if version else 0
        champion = self._r.registry.champion(spec.name)
        recent = self._r.outcomes.compare(spec.name, number, champion.version if champion else None)
        return plan_promotion(run, spec, champion, recent, self._r.deployments.serving(spec.name, number))

    def _offer(self, argument: str) -> None:
        asked = WayBack(**json.loads(argument))
        step = self._r.durable.step
        try:
            stored = step("draw the plan", self._draw_way_back, asked)
            if stored != asked.id:
                raise Refused(f"A way back of {asked.model} waits for a yes already; `/approvals` shows it.")
            step("open the gate", self._open_stored_gate, asked.id)
            step("post the card", self._post_card, asked.id, asked.channel)
        except (Refused, Unavailable) as problem:
            if self._r.promotions.get(asked.id):
                step("give up", self._finish, asked.id, "failed", str(problem))
            step("tell", self._tell_not_offered, asked, str(problem))

    def _draw_way_back(self, asked: WayBack) -> str:
        spec, registry = self._r.models[asked.model], self._r.registry
        version, champion = registry.version(asked.model, asked.version), registry.champion(asked.model)
        if version is None:
            raise Refused(f"Version {asked.version} of {asked.model} is not in the registry any more.")
        if champion is None or champion.version != asked.champion:
            now = f"version {champion.version}" if champion else "none"
            raise Refused(
                f"The champion of {asked.model} is {now} by now, not version {asked.champion}. "
                f"`/models {asked.model}` offers the way back from there."
            )
        person = Person(asked.requester_id, asked.requester_name)
        recent = self._r.outcomes.compare(spec.name, version.version, champion.version)
        serving = self._r.deployments.serving(spec.name, version.version)
        plan = plan_way_back(asked.id, person, spec, version, champion, recent, serving)
        return self._r.promotions.begin(Promotion(plan)).plan.id

    def _open_stored_gate(self, promotion_id: str) -> None:
        self._open_gate(self._promotion(promotion_id).plan)

    def _open_gate(self, plan: PromotionPlan) -> None:
        spec = self._r.models[plan.model]
        verb = "Promote" if plan.kind == "promotion" else "Back to"
        self._r.approvals.request(
            approval_id=plan.id, kind=plan.kind, subject=plan.model,
            summary=f"{verb} version {plan.version} of {plan.model}", plan=plan,
            requester_id=plan.requester_id, requester_name=plan.requester_name,
            policy=ApprovalPolicy(
                spec.approvals_needed, spec.requester_may_approve, timedelta(hours=spec.approval_hours)
            ),
        )  # fmt: skip

    def _post_card(self, promotion_id: str, channel: str) -> None:
        promotion = self._promotion(promotion_id)
        if not self._r.conversation.reaches(channel):
            channel = self._r.models[promotion.plan.model].channel
        place = self._r.conversation.post_once(f"card:{promotion_id}", channel, promotion)
        self._r.promotions.remember_place(promotion_id, place)
        self._show(promotion_id)

    def _tell_not_offered(self, asked: WayBack, reason: str) -> None:
        self._r.conversation.tell(asked.requester_id, asked.channel, NotOffered(asked.model, reason))

    # What follows the gate

    def _promote(self, promotion_id: str) -> None:
        step = self._r.durable.step
        try:
            if step("settle", self._settle, promotion_id) == "moving":
                step("check", self._check, promotion_id)
                step("publish", self._publish, promotion_id)
                step("move the aliases", self._move, promotion_id)
                step("end", self._finish, promotion_id, "done", "")
        except (Refused, Unavailable) as problem:
            step("give up", self._give_up, promotion_id, str(problem))
        if run_id := self._promotion(promotion_id).plan.run_id:
            self._run_ended(run_id)
            return
        step("show the end", self._show, promotion_id)
        step("tell the thread", self._tell_thread, promotion_id)

    def _settle(self, promotion_id: str) -> PromotionStage:
        approval = self._r.approvals.get(promotion_id)
        if approval is None or approval.state == "open":
            raise Refused("This promotion was begun without an approval; nothing was done.")
        self._r.count("approval", approval.state)
        settled = {"settled_by": approval.settled_by, "settled_at": approval.settled_at}
        if approval.state != "approved":
            self._save(promotion_id, **settled)
            return self._finish(promotion_id, approval.state, "").stage
        return self._save(promotion_id, stage="moving", **settled).stage

    def _check(self, promotion_id: str) -> None:
        plan = self._promotion(promotion_id).plan
        self._r.approvals.confirm(promotion_id, plan)
        registry = self._r.registry
        check_promotable(plan, registry.version(plan.model, plan.version), registry.champion(plan.model))
        self._show(promotion_id)

    def _publish(self, promotion_id: str) -> None:
        """Fetched from the registry, not from the run's folder: what is promoted is what was registered."""
        promotion = self._promotion(promotion_id)
        plan = promotion.plan
        version = self._r.registry.version(plan.model, plan.version)
        check_promotable(plan, version, self._r.registry.champion(plan.model))
        assert version is not None
        copy = self._r.folder / promotion_id / "model.pkl"
        copy.parent.mkdir(parents=True, exist_ok=True)
        if self._r.registry.fetch_model(version, copy) != plan.sha256:
            raise Refused(f"The file of version {plan.version} is not the one that was approved; the champion stays.")
        made_by = self._r.retrains.get(version.run_id) if version.run_id else None
        publication = publish_version(promotion, version, made_by, copy, self._r.storage)
        copy.unlink()
        self._save(promotion_id, published=publication.model_url)
        if plan.run_id:
            self._r.retrains.save(replace(self._run(plan.run_id), publication=publication))

    def _move(self, promotion_id: str) -> None:
        plan, registry = self._promotion(promotion_id).plan, self._r.registry
        check_champion(plan, registry.champion(plan.model))
        if plan.champion_version is not None:
            registry.assign(plan.model, "previous", plan.champion_version)
        registry.assign(plan.model, "champion", plan.version)

    # Ends

    def _give_up(self, promotion_id: str, reason: str) -> None:
        """Nothing half done stays: without the alias there is no copy either."""
        promotion = self._promotion(promotion_id)
        if promotion.settled_at is not None:
            take_back(copy_names(promotion.plan.model, promotion.settled_at), self._r.storage)
        self._save(promotion_id, published="")
        self._finish(promotion_id, "failed", reason)

    def _finish(self, promotion_id: str, stage: PromotionStage, failure: str) -> Promotion:
        promotion = self._promotion(promotion_id)
        if not promotion.finished:
            self._r.count("promotion", stage)
            if promotion.plan.run_id:
                self._r.count("retrain", RUN_STAGES[stage])
        return self._save(promotion_id, stage=stage, failure=failure, finished_at=self._r.clock.now())

    def _tell_thread(self, promotion_id: str) -> None:
        promotion = self._promotion(promotion_id)
        if place := self._place(promotion.plan):
            self._r.conversation.reply_once(f"end:{promotion_id}", place, PromotionEnded(promotion))

    def _offer_broke(self, argument: str, reference: str) -> None:
        asked = WayBack(**json.loads(argument))
        self._tell_not_offered(asked, f"Something broke, reference {reference}.")

    def _promotion_broke(self, promotion_id: str, reference: str) -> None:
        what = f"Something broke, reference {reference}." if reference else "The promotion broke off."
        plan = self._promotion(promotion_id).plan
        self._finish(promotion_id, "failed", f"{what} `/models {plan.model}` shows where its aliases are.")
        self._show(promotion_id)

    # Small things

    def _promotion(self, promotion_id: str) -> Promotion:
        promotion = self._r.promotions.get(promotion_id)
        if promotion is None:
            raise Refused(f"Promotion {promotion_id} is not in the store.")
        return promotion

    def _run(self, run_id: str) -> Retrain:
        run = self._r.retrains.get(run_id)
        if run is None:
            raise Refused(f"Run {run_id} is not in the store.")
        return run

    def _save(self, promotion_id: str, **changes: Any) -> Promotion:
        """Store it, and let its run stand as it does: the run's card is the card of both."""
        changed = replace(self._promotion(promotion_id), **changes)
        if changed.plan.run_id:
            self._mirror(changed)
        return self._r.promotions.save(changed)

    def _mirror(self, promotion: Promotion) -> None:
        run = self._run(promotion.plan.run_id)
        version = run.version
        if promotion.stage == "done" and version is not None:
            version = replace(version, aliases=tuple(sorted({*version.aliases, "champion", "challenger"})))
        self._r.retrains.save(
            replace(
                run, promotion=promotion, stage=RUN_STAGES[promotion.stage], version=version,
                failure=promotion.failure or _kept(promotion), finished_at=promotion.finished_at, progress=None,
                publication=None if promotion.stage == "failed" else run.publication,
            )
        )  # fmt: skip
        self._run_changed(run.run_id)

    def _place(self, plan: PromotionPlan) -> Place | None:
        return self._r.retrains.place(plan.run_id) if plan.run_id else self._r.promotions.place(plan.id)

    def _show(self, promotion_id: str) -> None:
        plan = self._promotion(promotion_id).plan
        if place := self._place(plan):
            self._r.conversation.update(
                place, lambda: self._run(plan.run_id) if plan.run_id else self._promotion(promotion_id)
            )


def _kept(promotion: Promotion) -> str:
    """Why the champion stays where somebody, or nobody, said so."""
    if promotion.stage in ("rejected", "withdrawn"):
        return f"{promotion.settled_by} keeps the champion; the new version stays the challenger."
    if promotion.stage == "expired":
        return "Nobody answered in time whether it becomes the champion; the new version stays the challenger."
    return ""


_FIELDS = tuple(WayBack.__dataclass_fields__)
