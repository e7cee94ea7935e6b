"""Webhooks of the repository and their deliveries."""

from bot.sandbox.github.answers import Answer, Listing, invalid
from bot.sandbox.github.registry import Call, operation

HOOKS = "/repos/{owner}/{repo}/hooks"
HOOK = HOOKS + "/{hook_id}"


@operation("GET", HOOKS)
def listed(call: Call) -> Listing:
    return Listing(call.world.store.all("hook"), call.world.work.hook)


@operation("POST", HOOKS)
def create(call: Call) -> Answer:
    config = call.body.get("config") or {}
    if not isinstance(config, dict) or not config.get("url"):
        raise invalid("Hook", "config.url")
    world, events = call.world, call.texts("events") or ["push"]
    if any(hook["config"]["url"] == config["url"] and hook["events"] == events for hook in world.store.all("hook")):
        raise invalid("Hook", "url", "custom", "Hook already exists on this repository")
    hook = world.hooks.add(config["url"], config.get("secret") or "", events, config.get("content_type") or "form")
    _ping(call, hook["id"])
    return Answer(world.work.hook(hook), 201)


@operation("GET", HOOK)
def read(call: Call) -> Answer:
    return Answer(call.world.work.hook(call.world.hooks.get(call.number("hook_id"))))


@operation("PATCH", HOOK)
def edit(call: Call) -> Answer:
    hook = call.world.hooks.get(call.number("hook_id"))
    hook |= {name: call.body[name] for name in ("active", "events") if name in call.body}
    hook["config"] |= call.body.get("config") or {}
    call.world.store.put("hook", hook["id"], hook | {"updated_at": call.world.now()})
    return Answer(call.world.work.hook(hook))


@operation("DELETE", HOOK)
def remove(call: Call) -> Answer:
    call.world.store.remove("hook", call.world.hooks.get(call.number("hook_id"))["id"])
    return Answer(status=204)


@operation("POST", HOOK + "/pings")
def ping(call: Call) -> Answer:
    _ping(call, call.number("hook_id"))
    return Answer(status=204)


@operation("GET", HOOK + "/deliveries")
def deliveries(call: Call) -> Listing:
    hook = call.world.hooks.get(call.number("hook_id"))
    return Listing(call.world.hooks.deliveries(hook["id"]), call.world.work.delivery, turned_by="cursor")


@operation("GET", HOOK + "/deliveries/{delivery_id}")
def delivery(call: Call) -> Answer:
    hook = call.world.hooks.get(call.number("hook_id"))
    for one in call.world.hooks.deliveries(hook["id"]):
        if one["id"] == call.number("delivery_id"):
            return Answer(call.world.work.full_delivery(one))
    raise invalid("HookDelivery", "id", "invalid")


@operation("POST", HOOK + "/deliveries/{delivery_id}/attempts")
def redeliver(call: Call) -> Answer:
    call.world.hooks.redeliver(call.number("hook_id"), call.number("delivery_id"))
    return Answer({}, 202)


def _ping(call: Call, number: int) -> None:
    world = call.world
    hook = world.hooks.get(number)
    unused = {"code": None, "status": "unused", "message": None}
    payload = {
        "zen": "Keep it logically awesome.", "hook_id": number,
        "hook": world.work.hook(hook | {"last_response": unused}),
        "repository": world.repository(), "sender": world.shapes.user(call.actor),
    }  # fmt: skip
    world.hooks.send(hook, "ping", payload)
