"""Drift is seen, a retrain is proposed with its exact plan, approved, done, and it is told whether it went away."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from drifting import CHANNEL, HEAVY, HOUR, LIGHT, MEDIUM, MODEL, SOON, TRAINED, choice, text


@pytest.fixture
def watched(watched_ship):
    return watched_ship


def alarmed(watched):
    """Three days of moved inputs, and the message that tells of them, with its plan."""
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    return watched.becomes(watched.message("Retrain tumour?"), "The retrain that would be done")


def test_a_p0_shows_its_evidence_and_the_exact_plan_and_after_a_yes_it_is_retrained_and_gone(watched):
    card = alarmed(watched)
    for shown in (
        "Data drift, P0",
        "Since",
        "Affected",
        "Worst where",
        "569 rows",
        "F1",
        "beside the bot",
        "Edit…",
        "Snooze",
    ):
        assert shown in card.plain, shown
    watched.becomes(card, "Will retraining help? Cannot say: only 0 recent rows have a label; 200 are needed.")
    watched.space.press(card, "Approve retrain", as_=watched.ana)
    approved = watched.becomes(card, "Approved by Ana Lima")
    assert approved.button("Approve retrain") is None
    watched.promote(card)
    watched.told(card, "Version 2 is the new champion")
    watched.pass_hours(1)
    assert "first records of version 2 are awaited" in watched.becomes(card, "first records of version 2").plain
    watched.clock.time += HOUR
    watched.serve_back(1, HEAVY)  # by no version: what comes now is the new champion's
    watched.pass_hours(1)
    watched.told(card, "Still there after retraining")
    assert "Could not look" not in watched.thread(card)
    gone = watched.calm(card)
    assert "after retraining (version 2)" in watched.told(gone, "Gone since")
    assert [message.ts for message in watched.messages()] == [card.ts]


def test_only_an_approver_decides_and_others_are_told_whom_to_ask(watched):
    card = alarmed(watched)
    for person in (watched.ben, watched.vera):
        watched.space.press(card, "Approve retrain", as_=person)
        watched.refusal("You can ask", person)
        watched.space.press(card, "Edit", as_=person)
        watched.refusal("This takes the role approver", person)
    assert watched.space.message(card, as_=watched.ben).button("Approve retrain")
    assert not watched.ship.bot.ledger.approvals.settled_since(watched.ship.started_at)


def test_two_approvers_at_once_begin_one_run(watched):
    watched.rewrite(("approver: [ana]", "approver: [ana, vera]"))
    card = alarmed(watched)
    with ThreadPoolExecutor(2) as both:
        people = (watched.ana, watched.vera)
        list(both.map(lambda who: watched.space.press_raw(card, "Approve retrain", as_=who), people))
    watched.told(card, "Retrain approved by")
    watched.space.wait_until(
        lambda: any(
            "approved by" in told.plain
            for who in (watched.ana, watched.vera)
            for told in watched.space.ephemerals(as_=who, channel=CHANNEL)
        ),
        SOON,
    )
    assert watched.thread(card).count("Retrain approved by") == 1
    actions = [row.entry.action for row in watched.ship.bot.ledger.audit.rows()]
    assert actions.count("retrain approved") == 1
    assert len(watched.ship.bot.ledger.retrains.recent(10, MODEL)) == 1


def test_the_plan_is_edited_in_its_message_and_the_old_one_cannot_be_approved_any_more(watched):
    card = alarmed(watched)
    other = watched.ship.folder / "data" / "recent.csv"
    lines = (watched.ship.folder / "data" / f"{MODEL}.csv").read_text().splitlines(keepends=True)
    other.write_text("".join(lines[:401]))
    watched.space.press(card, "Edit", as_=watched.ana)
    form = watched.form(watched.ana)
    fields = {"data": {"text": text("recent.csv")}, "note": {"text": text("Only what is recent")}}
    watched.space.submit(form, fields, as_=watched.ana)
    edited = watched.becomes(card, "400 rows")
    assert "Only what is recent" in edited.plain
    assert "Ana Lima asked for a new plan" in watched.told(card, "A new plan stands in the message above")
    watched.space.press_raw(card, "Approve retrain", as_=watched.ana)
    watched.refusal("not the newest one", watched.ana)
    watched.space.press(edited, "Approve retrain", as_=watched.ana)
    watched.becomes(card, "Approved by Ana Lima")
    plans = {run.plan.rows: run.stage for run in watched.ship.bot.ledger.retrains.recent(10, MODEL)}
    assert done(watched)[-4:] == [
        ("retrain withdrawn", "Ana Lima"), ("drift plan edited", "Ana Lima"), ("retrain requested", "the drift watch"),
        ("retrain approved", "Ana Lima"),
    ]  # fmt: skip
    assert plans[569] == "withdrawn"
    assert plans[400] != "withdrawn"


def test_the_window_of_the_data_is_edited_and_only_rows_since_that_day_are_learned_from(watched):
    table = watched.ship.folder / "data" / f"{MODEL}.csv"
    head, *rows = table.read_text().splitlines()
    days = ["2025-11-03"] * 269 + ["2026-02-10"] * (len(rows) - 269)
    dated = [f"{row},{day}" for row, day in zip(rows, days, strict=True)]
    table.write_text("\n".join([f"{head},measured_at", *dated, ""]))
    watched.rewrite(("target: diagnosis\n", "target: diagnosis\n    time_column: measured_at\n"))
    card = alarmed(watched)
    watched.space.press(card, "Edit", as_=watched.ana)
    form = watched.form(watched.ana)
    since = {"since": {"day": {"type": "datepicker", "selected_date": "2026-02-01"}}}
    watched.space.submit(form, {**since, "data": {"text": text("")}, "note": {"text": text("")}}, as_=watched.ana)
    edited = watched.becomes(card, "since 2026-02-01")
    watched.space.press(edited, "Approve retrain", as_=watched.ana)
    watched.becomes(card, "Approved by Ana Lima")

    def trained():
        run = watched.ship.bot.ledger.retrains.recent(1, MODEL)[0]
        return run.result

    result = watched.space.wait_until(trained, TRAINED)
    assert result.rows_train + result.rows_test == len(rows) - 269
    assert "measured_at" not in result.features


def test_data_that_cannot_be_planned_with_is_refused_to_whoever_edits(watched):
    card = alarmed(watched)
    watched.space.press(card, "Edit", as_=watched.ana)
    form = watched.form(watched.ana)
    fields = {"data": {"text": text("/etc/passwd")}, "note": {"text": text("")}}
    watched.space.submit(form, fields, as_=watched.ana)
    watched.refusal("lies outside the places", watched.ana)
    assert watched.space.message(card, as_=watched.ben).button("Approve retrain")


def test_a_rejection_says_why_and_another_plan_can_be_asked_for(watched):
    card = alarmed(watched)
    watched.space.press(card, "Reject", as_=watched.ana)
    form = watched.form(watched.ana)
    answer = watched.space.submit(form, {"reason": {"text": text("")}}, as_=watched.ana)
    assert "Say why" in str(answer)
    watched.space.submit(form, {"reason": {"text": text("The campaign ends on Friday")}}, as_=watched.ana)
    rejected = watched.becomes(card, "Rejected by Ana Lima")
    assert "The campaign ends on Friday" in watched.told(card, "The retrain was rejected by Ana Lima")
    assert rejected.button("Approve retrain") is None
    watched.space.press(rejected, "Plan a retrain", as_=watched.ben)
    again = watched.becomes(card, "Retrain tumour?")
    assert again.button("Approve retrain")
    assert ("drift plan requested", "Ben Okafor") in done(watched)


def test_a_snoozed_episode_is_silent_until_it_becomes_more_urgent(watched):
    watched.serve_back(72, LIGHT)
    watched.pass_hours(1)
    card = watched.message("Data drift, P2")
    watched.told(card, "last 24 hours")  # the report that opens the thread
    watched.space.press(card, "Snooze", as_=watched.ben)
    watched.space.submit(watched.form(watched.ben), {"span": {"pick": choice("1 day")}}, as_=watched.ben)
    quiet = watched.becomes(card, "Snoozed by Ben Okafor until")
    assert quiet.button("Snooze") is None
    assert done(watched) == [("drift snoozed", "Ben Okafor")]
    watched.space.type(f"/audit {MODEL}", as_=watched.vera, channel=CHANNEL)
    assert "Ben Okafor · drift snoozed · tumour for “1 day”" in watched.refusal("Who did what", watched.vera).plain
    told = watched.told(card, "Snoozed by Ben Okafor")
    watched.pass_hours(1)
    watched.becomes(card, "seen 2 times")
    assert watched.thread(card) == told, "nothing after the snooze itself"
    watched.serve_back(72, MEDIUM)
    watched.pass_hours(1)
    raised = watched.becomes(card, "Data drift, P1")
    watched.told(card, "More urgent: P2 became P1")
    assert "Snoozed by" not in raised.plain
    assert len(watched.messages()) == 1
    # The records are months behind the bot's own time; a digest tells of their last day all the same.
    watched.space.type("/digest now", as_=watched.ben, channel=CHANNEL)
    digest = watched.message("1 model judged, 1 episode opened")
    watched.told(digest, "tumour: data drift, P1")


def test_a_policy_of_the_catalogue_approves_by_itself_and_names_its_author(watched):
    watched.rewrite(("    target: diagnosis\n", "    target: diagnosis\n    drift: {auto: ana}\n"))
    watched.serve_back(72, HEAVY)
    watched.pass_hours(1)
    card = watched.message("Data drift, P0")
    watched.becomes(card, "Approved by the policy of Ana Lima")
    approved = [row.entry for row in watched.ship.bot.ledger.audit.rows() if row.entry.action == "retrain approved"]
    assert [entry.actor for entry in approved] == ["the policy of Ana Lima"]
    watched.told(card, "waits for its promotion", TRAINED)


def done(watched):
    return [(row.entry.action, row.entry.actor) for row in watched.ship.bot.ledger.audit.rows()]
