"""The history, one commit, and two of them compared."""

from bot.sandbox.github.answers import Answer, ApiError, Listing, not_found
from bot.sandbox.github.registry import Call, operation

REPOSITORY = "/repos/{owner}/{repo}"
MOST_FILES = 300
MOST_COMMITS = 250


@operation("GET", REPOSITORY + "/commits")
def history(call: Call) -> Listing:
    git, query = call.world.git, call.query
    start = git.resolve(query.get("sha") or call.world.default_branch)
    if start is None:
        raise not_found()
    spans = {"since": "--since", "until": "--until", "author": "--author"}
    filters = [f"{option}={query[name]}" for name, option in spans.items() if query.get(name)]
    path = ["--", query["path"]] if query.get("path") else []
    return Listing(git.commits(*filters, start, *path), call.world.shapes.commit)


@operation("GET", REPOSITORY + "/commits/{ref}")
def commit(call: Call) -> Answer:
    world = call.world
    found = world.git.commit(world.sha(call.parameters["ref"]))
    changes = world.git.changes(found.parents[0] if found.parents else "", found.sha)
    size = min(int(call.query.get("per_page") or MOST_FILES), MOST_FILES)
    start = (int(call.query.get("page") or 1) - 1) * size
    return Answer(world.shapes.commit_with_files(found, changes, changes[start : start + size]))


@operation("GET", REPOSITORY + "/commits/{commit_sha}/pulls")
def pulls(call: Call) -> Listing:
    world, sha = call.world, call.world.sha(call.parameters["commit_sha"])
    found = []
    for issue in world.pulls():
        head, base = world.ends(issue)
        merged = issue["pull"]["merge_sha"] == sha
        # What is only in a fork is not associated with its pull request here, until it is merged.
        if merged or (
            not issue["pull"].get("fork") and world.git.is_ancestor(sha, head) and not world.git.is_ancestor(sha, base)
        ):
            found.append(issue)
    return Listing(found, world.drawn_pull)


@operation("GET", REPOSITORY + "/compare/{basehead}")
def compare(call: Call) -> Answer:
    world, (base_name, dots, head_name) = call.world, call.parameters["basehead"].partition("...")
    base, head = world.git.resolve(base_name), world.git.resolve(head_name)
    if not dots or base is None or head is None:
        raise not_found()
    fork = world.git.merge_base(base, head)
    if fork is None:
        raise ApiError(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = world.git.count(f"{base}..{head}"), world.git.count(f"{head}..{base}")
    both = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind", (False, False): "identical"}
    status = both[(bool(ahead), bool(behind))]
    size = min(int(call.query.get("per_page") or MOST_COMMITS), MOST_COMMITS)
    start = (int(call.query.get("page") or 1) - 1) * size
    commits = world.git.commits("--reverse", f"{base}..{head}")[start : start + size] if ahead else []
    changes = world.git.changes(fork, head)[:MOST_FILES] if start == 0 else []
    url, html = f"{world.shapes.api}/compare/{base_name}...{head_name}", world.shapes.html
    return Answer(
        {
            "url": url, "html_url": f"{html}/compare/{base_name}...{head_name}",
            "permalink_url": f"{html}/compare/{base[:12]}...{head[:12]}", "status": status,
            "diff_url": f"{html}/compare/{base_name}...{head_name}.diff",
            "patch_url": f"{html}/compare/{base_name}...{head_name}.patch", "ahead_by": ahead, "behind_by": behind,
            "total_commits": ahead, "base_commit": world.shapes.commit(world.git.commit(base)),
            "merge_base_commit": world.shapes.commit(world.git.commit(fork)),
            "commits": [world.shapes.commit(one) for one in commits],
            "files": [world.shapes.file(change, head) for change in changes],
        }
    )  # fmt: skip
