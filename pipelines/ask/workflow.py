"""The durable ways of /ask: `ask` answers a question, `ingest` takes a document in. Both end, whatever is killed.

What they know is in the store, so each step is handed nothing but an id. A step that was interrupted runs again: the
same question is answered once more over the same message, the same document replaces itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipelines.ask.answer import Answerer
from pipelines.ask.ingests import Ingest
from pipelines.ask.questions import Question
from pipelines.ask.taking import Taking, incoming
from pipelines.durable.workflow import DurableWork
from pipelines.errors import Refused, Unavailable
from pipelines.ports import Conversation, Fetching, Ingests, Place, Questions, Replies, Storage

Guard = Callable[[Callable[[str], None], Callable[[str, str], None]], Callable[[str], None]]

LOOKING = "is looking in the documents…"


@dataclass(frozen=True, slots=True)
class AskRooms:
    """What the workflow works with."""

    durable: DurableWork
    conversation: Conversation
    replies: Replies
    questions: Questions
    ingests: Ingests
    storage: Storage
    fetching: Fetching
    answerer: Answerer
    taking: Taking
    count: Callable[[str, str], None]  # what and how it ended, for the metrics: ("question", "answered")
    guard: Guard  # wraps a body so that what nobody foresaw is logged and told, see bot/listeners.py


class AskWorkflow:
    def __init__(self, rooms: AskRooms) -> None:
        self._r = rooms
        rooms.durable.register("ask", rooms.guard(self._ask, self._ask_broke))
        rooms.durable.register("ingest", rooms.guard(self._ingest, self._ingest_broke))

    def ask(self, question: Question) -> None:
        """Store the question and begin to answer it; returns at once, and again is fine."""
        self._r.questions.remember(question)
        self._r.durable.start("ask", question.id, question.id)

    def ingest(self, ingest: Ingest) -> None:
        """The same for a document that was ordered in."""
        self._r.ingests.save(ingest)
        self._r.durable.start("ingest", ingest.id, ingest.id)

    # A question

    def _ask(self, question_id: str) -> None:
        step = self._r.durable.step
        shown = False
        try:
            shown = step("show that it works", self._show_working, question_id)
            step("answer", self._answer, question_id)
        except (Refused, Unavailable) as problem:
            step("give up", self._fail, question_id, str(problem))
        step("show the answer", self._show_answer, question_id, shown)

    def _show_working(self, question_id: str) -> bool:
        """Whether a card stands that the answer replaces; otherwise a status line tells that somebody works."""
        question = self._question(question_id)
        if question.streamed:
            if self._r.replies.working(_thread(question), LOOKING):
                return False
            self._r.conversation.reply_once(f"question:{question.id}", _thread(question), question)
            return True
        if not self._r.conversation.reaches(question.channel):
            return False
        place = self._r.conversation.post_once(f"question:{question.id}", question.channel, question)
        # The thread under the card is where people go on asking.
        self._r.questions.remember(replace(question, thread=place.ts))
        return True

    def _answer(self, question_id: str) -> None:
        question = self._question(question_id)
        if question.state != "working":
            return
        question = replace(question, read_as=self._r.answerer.read_as(question, self._earlier(question)))
        passages = self._r.answerer.passages(question)
        if question.streamed:
            stream = self._r.replies.stream(question.id, _thread(question), question.person_id)
            done = self._r.answerer.stream(question, passages, stream.write)
        else:
            done = self._r.answerer.answer(question, passages)
        self._r.questions.remember(done)
        self._r.count("question", done.state)

    def _earlier(self, question: Question) -> list[Question]:
        if not question.thread:
            return []
        return [one for one in self._r.questions.in_thread(question.channel, question.thread) if one.id != question.id]

    def _show_answer(self, question_id: str, shown: bool) -> None:
        question = self._question(question_id)
        conversation = self._r.conversation
        key = f"question:{question_id}"
        if shown and not question.streamed:
            place = conversation.post_once(key, question.channel, question)
            conversation.update(place, lambda: question)
        elif not question.thread:
            conversation.tell(question.person_id, question.channel, question)
        else:
            self._finish_reply(question, key, shown)

    def _finish_reply(self, question: Question, key: str, shown: bool) -> None:
        stream = self._r.replies.stream(question.id, _thread(question), question.person_id)
        if stream.finish(question) is None or shown:
            place = self._r.conversation.reply_once(key, _thread(question), question)
            if shown:
                self._r.conversation.update(place, lambda: question)

    def _fail(self, question_id: str, reason: str) -> None:
        self._r.questions.remember(replace(self._question(question_id), state="failed", reason=reason))
        self._r.count("question", "failed")

    def _ask_broke(self, question_id: str, found_by: str) -> None:
        self._fail(question_id, f"Something broke, reference {found_by}.")
        question = self._question(question_id)
        self._show_answer(question_id, question.streamed or self._r.conversation.reaches(question.channel))

    def _question(self, question_id: str) -> Question:
        question = self._r.questions.get(question_id)
        if question is None:
            raise Refused("This question is not in the store any more. Ask it again.")
        return question

    # A document

    def _ingest(self, ingest_id: str) -> None:
        step = self._r.durable.step
        try:
            step("show", self._show, ingest_id)
            step("fetch", self._fetch, ingest_id)
            step("index", self._index, ingest_id)
        except (Refused, Unavailable) as problem:
            step("give up", self._give_up, ingest_id, str(problem))
        step("tell", self._show, ingest_id)
        step("tidy", self._r.storage.remove, incoming(ingest_id))

    def _fetch(self, ingest_id: str) -> None:
        ingest = self._advance(ingest_id, stage="reading")
        self._show(ingest_id)
        if ingest.kind == "upload":
            return  # its bytes were stored before the work began
        found = self._r.fetching.fetch(ingest.kind, ingest.origin)
        self._r.storage.write(incoming(ingest_id), found.content)
        self._advance(ingest_id, file_name=found.name, url=found.url or ingest.url)

    def _index(self, ingest_id: str) -> None:
        content = self._r.storage.read(incoming(ingest_id))
        if content is None:
            raise Refused("What was uploaded is not in the storage any more. Upload it again.")
        ingest = self._ingest_of(ingest_id)

        def progress(changed: Ingest) -> None:
            self._r.ingests.save(changed)
            self._show(ingest_id)

        done = self._r.taking.take(ingest, content, progress)
        self._r.ingests.save(done)
        self._r.count("document", done.stage)

    def _give_up(self, ingest_id: str, reason: str) -> None:
        self._advance(ingest_id, stage="failed", reason=reason)
        self._r.count("document", "failed")

    def _ingest_broke(self, ingest_id: str, found_by: str) -> None:
        self._give_up(ingest_id, f"Something broke, reference {found_by}.")
        self._show(ingest_id)

    def _show(self, ingest_id: str) -> None:
        """Draw the card as the ingest is now; where the bot cannot post, the person is told the end of it."""
        ingest = self._ingest_of(ingest_id)
        if not ingest.told_in:
            return
        if not self._r.conversation.reaches(ingest.told_in):
            if ingest.finished:
                self._r.conversation.tell(ingest.added_by, ingest.told_in, ingest)
            return
        place = self._r.conversation.post_once(f"ingest:{ingest_id}", ingest.told_in, ingest)
        self._r.conversation.update(place, lambda: self._ingest_of(ingest_id))

    def _advance(self, ingest_id: str, **changes: object) -> Ingest:
        changed = replace(self._ingest_of(ingest_id), **changes)  # type: ignore[arg-type]
        self._r.ingests.save(changed)
        return changed

    def _ingest_of(self, ingest_id: str) -> Ingest:
        ingest = self._r.ingests.get(ingest_id)
        if ingest is None:
            raise Refused("This document's order is not in the store any more. Add it again.")
        return ingest


def _thread(question: Question) -> Place:
    return Place(question.channel, question.thread)
