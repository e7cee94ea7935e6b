"""What the bot listens to, as plain tables: made once in bot/app.py, read by the listeners and by the manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from pipelines.help import Greeting
from pipelines.people import Permission, Person
from pipelines.requests import Click, Form, Mention, Shortcut, TypedCommand


class Command(Protocol):
    """Something people can type. Its docstring is its help: a sentence, then a line `Usage: /name …`."""

    permission: ClassVar[Permission]

    def __call__(self, command: TypedCommand) -> object: ...


class ClickHandler(Protocol):
    """Something a button does; `action` is the button's action id, `redraws` says that its card shows the outcome."""

    action: ClassVar[str]

    redraws: ClassVar[bool]

    permission: ClassVar[Permission]

    def __call__(self, click: Click) -> object: ...


class ShortcutHandler(Protocol):
    """Something in the menu of a message (`kind` "message") or of the whole workspace ("global").

    `name` is its id, `label` what people read in the menu; the docstring's first sentence is its description.
    """

    name: ClassVar[str]

    label: ClassVar[str]

    kind: ClassVar[Literal["message", "global"]]

    permission: ClassVar[Permission]

    def __call__(self, shortcut: Shortcut) -> object: ...


class FormHandler(Protocol):
    """What a submitted form does; `name` is the one that the form was drawn under."""

    name: ClassVar[str]

    permission: ClassVar[Permission]

    def mistakes(self, form: Form) -> Mapping[str, str]:
        """Block ids and what is wrong there; the form stays open. Judged before Slack is answered: no calls here."""
        ...

    def __call__(self, form: Form) -> object:
        """What it returns is shown to the person alone; None where something else shows the outcome."""
        ...


class PersonHandler(Protocol):
    """Something that happens to a person, such as opening App Home."""

    permission: ClassVar[Permission]

    def __call__(self, person: Person) -> object: ...


class GreetingHandler(Protocol):
    permission: ClassVar[Permission]

    def __call__(self, person: Person) -> Greeting: ...


class MentionHandler(Protocol):
    """Words to us. What it returns becomes a reply in the thread; None where something else answers."""

    permission: ClassVar[Permission]

    def __call__(self, mention: Mention) -> object: ...


class SharedHandler(Protocol):
    """Files that somebody shared in a channel without a word to us. What it returns is shown to them alone."""

    permission: ClassVar[Permission]

    def __call__(self, message: Mention) -> object: ...


@dataclass(frozen=True, slots=True)
class Registrations:
    """Everything that Slack can bring us. `greeting` suggests what to ask, where a conversation with us opens."""

    commands: Mapping[str, Command]
    clicks: Sequence[ClickHandler]
    home: PersonHandler
    mention: MentionHandler
    shortcuts: Sequence[ShortcutHandler] = ()
    forms: Sequence[FormHandler] = ()
    greeting: GreetingHandler | None = None
    shared: SharedHandler | None = None
