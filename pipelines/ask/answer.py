"""From a question to an answer: find passages, weigh them, let a language model word them, check what it claims."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, Field

from pipelines.ask import prompting
from pipelines.ask.citations import Draft, check, checked, drafts_of, sentences, source_of, with_sources
from pipelines.ask.evidence import weigh
from pipelines.ask.extract import extract
from pipelines.ask.questions import Answer, Question, Sentence
from pipelines.ask.terms import terms
from pipelines.ask.values import Passage
from pipelines.errors import Unavailable
from pipelines.ports import Channels, Documents, LanguageModel

PASSAGES = 5
NEAREST = 3
MOST_SENTENCES = 5
# A question with fewer content words than this leans on what was asked before it.
STANDS_ALONE = 4
EARLIER_TERMS = 6
NO_ANSWER = "NO ANSWER"


class WrittenSentence(BaseModel):
    """One sentence, and the numbers of the passages that it rests on."""

    text: str = Field(max_length=1_000)
    passages: list[int] = Field(max_length=10)


class WrittenAnswer(BaseModel):
    """What a language model is asked for."""

    answerable: bool
    sentences: list[WrittenSentence] = Field(max_length=10)


class RewrittenQuestion(BaseModel):
    question: str = Field(max_length=2_000)


@dataclass(frozen=True, slots=True)
class Answerer:
    documents: Documents
    model: LanguageModel
    channels: Channels
    floor: Callable[[], float]

    def read_as(self, question: Question, earlier: Sequence[Question]) -> str:
        """The question so that it can be looked up without its thread."""
        before = [one for one in earlier if one.id != question.id and one.asked_at <= question.asked_at]
        if not before:
            return question.text
        combined = combine(question.text, before[-1].read_as or before[-1].text)
        if not self.model.available:
            return combined
        prompt = prompting.follow_up(question.text, before[-3:])
        written = self.model.complete(prompt, RewrittenQuestion, lambda: RewrittenQuestion(question=combined))
        return " ".join(written.value.question.split()) or combined

    def passages(self, question: Question) -> list[Passage]:
        """The best passages among what may be read where the question was asked."""
        found = [self.documents.search(question.read_as, channel, PASSAGES) for channel in self._readable(question)]
        return merged(found)[:PASSAGES]

    def answer(self, question: Question, passages: Sequence[Passage]) -> Question:
        """The question with its answer, or with the state "unknown" and what came nearest."""
        if not weigh(question.read_as, passages, self.floor()).strong:
            return unknown(question, passages)
        drawn = extract(question.read_as, passages)
        written = self.model.complete(
            prompting.answer(question.read_as, passages), WrittenAnswer, lambda: _as_written(drawn)
        )
        if written.source == "offline":
            return extracted(question, passages, drawn, written.notice)
        if not written.value.answerable:
            return unknown(question, passages, written.source)
        drafts = [Draft(one.text, tuple(one.passages)) for one in written.value.sentences[:MOST_SENTENCES]]
        held = checked(drafts, passages)
        if not held:
            return extracted(question, passages, drawn, UNSUPPORTED)
        return answered(question, with_sources(held, passages, written.source, "", len(drafts) - len(held)))

    def stream(self, question: Question, passages: Sequence[Passage], show: Callable[[Sentence], None]) -> Question:
        """The same, while people watch: each sentence is shown once it is whole and its citations hold."""
        if not self.model.available or not weigh(question.read_as, passages, self.floor()).strong:
            return self.answer(question, passages)
        written = Written(passages, show)
        reason = ""
        try:
            written.take(self.model.stream(prompting.answer_streamed(question.read_as, passages)))
        except Unavailable as outage:
            reason = outage.reason
        if written.held:
            source = "a language model"
            notice = f"It broke off in the middle: {reason}." if reason else ""
            return answered(question, with_sources(written.held, passages, source, notice, written.left_out))
        if written.said_nothing and not reason:
            return unknown(question, passages, "a language model")
        drawn = extract(question.read_as, passages)
        notice = f"Written without a language model: {reason}." if reason else UNSUPPORTED
        return extracted(question, passages, drawn, notice)

    def _readable(self, question: Question) -> list[str | None]:
        """In a channel: what that channel may see. In direct messages: what the person's own channels may see."""
        if not question.direct:
            return [question.channel or None]
        restricted = {channel for document in self.documents.all() for channel in document.channels}
        own = [one for one in sorted(restricted) if one == question.channel or self._reads(one, question.person_id)]
        return [None, *own]

    def _reads(self, channel: str, person_id: str) -> bool:
        return not channel.startswith("D") and self.channels.includes(channel, person_id)


