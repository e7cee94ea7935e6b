"""api.test, auth.test, apps.connections.open."""

from bot.sandbox.slack.registry import Answer, Call, method
from bot.sandbox.slack.roster import APP_ID, BOT_ID, BOT_USER, TEAM


@method("api.test", caller="anybody", per_minute=100)
def api_test(call: Call) -> Answer:
    given = {name: value for name, value in call.arguments.items() if name != "token"}
    return {"args": given} if given else {}


@method("auth.test", per_minute=None)
def auth_test(call: Call) -> Answer:
    return {
        "url": TEAM["url"], "team": TEAM["name"], "user": call.world.app.name.lower(), "team_id": TEAM["id"],
        "user_id": BOT_USER, "bot_id": BOT_ID, "is_enterprise_install": False,
    }  # fmt: skip


@method("apps.connections.open", "connections:write", caller="app")
def connections_open(call: Call) -> Answer:
    ticket = call.delivery.sockets.new_ticket()
    return {"url": f"{call.base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP_ID}"}
