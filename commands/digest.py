"""/digest: what happened here since the last time."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pipelines.digest.desk import DigestDesk
from pipelines.digest.values import Quiet
from pipelines.errors import Refused
from pipelines.people import Permission
from pipelines.requests import TypedCommand, parse_arguments

USAGE = "/digest [now | subscribe DAYS TIME [ZONE] [quiet=silent] | unsubscribe]"
VERBS = ("now", "subscribe", "unsubscribe")


@dataclass(frozen=True, slots=True)
class DigestCommand:
    """Show when this channel gets a digest of what happened; subscribe it, or post one now.

    Usage: /digest [now | subscribe DAYS TIME [ZONE] [quiet=silent] | unsubscribe]
    """

    desk: DigestDesk
    permission: ClassVar[Permission] = Permission.LOOK  # subscribing takes more, which the desk judges

    def __call__(self, command: TypedCommand) -> object:
        asked = parse_arguments(command.text, names=("quiet",), usage=USAGE)
        verb, words = (asked.words[0].lower(), asked.words[1:]) if asked.words else ("", ())
        if verb == "subscribe":
            return self.desk.subscribe(command.person, command.channel, " ".join(words), _quiet(asked.named))
        if verb == "now" and not words:
            return self.desk.now(command.person, command.channel)
        if verb == "unsubscribe" and not words:
            return self.desk.unsubscribe(command.person, command.channel)
        if verb:
            raise Refused(f"{_meant(verb, len(words))}Usage: `{USAGE}`")
        return self.desk.show(command.channel)


def _quiet(named: Mapping[str, str]) -> Quiet:
    match named.get("quiet", "say"):
        case "say":
            return "say"
        case "silent":
            return "silent"
    raise Refused("`quiet=` is `say` (one line on a day without news) or `silent` (nothing).")


def _meant(verb: str, further: int) -> str:
    if verb in VERBS:
        return f"`/digest {verb}` takes nothing more. "
    nearest = difflib.get_close_matches(verb, VERBS, n=1)
    if nearest:
        return f"Did you mean `/digest {nearest[0]}`? "
    return "Did you mean `/digest subscribe …`? " if further else f"I do not know `{verb[:40]}`. "
