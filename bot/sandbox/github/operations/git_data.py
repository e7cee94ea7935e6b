"""References, trees, blobs and commits as git has them."""

import base64
import binascii

from bot.sandbox.github.answers import Answer, ApiError, Document, Listing, not_found
from bot.sandbox.github.git import SHA, GitError
from bot.sandbox.github.operations.contents import person
from bot.sandbox.github.registry import Call, operation

GIT = "/repos/{owner}/{repo}/git"


@operation("GET", GIT + "/ref/{ref}")
def ref(call: Call) -> Answer:
    name = f"refs/{call.parameters['ref']}"
    found = dict(call.world.git.refs(name))
    if name not in found:
        raise not_found()
    return Answer(call.world.shapes.ref(name, found[name]))


@operation("GET", GIT + "/matching-refs/{ref}")
def matching(call: Call) -> Listing:
    return Listing(
        call.world.git.refs(f"refs/{call.parameters['ref']}"), lambda pair: call.world.shapes.ref(pair[0], pair[1])
    )


@operation("POST", GIT + "/refs")
def create_ref(call: Call) -> Answer:
    name, sha = call.text("ref"), call.text("sha")
    if not name.startswith("refs/") or name.count("/") < 2:
        raise ApiError(422, "Reference name must start with 'refs/'.")
    if call.world.git.resolve(name):
        raise ApiError(422, "Reference already exists")
    commit = call.world.git.resolve(sha) if SHA.fullmatch(sha) else None
    if commit is None:
        raise ApiError(422, "Object does not exist")
    try:
        call.world.git.update_ref(name, commit)
    except GitError:
        raise ApiError(422, "Reference name is not valid") from None
    call.world.pushed(name, "", commit, call.actor)
    return Answer(call.world.shapes.ref(name, commit), 201)


@operation("PATCH", GIT + "/refs/{ref}")
def move_ref(call: Call) -> Answer:
    name, git = f"refs/{call.parameters['ref']}", call.world.git
    old, new = git.resolve(name), git.resolve(call.text("sha"))
    if old is None:
        raise ApiError(422, "Reference does not exist")
    if new is None:
        raise ApiError(422, "Object does not exist")
    if not call.body.get("force") and not git.is_ancestor(old, new):
        raise ApiError(422, "Update is not a fast forward")
    git.update_ref(name, new, old)
    call.world.pushed(name, old, new, call.actor)
    return Answer(call.world.shapes.ref(name, new))


@operation("DELETE", GIT + "/refs/{ref}")
def delete_ref(call: Call) -> Answer:
    name = f"refs/{call.parameters['ref']}"
    old = call.world.git.resolve(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    call.world.git.delete_ref(name)
    call.world.pushed(name, old, "", call.actor)
    return Answer(status=204)


@operation("GET", GIT + "/commits/{commit_sha}")
def commit(call: Call) -> Answer:
    sha = call.world.git.resolve(call.parameters["commit_sha"])
    if sha is None:
        raise not_found()
    return Answer(call.world.shapes.git_commit(call.world.git.commit(sha)))


@operation("POST", GIT + "/commits")
def create_commit(call: Call) -> Answer:
    git, message = call.world.git, call.text("message")
    tree = git.resolve(call.text("tree"), "tree")
    parents = [git.resolve(sha) for sha in call.texts("parents")]
    if tree is None:
        raise ApiError(422, "Tree SHA does not exist")
    if None in parents:
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    known = [parent for parent in parents if parent]
    sha = git.write_commit(tree, known, message, person(call, "author"), person(call, "committer"))
    return Answer(call.world.shapes.git_commit(git.commit(sha)), 201)


@operation("GET", GIT + "/trees/{tree_sha}")
def tree(call: Call) -> Answer:
    sha = call.world.git.resolve(call.parameters["tree_sha"], "tree")
    if sha is None:
        raise not_found()
    return Answer(_drawn(call, sha, bool(call.query.get("recursive"))))


@operation("POST", GIT + "/trees")
def create_tree(call: Call) -> Answer:
    git, given = call.world.git, call.body.get("tree")
    if not isinstance(given, list) or not all(isinstance(one, dict) and one.get("path") for one in given):
        raise ApiError(422, "Invalid tree info")
    base = call.body.get("base_tree")
    if base and (base := git.resolve(base, "tree")) is None:
        raise ApiError(422, "base_tree is not a valid tree oid")
    entries = []
    for one in given:
        content = one.get("content")
        sha = git.write_blob(content.encode()) if content is not None else one.get("sha") or ""
        entries.append((one.get("mode") or "100644", sha, one["path"]))
    try:
        sha = git.write_tree(base or "", entries)
    except GitError:
        raise ApiError(422, "tree.sha is not a valid blob") from None
    return Answer(_drawn(call, sha, recursive=False), 201)


@operation("GET", GIT + "/blobs/{file_sha}")
def blob(call: Call) -> Answer:
    sha = call.world.git.resolve(call.parameters["file_sha"], "blob")
    if sha is None:
        raise not_found()
    content = call.world.git.blob(sha)
    told = _blob(call, sha) | {"size": len(content), "encoding": "base64"}
    return Answer(told | {"content": base64.encodebytes(content).decode()})


@operation("POST", GIT + "/blobs")
def create_blob(call: Call) -> Answer:
    content = str(call.body.get("content", ""))
    try:
        raw = base64.b64decode(content, validate=True) if call.body.get("encoding") == "base64" else content.encode()
    except (binascii.Error, ValueError):
        raise ApiError(422, "content is not valid Base64") from None
    sha = call.world.git.write_blob(raw)
    return Answer({"url": f"{call.world.shapes.api}/git/blobs/{sha}", "sha": sha}, 201)


def _blob(call: Call, sha: str) -> Document:
    return {"sha": sha, "node_id": f"B_{sha}", "url": f"{call.world.shapes.api}/git/blobs/{sha}"}


def _drawn(call: Call, sha: str, recursive: bool) -> Document:
    entries = [call.world.shapes.tree_entry(entry) for entry in call.world.git.tree(sha, recursive)]
    return {"sha": sha, "url": f"{call.world.shapes.api}/git/trees/{sha}", "tree": entries, "truncated": False}
