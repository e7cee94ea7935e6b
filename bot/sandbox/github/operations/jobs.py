"""Jobs of runs and the log of each."""

from bot.sandbox.github.answers import Answer
from bot.sandbox.github.operations.runs import download
from bot.sandbox.github.registry import Call, operation

JOB = "/repos/{owner}/{repo}/actions/jobs/{job_id}"


@operation("GET", JOB)
def read(call: Call) -> Answer:
    return Answer(call.world.drawn.job(*call.world.actions.job(call.number("job_id"))))


@operation("GET", JOB + "/logs")
def log(call: Call) -> Answer:
    run, job = call.world.actions.job(call.number("job_id"))
    return download(call, run, job["log"], "text/plain; charset=utf-8")


@operation("POST", JOB + "/rerun")
def rerun(call: Call) -> Answer:
    run, job = call.world.actions.job(call.number("job_id"))
    call.world.actions.rerun(run["id"], failed_only=False, job=job["id"])
    return Answer({}, 201)
