"""The story of a question: asked in a channel, answered from the documents with citations, asked on in the thread."""

import pytest

ROLLBACK = """# Rolling a model back

## When

Roll back when the error rate of the new version stays above 2 % for five minutes.

## How

Move the alias champion to the previous version with `shipmate-models alias champion 41`. The pods pick the alias up
within 60 seconds, nothing has to be restarted. Tell #ml afterwards.
"""
LATENCY = """# Latency of the feature store

The feature store is slow when its cache is cold. Warm the cache with the job warm-features, which takes 8 minutes.
If p99 stays above 400 ms after that, scale the deployment feature-store to 6 replicas.
"""


@pytest.fixture
def people(ship):
    space = ship.workspace
    return space, space.person("ana"), space.person("ben"), space.person("vera")


def added(space, person, name, text, channel="#ml", readers="everybody"):
    """Share a file and add it by the shortcut; answers the card once the document is in."""
    space.upload(name, text.encode(), as_=person, channel=channel)
    shared = space.messages(channel, as_=person)[-1]
    space.shortcut("ask.add", as_=person, seen=shared)
    form = space.wait_until(lambda: space.modal(as_=person))
    entered = {
        "title": {"text": {"type": "plain_text_input", "value": text.partition("\n")[0].lstrip("# ")}},
        "readers": {"pick": {"type": "radio_buttons", "selected_option": {"value": readers}}},
    }
    assert space.submit(form, entered, as_=person)["ok"]
    title = text.partition("\n")[0].lstrip("# ")
    return space.wait_for_message(channel, containing=f"{title} was added", as_=person, seconds=30)


def test_a_file_shared_in_slack_is_added_and_answers_with_a_citation_that_leads_to_it(people):
    space, _, ben, vera = people
    added(space, ben, "rollback.md", ROLLBACK)
    space.type("/ask how do I roll a model back?", as_=vera, channel="#ml")
    answer = space.wait_for_message("#ml", containing="alias champion 41", as_=vera, seconds=30)
    assert "[1]" in answer.plain
    assert "Rolling a model back" in answer.plain
    assert "without a language model" in answer.plain
    assert "/files/" in str(answer.raw)


def test_a_mention_is_answered_in_its_thread_and_a_follow_up_keeps_the_context(people):
    space, _, ben, vera = people
    added(space, ben, "latency.md", LATENCY)
    added(space, ben, "rollback.md", ROLLBACK)
    space.say("<@U0SHIPMATE> why is the feature store slow?", as_=vera, channel="#ml")
    asked = next(seen for seen in space.messages("#ml", as_=vera) if "feature store slow" in seen.plain)
    space.wait_until(lambda: any("cache is cold" in reply.plain for reply in space.thread(asked, as_=vera)), seconds=30)
    space.say("<@U0SHIPMATE> and how many replicas?", as_=vera, channel="#ml", thread=asked)
    space.wait_until(lambda: any("6 replicas" in reply.plain for reply in space.thread(asked, as_=vera)), seconds=30)


def test_what_the_documents_do_not_say_is_not_answered(people, ship):
    space, _, ben, vera = people
    added(space, ben, "rollback.md", ROLLBACK)
    space.type("/ask what is on the menu of the canteen on Friday?", as_=vera, channel="#ml")
    answer = space.wait_for_message("#ml", containing="I don't know", as_=vera, seconds=30)
    assert "[1]" not in answer.plain
    assert [one.text for one in ship.bot.ledger.questions.unanswered_since(ship.started_at)] == [
        "what is on the menu of the canteen on Friday?"
    ]
