"""All that the pipelines need from the world, on one page. `bot/clients/` keeps these promises."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from pipelines.ask.values import Chunk, Document, Passage
from pipelines.people import Person
from pipelines.prompts import Prompt
from pipelines.retrain.values import ModelVersion, Progress, Retrain, TableSummary, TrainingJob, TrainingResult
from pipelines.triage.values import (
    CiAnnotation,
    CiCommit,
    CiJob,
    CiLog,
    CiPullRequest,
    CiRun,
    CommentPlace,
    Comparison,
    RunReference,
    Written,
)

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

    def versions(self, model: str, limit: int = 20) -> Sequence[ModelVersion]:
        """Newest first."""
        ...

    def register(self, retrain: Retrain, result: TrainingResult, workdir: Path, tags: dict[str, str]) -> ModelVersion:
        """Log run, metrics and artefacts and make a version; the same version when the run is registered already."""
        ...

    def assign(self, model: str, alias: Literal["champion", "challenger"], version: int) -> None: ...

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

    def put(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Add a document, or replace the one of the same id."""
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


class CiRuns(Protocol):
    """The CI provider's runs. Raises Refused for what is not there or not for us, Unavailable while it is down."""

    def run(self, reference: RunReference) -> CiRun:
        """One attempt of a run with its jobs and their steps."""
        ...

    def log(self, run: CiRun, job: CiJob, folder: Path) -> CiLog:
        """Bring the log of a job into a file in `folder`, bounded; one that has expired is told, not raised."""
        ...

    def annotations(self, run: CiRun, job: CiJob) -> Sequence[CiAnnotation]: ...

    def last_green(self, run: CiRun, branch: str) -> CiRun | None:
        """The last run of the same workflow on `branch` that went well before this one, with its jobs."""
        ...

    def rerun_failed(self, run: CiRun) -> int:
        """Have the failed jobs done again; answers the attempt. Once it was asked for, asking again does nothing."""
        ...


class CiSources(Protocol):
    """The code behind the runs."""

    def commit(self, repository: str, sha: str) -> CiCommit:
        """With what it changed, bounded."""
        ...

    def compare(self, repository: str, base: str, head: str) -> Comparison: ...

    def file(self, repository: str, path: str, ref: str) -> bytes | None:
        """The content at a commit or branch; None where there is no such file or it is larger than we read."""
        ...

    def pull_request(self, run: CiRun) -> CiPullRequest | None:
        """The open pull request that the run belongs to."""
        ...

    def default_branch(self, repository: str) -> str: ...


class CiVoice(Protocol):
    """Writes where developers read. Everything is found again by its key: saying it twice changes it once."""

    def comment(self, place: CommentPlace, key: str, text: str) -> Written:
        """The one comment under this key at this place, with this text from now on."""
        ...

    def open_issue(self, repository: str, key: str, title: str, text: str, labels: Sequence[str] = ()) -> Written:
        """The one issue under this key, open, with this text; one that was closed is opened again."""
        ...

    def close_issue(self, repository: str, key: str, text: str) -> Written | None:
        """Close the issue under this key with a comment; None where none is open."""
        ...
