"""All that the pipelines need from the world, on one page. `bot/clients/` keeps these promises."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from pipelines.ask.ingests import Ingest
from pipelines.ask.questions import Feedback, Question
from pipelines.ask.values import Chunk, Document, Passage
from pipelines.people import Person
from pipelines.prompts import Prompt
from pipelines.retrain.values import ModelVersion, Progress, Retrain, TableSummary, TrainingJob, TrainingResult
from pipelines.usage import UsageReport

V = TypeVar("V", bound=BaseModel)


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A message that exists: where it can be edited and answered."""

    channel: str
    ts: str


class Conversation(Protocol):
    """Shows values to people. Values are drawn by bot/cards; nothing here knows how."""

    def post_once(self, key: str, channel: str, value: object) -> Place:
        """Post `value`, once for this key whatever is killed in between; the same place on every later call."""
        ...

    def reply_once(self, key: str, place: Place, value: object) -> Place:
        """The same, in the thread under `place`."""
        ...

    def update(self, place: Place, current: Callable[[], object]) -> None:
        """Redraw the message at `place`; a message that somebody deleted is not an error.

        `current` is asked for the value when it is this message's turn, so that of several updates at once the
        last one to be drawn shows the newest state.
        """
        ...

    def tell(self, person_id: str, channel: str, value: object) -> None:
        """Show `value` to one person only: in `channel`, or as a direct message where the bot is not in it."""
        ...

    def reaches(self, channel: str) -> bool:
        """Whether the bot can post to this channel."""
        ...

    def link(self, place: Place) -> str:
        """A permalink."""
        ...

    def attach_once(self, key: str, place: Place, name: str, content: bytes, title: str) -> None:
        """Put a file into the thread under `place`, once for this key."""
        ...

    def posted(self, key: str, channel: str) -> Place | None:
        """Where the message of this key is, if it went out at all, also just before somebody killed us."""
        ...


class Directory(Protocol):
    def person(self, user_id: str) -> Person:
        """The person behind a Slack user id, with the highest role that the catalogue gives them."""
        ...

    def holders(self, role_title: str) -> Sequence[str]:
        """Mentions or names of those who hold a role or more, for refusals that say who may."""
        ...


class Registry(Protocol):
    """The model registry. Versions carry the tag `shipmate.run_id`, which makes registering idempotent."""

    def champion(self, model: str) -> ModelVersion | None: ...

    def version(self, model: str, number: int) -> ModelVersion | None: ...

    def versions(self, model: str, limit: int = 20) -> Sequence[ModelVersion]:
        """Newest first."""
        ...

    def register(self, retrain: Retrain, result: TrainingResult, workdir: Path, tags: dict[str, str]) -> ModelVersion:
        """Log run, metrics and artefacts and make a version; the same version when the run is registered already."""
        ...

    def assign(self, model: str, alias: Literal["champion", "challenger", "previous"], version: int) -> None:
        """`previous` is the champion before this one, to which one can go back."""
        ...

    def fetch_model(self, version: ModelVersion, destination: Path) -> str:
        """Copy the version's pickle to `destination`; answers its SHA-256."""
        ...


class Storage(Protocol):
    """Where published copies and the folders of runs lie: a directory or a bucket."""

    def write(self, key: str, content: bytes | Path) -> str:
        """Write whole or not at all; answers the URL. Writing the same again is fine."""
        ...

    def read(self, key: str) -> bytes | None:
        """None when there is nothing under this key."""
        ...

    def url(self, key: str) -> str: ...

    def remove(self, key: str) -> None:
        """Fine when there is nothing under this key."""
        ...


class Tables(Protocol):
    def describe(self, uri: str) -> TableSummary:
        """Look at a table in bounded memory. Raises Refused for what cannot be read, saying why."""
        ...


@dataclass(frozen=True, slots=True)
class RunnerState:
    """`lost`: it was started, but neither the process nor a result can be found."""

    phase: Literal["absent", "running", "finished", "failed", "lost"]
    progress: Progress | None = None
    reason: str = ""


class TrainingRunner(Protocol):
    """Runs a training process somewhere. All calls are idempotent by run id and survive our own restart."""

    def start(self, job: TrainingJob) -> None:
        """Start it unless it runs or has finished already."""
        ...

    def state(self, job: TrainingJob) -> RunnerState: ...

    def result(self, job: TrainingJob) -> TrainingResult:
        """Of a finished run. Raises Refused with the trainer's own plain sentence when the data was at fault."""
        ...

    def cancel(self, job: TrainingJob) -> None:
        """End it; fine when it has ended already."""
        ...

    def artefacts(self, job: TrainingJob) -> Path:
        """A local folder that holds the finished run's files."""
        ...


