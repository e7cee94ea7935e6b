"""What looks, people and retrains do to an episode, as arithmetic over values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.drift import episodes
from pipelines.drift.episodes import Episode, observed, slot_of, snoozed
from pipelines.drift.plans import AWAITING, NewRows, Proposal, RetrainPlan, RunState
from pipelines.drift.report import ModelDrift, report
from pipelines.drift.values import ColumnWeight, Kind, Onset, Remedy, Urgency, Verdict, WatchSpec
from pipelines.json_values import from_json, to_json

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WATCH = WatchSpec("churn", "#ml", gone_after=2)
PLAN = RetrainPlan(
    "d" * 16, "churn.csv", "9 rows", "churned", "none yet", ("F1 ≥ 0.8",), "beside the bot", "a cent", START
)


def look(
    hours: float, urgency: Urgency | None, kind: Kind = "data drift", remedy: Remedy = "nothing", version: str = "1",
    judged: bool = True,
) -> ModelDrift:  # fmt: skip
    told = kind if urgency else "no drift"
    verdict = Verdict(told, urgency, (f"Because of {urgency}.",), (), (), remedy=remedy, judged=judged)
    return ModelDrift("churn", version, timedelta(hours=24), report(verdict), verdict, START + hours * HOUR)


def after(*looks: ModelDrift, episode: Episode | None = None) -> Episode | None:
    for drift in looks:
        key = f"{drift.until}"
        episode = observed(episode, drift, WATCH, key, WATCH.by_schedule)
    return episode


def opened(*looks: ModelDrift) -> Episode:
    episode = after(*(looks or (look(0, "P2"),)))
    assert episode is not None
    return episode


def said(episode: Episode) -> list[str]:
    return [line.what for line in episode.history if not line.silent]


def test_nothing_found_opens_nothing() -> None:
    assert after(look(0, None), look(1, None, judged=False)) is None


def test_the_same_look_twice_and_out_of_order_counts_once() -> None:
    first = opened(look(0, "P2"), look(1, "P1"))
    assert after(look(0, "P2"), look(1, "P1"), look(0, "P2"), episode=first) == first
    assert first.seen == 2


def test_looks_within_one_slot_count_as_one_window() -> None:
    assert opened(look(0, "P2"), look(0.2, "P2"), look(0.9, "P2"), look(1.1, "P2")).seen == 2


def test_the_id_is_the_same_in_every_process() -> None:
    assert opened().id == opened().id
    assert opened(look(1, "P2")).id != opened().id


def test_it_ends_after_windows_in_a_row_and_says_since_when() -> None:
    episode = opened(look(0, "P2"), look(1, None), look(2, "P2"), look(3, None))
    assert (episode.open, episode.quiet) == (True, 1)
    ended = after(look(4, None), episode=episode)
    assert ended is not None
    assert (ended.open, ended.seen, ended.quiet_since) == (False, 2, START + 3 * HOUR)
    assert said(ended)[-1] == "gone"


def test_a_window_without_rows_is_no_quiet_one_and_is_said_once() -> None:
    episode = opened(look(0, "P2"), *(look(number, None, judged=False) for number in range(1, 6)))
    assert (episode.open, episode.quiet, said(episode)) == (True, 0, ["opened", "blind"])
    again = after(look(6, "P2"), episode=episode)
    assert again is not None
    assert again.blind == ""


def test_rising_is_told_and_falling_is_not() -> None:
    episode = opened(look(0, "P2"), look(1, "P1"), look(2, "P2"), look(3, "P1"), look(4, "P0"))
    assert said(episode) == ["opened", "raised", "raised"]
    assert episode.worst == "P0"


def test_only_a_p0_asks_for_a_plan_and_only_once() -> None:
    assert opened(look(0, "P1")).proposal is None
    episode = opened(look(0, "P1"), look(1, "P0"), look(2, "P0"))
    assert (episode.proposals, episode.proposal is not None and episode.proposal.drawing) == (1, True)
    assert episodes.run_id_of(episode) == episodes.run_id_of(opened(look(0, "P1"), look(1, "P0")))


@pytest.mark.parametrize("remedy", ["fix the source", "fix the reference"])
def test_broken_rows_ask_for_no_plan(remedy: Remedy) -> None:
    assert opened(look(0, "P0", "schema break", remedy)).proposal is None


def test_a_snooze_silences_all_but_what_is_more_urgent() -> None:
    now = START + HOUR
    quiet = snoozed(opened(), "Ben", now + 4 * HOUR, now)
    assert after(look(2, "P2", "model decay"), episode=quiet) is not None
    changed = after(look(2, "P2", "model decay"), episode=quiet)
    assert changed is not None
    assert said(changed) == ["opened", "snoozed"]
    raised = after(look(3, "P1"), episode=changed)
    assert raised is not None
    assert (said(raised)[-1], raised.snooze) == ("raised", None)
    over = after(look(6, "P2", "model decay"), episode=changed)
    assert over is not None
    assert (said(over)[-1], over.snooze) == ("woken", None)
    gone = after(look(2, None), look(3, None), episode=quiet)
    assert gone is not None
    assert (gone.open, said(gone)) == (False, ["opened", "snoozed"])


def test_a_snooze_ends_when_it_is_worse_than_what_was_snoozed_though_it_was_as_bad_before() -> None:
    fallen = opened(look(0, "P0"), look(1, "P2"))
    quiet = snoozed(fallen, "Ben", START + 168 * HOUR, START + HOUR)
    again = after(look(2, "P2"), look(3, "P0"), episode=quiet)
    assert again is not None
    assert (said(again)[-1], again.snooze, again.worst) == ("raised", None, "P0")
    assert "P2 became P0" in again.history[-1].text
    half = after(look(2, "P1"), episode=quiet)
    assert half is not None
    assert (said(half)[-1], half.snooze, half.worst) == ("raised", None, "P0")


def test_a_snoozed_p0_that_becomes_one_of_another_kind_is_told() -> None:
    quiet = snoozed(opened(look(0, "P0")), "Ben", START + 168 * HOUR, START)
    same = after(look(1, "P0"), look(2, "P1", "concept drift"), look(3, "P0"), episode=quiet)
    assert same is not None
    assert said(same) == ["opened", "snoozed"], "it rose to no more than what was put off"
    broken = after(look(4, "P0", "schema break", "fix the source"), episode=same)
    assert broken is not None
    assert (said(broken)[-1], broken.snooze) == ("changed", None)
    assert "schema break" in broken.history[-1].text.lower()


def approved(state: RunState) -> Episode:
    episode = opened(look(0, "P0"))
    asked = RunState(AWAITING, finished=False)
    proposal = Proposal(1, run_id="r1", plan=PLAN, state=asked)
    return episodes.settled(episodes.drawn(episode, proposal, START), "r1", state, START)


def test_while_it_is_retrained_it_does_not_end() -> None:
    training = approved(RunState("training", finished=False, by="Ana"))
    episode = after(look(1, None), look(2, None), look(3, None), episode=training)
    assert episode is not None
    assert episode.open
    assert "settled" in said(episode)


def test_the_new_version_is_judged_anew_and_told_once() -> None:
    done = approved(RunState("registered", finished=True, by="Ana", promoted="2"))
    assert (done.retrained, said(done)) == ("2", ["opened", "settled", "retrained"])
    old = after(look(1, "P0"), episode=done)
    assert old is not None
    assert said(old)[-1] == "retrained", "this is still the version before"
    still = after(look(2, "P0", version="2"), look(3, "P0", version="2"), episode=old)
    assert still is not None
    assert said(still).count("still there") == 1
    gone = after(look(1, None, version="2"), look(2, None, version="2"), episode=done)
    assert gone is not None
    assert not gone.open


@pytest.mark.parametrize(
    ("stage", "what"),
    [("rejected", "settled"), ("expired", "settled"), ("withdrawn", "settled"), ("gate failed", "retrained"),
     ("failed", "retrained"), ("cancelled", "retrained"), ("champion kept", "retrained")],
)  # fmt: skip
def test_every_other_end_of_a_run_is_told_with_its_reason(stage: str, what: str) -> None:
    ended = approved(RunState(stage, finished=True, by="Ana", sentence="For a reason."))
    assert ended.history[-1].what == what
    assert "For a reason." in ended.history[-1].text
    assert ended.retrained == ""


def test_a_run_of_an_earlier_plan_changes_nothing() -> None:
    episode = approved(RunState("rejected", finished=True))
    assert episodes.settled(episode, "r0", RunState("training", finished=False), START) == episode
    newer = episodes.with_plan(episode, Proposal(0, note="again"))
    late = Proposal(1, run_id="r1", plan=PLAN)
    assert episodes.drawn(newer, late, START) == newer


def test_a_long_episode_stays_small_and_is_read_back_as_it_was() -> None:
    episode = opened(*(look(number, "P2", "model decay" if number % 2 else "data drift") for number in range(300)))
    assert len(episode.history) <= 60
    assert len(episode.keys) <= 64
    assert episode.seen == 300
    assert from_json(Episode, to_json(episode)) == episode
    assert len(str(to_json(replace(episode)))) < 40_000


@pytest.mark.parametrize(("every", "name"), [(HOUR, "2026-03-04T12:00"), (24 * HOUR, "2026-03-04T00:00")])
def test_slots_have_the_same_names_everywhere(every: timedelta, name: str) -> None:
    assert slot_of(START + timedelta(minutes=59), every) == name


def with_rows(hours: float, labelled: int, urgency: Urgency = "P0", remedy: Remedy = "nothing") -> ModelDrift:
    rows = NewRows(START, labelled, 400, START + 9 * HOUR)
    return replace(look(hours, urgency, remedy=remedy), onset=Onset(START - HOUR), new_rows=rows)


def test_a_retrain_waits_for_rows_of_the_new_kind_and_is_planned_and_told_once_there_are_enough() -> None:
    early = opened(with_rows(0, 120))
    assert early.proposals == 0
    assert early.too_new is not None
    assert early.too_new.labelled == 120
    weighed = replace(early, found=replace(early.found, columns=(ColumnWeight("age", 0.5, 0.2, drifted=True),)))
    assert from_json(Episode, to_json(weighed)) == weighed
    again = opened(with_rows(0, 120), with_rows(1, 399))
    assert (again.proposals, said(again)) == (0, ["opened"])
    enough = after(with_rows(2, 400), episode=again)
    assert enough is not None
    assert enough.proposal == Proposal(
        1, note="Drift: Data drift, P0; since about 2026-03-04 11:00 UTC; 400 labelled rows of the new kind are known."
    )
    assert enough.too_new is None
    assert said(enough) == ["opened", "changed"]
    assert "400 labelled rows of the new kind now" in enough.history[-1].text
    assert after(with_rows(3, 900), episode=enough).proposals == 1, "one plan is asked for once"


def test_where_the_rows_are_not_known_or_there_already_it_is_planned_at_once() -> None:
    assert opened(look(0, "P0")).proposals == 1
    ready = opened(with_rows(0, 400))
    assert (ready.proposals, said(ready)) == (1, ["opened"])


def test_only_a_p0_on_sound_rows_that_nobody_planned_waits_for_rows() -> None:
    assert opened(with_rows(0, 10, "P1")).too_new is None
    assert opened(with_rows(0, 10, remedy="fix the source")).too_new is None
    pressed = episodes.with_plan(opened(with_rows(0, 10)), Proposal(0, asked_by="Ana"))
    assert pressed.too_new is None
    later = after(with_rows(1, 900), episode=pressed)
    assert later is not None
    assert later.proposals == 1, "what a person planned is not planned over their head"
    gone = after(look(1, None), look(2, None), episode=opened(with_rows(0, 10)))
    assert gone is not None
    assert (gone.open, gone.too_new) == (False, None)


def test_a_beginning_that_slides_out_of_sight_stays_what_it_was() -> None:
    first = opened(replace(look(0, "P2"), onset=Onset(START - HOUR)))
    soon = after(replace(look(48, "P2"), onset=Onset(START - 2 * HOUR)), episode=first)
    assert soon is not None
    assert soon.found.onset == Onset(START - 2 * HOUR)
    late = after(replace(look(200, "P2"), onset=Onset(START + 99 * HOUR)), episode=soon)
    assert late is not None
    assert late.found.onset == Onset(START - 2 * HOUR)


def test_a_window_that_is_empty_just_after_a_promotion_is_not_yet_and_no_trouble() -> None:
    episode = episodes.with_plan(opened(look(0, "P0")), Proposal(0))
    running = replace(episode, proposal=Proposal(2, run_id="r", plan=PLAN, state=RunState("promoting", finished=False)))
    assert episodes.not_yet(running, "2", START + HOUR), "its champion moves at this moment"
    assert not episodes.not_yet(running, "1", START + HOUR)
    done = RunState("registered", finished=True, promoted="2")
    promoted = episodes.settled(running, "r", done, START + 2 * HOUR)
    waits = after(look(3, None, version="2", judged=False), episode=promoted)
    assert waits is not None
    assert (waits.awaits, waits.blind, "blind" in said(waits)) == (True, "", False)
    blind = after(look(27, None, version="2", judged=False), episode=waits)
    assert blind is not None
    assert (blind.awaits, "blind" in said(blind)) == (False, True), "a window later it is"
    quiet = after(look(4, None, version="2"), episode=waits)
    assert quiet is not None
    assert (quiet.awaits, quiet.quiet) == (False, 1)
