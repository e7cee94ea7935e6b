"""Where people have logs looked at that lie in Slack: judges what they chose, and starts the work."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import Refused
from pipelines.people import Person
from pipelines.ports import Channels, Clock, Conversation, Place
from pipelines.requests import Mention, SharedFile, Shortcut, pack_files
from pipelines.triage.examining import RedactLines
from pipelines.triage.log_files import fenced, names_document_too, names_log
from pipelines.triage.log_orders import LogFile, LogOrder, LogsBegun, LogsOffered
from pipelines.triage.log_workflow import LogWorkflow

MOST_FILES = 10
NAME = 80


@dataclass(frozen=True, slots=True)
class LogDesk:
    workflow: LogWorkflow
    conversation: Conversation
    clock: Clock
    redact: RedactLines
    channels: Channels
    # Names of the channels in which log files are offered to be looked at, though nobody asked.
    offered_in: frozenset[str] = frozenset()

    def analyse(self, shortcut: Shortcut) -> LogsBegun:
        """Have the files of a message looked at, or its text where it has none; the report is a reply to it."""
        if shortcut.place is None or not (shortcut.files or shortcut.text.strip()):
            raise Refused(
                "This message has no text and no file that I can read. Choose the shortcut on a message with a "
                "pasted log or with log files, or type `/triage RUN-URL` for a run on GitHub."
            )
        text = "" if shortcut.files else fenced(shortcut.text)
        return self._begin(shortcut.person, shortcut.place, shortcut.thread, text, shortcut.files)

    def analyse_mentioned(self, mention: Mention) -> None:
        """The same for log files that somebody showed us; the thread shows how it goes."""
        logs = [file for file in mention.files if names_log(file.name)]
        self._begin(mention.person, mention.place, mention.thread, "", logs)

    def analyse_offered(self, person: Person, value: str) -> LogsBegun:
        """The same for files that we offered to look at."""
        channel, message, thread, files = json.loads(value)
        found = [SharedFile(file_id, name, 0, "", "") for file_id, name in files]
        return self._begin(person, Place(channel, message), thread, "", found)

    def offer(self, mention: Mention) -> LogsOffered:
        """Texts that somebody showed us without a word: they may be logs, and they may be documents."""
        files = mention.files[:MOST_FILES]
        return LogsOffered(tuple(file.name for file in files), _packed(mention, files), pack_files(files))

    def offer_shared(self, message: Mention) -> LogsOffered | None:
        """Log files that were shared with a channel; None where we keep quiet: elsewhere, and about other files."""
        logs = [one for one in message.files if names_log(one.name) and not names_document_too(one.name)][:MOST_FILES]
        if not logs or self.channels.name(message.place.channel) not in self.offered_in:
            return None
        return LogsOffered(tuple(file.name for file in logs), _packed(message, logs))

    def _begin(
        self, person: Person, place: Place, thread: str, text: str, files: Sequence[SharedFile]
    ) -> LogsBegun:  # fmt: skip
        if not self.conversation.reaches(place.channel):
            raise Refused(
                "I am not in this channel, so I can neither read its files nor reply. Type `/invite @shipmate`, then "
                "try again; or send me the log in a direct message."
            )
        named = tuple(LogFile(file.id, file.name[:NAME]) for file in files[:MOST_FILES])
        kept = "\n".join(self.redact(text.split("\n"))) if text else ""
        order = LogOrder(
            place.channel, place.ts, thread or place.ts, kept, named, person.id, self.clock.now()
        )  # fmt: skip
        self.workflow.begin(order)
        return LogsBegun(order)


def _packed(message: Mention, files: Sequence[SharedFile]) -> str:
    """What `analyse_offered` reads, for a button, which holds 2,000 characters."""
    named = [[file.id, file.name[:NAME]] for file in files]
    return json.dumps([message.place.channel, message.place.ts, message.thread, named], ensure_ascii=False)


def wanted_logs(mention: Mention) -> str:
    """What to do with the files of a mention: "analyse", "offer" where they may be documents, or "" for nothing.

    With words beside it a text is what the words are about; without any, nobody knows what it is for.
    """
    logs = [file.name for file in mention.files if names_log(file.name)]
    if not logs:
        return ""
    if mention.text.strip() or not all(names_document_too(name) for name in logs):
        return "analyse"
    return "offer"
