"""Pull requests: opened, read, edited and merged."""

from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, invalid
from bot.sandbox.github.git import ADDRESS
from bot.sandbox.github.registry import Call, operation

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{pull_number}"


@operation("GET", PULLS)
def listed(call: Call) -> Listing:
    query = call.query
    owner, _, head = (query.get("head") or "").rpartition(":")
    fork = "" if owner in ("", call.world.name.split("/")[0]) else owner
    found = [
        issue for issue in call.world.pulls(query.get("state") or "open")
        if head in ("", issue["pull"]["head"]) and (not owner or fork == issue["pull"].get("fork", ""))
        and (query.get("base") or "") in ("", issue["pull"]["base"])
    ]  # fmt: skip
    return Listing(found[::-1] if query.get("direction") == "asc" else found, call.world.drawn_pull)


@operation("POST", PULLS)
def create(call: Call) -> Answer:
    title, head, base = (call.text(name, resource="PullRequest") for name in ("title", "head", "base"))
    draft = bool(call.body.get("draft"))
    issue = call.world.open_pull(title, call.text("body", None), head, base, call.actor, draft)
    return Answer(call.world.full_pull(issue), 201)


@operation("GET", PULL)
def read(call: Call) -> Answer:
    return Answer(call.world.full_pull(_found(call)))


@operation("PATCH", PULL)
def edit(call: Call) -> Answer:
    issue, state = _found(call), call.body.get("state")
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state", "invalid")
    for name in ("title", "body"):
        if name in call.body:
            issue[name] = call.text(name, None)
    turned = state not in (None, issue["state"])
    if turned:
        issue |= {"state": state, "closed_at": call.world.now() if state == "closed" else None}
    call.world.save_issue(issue)
    if turned:
        call.world.tell_pull("closed" if state == "closed" else "reopened", issue, call.actor)
    return Answer(call.world.full_pull(issue))


@operation("GET", PULL + "/files")
def files(call: Call) -> Listing:
    head, base = call.world.ends(_found(call))
    return call.world.files(call.world.git.changes(call.world.git.merge_base(base, head) or base, head), head)


@operation("GET", PULL + "/commits")
def commits(call: Call) -> Listing:
    head, base = call.world.ends(_found(call))
    found = call.world.git.commits("--reverse", f"{base}..{head}")
    return Listing(found, call.world.shapes.commit)


@operation("GET", PULL + "/merge")
def merged(call: Call) -> Answer:
    if not _found(call)["pull"]["merged_at"]:
        raise ApiError(404, "Not Found")
    return Answer(status=204)


@operation("PUT", PULL + "/merge")
def merge(call: Call) -> Answer:
    issue, world = _found(call), call.world
    head, base = world.ends(issue)
    if call.body.get("sha") not in (None, head):
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    tree = world.git.merged_tree(base, head) if issue["state"] == "open" else None
    if tree is None:
        raise ApiError(405, "Pull Request is not mergeable")
    method = call.body.get("merge_method") or "merge"
    if method not in ("merge", "squash", "rebase"):
        raise invalid("PullRequest", "merge_method", "invalid")
    sha = _merge_commit(call, issue, tree, method)
    ref, now = f"refs/heads/{issue['pull']['base']}", world.now()
    world.git.update_ref(ref, sha, base)
    done = {"head_sha": head, "base_sha": base, "merged_at": now, "merged_by": call.actor, "merge_sha": sha}
    issue["pull"] |= done
    world.save_issue(issue | {"state": "closed", "closed_at": now})
    world.tell_pull("closed", world.issue(issue["number"]), call.actor)
    world.pushed(ref, base, sha, call.actor)
    return Answer({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _merge_commit(call: Call, issue: Document, tree: str, method: str) -> str:
    (head, base), pull, git = call.world.ends(issue), issue["pull"], call.world.git
    by = {"name": call.actor, "email": ADDRESS.format(call.actor)}
    if method == "rebase" and git.is_ancestor(base, head):
        return head
    owner = call.world.name.split("/")[0]
    merging = f"Merge pull request #{issue['number']} from {owner}/{pull['head']}"
    title = call.text("commit_title", merging if method == "merge" else f"{issue['title']} (#{issue['number']})")
    message = f"{title}\n\n{call.text('commit_message', issue['title'])}"
    return git.write_commit(tree, [base, head] if method == "merge" else [base], message, by)


def _found(call: Call) -> Document:
    return call.world.pull(call.number("pull_number"))
