"""Workflows, and runs that somebody orders."""

from bot.sandbox.github.actions import Workflow
from bot.sandbox.github.answers import Answer, ApiError, Document, Listing
from bot.sandbox.github.registry import Call, operation

ACTIONS = "/repos/{owner}/{repo}/actions"
WORKFLOW = ACTIONS + "/workflows/{workflow_id}"


@operation("GET", ACTIONS + "/workflows")
def listed(call: Call) -> Listing:
    return Listing(list(call.world.actions.workflows.values()), lambda one: _drawn(call, one), "workflows")


@operation("GET", WORKFLOW)
def read(call: Call) -> Answer:
    return Answer(_drawn(call, call.world.actions.workflow(call.parameters["workflow_id"])))


@operation("POST", WORKFLOW + "/dispatches")
def dispatch(call: Call) -> Answer:
    world, ref = call.world, call.text("ref").removeprefix("refs/heads/")
    workflow = world.actions.workflow(call.parameters["workflow_id"])
    sha = world.git.resolve(ref)
    if sha is None:
        raise ApiError(422, f"No ref found for: {ref}")
    inputs = {name: str(value) for name, value in (call.body.get("inputs") or {}).items()}
    number = world.actions.dispatch(workflow.file, ref, sha, inputs, call.actor)
    if not call.body.get("return_run_details"):
        return Answer(status=204)
    run = world.drawn_run(world.actions.found(number))
    return Answer({"workflow_run_id": number, "run_url": run["url"], "html_url": run["html_url"]})


@operation("GET", WORKFLOW + "/runs")
def runs_of(call: Call) -> Listing:
    workflow = call.world.actions.workflow(call.parameters["workflow_id"])
    return chosen_runs(call, call.world.actions.documents(workflow.file))


def chosen_runs(call: Call, documents: list[Document]) -> Listing:
    """Those that fit the query; `status` may also name a conclusion."""
    wanted = {"branch": "branch", "event": "event", "head_sha": "sha", "actor": "actor"}
    found = [
        run for run in documents
        if all(call.query.get(name) in (None, "", run[field]) for name, field in wanted.items())
        and call.query.get("status") in (None, "", run["attempts"][-1]["status"], run["attempts"][-1]["conclusion"])
    ]  # fmt: skip
    return Listing(found, call.world.drawn_run, "workflow_runs")


def _drawn(call: Call, workflow: Workflow) -> Document:
    return call.world.drawn.workflow(workflow.file, workflow.name or workflow.file)
