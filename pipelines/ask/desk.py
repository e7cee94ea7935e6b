"""What people do about knowledge: ask, add documents, list and remove them, say whether an answer helped."""

import difflib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from pipelines.ask.answer import Answerer
from pipelines.ask.ingests import AddForm, FilesOffered, Ingest, Removed, Shelf, Taken
from pipelines.ask.questions import Feedback, FeedbackTaken, Question
from pipelines.ask.taking import LARGEST_BYTES, incoming
from pipelines.ask.terms import terms
from pipelines.ask.values import Document, SourceKind
from pipelines.ask.workflow import AskWorkflow
from pipelines.errors import Refused
from pipelines.people import Permission, Person
from pipelines.ports import Channels, Clock, Conversation, Documents, FeedbackBox, Ingests, Questions, Storage
from pipelines.requests import Mention, SharedFile, pack_files

LONGEST_QUESTION = 2_000
MOST_FILES = 10
USAGE = "/ask QUESTION"
WATCHED: tuple[SourceKind, ...] = ("folder", "git")
EVERYBODY = frozenset({"all", "everybody", "everyone", "*"})


@dataclass(frozen=True, slots=True)
class AskDesk:
    workflow: AskWorkflow
    answerer: Answerer
    documents: Documents
    questions: Questions
    feedback_box: FeedbackBox
    ingests: Ingests
    conversation: Conversation
    channels: Channels
    storage: Storage
    clock: Clock

    # Asking

    def ask(self, person: Person, text: str, channel: str) -> Question | None:
        """Answer by a card in `channel`; where the bot is not in it, the person alone is answered."""
        question = self._question(person, text, channel, direct=channel.startswith("D"))
        self.workflow.ask(question)
        return None if self.conversation.reaches(channel) else question

    def ask_in_thread(self, mention: Mention) -> None:
        """Answer words to us by a reply in their thread."""
        question = self._question(mention.person, mention.text, mention.place.channel, direct=mention.direct)
        # The same message delivered twice is one question.
        question_id = f"{mention.place.channel}-{mention.place.ts}"
        self.workflow.ask(replace(question, id=question_id, thread=mention.thread, streamed=True))

    def answer_now(self, text: str, channel: str, asked_by: str) -> Question:
        """Answer in this call, for callers over HTTP; `channel` says whose documents count, empty means everybody's."""
        person = Person(asked_by, asked_by)
        question = self._question(person, text, self.channels.find(channel) if channel else "", direct=False)
        question = replace(question, read_as=question.text)
        done = self.answerer.answer(question, self.answerer.passages(question))
        self.questions.remember(done)
        return done

    def feedback(self, person: Person, question_id: str, helpful: bool) -> FeedbackTaken:
        question = self.questions.get(question_id)
        if question is None:
            raise Refused("This answer is not in the store any more, so there is nothing to judge. Ask it again.")
        self.feedback_box.put(Feedback(question, person.id, helpful, self.clock.now()))
        return FeedbackTaken(helpful)

    def _question(self, person: Person, text: str, channel: str, direct: bool) -> Question:
        text = " ".join(text.split())
        if len(text) > LONGEST_QUESTION:
            raise Refused(
                f"The question has {len(text):,} characters; at most {LONGEST_QUESTION:,} are read. Ask it in short, "
                "and add what is long as a document: `/ask add URL`, or the shortcut Add to knowledge."
            )
        if not terms(text):
            raise Refused(f"What do you want to know? Usage: `{USAGE}`")
        question_id = secrets.token_hex(8)
        return Question(question_id, text, person.id, person.name, channel, self.clock.now(), direct=direct)

    # Adding

    def add(self, person: Person, origin: str, channels: Sequence[str], channel: str) -> Taken:
        """Take in what lies at an address or path. Without `channels`, the channel where it was asked may see it."""
        scheme = urlsplit(origin).scheme.lower()
        kind: SourceKind = "url" if scheme in ("http", "https") else "folder"
        if scheme and kind == "folder":
            raise Refused(f"I can read `https://…` and paths of the watched folders, not `{scheme}:`.")
        readers = self._readers(person, channels) if channels else self._own(channel)
        return self._take(
            Ingest(
                secrets.token_hex(8), kind, origin, "", person.id, self.clock.now(), readers, channel, shown_as=origin
            )
        )

    def add_files(self, person: Person, files: Sequence[SharedFile], title: str, everybody: bool, channel: str) -> None:
        """Take in files that were shared in Slack, each with a card of its own."""
        for file in files:
            self._take(
                Ingest(
                    secrets.token_hex(8), "slack", file.id, title if len(files) == 1 else "", person.id,
                    self.clock.now(), () if everybody else self._own(channel), channel, shown_as=file.name,
                    file_name=file.name, url=file.link,
                )
            )  # fmt: skip

    def upload(self, name: str, content: bytes, channels: Sequence[str], title: str, added_by: str) -> Ingest:
        """Begin to take in bytes that came over HTTP; `ingest` says how it goes."""
        if not content:
            raise Refused("The file is empty.")
        if len(content) > LARGEST_BYTES:
            raise Refused(f"The file has {len(content):,} bytes; at most {LARGEST_BYTES:,} are read. Split it.")
        readers = tuple(sorted({self.channels.find(channel) for channel in channels}))
        ingest = Ingest(
            secrets.token_hex(8), "upload", name, title, added_by, self.clock.now(), readers, shown_as=name,
            file_name=name,
        )  # fmt: skip
        self.storage.write(incoming(ingest.id), content)
        self.workflow.ingest(ingest)
        return ingest

    def ingest(self, ingest_id: str) -> Ingest | None:
        return self.ingests.get(ingest_id)

    def _take(self, ingest: Ingest) -> Taken:
        self.workflow.ingest(ingest)
        return Taken(ingest, elsewhere=not self.conversation.reaches(ingest.told_in))

    def _own(self, channel: str) -> tuple[str, ...]:
        return (channel,) if channel else ()

    def _readers(self, person: Person, names: Sequence[str]) -> tuple[str, ...]:
        """Ids of channels that the person is in; nobody puts words into answers that others get elsewhere."""
        if any(name.lower() in EVERYBODY for name in names):
            return ()
        found = sorted({self.channels.find(name) for name in names})
        for channel in found:
            if not self.channels.includes(channel, person.id):
                raise Refused(f"You are not in {self.channels.name(channel)}, so you cannot add documents for it.")
        return tuple(found)

    # Looking and removing

    def shelf(self, person: Person, channel: str) -> Shelf:
        """What can be read from `channel`; in direct messages, what the person's own channels may see."""
        everything = self.documents.all()
        seen = tuple(one for one in everything if self._sees(one, person, channel))
        names = {reader: self.channels.name(reader) for one in seen for reader in one.channels}
        hidden = len(everything) - len(seen) if person.may(Permission.ADMINISTER) else 0
        return Shelf(seen, person, tuple(names.items()), hidden)

    def all_documents(self) -> Sequence[Document]:
        return self.documents.all()

    def remove(self, person: Person, document_id: str, channel: str) -> Removed:
        """Whoever added it may, and admins."""
        document = self.documents.get(document_id)
        admin = person.may(Permission.ADMINISTER)
        if document is None or not (admin or document.added_by == person.id or self._sees(document, person, channel)):
            known = [one.id for one in self.shelf(person, channel).documents]
            nearest = difflib.get_close_matches(document_id, known, n=1)
            hint = f"Did you mean `{nearest[0]}`? " if nearest else ""
            raise Refused(f"There is no document `{document_id[:40]}`. {hint}`/ask documents` lists them.")
        if not admin and document.added_by != person.id:
            raise Refused("Only whoever added this document, or an admin, can remove it.")
        if document.kind in WATCHED and document.id.startswith(f"{document.kind}:"):
            raise Refused(
                f"{document.title} comes from {document.added_by}, which is watched, so it would be back soon. "
                "Delete it there."
            )
        self.documents.remove(document.id)
        return Removed(document)

    def discard(self, document_id: str) -> Document | None:
        """Remove on behalf of a caller over HTTP; None where there is no such document."""
        document = self.documents.get(document_id)
        return document if document and self.documents.remove(document_id) else None

    def _sees(self, document: Document, person: Person, channel: str) -> bool:
        if not document.channels or channel in document.channels:
            return True
        own = (one for one in document.channels if not one.startswith("D"))
        return channel.startswith("D") and any(self.channels.includes(one, person.id) for one in own)

    # Files

    def form(self, files: Sequence[SharedFile], channel: str) -> AddForm:
        """The form that asks for a title and for who may see."""
        if not files:
            raise Refused("This message has no file. Choose the shortcut on a message with one, or type `/ask add URL`")
        taken = files[:MOST_FILES]
        named = tuple((file.id, file.name) for file in taken)
        return AddForm(named, pack_files(taken), self.channels.name(channel) if channel else "")

    def offer(self, files: Sequence[SharedFile]) -> FilesOffered:
        taken = files[:MOST_FILES]
        return FilesOffered(tuple(file.name for file in taken), pack_files(taken))


def wanted_channels(named: Mapping[str, str]) -> tuple[str, ...]:
    """The channels behind `channels=`, by spaces or commas."""
    return tuple(name for name in named.get("channels", "").replace(",", " ").split() if name)
