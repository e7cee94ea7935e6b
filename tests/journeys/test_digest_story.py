"""A channel that is told what happened: at its time, once, about what concerns it, and quietly when nothing did."""

from datetime import UTC, datetime, timedelta

import pytest

MODEL = "diabetes-progression"
# A Friday in winter, 08:00 in Berlin. On Sunday the clocks of Europe are set to summer time.
FRIDAY = datetime(2026, 3, 27, 7, 0, tzinfo=UTC)
HALF_PAST = "2026-03-27T07:30:00"
SOON = 20


class HandSetClock:
    def __init__(self):
        self.time = FRIDAY

    def now(self):
        return self.time

    def set(self, text):
        self.time = datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def clock():
    return HandSetClock()


@pytest.fixture
def people(ship):
    space = ship.workspace
    return space, space.person("ana"), space.person("ben"), space.person("vera")


def subscribed(space, person, rhythm="weekdays 09:00 Europe/Berlin", channel="#ml"):
    space.type(f"/digest subscribe {rhythm}", as_=person, channel=channel)
    return space.wait_for_ephemeral(containing="From now on", as_=person, channel=channel)


def digests(space, person, channel="#ml"):
    return [seen for seen in space.messages(channel, as_=person) if seen.text.startswith("Digest")]


def wait_for_digests(space, person, count, channel="#ml"):
    space.wait_until(lambda: len(digests(space, person, channel)) == count, seconds=SOON)
    return digests(space, person, channel)


def test_a_channel_is_subscribed_and_told_at_its_time(people, clock):
    space, _, ben, _ = people
    answer = subscribed(space, ben)
    assert "weekdays at 09:00 (Europe/Berlin)" in answer.plain
    assert "2026-03-27 08:00 UTC" in answer.plain
    clock.set("2026-03-27T08:00:01")
    (told,) = wait_for_digests(space, ben, 1)
    assert "Nothing happened" in told.plain
    assert "4 models, none with a champion yet" in told.plain
    assert "Next 2026-03-30 07:00 UTC" in told.plain  # Monday, by summer time


