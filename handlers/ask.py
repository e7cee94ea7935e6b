"""Words to us, the shortcut and form of "Add to knowledge", and what people think of answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pipelines.ask.desk import AskDesk
from pipelines.ask.terms import terms
from pipelines.help import CommandHelp, Greeting, Help
from pipelines.people import Permission, Person
from pipelines.requests import Click, Form, Mention, Shortcut, unpack_files

LONGEST_TITLE = 150


@dataclass(frozen=True, slots=True)
class AnswerMention:
    """A question is answered, files without one are offered to be added, anything else gets help.

    "What can you do?" asks about us: without the words that stand in every question nothing is left of it.
    """

    desk: AskDesk
    commands: Sequence[CommandHelp]
    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, mention: Mention) -> object:
        if mention.files and not mention.text:
            return self.desk.offer(mention.files)
        if mention.text.strip("?!. ").lower() in ("help", "hello", "hi") or not terms(mention.text):
            return Help(mention.person, tuple(self.commands))
        self.desk.ask_in_thread(mention)
        return None


@dataclass(frozen=True, slots=True)
class Greet:
    """What somebody who opens the conversation may ask first."""

    permission: ClassVar[Permission] = Permission.LOOK

    def __call__(self, person: Person) -> Greeting:
        return Greeting(
            f"Hello {person.name}, ask about your runbooks and platform",
            ("How do I roll a model back?", "What do I do when an alert about latency fires?", "help"),
        )


@dataclass(frozen=True, slots=True)
class AddToKnowledge:
    """Let answers draw on the files of this message."""

    desk: AskDesk
    name: ClassVar[str] = "ask.add"
    label: ClassVar[str] = "Add to knowledge"
    kind: ClassVar[Literal["message", "global"]] = "message"
    permission: ClassVar[Permission] = Permission.ORDER

    def __call__(self, shortcut: Shortcut) -> object:
        return self.desk.form(shortcut.files, shortcut.channel)


@dataclass(frozen=True, slots=True)
class AddOfferedFiles:
    """The button under files that came without a question opens the same form."""

    desk: AskDesk
    action: ClassVar[str] = "ask.add_files"
    permission: ClassVar[Permission] = Permission.ORDER
    redraws: ClassVar[bool] = True

    def __call__(self, click: Click) -> object:
        return self.desk.form(unpack_files(click.value), click.channel)


@dataclass(frozen=True, slots=True)
class TakeIn:
    """The submitted form of "Add to knowledge"."""

    desk: AskDesk
    name: ClassVar[str] = "ask.add"
    permission: ClassVar[Permission] = Permission.ORDER

    def mistakes(self, form: Form) -> Mapping[str, str]:
        title = form.fields.get("title", "").strip()
        if len(title) > LONGEST_TITLE:
            return {"title": f"At most {LONGEST_TITLE} characters; these are {len(title)}."}
        if "\n" in title:
            return {"title": "A title is one line."}
        return {}

    def __call__(self, form: Form) -> None:
        title = " ".join(form.fields.get("title", "").split())
        files = unpack_files(form.private)
        everybody = form.fields.get("readers") == "everybody"
        self.desk.add_files(form.person, files, title, everybody, form.channel)


@dataclass(frozen=True, slots=True)
class GiveFeedback:
    """Helpful or not: stored with the question, its answer and its sources."""

    desk: AskDesk
    action: ClassVar[str] = "ask.feedback"
    permission: ClassVar[Permission] = Permission.LOOK
    redraws: ClassVar[bool] = False

    def __call__(self, click: Click) -> object:
        word, _, question_id = click.value.partition(" ")
        return self.desk.feedback(click.person, question_id, word == "helpful")


@dataclass(frozen=True, slots=True)
class GivePlainFeedback(GiveFeedback):
    """The second of two plain buttons, where Slack does not know its own pair of feedback buttons."""

    action: ClassVar[str] = "ask.feedback.second"