class Retrains(Protocol):
    """The memory of retrains: one row a run, one unfinished run a model."""

    def begin(self, retrain: Retrain) -> Retrain:
        """Store a new run, unless this model has an unfinished one: then that one is the answer."""
        ...

    def get(self, run_id: str) -> Retrain | None: ...

    def save(self, retrain: Retrain) -> Retrain:
        """Store the new state; a finished run is never changed again (its stored state is the answer)."""
        ...

    def recent(self, limit: int = 10, model: str | None = None) -> Sequence[Retrain]:
        """Newest first."""
        ...

    def unfinished(self) -> Sequence[Retrain]: ...

    def place(self, run_id: str) -> Place | None: ...

    def remember_place(self, run_id: str, place: Place) -> None: ...

    def ask_to_cancel(self, run_id: str, person_name: str) -> None: ...

    def cancel_asked_by(self, run_id: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Completion(Generic[V]):
    """What a language model answered, or what stands in for it.

    `source` names who wrote it ("openai gpt-4o-mini"), "offline" where no model did; `notice` then says why, in a
    sentence for people, and is empty where no model is configured at all.
    """

    value: V
    source: str
    notice: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_dollars: float = 0.0


class LanguageModel(Protocol):
    """Explains; never acts. Everything it is given was redacted on the way, everything it says is only text."""

    @property
    def available(self) -> bool:
        """Whether a model is configured and may be asked now (budget, circuit breaker)."""
        ...

    def complete(self, prompt: Prompt, schema: type[V], offline: Callable[[], V]) -> Completion[V]:
        """A validated answer of the shape `schema`; `offline()` where no model can give one. Never raises for that."""
        ...

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The answer as it is written. Raises Unavailable where no model is there or the stream breaks off."""
        ...


class Documents(Protocol):
    """The knowledge index. A document and its chunks change together or not at all."""

    def put(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        """Add a document, or replace the one of the same id; `progress` hears how many chunks of how many are ready."""
        ...

    def remove(self, document_id: str) -> bool:
        """Whether there was one."""
        ...

    def get(self, document_id: str) -> Document | None: ...

    def all(self) -> Sequence[Document]:
        """Newest first."""
        ...

    def search(self, question: str, channel: str | None, limit: int = 5) -> Sequence[Passage]:
        """The passages that answer best, best first, among the documents that `channel` may see.

        None stands for a reader who may see documents for everybody only.
        """
        ...


class Questions(Protocol):
    """The memory of what was asked, for follow-up questions and for the digest."""

    def remember(self, question: Question) -> None:
        """Store it as it is now, in place of what was stored under its id."""
        ...

    def get(self, question_id: str) -> Question | None: ...

    def in_thread(self, channel: str, thread: str) -> Sequence[Question]:
        """What was asked in a thread, oldest first."""
        ...

    def unanswered_since(self, moment: datetime) -> Sequence[Question]:
        """Questions of state "unknown", asked at `moment` or later, oldest first: the gaps in the documents."""
        ...

    def feedback_since(self, moment: datetime) -> Sequence[Feedback]:
        """Oldest first, each with its question, answer and sources."""
        ...


class FeedbackBox(Protocol):
    def put(self, feedback: Feedback) -> None:
        """A person's last word on an answer replaces the earlier one."""
        ...


class Ingests(Protocol):
    """The memory of documents that are being taken in."""

    def save(self, ingest: Ingest) -> None: ...

    def get(self, ingest_id: str) -> Ingest | None: ...


class Channels(Protocol):
    """Slack's channels, and who reads in them."""

    def find(self, name: str) -> str:
        """The id behind "#ml", "ml" or an id. Raises Refused for a channel that the bot does not see."""
        ...

    def name(self, channel: str) -> str:
        """ "#ml" for people; the id where no name is known."""
        ...

    def includes(self, channel: str, person_id: str) -> bool:
        """Whether this person reads in this channel; False where Slack does not say so."""
        ...


class Stream(Protocol):
    """A reply that grows while people read it. Once broken it takes writes and shows nothing; `finish` shows all."""

    def write(self, value: object) -> None: ...

    def finish(self, value: object) -> Place | None:
        """End it with `value` as the whole reply; None where it never began, so that it has to be posted."""
        ...


class Replies(Protocol):
    """Answers that take a while."""

    def working(self, thread: Place, status: str) -> bool:
        """Show under `thread` that an answer is being made; False where that cannot be shown."""
        ...

    def stream(self, key: str, thread: Place, person_id: str) -> Stream:
        """A reply under `thread`, once for this key, addressed to the person who asked."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What lies at an address: its bytes, a name with the ending that tells its kind, and where people open it."""

    name: str
    content: bytes
    url: str = ""


class Fetching(Protocol):
    """Brings in a document by its kind of source ("url", "slack", "folder" …)."""

    def fetch(self, kind: str, origin: str) -> Fetched:
        """Raises Refused for what is not there, too large, or lies where nobody may look; Unavailable for outages."""
        ...


@dataclass(frozen=True, slots=True)
class Converted:
    """A document as Markdown text."""

    title: str
    text: str


class Converter(Protocol):
    def convert(self, name: str, content: bytes) -> Converted:
        """Raises Refused for a kind that is not known, for broken files and for files without text."""
        ...


class ModelUsage(Protocol):
    """The books of the language models."""

    def report(self, days: int = 7) -> UsageReport:
        """What was used today and in the last `days` days, by feature, and what is left of today's budget."""
        ...
