"""The repository, its branches and labels, people, and how much of the rate limit is left."""

from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, invalid, not_found
from bot.sandbox.github.registry import Call, operation

REPOSITORY = "/repos/{owner}/{repo}"


@operation("GET", "/user")
def myself(call: Call) -> Answer:
    if call.actor.endswith("[bot]"):
        raise ApiError(403, "Resource not accessible by integration")
    private = ("collaborators", "disk_usage", "owned_private_repos", "private_gists", "total_private_repos")
    more = dict.fromkeys(private, 0) | {"two_factor_authentication": True}
    return Answer(call.world.shapes.profile(call.actor) | more)


@operation("GET", "/users/{username}")
def user(call: Call) -> Answer:
    return Answer(call.world.shapes.profile(call.parameters["username"]))


@operation("GET", "/rate_limit")
def rate_limit(call: Call) -> Answer:
    faults = call.world.faults
    core = {
        "limit": faults.limit, "used": faults.used, "remaining": max(0, faults.limit - faults.used),
        "reset": int(faults.resets_at),
    }  # fmt: skip
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": int(faults.resets_at)}
    return Answer({"resources": {"core": core, "search": search}, "rate": core})


@operation("GET", REPOSITORY)
def repository(call: Call) -> Answer:
    told = call.world.repository()
    return Answer(call.world.shapes.full_repository(told["pushed_at"], told["open_issues"]))


@operation("GET", REPOSITORY + "/branches")
def branches(call: Call) -> Listing:
    shapes = call.world.shapes

    def drawn(pair: tuple[str, str]) -> Document:
        ref, sha = pair
        commit = {"sha": sha, "url": f"{shapes.api}/commits/{sha}"}
        return {"name": ref.removeprefix("refs/heads/"), "commit": commit, "protected": False}

    return Listing(call.world.git.refs("refs/heads/"), drawn)


@operation("GET", REPOSITORY + "/branches/{branch}")
def branch(call: Call) -> Answer:
    name, world = call.parameters["branch"], call.world
    sha = world.git.resolve(f"refs/heads/{name}")
    if sha is None:
        raise not_found()
    url = f"{world.shapes.api}/branches/{name}"
    links = {"self": url, "html": f"{world.shapes.html}/tree/{name}"}
    commit = world.shapes.commit(world.git.commit(sha))
    unprotected = {"protected": False, "protection": {"enabled": False}, "protection_url": f"{url}/protection"}
    return Answer({"name": name, "commit": commit, "_links": links, **unprotected})


@operation("GET", REPOSITORY + "/labels")
def labels(call: Call) -> Listing:
    return Listing(call.world.store.all("label"), call.world.shapes.label)


@operation("POST", REPOSITORY + "/labels")
def create_label(call: Call) -> Answer:
    name = call.text("name", resource="Label")
    if any(label["name"].lower() == name.lower() for label in call.world.store.all("label")):
        raise invalid("Label", "name", "already_exists")
    label = {"name": name, "color": call.text("color", "ededed"), "description": call.text("description", None)}
    call.world.store.put("label", call.world.store.next_number("label"), label)
    return Answer(call.world.shapes.label(label), 201)
