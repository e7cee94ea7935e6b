"""views.*: modals and App Home."""

import secrets
import time
from typing import Any

from bot.sandbox.slack.blockkit import judge_view
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.posting import refuse, with_ids
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import APP_ID, BOT_ID, TEAM
from bot.sandbox.slack.store import Document
from bot.sandbox.slack.world import World

STACK_LIMIT = 3


@method("views.open", per_minute=100)
def open_view(call: Call) -> Answer:
    view = checked(call)
    person = call.delivery.triggers.use(str(call.need("trigger_id")))
    call.world.stacks[person] = []
    return {"view": push(call.world, person, view)}


@method("views.push", per_minute=100)
def push_view(call: Call) -> Answer:
    view = checked(call)
    person = call.delivery.triggers.use(str(call.need("trigger_id")))
    if len(call.world.stacks[person]) >= STACK_LIMIT:
        raise SlackError("push_limit_reached")
    return {"view": push(call.world, person, view)}


@method("views.update", per_minute=100)
def update_view(call: Call) -> Answer:
    stored = _stored(call)
    if call.get("hash") and call.get("hash") != stored["hash"]:
        raise SlackError("hash_conflict")
    return {"view": replace(call.world, stored, checked(call))}


@method("views.publish", per_minute=100)
def publish(call: Call) -> Answer:
    person = call.need("user_id")
    if person not in call.world.users:
        raise SlackError("invalid_arguments")
    view = checked(call)
    if view["type"] != "home":
        raise SlackError("invalid_arguments")
    before = call.world.homes.get(person)
    if before and call.get("hash") and call.get("hash") != before["hash"]:
        raise SlackError("hash_conflict")
    view_id = before["id"] if before else call.world.new_id("V")
    shown = _stored_view(call.world, view, view_id, view_id, None)
    call.world.put_home(person, shown)
    return {"view": shown}


def push(world: World, person: str, view: Document) -> Document:
    """Put a modal on top of this person's stack and show it."""
    stack = world.stacks[person]
    view_id = world.new_id("V")
    shown = _stored_view(world, view, view_id, stack[0] if stack else view_id, stack[-1] if stack else None)
    world.views[view_id] = shown | {"person": person}
    stack.append(view_id)
    announce(world, person, view_id)
    return shown


def replace(world: World, stored: Document, view: Document) -> Document:
    """Draw a modal that is open anew; what was typed in stays where block and action ids stay."""
    shown = _stored_view(world, view, stored["id"], stored["root_view_id"], stored["previous_view_id"])
    shown["state"] = stored.get("state", {"values": {}})
    person = stored["person"]
    world.views[stored["id"]] = shown | {"person": person}
    announce(world, person, stored["id"])
    return shown


def announce(world: World, person: str, view_id: str) -> None:
    stack = [world.views[open_id] for open_id in world.stacks[person]]
    event = {"type": "view", "view": world.views[view_id], "root_view_id": world.views[view_id]["root_view_id"]}
    world.tell(event | {"stack": stack}, to=person)


def checked(call: Call) -> Document:
    view: Any = call.need("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments")
    refuse(judge_view(view))
    return view


def _stored(call: Call) -> Document:
    if view_id := call.get("view_id"):
        found = call.world.views.get(view_id)
    else:
        external = call.need("external_id")
        found = next((view for view in call.world.views.values() if view.get("external_id") == external), None)
    if found is None:
        raise SlackError("not_found")
    return found


def _stored_view(world: World, view: Document, view_id: str, root: str, previous: str | None) -> Document:
    return {
        "team_id": TEAM["id"], "private_metadata": "", "callback_id": "", "clear_on_close": False,
        "notify_on_close": False, "close": None, "submit": None, "external_id": "", "title": None,
        "state": {"values": {}}, **view, "blocks": with_ids(view["blocks"], world), "id": view_id,
        "hash": f"{int(time.time())}.{secrets.token_hex(4)}", "root_view_id": root, "previous_view_id": previous,
        "app_id": APP_ID, "app_installed_team_id": TEAM["id"], "bot_id": BOT_ID,
    }  # fmt: skip
