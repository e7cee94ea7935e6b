"""/ask: answers from the team's own documents, and the documents themselves."""

from dataclasses import dataclass
from typing import ClassVar

from pipelines.ask.desk import AskDesk, wanted_channels
from pipelines.errors import Refused
from pipelines.people import Permission
from pipelines.requests import TypedCommand, parse_arguments

USAGE = "/ask add URL-OR-PATH [channels=#A,#B]"


@dataclass(frozen=True, slots=True)
class AskCommand:
    """Answer from the team's documents, with citations; also add a document, list them, or remove one.

    Usage: /ask QUESTION | add URL-OR-PATH [channels=…] | documents | remove ID
    """

    desk: AskDesk
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, command: TypedCommand) -> object:
        verb, _, rest = command.text.strip().partition(" ")
        rest = rest.strip()
        if verb == "documents" and not rest:
            return self.desk.shelf(command.person, command.channel)
        if verb == "remove" and len(rest.split()) < 2:
            return self._remove(command, rest)
        if verb == "add" and (not rest or _names_one(rest)):
            return self._add(command, rest)
        return self.desk.ask(command.person, command.text, command.channel)

    def _remove(self, command: TypedCommand, document_id: str) -> object:
        if not document_id:
            raise Refused("Which document? Usage: `/ask remove ID`. `/ask documents` lists them.")
        return self.desk.remove(command.person, document_id, command.channel)

    def _add(self, command: TypedCommand, text: str) -> object:
        if not command.person.may(Permission.ORDER):
            raise Refused("Adding documents takes the role engineer. Ask an engineer to add it.")
        asked = parse_arguments(text, names=("channels",), usage=USAGE)
        if len(asked.words) != 1:
            raise Refused(f"Add what? Usage: `{USAGE}`")
        return self.desk.add(command.person, asked.words[0], wanted_channels(asked.named), command.channel)


def _names_one(text: str) -> bool:
    """Whether what follows `add` is one address or path; "add a node to the cluster" is a question."""
    first, *others = text.split()
    return not others or (others[0].startswith("channels=") and "=" not in first.split("://")[0])
