"""Slack's payloads as plain values; shapes as its own documentation and SDK tests show them."""

import pytest

from bot.listening.payloads import entered, form_of, mention_of, packed, shortcut_of, spoken
from pipelines.people import Person
from pipelines.ports import Place

VERA = Person("U0VERA", "Vera")
FILE = {"id": "F1", "name": "a.md", "size": 3, "url_private": "https://files.slack.com/a", "permalink": "https://x/p"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@U0SHIPMATE> how large is it?", "how large is it?"),
        ("ask <@U0BEN> or <@U0BEN|ben>", "ask @U0BEN or @ben"),
        ("in <#C0ML|ml> and <#C0ML>", "in #ml and #C0ML"),
        ("see <https://a.example/x|the page> and <https://b.example>", "see https://a.example/x and https://b.example"),
        ("<!channel> &lt;b&gt; &amp; <!subteam^S1|@leads>", "channel <b> & @leads"),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_text_is_read_without_slacks_marks(text, read):
    assert spoken(text, ["U0SHIPMATE"]) == read


def test_a_mention_knows_its_thread_and_files():
    event = {"channel": "C0ML", "ts": "2.0", "thread_ts": "1.0", "text": "<@U0SHIPMATE> and there?", "files": [FILE]}
    mention = mention_of({"event": event, "authorizations": [{"user_id": "U0SHIPMATE"}]}, VERA)
    assert (mention.text, mention.place, mention.thread) == ("and there?", Place("C0ML", "2.0"), "1.0")
    assert [(file.id, file.url) for file in mention.files] == [("F1", "https://files.slack.com/a")]


def test_files_that_lie_elsewhere_or_are_gone_are_not_read():
    gone = {"id": "F2", "mode": "tombstone"}
    far = FILE | {"id": "F3", "is_external": True}
    event = {"channel": "C0ML", "ts": "2.0", "text": "", "files": [gone, far, FILE]}
    assert [file.id for file in mention_of({"event": event}, VERA).files] == ["F1"]


def test_a_form_gives_its_fields_and_what_was_packed_into_it():
    values = {
        "title": {"text": {"type": "plain_text_input", "value": "Pool"}},
        "empty": {"text": {"type": "plain_text_input", "value": None}},
        "readers": {"pick": {"type": "radio_buttons", "selected_option": {"value": "channel"}}},
        "tags": {"pick": {"type": "checkboxes", "selected_options": [{"value": "a"}, {"value": "b"}]}},
        "who": {"pick": {"type": "multi_users_select", "selected_users": ["U1", "U2"]}},
        "none": {},
    }
    view = {"id": "V1", "callback_id": "ask.add", "private_metadata": packed("C0ML", "x"), "state": {"values": values}}
    form = form_of({"view": view}, VERA)
    assert dict(form.fields) == {
        "title": "Pool", "empty": "", "readers": "channel", "tags": "a\nb", "who": "U1\nU2", "none": "",
    }  # fmt: skip
    assert (form.name, form.channel, form.private, form.id) == ("ask.add", "C0ML", "x", "V1")


def test_a_pressed_button_and_a_chosen_option_both_have_a_value():
    assert entered({"type": "button", "value": "go"}) == "go"
    assert entered({"type": "static_select", "selected_option": {"value": "go"}}) == "go"
    assert entered({"type": "datepicker", "selected_date": "2026-11-25"}) == "2026-11-25"
    assert entered({"type": "button"}) == ""


def test_a_shortcut_stands_on_a_message_or_nowhere():
    body = {"channel": {"id": "C0ML"}, "message": {"ts": "1.0", "text": "hi", "user": "U0BEN", "files": [FILE]}}
    on_message = shortcut_of("ask.add", body, VERA)
    assert (on_message.place, on_message.sent_by, len(on_message.files)) == (Place("C0ML", "1.0"), "U0BEN", 1)
    assert shortcut_of("global", {}, VERA).place is None
