"""Comments on issues, pull requests and commits."""

from bot.sandbox.github.answers import Answer, Document, Listing, not_found
from bot.sandbox.github.registry import Call, operation

REPOSITORY = "/repos/{owner}/{repo}"
ON_ISSUE = REPOSITORY + "/issues/{issue_number}/comments"
COMMENT = REPOSITORY + "/issues/comments/{comment_id}"
ON_COMMIT = REPOSITORY + "/commits/{commit_sha}/comments"
COMMIT_COMMENT = REPOSITORY + "/comments/{comment_id}"


@operation("GET", ON_ISSUE)
def listed(call: Call) -> Listing:
    issue = call.world.issue(call.number("issue_number"))
    return Listing(call.world.comments(issue["number"]), lambda one: call.world.work.issue_comment(one, issue))


@operation("POST", ON_ISSUE)
def create(call: Call) -> Answer:
    issue = call.world.issue(call.number("issue_number"))
    comment = _write(call, {"issue": issue["number"], "body": call.text("body", resource="IssueComment")})
    call.world.save_issue(issue)
    _tell(call, "created", comment, issue)
    return Answer(call.world.work.issue_comment(comment, issue), 201)


@operation("GET", COMMENT)
def read(call: Call) -> Answer:
    comment = _found(call, "issue")
    return Answer(call.world.work.issue_comment(comment, call.world.issue(comment["issue"])))


@operation("PATCH", COMMENT)
def edit(call: Call) -> Answer:
    comment, body = _found(call, "issue"), call.text("body", resource="IssueComment")
    issue, before = call.world.issue(comment["issue"]), comment["body"]
    comment |= {"body": body, "updated_at": call.world.now()}
    call.world.store.put("comment", comment["id"], comment)
    _tell(call, "edited", comment, issue, {"changes": {"body": {"from": before}}})
    return Answer(call.world.work.issue_comment(comment, issue))


@operation("DELETE", COMMENT)
def remove(call: Call) -> Answer:
    comment = _found(call, "issue")
    call.world.store.remove("comment", comment["id"])
    _tell(call, "deleted", comment, call.world.issue(comment["issue"]))
    return Answer(status=204)


@operation("GET", ON_COMMIT)
def listed_of_commit(call: Call) -> Listing:
    sha = call.world.sha(call.parameters["commit_sha"])
    found = [one for one in call.world.store.all("comment") if one["sha"] == sha]
    return Listing(found, call.world.work.commit_comment)


@operation("POST", ON_COMMIT)
def create_on_commit(call: Call) -> Answer:
    sha, body = call.world.sha(call.parameters["commit_sha"]), call.text("body", resource="CommitComment")
    where = {name: call.body.get(name) for name in ("path", "position", "line")}
    comment = _write(call, {"sha": sha, "body": body, **where})
    drawn = call.world.work.commit_comment(comment)
    told = {name: value for name, value in drawn.items() if name != "reactions"}
    call.world.tell("commit_comment", {"action": "created", "comment": told}, call.actor)
    return Answer(drawn, 201)


@operation("GET", COMMIT_COMMENT)
def read_of_commit(call: Call) -> Answer:
    return Answer(call.world.work.commit_comment(_found(call, "sha")))


@operation("PATCH", COMMIT_COMMENT)
def edit_of_commit(call: Call) -> Answer:
    comment, body = _found(call, "sha"), call.text("body", resource="CommitComment")
    comment |= {"body": body, "updated_at": call.world.now()}
    call.world.store.put("comment", comment["id"], comment)
    return Answer(call.world.work.commit_comment(comment))


@operation("DELETE", COMMIT_COMMENT)
def remove_of_commit(call: Call) -> Answer:
    call.world.store.remove("comment", _found(call, "sha")["id"])
    return Answer(status=204)


def _found(call: Call, on: str) -> Document:
    comment = call.world.store.get("comment", call.number("comment_id"))
    if comment is None or comment[on] is None:
        raise not_found()
    return comment


def _write(call: Call, what: Document) -> Document:
    now, number = call.world.now(), call.world.store.next_number("comment", 3_500_000_001)
    comment = {"issue": None, "sha": None, "user": call.actor, "created_at": now, "updated_at": now, "id": number}
    comment |= what
    call.world.store.put("comment", number, comment)
    return comment


def _tell(call: Call, action: str, comment: Document, issue: Document, more: Document | None = None) -> None:
    drawn = call.world.work.issue_comment(comment, issue)
    payload = {"action": action, "comment": drawn, "issue": call.world.drawn_issue(issue)}
    call.world.tell("issue_comment", payload | (more or {}), call.actor)
