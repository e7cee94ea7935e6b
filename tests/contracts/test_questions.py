"""What the memory of questions, feedback and documents on their way promises, on SQLite and on Postgres alike."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clients.ledger import Ledger
from pipelines.ask.ingests import Ingest
from pipelines.ask.questions import Answer, Feedback, Question, Sentence, Source

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
ANSWER = Answer((Sentence("Raise pool_size.", (1,)),), (Source(1, "d1", 0, "Pool ☃", ("Pool", "How")),), "openai x")


class StandingClock:
    def now(self):
        return NOW


@pytest.fixture
def ledger(database_url):
    opened = Ledger(database_url, StandingClock())
    yield opened
    opened.close()


def question(number=1, minutes=0, **changes):
    asked_at = NOW + timedelta(minutes=minutes)
    made = Question(f"q{number}", "How large is the pool? \x00 ☃", "U0BEN", "Ben", "C0ML", asked_at, "1.0")
    return replace(made, **changes)


class TestQuestions:
    def test_a_question_is_read_as_it_was_stored_last(self, ledger):
        ledger.questions.remember(question())
        answered = question(state="answered", answer=ANSWER, read_as="How large is the pool?")
        ledger.questions.remember(answered)
        assert ledger.questions.get("q1") == answered
        assert ledger.questions.get("q2") is None

    def test_a_thread_holds_its_own_questions_oldest_first(self, ledger):
        for made in (question(2, 2), question(1, 1), question(3, thread="2.0"), question(4, channel="C0OPS")):
            ledger.questions.remember(made)
        assert [one.id for one in ledger.questions.in_thread("C0ML", "1.0")] == ["q1", "q2"]

    def test_unanswered_ones_since_a_moment_are_the_gaps(self, ledger):
        for made in (
            question(1, -1, state="unknown"),
            question(3, 2, state="unknown"),
            question(2, 0, state="unknown"),
            question(4, 1, state="answered", answer=ANSWER),
            question(5, 1, state="failed", reason="down"),
        ):
            ledger.questions.remember(made)
        assert [one.id for one in ledger.questions.unanswered_since(NOW)] == ["q2", "q3"]

    def test_many_at_once_are_all_kept(self, ledger):
        with ThreadPoolExecutor(8) as crowd:
            list(crowd.map(lambda number: ledger.questions.remember(question(number)), range(40)))
        assert len(ledger.questions.in_thread("C0ML", "1.0")) == 40


class TestFeedback:
    def test_the_last_word_of_a_person_counts_and_carries_question_and_answer(self, ledger):
        asked = question(state="answered", answer=ANSWER)
        ledger.questions.put(Feedback(asked, "U0BEN", helpful=True, at=NOW))
        ledger.questions.put(Feedback(asked, "U0ANA", helpful=True, at=NOW + timedelta(minutes=1)))
        changed = Feedback(asked, "U0BEN", helpful=False, at=NOW + timedelta(minutes=2))
        ledger.questions.put(changed)
        found = ledger.questions.feedback_since(NOW)
        assert [(one.person_id, one.helpful) for one in found] == [("U0ANA", True), ("U0BEN", False)]
        assert found[1] == changed
        assert ledger.questions.feedback_since(NOW + timedelta(minutes=3)) == []


class TestIngests:
    def test_an_ingest_is_read_as_it_was_stored_last(self, ledger):
        ingest = Ingest("i1", "slack", "F1", "", "U0BEN", NOW, ("C0ML",), "C0ML", shown_as="a.md")
        ledger.ingests.save(ingest)
        done = replace(ingest, stage="added", document_id="d1", chunks=3, words=100)
        ledger.ingests.save(done)
        assert ledger.ingests.get("i1") == done
        assert ledger.ingests.get("i2") is None
