"""How answers, documents and forms look; the sandbox judges their blocks by Slack's rules."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.cards import draw, draw_form, draw_text
from bot.sandbox.slack.blockkit import judge_blocks, judge_view
from pipelines.ask.ingests import AddForm, FilesOffered, Ingest, Removed, Shelf, Taken
from pipelines.ask.questions import Answer, FeedbackTaken, Question, Sentence, Source
from pipelines.ask.values import Document
from pipelines.people import Person, Role

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
VERA = Person("U0VERA", "Vera Novak")
HOSTILE = "<!channel> *x* `<@U0ANA>` <https://evil.example|here> & @here :tada:" * 40
LINKED = Source(1, "d1", 0, "Pool <b>", ("Pool <b>", "How"), "https://wiki.example/a|b>c", "pool.md", 3, 9)
FILE = Source(2, "d2", 1, HOSTILE, (HOSTILE,), "javascript:alert(1)", f"runbooks/{HOSTILE}.md", 1, 2)
ANSWER = Answer(
    (Sentence("Raise `pool_size` to 40.", (1,)), Sentence(HOSTILE, (2, 1)), Sentence("See 2 * 3.", (2,))),
    (LINKED, FILE), "openai gpt-4o-mini", "", 2,
)  # fmt: skip
ASKED = Question("q1", HOSTILE[:1_900], "U0VERA", "Vera", "C0ML", NOW, state="answered", answer=ANSWER)
INGEST = Ingest(
    "i1", "slack", "F1", HOSTILE, "U0BEN", NOW, ("C0ML",), "C0ML", "added", "d1", 3, 1_000, 2, HOSTILE, HOSTILE
)
DOCUMENT = Document("d1", HOSTILE, HOSTILE, "url", "s", NOW, "U0BEN", ("C0ML",) * 9, "https://wiki.example/x", 1_000)

CARDS = [
    ASKED,
    replace(ASKED, streamed=True),
    replace(ASKED, state="working", answer=None),
    replace(ASKED, state="failed", answer=None, reason=HOSTILE),
    replace(ASKED, state="unknown", answer=Answer((), (LINKED, FILE))),
    replace(ASKED, state="unknown", answer=Answer((), ())),
    replace(ASKED, answer=replace(ANSWER, written_by="", notice=HOSTILE, left_out=1)),
    *(replace(INGEST, stage=stage) for stage in ("waiting", "reading", "indexing", "replaced", "unchanged", "failed")),
    replace(INGEST, channels=()),
    Taken(INGEST),
    Taken(INGEST, elsewhere=True),
    Shelf((), VERA),
    Shelf((DOCUMENT,) * 40, Person("U0ANA", "Ana", Role.ADMIN), (("C0ML", "#ml"),), 3),
    Removed(DOCUMENT),
    FilesOffered((HOSTILE, "b.md"), "[]"),
    FeedbackTaken(helpful=True),
    FeedbackTaken(helpful=False),
]


@pytest.mark.parametrize("value", CARDS, ids=lambda value: type(value).__name__)
def test_every_card_is_taken_by_slack_and_nothing_foreign_in_it_acts(value):
    card = draw(value)
    for blocks in (card.blocks, card.without_new_blocks().blocks):
        assert judge_blocks(list(blocks), "message") == []
        shown = json.dumps(blocks, ensure_ascii=False)
        assert len(shown) < 40_000
        for steering in ("<!channel", "<@U0ANA", "<https://evil", "|here>", "<javascript", "javascript:alert(1)|"):
            assert steering not in shown
    assert card.text.strip()


def test_citations_lead_to_their_source_and_an_address_cannot_end_its_link():
    shown = json.dumps(draw(ASKED).blocks)
    assert "<https://wiki.example/a%7Cb%3Ec|[1]>" in shown
    assert "[2]" in shown


def test_an_answer_says_who_wrote_it_and_what_was_left_out():
    shown = json.dumps(draw(ASKED).blocks)
    assert "Worded by openai gpt-4o-mini" in shown
    assert "2 sentences were left out" in shown


def test_feedback_becomes_two_plain_buttons_where_slack_knows_no_other():
    old = draw(ASKED).without_new_blocks().blocks[-1]
    assert [(one["action_id"], one["value"]) for one in old["elements"]] == [
        ("ask.feedback", "helpful q1"),
        ("ask.feedback.second", "unhelpful q1"),
    ]


def test_a_streamed_sentence_is_inert_markdown():
    text = draw_text(Sentence("Open [this](https://evil.example) <!channel> *now*", (1, 2)))
    assert "](" not in text
    assert "https://evil.example" not in text
    assert "<!channel" not in text


@pytest.mark.parametrize("files", [(("F1", HOSTILE),), tuple((f"F{number}", "a.md") for number in range(10))])
def test_the_form_is_taken_by_slack(files):
    view = draw_form(AddForm(files, "[]", "#ml"))
    assert judge_view(dict(view)) == []
    assert draw_form(ASKED) is None
