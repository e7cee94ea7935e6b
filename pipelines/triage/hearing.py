"""The durable ways of what GitHub tells of by itself: `triage-heard` reports a failure where the catalogue wants it,
`triage-passed` says of earlier reports that it went well since, `triage-github` brings a place on GitHub up to date.

Each waits in a queue of its own, so that fifty failures in a minute, or GitHub being away, hold up nothing else.
"""

import json
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.json_values import from_json, to_json
from pipelines.ports import Clock, LanguageModel
from pipelines.triage.checks import CheckGathering, in_its_own_words
from pipelines.triage.examining import RedactLines, analysed, facts
from pipelines.triage.findings import RunFacts, Triaged, TriageOrder
from pipelines.triage.gathering import Gathering
from pipelines.triage.heard import Heard
from pipelines.triage.history import Green, PlaceKind, Reported, Severity
from pipelines.triage.places import GithubPlace, places_of
from pipelines.triage.ports import Greens, TriageHistory, TriageSightings
from pipelines.triage.routing import CiRules
from pipelines.triage.severity import severity_of
from pipelines.triage.speaking import Speaking
from pipelines.triage.telling import Telling
from pipelines.triage.values import FAILED, Gathered

log = logging.getLogger("pipelines.triage")

T = TypeVar("T")
Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]
# Nobody waits for it, and yesterday's failure is still worth knowing.
PATIENCE = timedelta(hours=24)
RETRY_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class HearingRooms:
    """`find_channel` and `mention` look up what the catalogue names; a mention that is not found is empty."""

    durable: DurableWork
    gathering: Gathering
    checks: CheckGathering
    language_model: LanguageModel
    clock: Clock
    redact: RedactLines
    folder: Path
    rules: CiRules
    history: TriageHistory
    sightings: TriageSightings
    greens: Greens
    telling: Telling
    speaking: Speaking
    find_channel: Callable[[str], str]
    mention: Callable[[str], str]
    guard: Guard
    retry_seconds: float = RETRY_SECONDS


