"""Runs of workflows: read, repeated, cancelled; their logs and artifacts."""

from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, not_found
from bot.sandbox.github.operations.workflows import chosen_runs
from bot.sandbox.github.registry import Call, operation

ACTIONS = "/repos/{owner}/{repo}/actions"
RUN = ACTIONS + "/runs/{run_id}"
ATTEMPT = RUN + "/attempts/{attempt_number}"


@operation("GET", ACTIONS + "/runs")
def listed(call: Call) -> Listing:
    return chosen_runs(call, call.world.actions.documents())


@operation("GET", RUN)
def read(call: Call) -> Answer:
    return Answer(call.world.drawn_run(_found(call)))


@operation("GET", ATTEMPT)
def read_attempt(call: Call) -> Answer:
    return Answer(call.world.drawn_run(_found(call), call.number("attempt_number")))


@operation("POST", RUN + "/cancel")
def cancel(call: Call) -> Answer:
    call.world.actions.cancel(call.number("run_id"))
    return Answer({}, 202)


@operation("POST", RUN + "/rerun")
def rerun(call: Call) -> Answer:
    call.world.actions.rerun(call.number("run_id"), failed_only=False)
    return Answer({}, 201)


@operation("POST", RUN + "/rerun-failed-jobs")
def rerun_failed(call: Call) -> Answer:
    call.world.actions.rerun(call.number("run_id"), failed_only=True)
    return Answer({}, 201)


@operation("GET", RUN + "/jobs")
def jobs(call: Call) -> Listing:
    run = _found(call)
    attempts = run["attempts"] if call.query.get("filter") == "all" else run["attempts"][-1:]
    found = {job["id"]: job for attempt in attempts for job in attempt["jobs"]}
    return Listing(list(found.values()), lambda job: call.world.drawn.job(run, job), "jobs")


@operation("GET", ATTEMPT + "/jobs")
def jobs_of_attempt(call: Call) -> Listing:
    run = _found(call)
    return Listing(_attempt(call, run)["jobs"], lambda job: call.world.drawn.job(run, job), "jobs")


@operation("GET", RUN + "/logs")
def logs(call: Call) -> Answer:
    run = _found(call)
    return download(call, run, run["attempts"][-1].get("log", ""), "application/zip")


@operation("GET", ATTEMPT + "/logs")
def logs_of_attempt(call: Call) -> Answer:
    run = _found(call)
    return download(call, run, _attempt(call, run).get("log", ""), "application/zip")


@operation("GET", RUN + "/artifacts")
def artifacts_of(call: Call) -> Listing:
    run = _found(call)
    found = [one for one in call.world.store.all("artifact") if one["run"] == run["id"]]
    return Listing(found, lambda one: call.world.drawn.artifact(one, run), "artifacts")


@operation("GET", ACTIONS + "/artifacts")
def artifacts(call: Call) -> Listing:
    name = call.query.get("name")
    found = [one for one in call.world.store.all("artifact") if name in (None, "", one["name"])]
    return Listing(found[::-1], lambda one: _drawn_artifact(call, one), "artifacts")


@operation("GET", ACTIONS + "/artifacts/{artifact_id}")
def artifact(call: Call) -> Answer:
    return Answer(_drawn_artifact(call, _artifact(call)))


@operation("GET", ACTIONS + "/artifacts/{artifact_id}/{archive_format}")
def archive(call: Call) -> Answer:
    found = _artifact(call)
    if call.parameters["archive_format"] != "zip":
        raise not_found()
    run = call.world.actions.found(found["run"])
    return download(call, run, f"artifact {found['id']}", "application/zip")


def download(call: Call, run: Document, blob: str, media_type: str) -> Answer:
    """302 to the other host; 410 for logs that were not kept."""
    if call.world.store.blob(blob) is None:
        if run["expired"]:
            raise ApiError(410, "Server Error")
        raise not_found()
    return Answer(status=302, headers={"Location": call.world.downloads.sign(blob, media_type)})


def _found(call: Call) -> Document:
    return call.world.actions.found(call.number("run_id"))


def _attempt(call: Call, run: Document) -> Document:
    number = call.number("attempt_number")
    if not 1 <= number <= len(run["attempts"]):
        raise not_found()
    attempt: Document = run["attempts"][number - 1]
    return attempt


def _artifact(call: Call) -> Document:
    found = call.world.store.get("artifact", call.number("artifact_id"))
    if found is None:
        raise not_found()
    return found


def _drawn_artifact(call: Call, artifact: Document) -> Document:
    return call.world.drawn.artifact(artifact, call.world.actions.found(artifact["run"]))
