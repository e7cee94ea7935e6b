"""Questions, their answers, and what people thought of them. All values are frozen; rows and cards are made of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["working", "answered", "unknown", "failed"]


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as an answer cites it. `url` is empty where people cannot open it; lines are of the converted text."""

    number: int  # as it stands in brackets, from 1
    document_id: str
    chunk: int
    title: str
    headings: tuple[str, ...] = ()
    url: str = ""
    origin: str = ""
    first_line: int = 1
    last_line: int = 1


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer. Each number was checked: it names a source, and that source says as much."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """`sources` are the cited ones, or those that came nearest where nothing answers.

    `written_by` is empty where no language model did it; `notice` says why, where one should have. `left_out` counts
    sentences that no source supported.
    """

    sentences: tuple[Sentence, ...]
    sources: tuple[Source, ...]
    written_by: str = ""
    notice: str = ""
    left_out: int = 0

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what became of it. `thread` is the ts of the first message of the thread it stands in.

    `read_as` is what was looked up: the question itself, or with what the thread was about. `streamed` says that it
    is answered by a reply in that thread, which may grow while people read it; else by a card of its own.
    """

    id: str
    text: str
    person_id: str
    person_name: str
    channel: str
    asked_at: datetime
    thread: str = ""
    direct: bool = False
    streamed: bool = False
    state: State = "working"
    read_as: str = ""
    answer: Answer | None = None
    reason: str = ""  # why it failed, as a sentence for people


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer; a later word of the same person replaces the earlier one."""

    question: Question
    person_id: str
    helpful: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedbackTaken:
    """The thanks for it."""

    helpful: bool