class HearingWorkflow:
    def __init__(self, rooms: HearingRooms) -> None:
        self._r = rooms
        for name, body in (
            ("triage-heard", self._failed), ("triage-passed", self._passed), ("triage-github", self._github),
        ):  # fmt: skip
            rooms.durable.register(name, rooms.guard(body, self._broke), at_once=AT_ONCE)

    def hear(self, run: Heard) -> bool:
        """Whether something may follow from it. The same run and attempt again is the same piece of work."""
        failed = run.conclusion in FAILED
        if failed and not self._r.rules.wanted(run):
            return False
        self._r.durable.start("triage-heard" if failed else "triage-passed", run.key, json.dumps(to_json(run)))
        return failed

    # It failed

    def _failed(self, argument: str) -> None:
        run, step = from_json(Heard, json.loads(argument)), self._r.durable.step
        try:
            gathered = step("gather", self._gather, run)
            told = step("compose", self._compose, run, gathered)
        except (Refused, Unavailable) as problem:
            log.warning("%s is not reported: %s", run.name, problem)
            step("unread", self._in_each_channel, run, self._r.telling.unread, str(problem))
            return
        first, *others = [from_json(Reported, one) for one in told]
        for place in places_of(first):
            self._speak(run, place)
        for number, reported in enumerate(others):
            try:
                step(f"tell {number}", self._tell, run, reported)
            except (Refused, Unavailable) as problem:
                log.warning("%s is not told in %s: %s", run.name, reported.triaged.order.channel, problem)

    def _gather(self, run: Heard) -> dict[str, Any]:
        """Logs and what they say are one step: another process that goes on from here has no use for our files."""
        self._r.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._r.folder) as folder:
            found = self._patiently(run, lambda: self._gathered(run, Path(folder)), self._away)
            analysis = analysed(found, self._r.redact)
        return {"facts": to_json(facts(found, self._r.redact)), "analysis": to_json(analysis)}

    def _gathered(self, run: Heard, folder: Path) -> Gathered:
        if run.check:
            return self._r.checks.gather(run, run.check, folder)
        return self._r.gathering.gather(run.reference, folder)

    def _away(self, run: Heard, reason: str) -> None:
        """Slack hears of it at once; which team it is for is not known before the log was read."""
        self._in_each_channel(run, self._r.telling.away, reason)

    def _in_each_channel(self, run: Heard, tell: Callable[[Heard, str, str], None], reason: str) -> None:
        for destination in self._r.rules.destinations(run, (), "critical"):
            try:
                tell(run, self._r.find_channel(destination.channel), reason)
            except (Refused, Unavailable) as problem:
                log.warning("%s: %s", run.name, problem)

    def _compose(self, run: Heard, gathered: dict[str, Any]) -> list[dict[str, Any]]:
        """What is remembered and said on GitHub, then the same for each channel."""
        from pipelines.evidence.analysing import Analysis
        from pipelines.evidence.reporting import compose

        analysis, about = from_json(Analysis, gathered["analysis"]), from_json(RunFacts, gathered["facts"])
        about = replace(about, pull_request=about.pull_request or next(iter(run.pull_requests), 0))
        report = in_its_own_words(compose(self._r.language_model, analysis), run, self._r.redact)
        order = TriageOrder(replace(run.reference, attempt=about.attempt), "", "", run.at)
        first = self._reported(run, Triaged(order, about, report, analysis.extract))
        stored = self._r.history.remember(replace(first, speaks=self._speaks(run, first.severity, about.pull_request)))
        self._settle(stored)
        return [to_json(stored), *(to_json(one) for one in self._for_channels(run, first))]

    def _reported(self, run: Heard, triaged: Triaged) -> Reported:
        now, kind, fingerprint = self._r.clock.now(), triaged.report.kind, triaged.report.fingerprint
        seen = self._r.sightings.sightings(run.reference.repository, fingerprint, now, run.reference.run_id)
        found = Reported(triaged, now, on_default_branch=run.on_default_branch, seen=seen, line=run.line)
        severity = severity_of(kind, on_default_branch=run.on_default_branch, flaky=found.flaky)
        return replace(found, severity=severity)

    def _speaks(self, run: Heard, severity: Severity, pull_request: int) -> tuple[PlaceKind, ...]:
        found: list[PlaceKind] = []
        if self._r.rules.comments(run, severity) and (pull_request or not run.of_pull_request):
            found.append("pull request" if pull_request else "commit")
        if self._r.rules.issues(run, severity):
            found.append("issue")
        return tuple(found)

    def _for_channels(self, run: Heard, first: Reported) -> list[Reported]:
        kinds = [first.triaged.report.kind, *(["flaky"] if first.flaky else [])]
        found = []
        for destination in self._r.rules.destinations(run, kinds, first.severity):
            try:
                channel = self._patiently(run, lambda: self._r.find_channel(destination.channel))  # noqa: B023
            except Refused as unseen:
                log.warning("%s is not told in %s: %s", run.name, destination.channel, unseen)
                continue
            order = replace(first.triaged.order, channel=channel)
            mention = self._r.mention(destination.mention) if destination.mention else ""
            found.append(replace(first, triaged=replace(first.triaged, order=order), mention=mention))
        return found

    def _tell(self, run: Heard, reported: Reported) -> None:
        self._patiently(run, lambda: self._r.telling.tell(reported))
        stored = self._r.history.get(reported.key)
        if stored and self._settle(stored):
            self._patiently(run, lambda: self._r.telling.redraw(reported.key))

    def _settle(self, stored: Reported) -> bool:
        """It may have gone well before we came to look at it; whoever writes second sees what the first one wrote."""
        passed = self._r.greens.after(stored)
        return bool(passed and self._r.history.passed(stored.key, passed))

    # It went well

    def _passed(self, argument: str) -> None:
        run, step = from_json(Heard, json.loads(argument)), self._r.durable.step
        settled = [from_json(Reported, one) for one in step("settle", self._settle_all, run)]
        for place in dict.fromkeys(place for one in settled for place in places_of(one)):
            self._speak(run, place)
        shown = [one.key for one in settled if one.triaged.order.channel and not one.lead]
        for number, key in enumerate(shown):
            step(f"redraw {number}", self._redraw, run, key)

    def _settle_all(self, run: Heard) -> list[dict[str, Any]]:
        where = run.reference
        green = Green(
            where.repository, where.run_id, where.attempt, run.number, run.series, run.line, run.sha, run.url, run.at
        )
        self._r.greens.note(green)
        found = [(one, green.after(one)) for one in self._r.sightings.unresolved(green)]
        settled = [self._r.history.passed(one.key, passed) for one, passed in found if passed]
        return [to_json(one) for one in settled if one]

    def _redraw(self, run: Heard, key: str) -> None:
        self._patiently(run, lambda: self._r.telling.redraw(key))

    # GitHub

    def _speak(self, run: Heard, place: GithubPlace) -> None:
        argument = json.dumps({"run": to_json(run), "place": to_json(place)})
        self._r.durable.start("triage-github", f"{run.key} {place.key}", argument)

    def _github(self, argument: str) -> None:
        given = json.loads(argument)
        run, place = from_json(Heard, given["run"]), from_json(GithubPlace, given["place"])
        try:
            self._r.durable.step("speak", self._patiently, run, lambda: self._r.speaking.speak(place))
        except (Refused, Unavailable) as problem:
            log.warning("%s is not said at %s: %s", run.name, place.key, problem)

    # What all need

    def _patiently(self, run: Heard, ask: Callable[[], T], away: Callable[[Heard, str], None] | None = None) -> T:
        """Ask until it answers, for a day; `away` hears once that it takes longer."""
        while True:
            try:
                return ask()
            except Unavailable as outage:
                if self._r.clock.now() - run.at > PATIENCE:
                    raise Refused(f"{outage} I tried for a day.") from outage
                log.info("%s waits: %s", run.name, outage)
                if away:
                    away(run, str(outage))
                away = None
                wait = max(self._r.retry_seconds, outage.retry_after_seconds or 0.0)
            self._r.durable.pause(min(wait, LONGEST_PAUSE_SECONDS))

    def _broke(self, argument: str, reference: str) -> None:
        log.error("a report that nobody asked for broke, reference %s: %s", reference, argument[:200])
        given = json.loads(argument)
        if "place" not in given and given["conclusion"] in FAILED:
            self._in_each_channel(
                from_json(Heard, given), self._r.telling.unread, f"something broke here, reference {reference}"
            )
