"""What people do to us, as plain values: typed commands, clicks, forms, shortcuts, words. Nothing here knows where
they came from."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.errors import Refused
from pipelines.people import Person
from pipelines.ports import Place

_NAMED = re.compile(r"([a-z_]+)=")


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A slash command: `text` is what stood behind its name."""

    name: str
    text: str
    person: Person
    channel: str


@dataclass(frozen=True, slots=True)
class Click:
    """A pressed button. `value` is what the card put into it; `place` is None for App Home."""

    action: str
    value: str
    person: Person
    place: Place | None
    channel: str


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted modal; `fields` maps block id to what was entered, `private` is what we put in when we opened it.

    What was chosen from a list is the value of the choice; several of them stand on lines of their own. `id` is the
    same however often the submission is delivered, `channel` is where the form was opened from.
    """

    name: str
    fields: Mapping[str, str]
    private: str
    person: Person
    channel: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that somebody shared in Slack. `url` takes the bot's token, `link` is for people."""

    id: str
    name: str
    size: int
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A chosen shortcut. `place`, `text` and `files` are those of the message it was chosen on, if on one.

    `sent_by` is the id of whoever wrote that message, `thread` the ts of its thread's first one.
    """

    name: str
    person: Person
    channel: str = ""
    place: Place | None = None
    text: str = ""
    files: tuple[SharedFile, ...] = ()
    sent_by: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words to us: a mention in a channel, or a direct message.

    `text` is without the mention and without Slack's marks; `place` is the message itself; `thread` is the ts of the
    thread's first message, which is the message's own where it begins one.
    """

    text: str
    person: Person
    place: Place
    thread: str
    direct: bool = False
    files: tuple[SharedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Arguments:
    """The words of a command: first the positional ones, then `name=value` pairs; a value runs to the next name."""

    words: tuple[str, ...]
    named: Mapping[str, str] = field(default_factory=dict)


def parse_arguments(text: str, *, names: Sequence[str], usage: str, prose: str = "") -> Arguments:
    """Split the text of a command; refuses names that the command does not know.

    `churn data=s3://b/x.csv note=new prices, lr=0.1` gives words ("churn",) and both values whole; behind the
    name `prose`, an unknown `word=` is text like any other.
    """
    text = _straight_quotes(text.strip())
    named: dict[str, list[str]] = {}
    words: list[str] = []
    current: list[str] = words
    for token in re.split(r"(?<=\s)", text):
        found = _NAMED.match(token)
        if found is None or (found.group(1) not in names and current is named.get(prose)):
            current.append(token)
            continue
        name = found.group(1)
        if name not in names:
            raise Refused(f"I do not know `{name}=`. Usage: `{usage}`")
        if name in named:
            raise Refused(f"`{name}=` is there twice. Usage: `{usage}`")
        current = named[name] = [token[found.end() :]]
    values = {name: "".join(parts).strip().strip('"') for name, parts in named.items()}
    return Arguments(tuple("".join(words).split()), values)


def _straight_quotes(text: str) -> str:
    # Slack's clients and phones turn quotes typed by people into typographic ones.
    return text.translate(str.maketrans("“”„‘’", '"""\'\''))


def pack_files(files: Sequence[SharedFile]) -> str:
    """Files for a button or a form, which hold 2,000 characters; what they are is asked of Slack again."""
    return json.dumps([[file.id, file.name[:80]] for file in files], ensure_ascii=False)


def unpack_files(text: str) -> tuple[SharedFile, ...]:
    return tuple(SharedFile(file_id, name, 0, "", "") for file_id, name in json.loads(text or "[]"))
