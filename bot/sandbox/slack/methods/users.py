"""users.*, usergroups.*, team.info, bots.info."""

from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.methods.conversations import paged
from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import APP_ID, BOT_ID, BOT_USER, TEAM


@method("users.info", "users:read", per_minute=100)
def info(call: Call) -> Answer:
    return {"user": call.world.user(call.need("user", "user_not_found"))}


@method("users.list", "users:read", per_minute=20)
def list_users(call: Call) -> Answer:
    page, cursor = paged(call, list(call.world.users.values()), most=1000)
    return {"members": page, "cache_ts": 1_700_000_000, "response_metadata": {"next_cursor": cursor}}


@method("users.lookupByEmail", "users:read.email")
def lookup_by_email(call: Call) -> Answer:
    email = str(call.need("email", "users_not_found")).lower()
    for user in call.world.users.values():
        if str(user["profile"].get("email", "")).lower() == email:
            return {"user": user}
    raise SlackError("users_not_found")


@method("usergroups.list", "usergroups:read", per_minute=20)
def list_groups(call: Call) -> Answer:
    groups = [
        {
            "id": group.id, "team_id": TEAM["id"], "is_usergroup": True, "name": group.name, "handle": group.handle,
            "description": "", "is_external": False, "date_create": 1_700_000_000, "date_update": 1_700_000_000,
            "date_delete": 0, "user_count": len(group.users),
        } | ({"users": list(group.users)} if call.flag("include_users") else {})
        for group in call.world.roster.groups
    ]  # fmt: skip
    return {"usergroups": groups}


@method("usergroups.users.list", "usergroups:read", per_minute=20)
def list_group_users(call: Call) -> Answer:
    wanted = call.need("usergroup", "no_such_subteam")
    for group in call.world.roster.groups:
        if group.id == wanted:
            return {"users": list(group.users)}
    raise SlackError("no_such_subteam")


@method("team.info", "team:read")
def team_info(_call: Call) -> Answer:
    return {"team": {**TEAM, "email_domain": "shipyard.example", "icon": {"image_default": True}}}


@method("bots.info", "users:read")
def bots_info(call: Call) -> Answer:
    if call.get("bot", BOT_ID) != BOT_ID:
        raise SlackError("bot_not_found")
    bot = {
        "id": BOT_ID, "deleted": False, "name": call.world.app.name, "updated": 1_700_000_000, "app_id": APP_ID,
        "user_id": BOT_USER, "icons": {},
    }  # fmt: skip
    return {"bot": bot}
