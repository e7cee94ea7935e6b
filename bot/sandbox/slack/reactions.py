"""Reactions on a message, as people and the app leave them."""

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.store import Document


def set_reaction(message: Document, person: str, name: str, remove: bool) -> None:
    """Add or take back one person's reaction; raises what reactions.add and remove answer."""
    reactions = message.setdefault("reactions", [])
    found = next((reaction for reaction in reactions if reaction["name"] == name), None)
    if remove:
        if found is None or person not in found["users"]:
            raise SlackError("no_reaction")
        found["users"].remove(person)
        found["count"] -= 1
        if not found["users"]:
            reactions.remove(found)
        return
    if found and person in found["users"]:
        raise SlackError("already_reacted")
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    found["users"].append(person)
    found["count"] += 1
