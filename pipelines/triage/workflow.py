"""The durable ways of /triage: `triage-ask` looks whether there is something to report, `triage` reports it once.

The attempt of a run is known only once GitHub was asked, and GitHub may be away when somebody types; so the order is
taken first, and the report is a piece of work of its own, under an id that run, attempt and channel give.
"""

import json
import logging
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.ports import Clock, Conversation, LanguageModel, Place
from pipelines.triage.examining import RedactLines, analysed, facts
from pipelines.triage.findings import (
    AlreadyReported,
    Looked,
    NothingFailed,
    NotTriaged,
    RunFacts,
    StillTrying,
    Triaged,
    TriageDetails,
    TriageOrder,
    Verdict,
)
from pipelines.triage.gathering import Gathering
from pipelines.triage.history import Reported, line_of
from pipelines.triage.ports import CiRuns, Greens, TriageHistory, TriageSightings
from pipelines.triage.severity import severity_of
from pipelines.triage.values import FAILED

log = logging.getLogger("pipelines.triage")

T = TypeVar("T")
Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]
# Who asked an hour ago has looked at the log by now.
PATIENCE = timedelta(hours=1)
RETRY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class TriageRooms:
    """What the workflow works with. `pages` lays the details out over messages; logs lie in `folder` for a moment."""

    durable: DurableWork
    runs: CiRuns
    gathering: Gathering
    conversation: Conversation
    language_model: LanguageModel
    clock: Clock
    redact: RedactLines
    pages: Callable[[Triaged], Sequence[TriageDetails]]
    folder: Path
    find_channel: Callable[[str], str]
    guard: Guard
    history: TriageHistory
    sightings: TriageSightings
    greens: Greens
    retry_seconds: float = RETRY_SECONDS


