"""Check runs and what they annotate."""

from bot.sandbox.github.answers import Answer, Document, Listing, invalid, not_found
from bot.sandbox.github.registry import Call, operation

REPOSITORY = "/repos/{owner}/{repo}"
CHECK = REPOSITORY + "/check-runs/{check_run_id}"
EDITED = ("status", "conclusion", "details_url", "external_id", "completed_at", "started_at", "name")
ANNOTATED = ("path", "start_line", "end_line", "annotation_level", "message")


@operation("POST", REPOSITORY + "/check-runs")
def create(call: Call) -> Answer:
    name, world = call.text("name", resource="CheckRun"), call.world
    sha, now = world.sha(call.text("head_sha", resource="CheckRun")), world.now()
    number = world.store.next_number("job", 45_000_000_001)
    check: Document = {
        "id": number, "name": name, "sha": sha, "external_id": "", "details_url": f"{world.shapes.html}/runs/{number}",
        "html_url": f"{world.shapes.html}/runs/{number}", "status": "queued", "conclusion": None, "started_at": now,
        "completed_at": None, "suite": world.store.next_number("suite", 9_000_000_001), "output": {},
        "annotations": [], "branch": None,
    }  # fmt: skip
    return Answer(_saved(call, check), 201)


@operation("GET", CHECK)
def read(call: Call) -> Answer:
    check = _found(call)
    return Answer(call.world.drawn.check(check, _pulls(call, check)))


@operation("PATCH", CHECK)
def edit(call: Call) -> Answer:
    return Answer(_saved(call, _found(call)))


@operation("GET", CHECK + "/annotations")
def annotations(call: Call) -> Listing:
    check = _found(call)
    return Listing(check["annotations"], lambda one: call.world.drawn.annotation(one, check["sha"]))


@operation("GET", REPOSITORY + "/commits/{ref}/check-runs")
def of_commit(call: Call) -> Listing:
    sha, query = call.world.sha(call.parameters["ref"]), call.query
    found = [
        check for check in call.world.checks(sha)
        if query.get("check_name") in (None, "", check["name"]) and query.get("status") in (None, "", check["status"])
    ]  # fmt: skip
    return Listing(found, lambda check: call.world.drawn.check(check, _pulls(call, check)), "check_runs")


def _found(call: Call) -> Document:
    number = call.number("check_run_id")
    for check in call.world.checks():
        if check["id"] == number:
            return check
    raise not_found()


def _pulls(call: Call, check: Document) -> list[Document]:
    return call.world.pulls_of(check["branch"], check.get("fork", "")) if check["branch"] else []


def _saved(call: Call, check: Document) -> Document:
    check |= {name: call.body[name] for name in EDITED if name in call.body}
    if check["conclusion"]:
        check |= {"status": "completed", "completed_at": check["completed_at"] or call.world.now()}
    output = call.body.get("output") or {}
    for annotation in output.get("annotations") or []:
        if any(name not in annotation for name in ANNOTATED):
            raise invalid("Annotations", "annotation", "invalid")
    check["annotations"] += output.get("annotations") or []
    check["output"] |= {name: output[name] for name in ("title", "summary", "text") if name in output}
    call.world.store.put("check", check["id"], check)
    if check["status"] == "completed":
        shown = call.world.drawn.check_in_a_webhook(check, check["branch"], _pulls(call, check))
        call.world.tell("check_run", {"action": "completed", "check_run": shown}, call.actor)
    return call.world.drawn.check(check, _pulls(call, check))