UNSUPPORTED = "A language model was asked, and wrote nothing that the documents support."


@dataclass
class Written:
    """Text as it arrives, cut into sentences; what holds is shown at once."""

    passages: Sequence[Passage]
    show: Callable[[Sentence], None]
    held: list[Sentence] = field(default_factory=list)
    left_out: int = 0
    said_nothing: bool = False

    def take(self, pieces: Iterator[str]) -> None:
        text = ""
        for piece in pieces:
            text += piece
            *whole, text = sentences(text) or [text] if _ends(text) else [text]
            for sentence in whole:
                self._sentence(sentence)
            if len(self.held) + self.left_out >= MOST_SENTENCES:
                return
        self._rest(text)

    def _rest(self, text: str) -> None:
        if text.strip().strip(".").upper() == NO_ANSWER:
            self.said_nothing = True
            return
        for sentence in sentences(text):
            if len(self.held) + self.left_out < MOST_SENTENCES:
                self._sentence(sentence)

    def _sentence(self, text: str) -> None:
        for draft in drafts_of(text):
            held = check(draft, self.passages)
            if held is None:
                self.left_out += 1
            else:
                self.held.append(held)
                self.show(held)


def _ends(text: str) -> bool:
    """Whether a sentence has ended and the next one has begun, so that its citations have come too."""
    return len(sentences(text)) > 1


def combine(text: str, before: str) -> str:
    """A follow-up question with what the one before was about, where it is too short to stand alone."""
    own = terms(text)
    if len(set(own)) >= STANDS_ALONE:
        return text
    words = [word for word in before.split() if (found := terms(word)) and not set(found) & set(own)]
    return f"{text} ({' '.join(words[:EARLIER_TERMS])})" if words else text


def merged(found: Sequence[Sequence[Passage]]) -> list[Passage]:
    """Several searches as one: by the best rank that a passage reached, then by its closeness."""
    best: dict[tuple[str, int], tuple[int, float, Passage]] = {}
    for passages in found:
        for rank, passage in enumerate(passages):
            key = (passage.document.id, passage.chunk.number)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, -passage.closeness, passage)
    return [entry[2] for entry in sorted(best.values(), key=lambda entry: entry[:2])]


def answered(question: Question, answer: Answer) -> Question:
    return replace(question, state="answered", answer=answer)


def extracted(question: Question, passages: Sequence[Passage], drawn: Sequence[Draft], notice: str) -> Question:
    """Sentences of the documents themselves; they hold by their nature, and pass the same check."""
    held = checked(drawn, passages)
    if not held:
        return unknown(question, passages)
    return answered(question, with_sources(held, passages, "", notice))


def unknown(question: Question, passages: Sequence[Passage], judged_by: str = "") -> Question:
    """No answer, and the documents that came nearest, each once."""
    nearest = {passage.document.id: passage for passage in reversed(passages)}
    shown = sorted(nearest.values(), key=lambda passage: passages.index(passage))[:NEAREST]
    sources = tuple(source_of(number, passage) for number, passage in enumerate(shown, 1))
    return replace(question, state="unknown", answer=Answer((), sources, judged_by))


def _as_written(drawn: Sequence[Draft]) -> WrittenAnswer:
    return WrittenAnswer(
        answerable=bool(drawn),
        sentences=[WrittenSentence(text=one.text[:1_000], passages=list(one.citations)) for one in drawn],
    )