class TriageWorkflow:
    def __init__(self, rooms: TriageRooms) -> None:
        self._r = rooms
        rooms.durable.register("triage-ask", rooms.guard(self._ask, self._broke))
        rooms.durable.register("triage", rooms.guard(self._triage, self._broke))

    def begin(self, order: TriageOrder) -> None:
        """Take the order; returns at once, also while GitHub is away."""
        self._r.durable.start("triage-ask", uuid.uuid4().hex, json.dumps(to_json(order)))

    # Is there something to report?

    def _ask(self, argument: str) -> None:
        order, step = _order(argument), self._r.durable.step
        try:
            looked = from_json(Looked, step("look", self._look, order))
        except (Refused, Unavailable) as problem:
            step("tell", self._tell_not_triaged, order, str(problem))
            return
        if looked.verdict == "failed":
            attempt = step("choose", self._choose, looked.order)
            if attempt >= 0:
                self._r.durable.start("triage", f"{looked.order.key}:{attempt}", json.dumps(to_json(looked.order)))
            return
        step("tell", self._tell_not_failed, looked)

    def _look(self, order: TriageOrder) -> dict[str, Any]:
        run = self._patiently(order, lambda: self._r.runs.run(order.reference))
        found = replace(order, reference=run.reference)
        if not order.asked_by:
            found = replace(found, channel=self._patiently(order, lambda: self._r.find_channel(order.channel)))
        failed = run.conclusion in FAILED or (run.conclusion != "" and run.failed_jobs)
        verdict: Verdict = "failed" if failed else "fine" if run.conclusion else "running"
        return to_json(Looked(found, verdict, run.conclusion, run.url))

    def _choose(self, order: TriageOrder) -> int:
        """Under which number the report is begun: a new one once the last has ended without it; -1 when it is there."""
        place = self._r.conversation.posted(_post_key(order), order.channel)
        if place is not None:
            self._tell(order, AlreadyReported(order.name, self._r.conversation.link(place)))
            return -1
        number = 0
        while self._r.durable.settled("triage", f"{order.key}:{number}"):
            number += 1
        return number

    # The report

    def _triage(self, argument: str) -> None:
        order, step = _order(argument), self._r.durable.step
        try:
            gathered = step("gather", self._gather, order)
            triaged = from_json(Triaged, step("compose", self._compose, order, gathered))
            reported = from_json(Reported, step("remember", self._remember, triaged))
            channel, ts = step("post", self._post, reported)
            step("place", self._r.history.place, reported.key, Place(channel, ts))
            for number, page in enumerate(self._r.pages(triaged), 1):
                step(f"details {number}", self._reply, order, Place(channel, ts), number, page)
        except (Refused, Unavailable) as problem:
            step("tell", self._tell_not_triaged, order, str(problem))

    def _gather(self, order: TriageOrder) -> dict[str, Any]:
        """Logs and what they say are one step: another process that goes on from here has no use for our files."""
        self._r.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._r.folder) as folder:
            found = self._patiently(order, lambda: self._r.gathering.gather(order.reference, Path(folder)))
            analysis = analysed(found, self._r.redact)
        return {"facts": to_json(facts(found, self._r.redact)), "analysis": to_json(analysis)}

    def _compose(self, order: TriageOrder, gathered: dict[str, Any]) -> dict[str, Any]:
        from pipelines.evidence.analysing import Analysis
        from pipelines.evidence.reporting import compose

        analysis = from_json(Analysis, gathered["analysis"])
        report = compose(self._r.language_model, analysis)
        return to_json(Triaged(order, from_json(RunFacts, gathered["facts"]), report, analysis.extract))

    def _remember(self, triaged: Triaged) -> dict[str, Any]:
        facts, now = triaged.facts, self._r.clock.now()
        run_id, fingerprint = triaged.order.reference.run_id, triaged.report.fingerprint
        seen = self._r.sightings.sightings(facts.repository, fingerprint, now, run_id)
        severity = severity_of(
            triaged.report.kind, on_default_branch=facts.on_default_branch, flaky=bool(seen.flaky)
        )  # fmt: skip
        # Not `on_default_branch`: what somebody asked for does not count among the failures of an issue.
        reported = Reported(triaged, now, severity, seen=seen, line=line_of(facts.branch, facts.fork))
        stored = self._r.history.remember(reported)
        passed = self._r.greens.after(stored)
        return to_json((self._r.history.passed(stored.key, passed) if passed else None) or stored)

    def _post(self, reported: Reported) -> tuple[str, str]:
        order = reported.triaged.order
        place = self._patiently(
            order, lambda: self._r.conversation.post_once(_post_key(order), order.channel, reported), waiting_told=True
        )
        return place.channel, place.ts

    def _reply(self, order: TriageOrder, place: Place, number: int, page: TriageDetails) -> None:
        self._r.conversation.reply_once(f"{_post_key(order)}:{number}", place, page)

    # What both need

    def _patiently(self, order: TriageOrder, ask: Callable[[], T], waiting_told: bool = False) -> T:
        """Ask until it answers; the person hears once that it takes longer, and again when we give up."""
        told = waiting_told
        while True:
            try:
                return ask()
            except Unavailable as outage:
                if self._r.clock.now() - order.asked_at > PATIENCE:
                    raise Refused(f"{outage} I tried for an hour. Ask again later.") from outage
                if not told:
                    self._tell(order, StillTrying(order.name, str(outage), int(PATIENCE.total_seconds() // 60)))
                told = True
                wait = max(self._r.retry_seconds, outage.retry_after_seconds or 0.0)
            self._r.durable.pause(min(wait, LONGEST_PAUSE_SECONDS))

    def _tell(self, order: TriageOrder, value: object) -> None:
        """Whoever asked; the log, where GitHub did."""
        if order.asked_by:
            self._r.conversation.tell(order.asked_by, order.channel, value)
        else:
            log.info("%s: %s", order.name, value)

    def _tell_not_failed(self, looked: Looked) -> None:
        order = looked.order
        if looked.verdict == "fine":
            self._tell(order, NothingFailed(order.name, looked.conclusion, looked.url))
        else:
            self._tell_not_triaged(order, "It is still running. Ask again when it has ended.")

    def _tell_not_triaged(self, order: TriageOrder, reason: str) -> None:
        self._tell(order, NotTriaged(order.name, reason))

    def _broke(self, argument: str, reference: str) -> None:
        order = _order(argument)
        self._tell(order, NotTriaged(order.name, f"Something broke, reference {reference}."))


def _order(argument: str) -> TriageOrder:
    return from_json(TriageOrder, json.loads(argument))


def _post_key(order: TriageOrder) -> str:
    return f"triage:{order.key}"
