"""From question to answer: what is refused, worded, extracted, streamed, and who may read what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.ask.answer import Answerer, RewrittenQuestion, WrittenAnswer, combine, merged
from pipelines.ask.evidence import Evidence, Floor
from pipelines.ask.extract import extract, units
from pipelines.ask.questions import Question
from pipelines.ask.terms import numbers, terms
from pipelines.ask.values import Chunk, Document, Passage
from pipelines.errors import Unavailable
from pipelines.ports import Completion

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
POOL = "The pool of the scoring service holds 25 connections. Raise pool_size to 40 in values.yaml."


def passage(text=POOL, name="pool", channels=(), closeness=0.7, number=0):
    document = Document(name, f"The {name}", f"{name}.md", "folder", name, NOW, "U0BEN", channels)
    return Passage(document, Chunk(number, (f"The {name}",), text), 1.0, closeness)


def question(text="How large is the connection pool of the scoring service?", **more):
    return Question("q1", text, "U0VERA", "Vera", "C0ML", NOW, read_as=text, **more)


class Shelf:
    """Keeps of Documents what an answerer asks: search by channel, and all."""

    def __init__(self, *passages):
        self.passages = passages

    def all(self):
        return [one.document for one in self.passages]

    def search(self, _question, channel, limit=5):
        seen = [one for one in self.passages if not one.document.channels or channel in one.document.channels]
        return seen[:limit]


class Model:
    """A language model with one answer; None is one that is not there."""

    def __init__(self, value=None, pieces=(), breaks=False):
        self.value = value
        self.pieces = pieces
        self.breaks = breaks
        self.prompts = []

    @property
    def available(self):
        return self.value is not None or bool(self.pieces)

    def complete(self, prompt, schema, offline):
        self.prompts.append(prompt)
        if self.value is None:
            return Completion(offline(), "offline", "Written without a language model: it is down.")
        return Completion(schema.model_validate(self.value), "openai gpt-4o-mini")

    def stream(self, prompt):
        self.prompts.append(prompt)
        yield from self.pieces
        if self.breaks:
            raise Unavailable("the language model", "the connection was lost")


class Members:
    def __init__(self, **channels):
        self.channels = channels

    def includes(self, channel, person_id):
        return person_id in self.channels.get(channel, ())


def answerer(model=None, *passages, **channels):
    return Answerer(Shelf(*(passages or (passage(),))), model or Model(), Members(**channels), lambda: 0.15)


def written(*sentences, answerable=True):
    return {"answerable": answerable, "sentences": [{"text": text, "passages": list(by)} for text, by in sentences]}


def answered(model, *passages, asked=None):
    made = answerer(model, *passages)
    asked = asked or question()
    return made.answer(asked, made.passages(asked))


def test_a_model_words_the_answer_and_its_citations_are_checked():
    done = answered(Model(written(("The pool holds 25 connections.", [1]), ("It costs 99 dollars.", [1]))))
    assert done.state == "answered"
    assert [one.text for one in done.answer.sentences] == ["The pool holds 25 connections."]
    assert (done.answer.written_by, done.answer.left_out) == ("openai gpt-4o-mini", 1)


def test_without_a_model_the_documents_own_sentences_answer_and_say_why():
    done = answered(Model())
    assert done.answer.sentences[0].text == "The pool of the scoring service holds 25 connections."
    assert done.answer.written_by == ""
    assert "it is down" in done.answer.notice


def test_a_model_that_only_invents_leaves_the_documents_own_sentences():
    done = answered(Model(written(("Buy more hardware for 5 dollars.", [1]))))
    assert "25 connections" in done.answer.text
    assert "nothing that the documents support" in done.answer.notice


def test_a_model_that_says_it_cannot_is_believed():
    done = answered(Model(written(answerable=False)))
    assert (done.state, [source.title for source in done.answer.sources]) == ("unknown", ["The pool"])


def test_weak_evidence_is_refused_before_a_model_is_asked():
    model = Model(written(("The pool holds 25 connections.", [1])))
    done = answered(model, passage(closeness=0.1))
    assert (done.state, model.prompts) == ("unknown", [])


def test_no_documents_at_all_is_no_answer():
    made = Answerer(Shelf(), Model(), Members(), lambda: 0.15)
    done = made.answer(question(), made.passages(question()))
    assert (done.state, done.answer.sources) == ("unknown", ())


@pytest.mark.parametrize(
    ("evidence", "strong"),
    [
        (Evidence(0.1, 0.6), True),
        (Evidence(0.7, 0.4), True),
        (Evidence(0.3, 0.4), False),
        (Evidence(1.0, 0.2), False),
        (Evidence(0.8, 0.0), True),
        (Evidence(0.5, 0.0), False),
    ],
)
def test_closeness_decides_and_words_help_in_between(evidence, strong):
    assert evidence.strong is strong


def test_an_embedding_that_puts_everything_close_together_has_a_higher_floor():
    assert Evidence(0.1, 0.86, floor=0.75).strong
    assert not Evidence(0.3, 0.8, floor=0.75).strong


def test_the_floor_is_what_unanswerable_questions_reach_and_is_measured_once_an_hour():
    now = [0.0]
    shelf = Shelf(passage(closeness=0.3))
    floor = Floor(shelf, lambda: now[0])
    assert floor() == 0.3
    shelf.passages = (passage(closeness=0.5),)
    assert floor() == 0.3
    now[0] = 3_601.0
    assert floor() == 0.5
    assert Floor(Shelf())() == 0.15


def streamed(model, *passages):
    made = answerer(model, *passages)
    shown = []
    done = made.stream(question(), made.passages(question()), shown.append)
    return done, [one.text for one in shown]


def test_a_stream_shows_each_sentence_once_it_is_whole_and_holds():
    pieces = ["The pool ho", "lds 25 conn", "ections. [", "1] It costs 99 dollars. [1] Raise pool_s", "ize to 40. [1]"]
    done, shown = streamed(Model(pieces=pieces))
    assert shown == ["The pool holds 25 connections.", "Raise pool_size to 40."]
    assert [one.text for one in done.answer.sentences] == shown
    assert done.answer.left_out == 1


def test_a_stream_that_breaks_ends_with_what_was_shown():
    done, shown = streamed(Model(pieces=["The pool holds 25 connections. [1] Raise po"], breaks=True))
    assert shown == ["The pool holds 25 connections."]
    assert "the connection was lost" in done.answer.notice


def test_a_stream_that_breaks_before_a_sentence_leaves_the_documents_own():
    done, shown = streamed(Model(pieces=["The po"], breaks=True))
    assert shown == []
    assert "25 connections" in done.answer.text
    assert "without a language model" in done.answer.notice


def test_a_stream_may_say_that_there_is_no_answer():
    done, shown = streamed(Model(pieces=["NO AN", "SWER."]))
    assert (done.state, shown) == ("unknown", [])


def test_a_stream_without_end_is_cut():
    pieces = ["The pool holds 25 connections. [1] "] * 1_000
    done, shown = streamed(Model(pieces=pieces))
    assert len(shown) == len(done.answer.sentences) <= 5


def test_a_follow_up_takes_the_words_of_what_was_asked_before():
    before = replace(question(), id="q0", asked_at=NOW - timedelta(minutes=1))
    read = answerer().read_as(question("and how many on staging?"), [before])
    assert set(terms("connection pool scoring service")) <= set(terms(read))
    assert "staging" in read


def test_a_question_that_stands_alone_takes_nothing_from_its_thread():
    alone = "How do I rotate the signing key of the gateway?"
    assert combine(alone, "How large is the connection pool?") == alone


def test_a_model_rewrites_the_follow_up():
    before = replace(question(), id="q0", asked_at=NOW - timedelta(minutes=1))
    model = Model(RewrittenQuestion(question="How large is the pool on staging?").model_dump())
    assert answerer(model).read_as(question("and there?"), [before]) == "How large is the pool on staging?"


def test_in_a_channel_its_own_documents_and_those_for_everybody_are_read():
    own, others, all_ = passage(name="own", channels=("C0ML",)), passage(name="b", channels=("C0OPS",)), passage()
    made = answerer(None, own, others, all_, C0OPS={"U0VERA"})
    assert {one.document.id for one in made.passages(question())} == {"own", "pool"}


def test_in_direct_messages_those_of_the_persons_channels_are_read_too_and_no_others():
    own, others, all_ = passage(name="a", channels=("C0OPS",)), passage(name="b", channels=("C0SECRET",)), passage()
    made = answerer(None, own, others, all_, C0OPS={"U0VERA"}, C0SECRET={"U0ANA"})
    direct = replace(question(), channel="D0VERA", direct=True)
    assert {one.document.id for one in made.passages(direct)} == {"a", "pool"}


def test_a_file_of_somebody_elses_direct_messages_is_never_read():
    made = answerer(None, passage(name="a", channels=("D0ANA",)), D0ANA={"U0VERA"})
    assert made.passages(replace(question(), channel="D0VERA", direct=True)) == []


def test_several_searches_are_merged_by_the_best_rank():
    first, second, third = passage(name="a", closeness=0.9), passage(name="b", closeness=0.8), passage(name="c")
    assert [one.document.id for one in merged([[first, second], [third, first]])] == ["a", "c", "b"]


def test_the_sentences_that_say_most_of_what_was_asked_are_taken_with_what_follows():
    text = (
        "# Pool\n\nIt is old. The pool is exhausted when requests wait. Raise pool_size to 40.\n\nCats purr at night."
    )
    drafts = extract("what if the pool is exhausted?", [passage(text)])
    assert [one.text for one in drafts] == ["The pool is exhausted when requests wait.", "Raise pool_size to 40."]
    assert extract("xyzzy plugh", [passage(text)]) == []


def test_code_goes_with_the_sentence_before_it():
    assert units("Restart it:\n\n```sh\nkubectl rollout restart deploy/x\n```\n\nThen wait for the pods.") == [
        "Restart it: `kubectl rollout restart deploy/x`",
        "Then wait for the pods.",
    ]


def test_words_are_stemmed_alike_and_identifiers_stay():
    assert terms("restarts restarted restarting restart") == ["restart"] * 4
    assert {"kubepodcrashloop", "crash", "pod"} <= set(terms("KubePodCrashLooping"))
    assert numbers("1,000 and 2.5 and v3") == {"1000", "2.5", "3"}


def test_the_written_answer_is_bounded():
    with pytest.raises(ValueError, match="at most 10"):
        WrittenAnswer.model_validate(written(*[("A sentence.", [1])] * 11))
