"""Digests in the catalogue: understood, or refused with the line and what to write."""

from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.cards import draw
from bot.catalogue import DEMO_CATALOGUE, CatalogueError, load_catalogue
from bot.clients.channels import SlackChannels
from bot.clients.slack import SlackConversation
from pipelines.errors import Refused, Unavailable

DEMO = DEMO_CATALOGUE.read_text()
DATA = Path("/data")


def loaded(tmp_path, more):
    path = tmp_path / "shipmate.yaml"
    path.write_text(f"{DEMO}\n{more}")
    return load_catalogue(path, DATA)


def test_a_digest_says_when_and_takes_the_zone_of_the_file(tmp_path):
    catalogue = loaded(
        tmp_path, 'time_zone: europe/berlin\ndigests:\n  ml: {when: "mon,thu 8:30"}\n'
        '  "#ops": {when: daily 9:00 Asia/Kathmandu, quiet: silent}\n'
    )  # fmt: skip
    first, second = catalogue.digests
    assert (first.channel, str(first.rhythm), first.quiet) == ("#ml", "mon,thu 08:30 Europe/Berlin", "say")
    assert (second.channel, second.rhythm.zone, second.quiet) == ("#ops", "Asia/Kathmandu", "silent")
    assert catalogue.time_zone == "Europe/Berlin"


def test_without_a_word_about_it_nobody_gets_a_digest_and_the_zone_is_utc(tmp_path):
    catalogue = loaded(tmp_path, "")
    assert (catalogue.digests, catalogue.time_zone) == ((), "UTC")


def test_models_post_in_their_own_channel_and_in_that_of_the_team_that_owns_them(tmp_path):
    text = DEMO.replace("care: {name: Care models, channel: ml,", "care: {name: Care models, channel: ops,")
    path = tmp_path / "shipmate.yaml"
    path.write_text(text)
    posting = load_catalogue(path, DATA).posting
    assert posting["#ml"] == {"diabetes-progression", "tumour", "churn", "loan-default"}
    assert posting["#ops"] == {"diabetes-progression", "tumour"}


@pytest.mark.parametrize(
    ("more", "line", "told"),
    [
        ("digests:\n  ml: {when: sometimes}", 2, 'digests.ml.when is unclear. I do not understand "sometimes".'),
        ("digests:\n  ml:\n    when: weekdays", 3, "digests.ml.when is unclear. At what time?"),
        ("digests:\n  ml:\n    when: weekdays 9:00 Berlin", 3, 'Did you mean "Europe/Berlin"?'),
        ("digests:\n  ml: {quiet: say}", 2, "digests.ml.when is missing. Write e.g. when: weekdays 09:00"),
        ("digests:\n  ml: {when: daily 9:00, quiet: no}", 2, "digests.ml.quiet must be"),
        ("digests:\n  ml: {when: 9}", 2, "digests.ml.when must be text"),
        ("digests:\n  mll: {when: daily 9:00}", 2, 'names "mll", which is not under channels. Did you mean "ml"?'),
        ("digests:\n  ml: {when: daily 9:00, wen: x}", 2, 'Did you mean "when"?'),
        ('digests:\n  ml: {when: daily 9:00}\n  "#ml": {when: daily 9:00}', 3, "digests.#ml is there twice"),
        ("digests: [ml]", 1, 'digests must hold "key: value" lines'),
        ("time_zone: Berlin", 1, 'time_zone is "Berlin", which is no time zone. Write e.g. time_zone: Europe/Berlin'),
        ("time_zone: ../../etc/passwd", 1, "which is no time zone"),
        ("time_zone: 2", 1, "time_zone must be text"),
    ],
)
def test_each_mistake_is_told_with_its_line_and_what_to_write(tmp_path, more, line, told):
    with pytest.raises(CatalogueError) as caught:
        loaded(tmp_path, more)
    first = len(f"{DEMO}\n".splitlines()) + 1
    found = [mistake for mistake in caught.value.mistakes if told in mistake.text]
    assert found, str(caught.value)
    assert found[0].line - first + 1 == line


# Channels by name

CHANNELS = [{"id": "C0ML", "name": "ml"}, {"id": "C0CI", "name": "ci"}, {"id": "C0OPS", "name": "ops"}]


@pytest.fixture
def channels(slack_wire):
    def list_them(asked):
        if asked.get("cursor") == "next":
            return {"channels": CHANNELS[1:], "response_metadata": {"next_cursor": ""}}
        return {"channels": [CHANNELS[0], {"id": "D1"}], "response_metadata": {"next_cursor": "next"}}

    slack_wire.answers["conversations.list"] = list_them
    moments = [0.0]
    client = WebClient(token="xoxb-1", base_url=slack_wire.api_url)
    conversation = SlackConversation(client, None, draw, lambda value: value, lambda *_: None)
    return SlackChannels(conversation, lambda: moments[0]), moments


def test_a_name_or_an_id_leads_to_the_id_over_all_pages_and_is_remembered(slack_wire, channels):
    made, _ = channels
    asked = ("#ml", "ml", "#CI", "C0OPS", "D0BEN")
    assert [made.find(name) for name in asked] == ["C0ML", "C0ML", "C0CI", "C0OPS", "D0BEN"]
    assert slack_wire.calls.count("conversations.list") == 2


def test_a_channel_that_nobody_can_see_is_refused_until_the_bot_is_invited(slack_wire, channels):
    made, moments = channels
    with pytest.raises(Refused, match="no channel #secret"):
        made.find("#secret")
    slack_wire.answers["conversations.list"] = {"channels": [*CHANNELS, {"id": "G1", "name": "secret"}]}
    moments[0] = 20.0
    assert made.find("#secret") == "G1"


def test_what_was_known_holds_for_an_hour_while_slack_is_away(slack_wire, channels):
    made, moments = channels
    made.find("#ml")
    slack_wire.answers["conversations.list"] = {"error": "internal_error"}
    moments[0] = 1_000.0
    assert made.find("#ml") == "C0ML"
    moments[0] = 10_000.0
    with pytest.raises(Unavailable):
        made.find("#ml")
