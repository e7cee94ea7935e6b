"""The table of Web API methods, and what each is handed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bot.sandbox.slack.errors import SlackError

if TYPE_CHECKING:
    from bot.sandbox.slack.delivery import Delivery
    from bot.sandbox.slack.world import World

Answer = dict[str, Any]
Caller = Literal["bot", "app", "anybody"]


# Arguments that are strings wherever they stand; a number sent in their place is read as one.
STRINGS = frozenset(
    {
        "bot", "callback_id", "channel", "channel_id", "cursor", "email", "external_id", "file", "filename", "hash",
        "initial_comment", "latest", "link", "message_ts", "name", "oldest", "recipient_team_id", "recipient_user_id",
        "task_display_mode", "thread_ts", "timestamp", "title", "trigger_id", "ts", "type", "types", "user", "user_id",
        "usergroup", "view_id",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method: its arguments as Slack would understand them, JSON strings already parsed."""

    method: str
    arguments: dict[str, Any]
    world: "World"
    delivery: "Delivery"
    base_url: str = ""

    def get(self, name: str, default: Any = None) -> Any:
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        return self._string(name, value) if name in STRINGS else value

    def need(self, name: str, code: str = "invalid_arguments") -> Any:
        """A required argument. Slack names the missing one in response_metadata."""
        value = self.get(name)
        if value is None:
            messages = [f"[ERROR] missing required field: {name}"]
            raise SlackError(code, response_metadata={"messages": messages})
        return value

    def flag(self, name: str) -> bool:
        return self.get(name) in (True, "true", "True", "1", 1)

    def count(self, name: str, default: int, most: int) -> int:
        try:
            return max(1, min(most, int(self.get(name, default))))
        except (TypeError, ValueError, OverflowError):
            raise SlackError("invalid_arguments") from None

    def _string(self, name: str, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            messages = [f"[ERROR] must provide a string [json-pointer:/{name}]"]
            raise SlackError("invalid_arguments", response_metadata={"messages": messages})
        return str(value)


@dataclass(frozen=True, slots=True)
class Method:
    """`per_minute` is the tier's rate (docs.slack.dev/apis/web-api/rate-limits); None for the special ones."""

    name: str
    run: Callable[[Call], Answer | Awaitable[Answer]]
    scopes: tuple[str, ...] = ()
    per_minute: int | None = 50
    caller: Caller = "bot"


METHODS: dict[str, Method] = {}


def method(
    name: str, *scopes: str, per_minute: int | None = 50, caller: Caller = "bot"
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Make a function answer a method. Any of `scopes` suffices; `caller` says whose token it takes."""

    def register(run: Callable[[Call], Any]) -> Callable[[Call], Any]:
        METHODS[name] = Method(name, run, scopes, per_minute, caller)
        return run

    return register
