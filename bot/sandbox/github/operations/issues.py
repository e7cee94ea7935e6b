"""Issues, their labels and assignees, and the search for them."""

import re
import shlex

from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, invalid
from bot.sandbox.github.registry import Call, operation

ISSUES = "/repos/{owner}/{repo}/issues"
ISSUE = ISSUES + "/{issue_number}"


@operation("GET", ISSUES)
def listed(call: Call) -> Listing:
    query, state = call.query, call.query.get("state") or "open"
    labels = set(filter(None, (query.get("labels") or "").split(",")))
    found = [
        issue for issue in call.world.store.all("issue")
        if state in ("all", issue["state"]) and labels <= {label["name"] for label in issue["labels"]}
        and query.get("creator") in (None, "", issue["user"])
        and (query.get("since") or "") <= issue["updated_at"]
    ]  # fmt: skip
    order = "updated_at" if query.get("sort") == "updated" else "number"
    newest_first = query.get("direction") != "asc"
    return Listing(sorted(found, key=lambda issue: issue[order], reverse=newest_first), call.world.drawn_issue)


@operation("POST", ISSUES)
def create(call: Call) -> Answer:
    title = call.text("title", resource="Issue")
    issue = call.world.open_issue(title, call.text("body", None), call.actor)
    issue |= {"labels": _labels(call), "assignees": call.texts("assignees")}
    call.world.store.put("issue", issue["number"], issue)
    call.world.tell_issue("opened", issue, call.actor)
    return Answer(call.world.drawn_issue(issue), 201)


@operation("GET", ISSUE)
def read(call: Call) -> Answer:
    return Answer(call.world.drawn_issue(call.world.issue(call.number("issue_number"))))


@operation("PATCH", ISSUE)
def edit(call: Call) -> Answer:
    issue, state = call.world.issue(call.number("issue_number")), call.body.get("state")
    before = {name: issue[name] for name in ("title", "body")}
    for name in ("title", "body"):
        if name in call.body:
            issue[name] = call.text(name, None)
    if not issue["title"]:
        raise invalid("Issue", "title")
    if "labels" in call.body:
        issue["labels"] = _labels(call)
    if "assignees" in call.body:
        issue["assignees"] = call.texts("assignees")
    action = _turn(call, issue, state) if state not in (None, issue["state"]) else ""
    call.world.save_issue(issue)
    if action:
        call.world.tell_issue(action, issue, call.actor)
    elif any(before[name] != issue[name] for name in before):
        changes = {name: {"from": before[name] or ""} for name in before if before[name] != issue[name]}
        payload = {"action": "edited", "changes": changes, "issue": call.world.drawn_issue(issue)}
        call.world.tell("issues", payload, call.actor)
    return Answer(call.world.drawn_issue(issue))


@operation("GET", ISSUE + "/labels")
def labels_of(call: Call) -> Listing:
    return Listing(call.world.issue(call.number("issue_number"))["labels"], call.world.shapes.label)


@operation("POST", ISSUE + "/labels")
def add_labels(call: Call) -> Answer:
    issue = call.world.issue(call.number("issue_number"))
    had = {label["name"] for label in issue["labels"]}
    issue["labels"] += [label for label in _labels(call) if label["name"] not in had]
    call.world.save_issue(issue)
    return Answer([call.world.shapes.label(label) for label in issue["labels"]])


@operation("PUT", ISSUE + "/labels")
def set_labels(call: Call) -> Answer:
    issue = call.world.issue(call.number("issue_number"))
    issue["labels"] = _labels(call)
    call.world.save_issue(issue)
    return Answer([call.world.shapes.label(label) for label in issue["labels"]])


@operation("DELETE", ISSUE + "/labels/{name}")
def remove_label(call: Call) -> Answer:
    issue, name = call.world.issue(call.number("issue_number")), call.parameters["name"]
    kept = [label for label in issue["labels"] if label["name"] != name]
    if len(kept) == len(issue["labels"]):
        raise ApiError(404, "Label does not exist")
    issue["labels"] = kept
    call.world.save_issue(issue)
    return Answer([call.world.shapes.label(label) for label in kept])


@operation("POST", ISSUE + "/assignees")
def assign(call: Call) -> Answer:
    issue = call.world.issue(call.number("issue_number"))
    issue["assignees"] = list(dict.fromkeys([*issue["assignees"], *call.texts("assignees")]))
    return Answer(call.world.drawn_issue(call.world.save_issue(issue)), 201)


@operation("DELETE", ISSUE + "/assignees")
def unassign(call: Call) -> Answer:
    issue, gone = call.world.issue(call.number("issue_number")), call.texts("assignees")
    issue["assignees"] = [login for login in issue["assignees"] if login not in gone]
    return Answer(call.world.drawn_issue(call.world.save_issue(issue)))


@operation("GET", "/search/issues")
def search(call: Call) -> Listing:
    """Words and phrases in title, body and comments; repo:, is:, state:, label:, author:, in: as GitHub knows them."""
    if not call.query.get("q"):
        raise invalid("Search", "q", "missing")
    try:
        asked = shlex.split(call.query["q"])
    except ValueError:
        asked = call.query["q"].split()
    found = [issue for issue in call.world.store.all("issue") if all(_fits(call, issue, word) for word in asked)]

    def drawn(issue: Document) -> Document:
        return call.world.drawn_issue(issue) | {"score": 1.0}

    return Listing(found[::-1], drawn, "items", {"incomplete_results": False, "search_type": "lexical"})


def _fits(call: Call, issue: Document, word: str) -> bool:
    name, colon, value = word.partition(":")
    match name if colon and re.fullmatch(r"[a-z]+", name) else "":
        case "repo":
            return value.lower() == call.world.name.lower()
        case "is" | "state" | "type":
            kind = "pr" if issue["pull"] else "issue"
            merged = bool(issue["pull"]) and bool(issue["pull"]["merged_at"])
            return value in (kind, issue["state"]) or (value == "merged" and merged)
        case "label":
            return value in {label["name"] for label in issue["labels"]}
        case "author":
            return bool(value == issue["user"])
        case "in":
            return True
    texts = [issue["title"], issue["body"] or "", *(one["body"] for one in call.world.comments(issue["number"]))]
    return any(word.lower() in text.lower() for text in texts)


def _labels(call: Call) -> list[Document]:
    """The labels of the body; those that the repository does not know are made, as GitHub does."""
    given, found = call.body.get("labels") or [], []
    known = {label["name"]: label for label in call.world.store.all("label")}
    for one in given:
        name = one.get("name", "") if isinstance(one, dict) else one
        if not isinstance(name, str) or not name:
            raise invalid("Label", "name", "invalid")
        if name not in known:
            known[name] = {"name": name, "color": "ededed", "description": None}
            call.world.store.put("label", call.world.store.next_number("label"), known[name])
        found.append(known[name])
    return found


def _turn(call: Call, issue: Document, state: str | None) -> str:
    """Close or open an issue; answers what a webhook calls that."""
    if state not in ("open", "closed"):
        raise invalid("Issue", "state", "invalid")
    closed = state == "closed"
    reason = (call.text("state_reason", None) or "completed") if closed else "reopened"
    issue |= {"state": state, "state_reason": reason, "closed_at": call.world.now() if closed else None}
    return "closed" if closed else "reopened"