def test_what_happened_stands_in_the_digest_with_its_details_in_the_thread(people, clock):
    space, ana, ben, _ = people
    subscribed(space, ben)
    clock.set(HALF_PAST)
    for version in (1, 2):
        space.type(f"/retrain {MODEL}", as_=ben, channel="#ml")
        card = space.wait_for_message("#ml", containing=f"Retrain {MODEL}?", seconds=SOON, as_=ben)
        space.press(card, "Approve", as_=ana)
        space.wait_for_message("#ml", containing=f"version {version} is the new champion", seconds=60, as_=ben)
    space.type("/retrain tumour", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    clock.set("2026-03-27T08:00:00")
    (told,) = wait_for_digests(space, ben, 1)
    assert "2 retrains ended: 2 new champions" in told.plain
    assert "1 request waits for somebody's yes" in told.plain
    assert "the oldest champion is diabetes-progression" in told.plain
    (details,) = space.wait_until(lambda: space.thread(told, as_=ben))
    assert f"{MODEL}: version 2 is the new champion, approved by Ana Lima" in details.plain
    assert "Retrain tumour, asked by Ben Okafor" in details.plain
    assert "RMSE" in details.plain
    (chart,) = [block for block in details.raw["blocks"] if block["type"] == "data_visualization"]
    assert chart["chart"]["type"] == "line"
    assert chart["chart"]["axis_config"]["categories"] == ["v1", "v2"]


def test_the_next_digest_tells_only_what_is_new(ship, people, clock):
    space, ana, ben, _ = people
    subscribed(space, ben)
    clock.set(HALF_PAST)
    space.type("/retrain tumour", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    space.press(card, "Reject", as_=ana, confirm=True)
    space.wait_for_message("#ml", containing="was rejected by Ana", seconds=SOON, as_=ben)
    clock.set("2026-03-27T08:00:00")
    (first,) = wait_for_digests(space, ben, 1)
    assert "1 retrain ended: 1 was rejected" in first.plain
    clock.set("2026-03-30T07:00:00")
    second = wait_for_digests(space, ben, 2)[1]
    assert "Nothing happened" in second.plain
    assert "Since 2026-03-27 07:59 UTC" in second.plain
    assert "missed" not in second.plain


def test_a_slot_is_told_once_however_often_the_clock_is_looked_at(ship, people, clock):
    space, _, ben, _ = people
    subscribed(space, ben)
    clock.set("2026-03-27T08:00:00")
    for _ in range(3):
        ship.bot.digests.tick()
    wait_for_digests(space, ben, 1)
    ship.restart()
    ship.bot.digests.tick()
    clock.set("2026-03-27T08:59:00")
    ship.bot.digests.tick()
    space.wait_until(lambda: ship.bot.durable.pending() == 0)
    assert len(digests(space, ben)) == 1


@pytest.mark.parametrize(
    ("before", "slot"),
    [("2026-03-28T22:00:00", "2026-03-29T01:30:00"), ("2026-10-24T22:00:00", "2026-10-25T00:30:00")],
    ids=["a time that the clocks skip", "a time that the clocks show twice"],
)
def test_a_day_on_which_the_clocks_are_set_brings_one_digest(ship, people, clock, before, slot):
    space, _, ben, _ = people
    clock.set(before)
    subscribed(space, ben, "daily 02:30 Europe/Berlin")
    at = datetime.fromisoformat(slot).replace(tzinfo=UTC)
    for minutes in (-61, -1, 0, 1, 30, 60, 61, 120):
        clock.time = at + timedelta(minutes=minutes)
        ship.bot.digests.tick()
        space.wait_until(lambda: ship.bot.durable.pending() == 0)
        assert len(digests(space, ben)) == (1 if minutes >= 0 else 0)


def test_a_digest_can_be_had_now_and_takes_nothing_from_the_next(people, clock):
    space, ana, ben, vera = people
    subscribed(space, ben)
    clock.set(HALF_PAST)
    space.type("/retrain tumour", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    space.press(card, "Withdraw", as_=ben, confirm=True)
    space.wait_for_message("#ml", containing="was withdrawn", seconds=SOON, as_=ben)
    for person in (vera, ana):
        space.type("/digest now", as_=person, channel="#ml")
        space.wait_for_ephemeral(containing="appears here in a moment", as_=person, channel="#ml")
    (told,) = wait_for_digests(space, ben, 1)
    assert "1 was withdrawn" in told.plain
    clock.set("2026-03-27T08:00:00")
    assert "1 was withdrawn" in wait_for_digests(space, ben, 2)[1].plain


def test_a_channel_without_a_subscription_can_have_one_now_and_so_can_a_direct_message(people):
    space, _, ben, _ = people
    for channel in ("#ops", "@bot"):
        space.type("/digest now", as_=ben, channel=channel)
        (told,) = wait_for_digests(space, ben, 1, channel)
        assert "Since 2026-03-26 07:00 UTC" in told.plain
        assert "Next" not in told.plain


def test_after_unsubscribing_nothing_comes(ship, people, clock):
    space, _, ben, _ = people
    subscribed(space, ben)
    space.type("/digest unsubscribe", as_=ben, channel="#ml")
    space.wait_for_ephemeral(containing="gets no digest any more", as_=ben, channel="#ml")
    clock.set("2026-03-27T08:00:10")
    ship.bot.digests.tick()
    space.wait_until(lambda: ship.bot.durable.pending() == 0)
    assert digests(space, ben) == []
    space.type("/digest unsubscribe", as_=ben, channel="#ml")
    space.wait_for_ephemeral(containing="/digest subscribe weekdays 09:00", as_=ben, channel="#ml")


def test_a_channel_that_wants_no_word_on_quiet_days_gets_none(ship, people, clock):
    space, _, ben, _ = people
    subscribed(space, ben, "weekdays 09:00 Europe/Berlin quiet=silent")
    clock.set("2026-03-27T08:00:10")
    ship.bot.digests.tick()
    space.wait_until(lambda: ship.bot.durable.pending() == 0)
    assert digests(space, ben) == []
    space.type("/retrain tumour", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    clock.set("2026-03-30T07:00:00")
    (told,) = wait_for_digests(space, ben, 1)
    assert "Since 2026-03-27 08:00 UTC" in told.plain  # the quiet day counts as told
    assert "missed" not in told.plain


def test_a_digest_that_was_due_while_the_bot_was_down_is_posted_once_on_the_start(ship, people, clock):
    space, _, ben, _ = people
    subscribed(space, ben)
    ship.stop()
    clock.set("2026-03-27T08:40:00")
    ship.start()
    (told,) = wait_for_digests(space, ben, 1)
    assert "missed" not in told.plain


def test_digests_that_are_too_late_are_told_of_in_the_next_and_never_come_together(ship, people, clock):
    space, ana, ben, _ = people
    subscribed(space, ben)
    clock.set(HALF_PAST)
    space.type("/retrain tumour", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    space.press(card, "Reject", as_=ana, confirm=True)
    space.wait_for_message("#ml", containing="was rejected", seconds=SOON, as_=ben)
    ship.stop()
    clock.set("2026-03-30T12:00:00")  # Friday's and Monday's are past
    ship.start()
    ship.bot.digests.tick()
    space.wait_until(lambda: ship.bot.durable.pending() == 0)
    assert digests(space, ben) == []
    clock.set("2026-03-31T07:00:00")
    (told,) = wait_for_digests(space, ben, 1)
    assert "2 digests, the last of 2026-03-30 07:00 UTC, were missed" in told.plain
    assert "1 was rejected" in told.plain


def test_slack_that_is_away_at_the_time_only_makes_it_later(ship, people, clock):
    space, _, ben, _ = people
    subscribed(space, ben)
    space.switch(fail={"method": "chat.postMessage", "status": 500, "times": 2})
    clock.set("2026-03-27T08:00:00")
    wait_for_digests(space, ben, 1)


def test_a_viewer_cannot_subscribe_but_may_look(people):
    space, _, _, vera = people
    space.type("/digest subscribe weekdays 9:00", as_=vera, channel="#ml")
    space.wait_for_ephemeral(containing="takes the role engineer", as_=vera, channel="#ml")
    space.type("/digest", as_=vera, channel="#ml")
    space.wait_for_ephemeral(containing="This channel gets no digest", as_=vera, channel="#ml")


def test_a_zone_that_nobody_names_is_that_of_the_persons_profile(people):
    space, _, ben, _ = people
    assert "(Europe/Berlin)" in subscribed(space, ben, "mondays 8:30").plain
    space.type("/digest", as_=ben, channel="#ml")
    shown = space.wait_for_ephemeral(containing="This channel gets a digest", as_=ben, channel="#ml")
    assert "Mondays at 08:30" in shown.plain
    assert "subscribed by Ben Okafor" in shown.plain


UNCLEAR = {
    "subscribe": "On which days?",
    "subscribe weekdays 9:00 Berlin": 'Did you mean "Europe/Berlin"?',
    "subscribe weekdays 9:00 quiet=yes": "quiet= is say",
    "subscribe weekdays 9:00 loud=yes": "I do not know loud=",
    "subscrbe weekdays 9:00": "Did you mean /digest subscribe?",
    "weekdays 09:00": "Did you mean /digest subscribe …",
    "now please": "takes nothing more",
    "yesterday": "I do not know yesterday",
}


def test_what_is_unclear_is_answered_with_what_to_write(people):
    space, _, ben, _ = people
    for typed, answer in UNCLEAR.items():
        space.type(f"/digest {typed}", as_=ben, channel="#ml")
        space.wait_for_ephemeral(containing=answer, as_=ben, channel="#ml")


def test_a_channel_that_the_bot_is_not_in_is_refused_with_what_to_do(people):
    space, _, ben, _ = people
    for typed in ("subscribe weekdays 9:00", "now"):
        space.type(f"/digest {typed}", as_=ben, channel="#general")
    space.wait_until(
        lambda: len([told for told in space.ephemerals(as_=ben, channel="#general") if "/invite" in told.plain]) == 2
    )


def test_a_digest_of_the_catalogue_comes_and_is_changed_there_only(ship, people, clock):
    space, ana, ben, _ = people
    text = ship.catalogue.read_text()
    ship.catalogue.write_text(text + "\ntime_zone: Asia/Kathmandu\ndigests:\n  ops: {when: fri 13:45}\n")
    ship.restart()
    space.type("/digest", as_=ben, channel="#ops")
    shown = space.wait_for_ephemeral(containing="This channel gets a digest", as_=ben, channel="#ops")
    assert "Fridays at 13:45 (Asia/Kathmandu)" in shown.plain
    assert "from the catalogue" in shown.plain
    for typed in ("unsubscribe", "subscribe daily 9:00"):
        space.type(f"/digest {typed}", as_=ana, channel="#ops")
    space.wait_until(
        lambda: len([told for told in space.ephemerals(as_=ana, channel="#ops") if "catalogue" in told.plain]) == 2
    )
    ship.bot.digests.tick()
    clock.set("2026-03-27T08:00:00")
    wait_for_digests(space, ben, 1, "#ops")


def test_a_question_that_the_documents_do_not_answer_is_told_in_its_channel_only(people, clock):
    space, _, ben, vera = people
    subscribed(space, ben)
    subscribed(space, ben, channel="#ops")
    clock.set(HALF_PAST)
    space.type("/ask what is on the menu of the canteen on Friday?", as_=vera, channel="#ml")
    space.wait_for_message("#ml", containing="I don't know", as_=vera, seconds=30)
    clock.set("2026-03-27T08:00:00")
    (told,) = wait_for_digests(space, ben, 1)
    assert "1 question found no answer in the documents" in told.plain
    (details,) = space.wait_until(lambda: space.thread(told, as_=ben))
    assert "what is on the menu of the canteen on Friday?" in details.plain
    (elsewhere,) = wait_for_digests(space, ben, 1, "#ops")
    assert "question" not in elsewhere.plain


def test_a_language_model_words_the_first_sentence_and_the_next_digest_tells_what_that_cost(ship, people, clock, model):
    space, ana, ben, _ = people
    model.script = lambda _prompt: '{"sentence": "One request was turned down; 1 retrain ended."}'
    ship.restart(**model.settings)
    subscribed(space, ben)
    clock.set(HALF_PAST)
    space.type("/retrain tumour", as_=ben, channel="#ml")
    card = space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    space.press(card, "Reject", as_=ana, confirm=True)
    space.wait_for_message("#ml", containing="was rejected", seconds=SOON, as_=ben)
    clock.set("2026-03-27T08:00:00")
    (told,) = wait_for_digests(space, ben, 1)
    assert "One request was turned down; 1 retrain ended." in told.plain
    assert "First sentence by openai gpt-4o-mini" in told.plain
    (prompt,) = model.prompts
    assert "Retrains: 1 retrain ended: 1 was rejected" in prompt
    clock.set("2026-03-30T07:00:00")
    second = wait_for_digests(space, ben, 2)[1]
    assert "Language models: 1 call, less than a cent" in second.plain


def test_a_language_model_that_makes_numbers_up_is_not_quoted(ship, people, clock, model):
    space, _, ben, _ = people
    model.script = lambda _prompt: '{"sentence": "All 17 retrains went well <!channel>."}'
    ship.restart(**model.settings)
    space.type("/retrain tumour", as_=ben, channel="#ml")
    space.wait_for_message("#ml", containing="Retrain tumour?", seconds=SOON, as_=ben)
    space.type("/digest now", as_=ben, channel="#ml")
    (told,) = wait_for_digests(space, ben, 1)
    assert "17" not in told.plain
    assert "1 request waits for somebody's yes" in told.plain
    assert "First sentence by" not in told.plain
