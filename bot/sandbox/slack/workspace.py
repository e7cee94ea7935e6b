"""A person's hands and eyes for tests: does over the page's protocol what the page does in a browser."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from bot.sandbox.slack.reading import buttons_of, visible_text
from bot.sandbox.slack.store import Document

T = TypeVar("T")

POLL_SECONDS = 0.05
# A wait lasts at least so long, whatever it is asked for: what goes well never takes it, and a busy machine may.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Someone:
    id: str
    name: str
    real_name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A message, home tab or modal as a person sees it. `plain` is all visible text, without marks."""

    channel: str
    raw: Document = field(repr=False)
    kind: str = "message"

    @property
    def ts(self) -> str:
        return str(self.raw.get("ts", ""))

    @property
    def text(self) -> str:
        return str(self.raw.get("text", ""))

    @property
    def plain(self) -> str:
        return visible_text(self.raw)

    def button(self, label: str) -> Document | None:
        """The button whose label begins with `label`; None when there is none."""
        found = [button for button in buttons_of(self.raw) if button["text"]["text"].startswith(label)]
        return found[0] if found else None


class Workspace:
    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        first = self._get("/page/workspace", {"as": "U0ANA"})
        self._people = {user["name"]: Someone(user["id"], user["name"], user["real_name"]) for user in first["users"]}
        self._channels = {f"#{channel['name']}": channel["id"] for channel in first["channels"] if channel["name"]}

    def close(self) -> None:
        self._http.close()

    def person(self, name: str) -> Someone:
        return self._people[name]

    def channel_id(self, channel: str, person: Someone | None = None) -> str:
        """`#ml`, an id, or `@bot` for this person's direct message with the bot."""
        if channel == "@bot" and person:
            return str(self._post("im", person, {})["channel"]["id"])
        return str(self._channels.get(channel, channel))

    # Doing

    def say(self, text: str, *, as_: Someone, channel: str, thread: Seen | None = None) -> str:
        body = {"channel": self.channel_id(channel, as_), "text": text} | ({"thread_ts": thread.ts} if thread else {})
        return str(self._post("messages", as_, body)["ts"])

    def type(self, line: str, *, as_: Someone, channel: str) -> None:
        """A slash command; AssertionError when Slack says that it failed."""
        answer = self._command(line, as_, channel)
        assert answer["ok"], answer.get("message", answer)

    def try_type(self, line: str, *, as_: Someone, channel: str) -> bool:
        """A slash command by somebody who expects that the bot may be away."""
        return bool(self._command(line, as_, channel)["ok"])

    def press(self, seen: Seen, label: str, *, as_: Someone, confirm: bool = False) -> None:
        """Press a button; one that asks "Are you sure?" needs `confirm`."""
        button = seen.button(label)
        assert button is not None, f"no button {label!r} on: {seen.plain}"
        assert confirm or "confirm" not in button, f"{label!r} asks for a confirmation first"
        answer = self._press(seen, button, as_)
        assert answer["ok"], answer

    def try_press(self, seen: Seen, label: str, *, as_: Someone) -> bool:
        button = seen.button(label)
        return button is not None and bool(self._press(seen, button, as_)["ok"])

    def press_raw(self, seen: Seen, label: str, *, as_: Someone) -> bool:
        """Press the button of a card as it was seen then, although it may have been redrawn since."""
        button = seen.button(label)
        assert button is not None, f"no button {label!r} on: {seen.plain}"
        return bool(self._press(seen, button, as_)["ok"])

    def choose(self, seen: Seen, block_id: str, action_id: str, value: Document, *, as_: Someone) -> Document:
        """Use any other element; `value` is shaped as in view.state.values, e.g. {"type": "users_select", …}."""
        body = {"container": _container(seen), "block_id": block_id, "action_id": action_id, "value": value}
        return self._post("actions", as_, body)

    def suggestions(self, seen: Seen, block_id: str, action_id: str, typed: str, *, as_: Someone) -> list[Document]:
        """What an external select offers for what was typed."""
        body = {"container": _container(seen), "block_id": block_id, "action_id": action_id, "value": typed}
        return list(self._post("options", as_, body).get("options", []))

    def react(self, seen: Seen, name: str, *, as_: Someone, remove: bool = False) -> None:
        self._post("reactions", as_, {"channel": seen.channel, "ts": seen.ts, "name": name, "remove": remove})

    def join(self, channel: str, *, as_: Someone) -> None:
        self._post("join", as_, {"channel": self.channel_id(channel, as_)})

    def dismiss(self, modal: Seen, *, as_: Someone, clear: bool = False) -> None:
        """Close a modal without submitting it; `clear` closes all that are under it."""
        self._post("views/close", as_, {"view_id": modal.raw["id"], "clear": clear})

    def submit(self, modal: Seen, values: dict[str, Document], *, as_: Someone) -> Document:
        """Submit a modal; `values` maps block ids to `{action_id: value}` as view.state does."""
        return self._post("views/submit", as_, {"view_id": modal.raw["id"], "state": values})

    def shortcut(self, callback_id: str, *, as_: Someone, seen: Seen | None = None) -> Document:
        place = {"channel": seen.channel, "ts": seen.ts} if seen else {}
        return self._post("shortcuts", as_, {"callback_id": callback_id, **place})

    def upload(self, name: str, content: bytes, *, as_: Someone, channel: str, text: str = "") -> str:
        sent = self._http.post(
            "/page/files", params={"as": as_.id}, files={"file": (name, content)},
            data={"channel": self.channel_id(channel, as_), "text": text},
        )  # fmt: skip
        sent.raise_for_status()
        return str(sent.json()["ts"])

    def switch(self, **switches: Any) -> None:
        """Trouble on purpose: `rate_limits=True`, `fail={"method", "status", "times"}`, `slow={"method", …}`."""
        self._http.post("/page/switches", json=switches).raise_for_status()

    # Seeing

    def messages(self, channel: str, *, as_: Someone) -> list[Seen]:
        """What stands in a channel, oldest first, without what only this person sees."""
        return [seen for seen in self._look(channel, as_, {}) if not seen.raw.get("ephemeral")]

    def message(self, seen: Seen, *, as_: Someone) -> Seen:
        """The same message as it is now."""
        return next(now for now in self.messages(seen.channel, as_=as_) if now.ts == seen.ts)

    def thread(self, seen: Seen, *, as_: Someone) -> list[Seen]:
        """The replies, oldest first."""
        return [reply for reply in self._look(seen.channel, as_, {"thread_ts": seen.ts}) if reply.ts != seen.ts]

    def ephemerals(self, *, as_: Someone, channel: str) -> list[Seen]:
        """What only this person sees in a channel, oldest first."""
        return [seen for seen in self._look(channel, as_, {}) if seen.raw.get("ephemeral")]

    def home(self, *, as_: Someone) -> Seen | None:
        """Open App Home; None while the app has published nothing."""
        view = self._post("home", as_, {})["view"]
        return Seen("", view, "view") if view else None

    def modal(self, *, as_: Someone) -> Seen | None:
        """The topmost open modal."""
        stack = self._get("/page/views", {"as": as_.id})["stack"]
        return Seen("", stack[-1], "view") if stack else None

    def wait_for_message(self, channel: str, *, containing: str, as_: Someone, seconds: float = 0) -> Seen:
        """The newest message that holds this text."""
        return self._wait_for(lambda: self.messages(channel, as_=as_), containing, seconds)

    def wait_for_ephemeral(self, *, containing: str, as_: Someone, channel: str, seconds: float = 0) -> Seen:
        return self._wait_for(lambda: self.ephemerals(as_=as_, channel=channel), containing, seconds)

    def wait_until(self, claim: Callable[[], T | None], seconds: float = 0) -> T:
        """The first true answer of `claim`."""
        seconds = max(seconds, PATIENCE_SECONDS)
        deadline = time.monotonic() + seconds
        while not (answer := claim()):
            assert time.monotonic() < deadline, f"not true within {seconds} s"
            time.sleep(POLL_SECONDS)
        return answer

    def _wait_for(self, look: Callable[[], Sequence[Seen]], containing: str, seconds: float) -> Seen:
        seconds = max(seconds, PATIENCE_SECONDS)
        deadline = time.monotonic() + seconds
        while True:
            seen = look()
            found = [one for one in seen if containing in one.plain]
            if found:
                return found[-1]
            shown = "\n---\n".join(one.plain for one in seen) or "(nothing)"
            assert time.monotonic() < deadline, f"{containing!r} did not appear within {seconds} s. Visible:\n{shown}"
            time.sleep(POLL_SECONDS)

    def _look(self, channel: str, person: Someone, more: dict[str, str]) -> list[Seen]:
        channel_id = self.channel_id(channel, person)
        asked = {"as": person.id, "channel": channel_id, "limit": "500", **more}
        return [Seen(channel_id, message) for message in self._get("/page/messages", asked)["messages"]]

    def _command(self, line: str, person: Someone, channel: str) -> Document:
        return self._post("commands", person, {"channel": self.channel_id(channel, person), "text": line})

    def _press(self, seen: Seen, button: Document, person: Someone) -> Document:
        value = {name: button[name] for name in ("type", "value", "text", "style") if name in button}
        body = {"container": _container(seen), "block_id": button["block_id"], "action_id": button["action_id"]}
        return self._post("actions", person, body | {"value": value})

    def _get(self, path: str, query: dict[str, str]) -> Document:
        answer = self._http.get(path, params=query)
        answer.raise_for_status()
        found: Document = answer.json()
        return found

    def _post(self, name: str, person: Someone, body: Document) -> Document:
        answer = self._http.post(f"/page/{name}", params={"as": person.id}, json=body)
        answer.raise_for_status()
        found: Document = answer.json()
        return found


def _container(seen: Seen) -> Document:
    if seen.kind == "message":
        hidden = bool(seen.raw.get("ephemeral"))
        return {"type": "message", "channel": seen.channel, "ts": seen.ts, "ephemeral": hidden}
    return {"type": "view", "view_id": seen.raw.get("id")}
